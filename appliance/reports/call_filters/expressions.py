"""SQL expressions on Call: the values by which calls are grouped, and conditions on records.

The records of a call are its forms №2 (CallForm) and the appeals that it led to.
"""

from collections.abc import Callable, Iterator

from peewee import JOIN, Case, Expression, ModelAlias, ModelSelect, Node, SelectQuery, fn

from appliance.casework.call_forms import direction_from_ledger
from appliance.casework.catalogs import UNLISTED
from appliance.models import Appeal, Call, CallForm, CatalogItem, FieldValue, Talk, Transfer
from appliance.reports import wallclock
from appliance.reports.periods import Period

type FirstRecordColumn = Callable[[type[Appeal | CallForm], str], Node]


def first_record_column(table: type[Appeal | CallForm], column: str) -> SelectQuery:
    """Return the subquery of a column of the call's first record in a table."""
    record = table.alias()
    columns = record.select(getattr(record, column)).where(record.call_id == Call.id)
    return columns.order_by(record.number).limit(1)


class JoinedRecords:
    """Joins the first records of each call to a query once, however many columns it needs.

    First all columns are requested, then join_records() joins the tables that they need.
    """

    def __init__(self) -> None:
        self._aliases: dict[type[Appeal | CallForm], ModelAlias] = {}

    def first_record_column(self, table: type[Appeal | CallForm], column: str) -> Node:
        """Return a column of the call's first record in a table, to be joined."""
        return getattr(self._aliases.setdefault(table, table.alias()), column)

    def has_appeal(self) -> Expression:
        """Return the condition that the call led to an appeal."""
        appeal = self._aliases.get(Appeal)
        return appeal.id.is_null(False) if appeal else has_appeal()

    def join_records(self, calls: ModelSelect) -> ModelSelect:
        """Return a query of calls joined with the records whose columns were requested."""
        for table, record in self._aliases.items():
            calls = calls.join_from(
                Call, record, JOIN.LEFT_OUTER, on=record.id == first_record_column(table, "id")
            )
        return calls


def hours_since_epoch(period: Period) -> Node:
    """Return the whole hours from 1970 to the call's arrival, in local time."""
    return wallclock.local_microseconds(period) / wallclock.HOUR_MICROSECONDS


def dialled_number() -> Node:
    """Return the number that the citizen dialled; a diverted call arrives at another number."""
    return fn.COALESCE(Call.diverted_from, Call.hotline_number)


def first_operator() -> Node:
    """Return the login of the first operator who talked with the caller."""
    talk = Talk.alias()
    return (
        talk.select(talk.who)
        .where(talk.call == Call.id, talk.party == "operator")
        .order_by(talk.position)
        .limit(1)
    )


def region_expression(first: FirstRecordColumn = first_record_column) -> Node:
    """Return the region from the call's form №2, or else from the appeal that the call led to."""
    return fn.COALESCE(first(CallForm, "region"), first(Appeal, "region"))


def topic_expression(first: FirstRecordColumn = first_record_column) -> Node:
    """Return the direction from the call's form №2 or appeal, or else the topic from the menu."""
    return fn.COALESCE(*_recorded_codes("direction", first), Call.topic)


def call_type_expression(first: FirstRecordColumn = first_record_column) -> Node:
    """Return the type of call from the call's form №2, or else from its appeal."""
    return fn.COALESCE(*_recorded_codes("call_type", first))


def call_direction_expression(first: FirstRecordColumn = first_record_column) -> Node:
    """Return the call direction from the call's form №2, or else from the ledger; never NULL."""
    recorded = fn.NULLIF(first(CallForm, "call_direction"), "")
    return fn.COALESCE(_listed_code(recorded, "call_direction"), direction_from_ledger())


def _recorded_codes(column: str, first: FirstRecordColumn) -> Iterator[Node]:
    """Yield the value of a column on form №2 and on the appeal; NULL if it is empty.

    A typed text that is not a code is replaced by UNLISTED, because it may name a citizen, and
    issued reports cannot be changed later.
    """
    return (
        _listed_code(fn.NULLIF(first(table, column), ""), column) for table in (CallForm, Appeal)
    )


def _listed_code(value: Node, catalog: str) -> Node:
    codes = CatalogItem.select(CatalogItem.code).where(CatalogItem.catalog == catalog)
    return Case(None, [(value.is_null() | value.in_(codes), value)], UNLISTED)


def added_field_query(form: str, name: str) -> SelectQuery:
    """Return the subquery of the value of an added field on the call's first form that has one.

    An added field is a field that the site added to a form.
    """
    value = FieldValue.alias()
    return (
        value.select(value.code)
        .where(value.call_id == Call.id, value.form == form, value.field == name)
        .order_by(value.number)
        .limit(1)
    )


def added_field_key(form: str, name: str) -> str:
    """Return the key of an added field, such as "2.lang"."""
    return f"{form}.{name}"


def has_appeal() -> Expression:
    """Return the condition that the call led to an appeal."""
    return fn.EXISTS(Appeal.select(Appeal.id).where(Appeal.call_id == Call.id))


def has_form() -> Expression:
    """Return the condition that the call is registered on form №2."""
    return fn.EXISTS(CallForm.select(CallForm.id).where(CallForm.call_id == Call.id))


def has_transfer() -> Expression:
    """Return the condition that the call was transferred, or a transfer was attempted."""
    return fn.EXISTS(Transfer.select(Transfer.id).where(Transfer.call == Call.id))
