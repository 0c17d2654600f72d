"""Classes of calls that figures do not distinguish: one text for all calls of a class.

No condition of sums.py separates the calls of a class. Calls are many, classes only dozens: the
database counts the calls of each class, Python evaluates the conditions for each class.
"""

from dataclasses import dataclass

from peewee import SQL, Case, Node, fn

from appliance.models import Call
from appliance.reports.sums import InboundCall

_SHORT_VALUE, _SYNTHETIC_VALUE, _BAND_VALUE = 10, 20, 40  # added to the mark in one number


@dataclass(frozen=True)
class CallClassifier:
    """Assigns calls to classes; calls in a class have waits between the same two edges.

    `edges` are in seconds, in ascending order.
    """

    edges: tuple[float, ...]

    @property
    def sql(self) -> Node:
        """The class as one text: the database sorts by one column twice as fast as by six."""
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

    def representative_call(self, text: str) -> InboundCall:
        """Return a call of this class, with a wait as long as the upper edge of its band."""
        outcome, ended_by, number = text.split(" ")
        band, rest = divmod(int(number), _BAND_VALUE)
        synthetic, rest = divmod(rest, _SYNTHETIC_VALUE)
        short, mark = divmod(rest, _SHORT_VALUE)
        return InboundCall(
            None,
            outcome or None,
            bool(short),
            bool(synthetic),
            0.0,
            (*self.edges, self.edges[-1] + 1)[band - 1] if band else None,
            ended_by or None,
            mark or None,
        )


def _sql_literal(number: float) -> SQL:
    """Return a number as literal SQL: a parameter would be copied for each row."""
    return SQL(repr(number))
