"""What a call is counted under, and what hangs on it, as expressions over Call."""

from collections.abc import Callable, Iterator

from peewee import JOIN, Case, Expression, ModelAlias, ModelSelect, Node, SelectQuery, fn

from appliance.casework.call_forms import by_ledger
from appliance.casework.catalogs import UNLISTED
from appliance.models import Appeal, Call, CallForm, CatalogItem, FieldValue, Talk, Transfer
from appliance.reports import wallclock
from appliance.reports.periods import Period

type First = Callable[[type[Appeal | CallForm], str], Node]


def _first(table: type[Appeal | CallForm], column: str) -> SelectQuery:
    """A column of the first registration of the call in a table."""
    one = table.alias()
    found = one.select(getattr(one, column)).where(one.call_id == Call.id)
    return found.order_by(one.number).limit(1)


class Joined:
    """The first registrations of each call, looked up once, for whoever asks for much of them."""

    def __init__(self) -> None:
        self._asked: dict[type[Appeal | CallForm], ModelAlias] = {}

    def first(self, table: type[Appeal | CallForm], column: str) -> Node:
        """A column of the first registration of the call in a table."""
        return getattr(self._asked.setdefault(table, table.alias()), column)

    def has_appeal(self) -> Expression:
        one = self._asked.get(Appeal)
        return one.id.is_null(False) if one else has_appeal()

    def join(self, calls: ModelSelect) -> ModelSelect:
        """Calls with what was asked of their registrations."""
        for table, one in self._asked.items():
            calls = calls.join_from(Call, one, JOIN.LEFT_OUTER, on=one.id == _first(table, "id"))
        return calls


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


def region(first: First = _first) -> Node:
    """The region of the call's form №2, else that of the appeal that the call led to."""
    return fn.COALESCE(first(CallForm, "region"), first(Appeal, "region"))


def topic(first: First = _first) -> Node:
    """The direction of the call's form №2, else of its appeal, else what was chosen in the menu."""
    return fn.COALESCE(*_given("direction", first), Call.topic)


def call_type(first: First = _first) -> Node:
    """The type of call of its form №2, else of its appeal."""
    return fn.COALESCE(*_given("call_type", first))


def call_direction(first: First = _first) -> Node:
    """The call's own direction of its form №2, else as the ledger tells it: never unknown."""
    told = fn.NULLIF(first(CallForm, "call_direction"), "")
    return fn.COALESCE(_code(told, "call_direction"), by_ledger())


def _given(column: str, first: First) -> Iterator[Node]:
    """What a registration may have of a call: on form №2, on its appeal; NULL where it has not.

    UNLISTED in place of a text that is no code: reports leave the box and are never changed, so
    they hold no typed words.
    """
    return (_code(fn.NULLIF(first(table, column), ""), column) for table in (CallForm, Appeal))


def _code(value: Node, catalog: str) -> Node:
    codes = CatalogItem.select(CatalogItem.code).where(CatalogItem.catalog == catalog)
    return Case(None, [(value.is_null() | value.in_(codes), value)], UNLISTED)


def own_field(form: str, name: str) -> SelectQuery:
    """What was chosen in an added field: in the first form of the call in which anything was."""
    value = FieldValue.alias()
    return (
        value.select(value.code)
        .where(value.call_id == Call.id, value.form == form, value.field == name)
        .order_by(value.number)
        .limit(1)
    )


KEYS: dict[str, Callable[[First], Node]] = {
    "topic": topic,
    "call_type": call_type,
    "call_direction": call_direction,
    "region": region,
    "operator": lambda first: first_operator(),
    "trunk": lambda first: Call.trunk,
    "number": lambda first: number(),
    "language": lambda first: Call.language,
}


def own_key(form: str, name: str) -> str:
    """The key of an added field: "2.lang"."""
    return f"{form}.{name}"


def key(name: str, first: First = _first) -> Node:
    """What a call is counted under: one of KEYS, or an added field, by own_key()."""
    return KEYS[name](first) if name in KEYS else own_field(*name.split(".", 1))


def has_appeal() -> Expression:
    return fn.EXISTS(Appeal.select(Appeal.id).where(Appeal.call_id == Call.id))


def has_form() -> Expression:
    """Whether the call is registered on form №2."""
    return fn.EXISTS(CallForm.select(CallForm.id).where(CallForm.call_id == Call.id))


def has_transfer() -> Expression:
    return fn.EXISTS(Transfer.select(Transfer.id).where(Transfer.call == Call.id))
