"""What lies on an operator's desk: the call at hand, or the one to finish, and its form."""

import datetime as dt
from dataclasses import dataclass

from appliance.casework import call_forms
from appliance.casework.appeals import queries
from appliance.casework.forms.drafts import (
    call_of,
    draft,
    draft_of,
    is_token,
    registered_as,
    token_for,
)
from appliance.core.statements import Question, value
from appliance.models import Appeal, Call, CallForm, Draft, QueueVisit, Ring, Talk, User
from appliance.telephony import calls

# A call that ended longer ago opens no form by itself any more, unless something was typed.
SHIFT = dt.timedelta(hours=12)
# What every bar of an operator asks of the call at hand.
_TALKS = Question(lambda: Talk.select().where(Talk.call == value("call")).order_by(Talk.started_at))
_VISITS = Question(
    lambda: (
        QueueVisit.select().where(QueueVisit.call == value("call")).order_by(QueueVisit.position)
    )
)
# Sorted by us: to have them in order SQLite would look at all that ever rang at the operator.
_RINGS = Question(
    lambda: (
        Ring.select()
        .join(QueueVisit)
        .where(
            QueueVisit.call == value("call"),
            Ring.operator == value("login"),
            Ring.ended_at.is_null(),
        )
    )
)


@dataclass(frozen=True)
class Desk:
    """The form that is open and the call it belongs to.

    `stage` is ringing, dialling (a missed caller is called), talk, wrap_up after the talk, missed
    when nobody took it up, "" for a form without a call. `since` is when the stage began.
    `registered` are the operator's appeals of this call so far, `call_form` his form №2 of it.
    """

    token: str
    call: Call | None
    stage: str
    since: dt.datetime | None
    draft: Draft | None
    registered: list[Appeal]
    call_form: CallForm | None = None

    @property
    def waits_since(self) -> dt.datetime | None:
        """Since when the caller has waited in the queue; None when he waits no more."""
        visits = _VISITS.rows(call=self.call.id) if self.call else []
        return visits[-1].joined_at if visits and not visits[-1].left_at else None

    @property
    def done(self) -> bool:
        """Whether this call is registered and no further form of it was begun."""
        return bool(self.registered or self.call_form) and not self.draft

    @property
    def closed(self) -> bool:
        """Whether no form opens by itself: the call is done, or its form was put aside."""
        return self.done or bool(self.draft and self.draft.aside)


def at_hand(operator: User, now: dt.datetime) -> Desk | None:
    """The operator's call and its form; after it, the form until it is registered or put off."""
    if call := calls.of_operator(operator.login):
        return of_call(operator, call)
    call = calls.last_of_operator(operator.login)
    if not call:
        return None
    desk = of_call(operator, call)
    if desk.draft:
        return None if desk.draft.aside else desk
    recent = desk.since and now - desk.since < SHIFT
    return desk if recent and not desk.done else None


def of_form(operator: User, token: str) -> Desk | None:
    """The operator's form of this name, begun or not; None when it is registered or no name."""
    if registered_as(operator, token):
        return None
    if call := call_of(operator, token):
        desk = of_call(operator, call)
        return desk if desk.token == token else None
    known = draft(operator, token)
    return Desk(token, None, "", None, known, []) if known or is_token(token) else None


def of_appeal(appeal: Appeal) -> Desk:
    """What lay on its operator's desk when the appeal was registered, as it is now."""
    call = Call.get_or_none(Call.id == appeal.call_id) if appeal.call_id else None
    return (
        of_call(appeal.operator, call)
        if call
        else Desk(appeal.token, None, "", None, None, [appeal])
    )


def of_call_form(form: CallForm) -> Desk:
    """What lay on its operator's desk when the call was registered, as it is now."""
    return of_call(form.operator, Call.get_by_id(form.call_id))


def of_registered(operator: User, token: str) -> Desk | None:
    """The same for the operator's form of this name; None when it is not registered."""
    made = registered_as(operator, token)
    if isinstance(made, CallForm):
        return of_call_form(made)
    return of_appeal(made) if made else None


def of_call(operator: User, call: Call) -> Desk:
    """The operator's form for a call."""
    stage, since = _stage(operator.login, call)
    own = [a for a in queries.of_call(call.id) if a.operator_id == operator.id]
    return Desk(
        token=token_for(operator, call),
        call=call,
        stage=stage,
        since=since,
        draft=draft_of(operator, call.id),
        registered=own,
        call_form=call_forms.of_operator(operator, call),
    )


def _stage(login: str, call: Call) -> tuple[str, dt.datetime | None]:
    placed = call.direction == "outbound" and call.by == login
    all_ = _TALKS.rows(call=call.id)
    talks = [one for one in all_ if (one.party == "outside" if placed else one.who == login)]
    talk = talks[-1] if talks else None
    rings = _RINGS.rows(call=call.id, login=login)
    if call.ended_at is None and talk and (talk.ended_at is None or calls.asks(login, call)):
        return "talk", _begun(call, talks)
    if call.ended_at is None and rings:
        return "ringing", max(ring.started_at for ring in rings)
    if call.ended_at is None and placed and not talk:
        return "dialling", call.arrived_at
    return ("wrap_up", talk.ended_at or call.ended_at) if talk else ("missed", None)


def _begun(call: Call, talks: list[Talk]) -> dt.datetime:
    """Since when the operator has had the caller: asking an employee is part of it."""
    newest = talks[-1].started_at
    joined = [visit.joined_at for visit in _VISITS.rows(call=call.id) if visit.joined_at <= newest]
    last = max(joined, default=None)
    since: dt.datetime = next(
        talk.started_at for talk in talks if not last or talk.started_at >= last
    )
    return since
