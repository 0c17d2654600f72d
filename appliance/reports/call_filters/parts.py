"""What a call is counted under, and what hangs on it, as expressions over Call."""

from collections.abc import Callable

from peewee import Expression, Node, SelectQuery, fn

from appliance.casework.call_forms import by_ledger
from appliance.models import Appeal, Call, CallForm, FieldValue, Talk, Transfer
from appliance.reports import wallclock
from appliance.reports.periods import Period


def hour(period: Period) -> Node:
    """Whole hours since 1970 on the site's wall clock."""
    return wallclock.local(period) / wallclock.HOUR


def number() -> Node:
    """What the citizen dialled: a diverted call came to another number than ours."""
    return fn.COALESCE(Call.diverted_from, Call.hotline_number)


def first_operator() -> Node:
    """The login of the first operator who spoke with the caller."""
    talk = Talk.alias()
    return (
        talk.select(talk.who)
        .where(talk.call == Call.id, talk.party == "operator")
        .order_by(talk.position)
        .limit(1)
    )


def region() -> Node:
    """The region of the call's form №2, else that of the appeal that the call led to."""
    return fn.COALESCE(_first(CallForm, "region"), _first(Appeal, "region"))


def topic() -> Node:
    """The direction of the call's form №2, else of its appeal, else what was chosen in the menu."""
    return fn.COALESCE(
        _first_given(CallForm, "direction"), _first_given(Appeal, "direction"), Call.topic
    )


def call_type() -> Node:
    """The type of call of its form №2, else of its appeal."""
    return fn.COALESCE(_first_given(CallForm, "call_type"), _first_given(Appeal, "call_type"))


def call_direction() -> Node:
    """The call's own direction of its form №2, else as the ledger tells it: never unknown."""
    return fn.COALESCE(_first_given(CallForm, "call_direction"), by_ledger())


def own_field(form: str, name: str) -> SelectQuery:
    """What was chosen in an added field: in the first form of the call in which anything was."""
    value = FieldValue.alias()
    return (
        value.select(value.code)
        .where(value.call_id == Call.id, value.form == form, value.field == name)
        .order_by(value.number)
        .limit(1)
    )


def _first(table: type[Appeal | CallForm], column: str) -> SelectQuery:
    """A column of the first registration of the call in a table."""
    one = table.alias()
    found = one.select(getattr(one, column)).where(one.call_id == Call.id)
    return found.order_by(one.number).limit(1)


def _first_given(table: type[Appeal | CallForm], column: str) -> Node:
    return fn.NULLIF(_first(table, column), "")


KEYS: dict[str, Callable[[], Node]] = {
    "topic": topic,
    "call_type": call_type,
    "call_direction": call_direction,
    "region": region,
    "operator": first_operator,
    "trunk": lambda: Call.trunk,
    "number": number,
    "language": lambda: Call.language,
}


def own_key(form: str, name: str) -> str:
    """The key of an added field: "2.lang"."""
    return f"{form}.{name}"


def key(name: str) -> Node:
    """What a call is counted under: one of KEYS, or an added field, by own_key()."""
    return KEYS[name]() if name in KEYS else own_field(*name.split(".", 1))


def has_appeal() -> Expression:
    return fn.EXISTS(Appeal.select(Appeal.id).where(Appeal.call_id == Call.id))


def has_form() -> Expression:
    """Whether the call is registered on form №2."""
    return fn.EXISTS(CallForm.select(CallForm.id).where(CallForm.call_id == Call.id))


def has_transfer() -> Expression:
    return fn.EXISTS(Transfer.select(Transfer.id).where(Transfer.call == Call.id))
