"""Classes of calls: two calls of a class meet the same conditions of sums.py.

So the calls of a class count alike in every figure. A class is named by a text. There are many
calls but only dozens of classes, so the database counts the calls of each class, and Python
evaluates the conditions once for each class.
"""

from dataclasses import dataclass

from peewee import SQL, Case, Node, fn

from appliance.models import Call
from appliance.reports.sums import InboundCall

_SHORT_VALUE, _SYNTHETIC_VALUE, _BAND_VALUE = 10, 20, 40  # the factors of one number: see `sql`


@dataclass(frozen=True)
class CallClassifier:
    """Assigns calls to classes.

    `edges` divide the waiting times into bands; calls of a class are in the same band. Edges are in
    seconds, in ascending order; a band includes its upper edge.
    """

    edges: tuple[float, ...]

    @property
    def sql(self) -> Node:
        """The SQL expression of a call's class, as one text "outcome ended_by number".

        The number is mark + 10 × short + 20 × synthetic + 40 × waiting-time band. The mark is 0 if
        the caller gave no mark, the band is 0 if the call did not wait in a queue, and an outcome
        or `ended_by` that is NULL is an empty text. It is one column, because the database sorts by
        it twice as fast as by six.
        """
        band = [(Call.wait_seconds.is_null(), _sql_literal(0))]
        band += [
            (Call.wait_seconds <= _sql_literal(edge), _sql_literal(n))
            for n, edge in enumerate(self.edges, 1)
        ]
        number = (
            fn.IFNULL(Call.rating, _sql_literal(0))
            + Call.short * _sql_literal(_SHORT_VALUE)
            + Call.synthetic * _sql_literal(_SYNTHETIC_VALUE)
            + Case(None, band, _sql_literal(len(self.edges) + 1)) * _sql_literal(_BAND_VALUE)
        )
        names = (fn.IFNULL(column, SQL("''")) for column in (Call.outcome, Call.ended_by))
        outcome, ended_by = names
        separator = SQL("' '")
        return outcome.concat(separator).concat(ended_by).concat(separator).concat(number)

    def representative_call(self, call_class: str) -> InboundCall:
        """Return a call that represents a class, given by a value of `sql`.

        Its wait is the upper edge of the class's waiting-time band: None if the calls did not wait
        in a queue, one second more than the last edge if the band has no upper edge.
        """
        outcome, ended_by, number = call_class.split(" ")
        band, rest = divmod(int(number), _BAND_VALUE)
        synthetic, rest = divmod(rest, _SYNTHETIC_VALUE)
        short, mark = divmod(rest, _SHORT_VALUE)
        return InboundCall(
            arrived_at=None,
            outcome=outcome or None,
            short=bool(short),
            synthetic=bool(synthetic),
            wait_seconds=(*self.edges, self.edges[-1] + 1)[band - 1] if band else None,
            ended_by=ended_by or None,
            rating=mark or None,
        )


def _sql_literal(number: float) -> SQL:
    """Return a number as literal SQL, because a parameter would be copied for each row."""
    return SQL(repr(number))
