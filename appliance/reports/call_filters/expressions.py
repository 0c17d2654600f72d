"""SQL expressions on Call: the values by which calls are grouped, and conditions on records.

The records of a call are its call forms (form №2) and the appeals (form №1) that it led to.
"""

from collections.abc import Callable, Iterator

from peewee import JOIN, Case, Expression, ModelAlias, ModelSelect, Node, SelectQuery, fn

from appliance.casework.call_forms import direction_from_ledger
from appliance.casework.catalogs import UNLISTED
from appliance.models import Appeal, Call, CallForm, CatalogItem, FieldValue, Talk, Transfer
from appliance.reports import wallclock
from appliance.reports.periods import Period

APPEAL_TYPES = ("application", "complaint", "proposal")  # by the law on appeals
# the kind of request that a type of call states, without an appeal; other types: "other"
REQUEST_KIND_BY_CALL_TYPE = {
    "": None,
    "appeal": None,
    "complaint": "complaint",
    "proposal": "proposal",
    "question": "question",
    "consultation": "question",
    "status": "question",
}
# from a table and the name of a column to the SQL for that column of the call's first record
type FirstRecordColumn = Callable[[type[Appeal | CallForm], str], Node]


def first_record_column(table: type[Appeal | CallForm], column: str) -> SelectQuery:
    """Return the subquery of a column of the call's first record in a table.

    The first record is that with the lowest number. The value is NULL if the call has no record.
    """
    record = table.alias()
    columns = record.select(getattr(record, column)).where(record.call_id == Call.id)
    return columns.order_by(record.number).limit(1)


class JoinedRecords:
    """Joins the first records of each call to a query once, however many columns it needs.

    First all columns are requested, then join_records() joins the tables that they need. The method
    first_record_column() can be passed wherever a FirstRecordColumn is expected.
    """

    def __init__(self) -> None:
        # the alias of the joined record of each table of which a column was requested
        self._aliases: dict[type[Appeal | CallForm], ModelAlias] = {}

    def first_record_column(self, table: type[Appeal | CallForm], column: str) -> Node:
        """Return a column of the call's first record in a table, which join_records() will join."""
        return getattr(self._aliases.setdefault(table, table.alias()), column)

    def has_appeal(self) -> Expression:
        """Return the condition that the call led to an appeal.

        If a column of Appeal was requested, the joined appeal is used instead of a subquery. So
        this is called after all columns are requested.
        """
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
    """Return the SQL for the whole hours from 1970 to the call's arrival, in local time.

    `period` contains the calls; its time zone is the local one.
    """
    return wallclock.local_microseconds(period) / wallclock.HOUR_MICROSECONDS


def dialled_number() -> Node:
    """Return the SQL for the number that the citizen dialled; NULL if it is unknown.

    A diverted call arrives at another number than the one dialled.
    """
    return fn.COALESCE(Call.diverted_from, Call.hotline_number)


def first_operator() -> Node:
    """Return the subquery of the login of the first operator who talked in the call, or NULL."""
    talk = Talk.alias()
    return (
        talk.select(talk.who)
        .where(talk.call == Call.id, talk.party == "operator")
        .order_by(talk.position)
        .limit(1)
    )


def region_expression(record_column: FirstRecordColumn = first_record_column) -> Node:
    """Return the SQL for the region (SOATO code) that a call is about; NULL if it is not stated.

    It is taken from the call form, or else from the appeal that the call led to. `record_column`
    returns the SQL for a column of the call's first record in one of these tables.
    """
    return fn.COALESCE(record_column(CallForm, "region"), record_column(Appeal, "region"))


def topic_expression(record_column: FirstRecordColumn = first_record_column) -> Node:
    """Return the SQL for the code of a call's topic; NULL if it is unknown.

    It is the field `direction` (field of work) of the call form, or else of the appeal that the
    call led to, or else the topic that the caller chose in the menu. `record_column` returns the
    SQL for a column of the call's first record in one of these tables.
    """
    return fn.COALESCE(*_recorded_codes("direction", record_column), Call.topic)


def call_type_expression(record_column: FirstRecordColumn = first_record_column) -> Node:
    """Return the SQL for the code of the type of call; NULL if it is not stated.

    It is taken from the call form, or else from the appeal that the call led to. `record_column`
    returns the SQL for a column of the call's first record in one of these tables.
    """
    return fn.COALESCE(*_recorded_codes("call_type", record_column))


def request_kind_expression(record_column: FirstRecordColumn = first_record_column) -> Node:
    """Return the SQL for what the citizen made: complaint, proposal, question, application, other.

    It is the type of the appeal that the call led to, or else follows from the type of call on the
    call form; NULL if neither states it. `record_column` returns the SQL for a column of the call's
    first record in one of these tables.
    """
    recorded_call_types = (
        fn.NULLIF(record_column(table, "call_type"), "") for table in (CallForm, Appeal)
    )
    kind_by_call_type = Case(
        fn.COALESCE(*recorded_call_types, ""), [*REQUEST_KIND_BY_CALL_TYPE.items()], "other"
    )
    appeal_types = [(appeal_type, appeal_type) for appeal_type in APPEAL_TYPES]
    return Case(record_column(Appeal, "appeal_type"), appeal_types, kind_by_call_type)


def call_direction_expression(record_column: FirstRecordColumn = first_record_column) -> Node:
    """Return the SQL for the code of a call's direction: incoming, transferred …; never NULL.

    It is the one that the operator entered in the call form, or else the one that follows from the
    stored call and its talks. `record_column` returns the SQL for a column of the call's first call
    form.
    """
    recorded = fn.NULLIF(record_column(CallForm, "call_direction"), "")
    return fn.COALESCE(_listed_code(recorded, "call_direction"), direction_from_ledger())


def _recorded_codes(column: str, record_column: FirstRecordColumn) -> Iterator[Node]:
    """Return the SQL for a column of the call form and of the appeal; NULL if it is empty.

    A typed text that is not a code is replaced by UNLISTED, because it may name a citizen, and
    issued reports cannot be changed later.
    """
    return (
        _listed_code(fn.NULLIF(record_column(table, column), ""), column)
        for table in (CallForm, Appeal)
    )


def _listed_code(value: Node, catalog: str) -> Node:
    """Return the SQL for `value` if it is NULL or a code of the catalog, otherwise UNLISTED."""
    codes = CatalogItem.select(CatalogItem.code).where(CatalogItem.catalog == catalog)
    return Case(None, [(value.is_null() | value.in_(codes), value)], UNLISTED)


def added_field_query(form: str, name: str) -> SelectQuery:
    """Return the subquery of the value of an added field on the call's first form that has one.

    An added field is a field that the site added to a form. `form` is the form's number: "1" for
    appeals, "2" for call forms. The value is NULL if no form of the call has one.
    """
    value = FieldValue.alias()
    return (
        value.select(value.code)
        .where(value.call_id == Call.id, value.form == form, value.field == name)
        .order_by(value.number)
        .limit(1)
    )


def added_field_key(form: str, name: str) -> str:
    """Return the key of an added field, such as "2.lang" for the field `lang` of form №2."""
    return f"{form}.{name}"


def has_appeal() -> Expression:
    """Return the SQL condition that the call led to an appeal."""
    return fn.EXISTS(Appeal.select(Appeal.id).where(Appeal.call_id == Call.id))


def has_form() -> Expression:
    """Return the condition that the call has a call form (form №2)."""
    return fn.EXISTS(CallForm.select(CallForm.id).where(CallForm.call_id == Call.id))


def has_transfer() -> Expression:
    """Return the condition that the call was transferred, or a transfer was attempted."""
    return fn.EXISTS(Transfer.select(Transfer.id).where(Transfer.call == Call.id))
