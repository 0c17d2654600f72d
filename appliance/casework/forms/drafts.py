"""What an operator has typed and not yet registered; it outlives page, session and browser.

A draft holds the values of both forms, so that what both ask is typed once.
"""

import datetime as dt
import re
import uuid

from peewee import JOIN, ModelSelect, fn

from appliance.casework.forms.versions import APPEAL, FORMS, in_force, lately, product
from appliance.core import audit, clock
from appliance.core.db import writing
from appliance.core.statements import Question, row_with, value
from appliance.models import Appeal, Call, CallForm, Draft, QueueVisit, Ring, Talk, User

MOST = 200  # unfinished forms without a call that one operator may have
CONSULTATION = ("consultation", "consultation_issue", "consultation_contact")  # beside form №1

_OWN = Question(
    lambda: (
        Draft.select().where(Draft.operator == value("operator")).order_by(Draft.updated_at.desc())
    )
)
# What every bar of an operator asks: what was registered of a call.
_REGISTERED = tuple(
    Question(
        lambda table=table: table.select(table.operator, table.token).where(  # type: ignore[misc]
            table.call_id == value("call")
        )
    )
    for table in (Appeal, CallForm)
)


def _his_call() -> ModelSelect:
    """The call of an id, if it rang at an operator or spoke with him, or he placed it.

    Asked of this one call, however many others there were.
    """
    of_it = (QueueVisit.call == value("call"), Ring.visit == QueueVisit.id)
    rang = QueueVisit.select().join(Ring, JOIN.CROSS)  # few visits first, then their rings
    rang = rang.where(*of_it, Ring.operator == value("login"))
    spoke = Talk.select().where(Talk.call == value("call"), Talk.who == value("login"))
    placed = (Call.direction == "outbound") & (Call.by == value("login"))
    his = fn.EXISTS(rang) | fn.EXISTS(spoke) | placed
    return Call.select().where(Call.id == value("call"), his).limit(1)


_HIS_CALL = Question(_his_call)


class TooMany(Exception):
    """The operator has too many unfinished forms to begin another."""


class AlreadyRegistered(Exception):
    """The form that is being saved was registered before, as this appeal or this call."""

    def __init__(self, registered: Appeal | CallForm) -> None:
        super().__init__(registered.number)
        self.registered = registered


def token_for(operator: User, call: Call | None) -> str:
    """The name of the form that the operator fills for a call; a new one without a call.

    Every page and tab that opens the form of a call gets the same, so sending it from two of them
    counts once; once registered, the next form of the same call gets another.
    """
    if not call:
        return uuid.uuid4().hex
    all_ = (row for one in _REGISTERED for row in one.ask(call=call.id))
    made = {token for whose, token in all_ if whose == operator.id}
    return f"{call.id}-{operator.id}-{len(made)}"


def is_token(text: str) -> bool:
    """Whether this can be the name of a form without a call."""
    return re.fullmatch(r"[0-9a-f]{32}", text) is not None


def is_his(operator: User, token: str) -> bool:
    """Whether this is, or can be, the name of a form of the operator's, and of nobody else's.

    The name of a call's form is told by the call and its operator: a colleague knows it, too.
    """
    known = [row for table in (Draft, Appeal, CallForm) if (row := row_with(table, token=token))]
    if known:
        return all(row.operator_id == operator.id for row in known)
    return is_token(token) or call_of(operator, token) is not None


def call_of(operator: User, token: str) -> Call | None:
    """The call that a form of this name belongs to, if it rang at or spoke with the operator, or
    he placed it."""
    call_id, _, rest = token.partition(f"-{operator.id}-")
    if not rest:
        return None
    found: Call | None = _HIS_CALL.first(call=call_id, login=operator.login)
    return found


def draft(operator: User, token: str) -> Draft | None:
    """The operator's own draft of this name."""
    return row_with(Draft, operator=operator.id, token=token)


def draft_of(operator: User, call_id: str) -> Draft | None:
    """The operator's draft for a call."""
    return row_with(Draft, operator=operator.id, call_id=call_id)


def drafts(operator: User) -> list[Draft]:
    """The operator's drafts in which something was typed, newest first."""
    return [draft for draft in _OWN.rows(operator=operator.id) if not is_blank(draft.values)]


def is_blank(values: dict[str, str]) -> bool:
    """Whether nobody has typed anything yet."""
    given = {field.name for form in FORMS for field in product(form).fields if field.given}
    return not any(text for name, text in values.items() if name not in given | {"phone"})


def names() -> frozenset[str]:
    """All names that a draft's values may have."""
    versions = (version for form in FORMS for version in lately(form))
    return frozenset(CONSULTATION).union(*(version.names for version in versions))


def cleaned_of_both(values: dict[str, str], asked: frozenset[str] | None = None) -> dict[str, str]:
    """Only what the two forms ask, without blanks around; nothing else of a request is kept.

    `asked`: names(), for who has them already.
    """
    both = names() if asked is None else asked
    return {name: text for name in sorted(both) if (text := values.get(name, "").strip())}


def save_draft(
    operator: User,
    token: str,
    values: dict[str, str],
    *,
    form: str = APPEAL,
    aside: bool = False,
    typed_at: dt.datetime | None = None,
    base: dict[str, str] | None = None,
) -> Draft:
    """Keep what the open `form` holds, typed at `typed_at` (None: now).

    What only the other form asks stays as it was.
    `base` is what the page knew to be kept before: only fields that differ from it are changed,
    so that two pages with the same form overwrite nothing of each other's; of a field that both
    have changed, what was typed later stays, whichever comes first. Without `base`, what was typed
    before what is kept changes nothing.
    Raises AlreadyRegistered when it comes after registering, TooMany for one form more than MOST
    without a call.
    """
    call, asked = call_of(operator, token), names()
    typed = cleaned_of_both(values, asked)
    moment = min(typed_at or clock.now(), clock.now())
    now = {"token": token, "form": form, "values": typed, "updated_at": moment, "aside": aside}
    with writing():
        if registered := registered_as(operator, token):
            raise AlreadyRegistered(registered)
        known = draft(operator, token) or (draft_of(operator, call.id) if call else None)
        if known and typed_at and base is None and known.updated_at > typed_at:
            return known
        if known and base is not None:
            now["updated_at"] = max(moment, known.updated_at)
            knew = _known_of(known, form, cleaned_of_both(base, asked))
            late = bool(typed_at and known.updated_at > typed_at)
            now["values"] = _merged(known.values, knew, typed, late)
        elif known:
            now["values"] = not_of(form, known.values) | typed
        if known:
            Draft.update(now).where(Draft.id == known.id).execute()
        else:
            if not call and _without_call(operator) >= MOST:
                raise TooMany
            Draft.create(operator=operator, call_id=call and call.id, **now)
    return Draft.get(Draft.operator == operator, Draft.token == token)


def _known_of(kept: Draft, form: str, base: dict[str, str]) -> dict[str, str]:
    """What a page of `form` knew to be kept, without what stood in it beforehand.

    When the other form was kept last, what only this one asks was given (the caller's number) and
    never kept.
    """
    if kept.form == form:
        return base
    others = in_force(kept.form).names
    return {name: text for name, text in base.items() if name in others or name in kept.values}


def _merged(
    kept: dict[str, str], base: dict[str, str], now: dict[str, str], late: bool
) -> dict[str, str]:
    """What is kept, with those fields of `now` that are other than in `base`.

    `late`: it was typed before what is kept, as by a page that was left while it was sending;
    fields that were changed since stay.
    """
    changed = {name for name in {*base, *now} if base.get(name) != now.get(name)}
    if late:
        changed = {name for name in changed if kept.get(name) == base.get(name)}
    rest = {name: text for name, text in kept.items() if name not in changed}
    return rest | {name: now[name] for name in changed if name in now}


def _without_call(operator: User) -> int:
    return Draft.select().where(Draft.operator == operator, Draft.call_id.is_null()).count()


def registered_as(operator: User, token: str) -> Appeal | CallForm | None:
    """What the operator's form of this name became: an appeal, else a registered call."""
    own = {"token": token, "operator": operator.id}
    return row_with(Appeal, **own) or row_with(CallForm, **own)


def not_of(form: str, values: dict[str, str]) -> dict[str, str]:
    """The values that a form does not ask: those of the other one."""
    own = in_force(form).names | (frozenset(CONSULTATION) if form == APPEAL else frozenset())
    return {name: text for name, text in values.items() if name not in own}


def discard_draft(operator: User, token: str) -> None:
    """Throw a draft away; of a call it stays as an empty one, so that it opens no more."""
    with writing():
        own = (Draft.operator == operator) & (Draft.token == token)
        emptied = Draft.update(values={}, aside=True).where(own, Draft.call_id.is_null(False))
        gone = Draft.delete().where(own, Draft.call_id.is_null())
        if emptied.execute() + gone.execute():
            audit.record(operator.login, "draft.discard", token)
