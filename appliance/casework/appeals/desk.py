"""The operator's desk: the form that is open on the page, with the call that it belongs to.

The call is the current one, or the last one that is still to be registered.
"""

import datetime as dt
from dataclasses import dataclass

from appliance.casework import call_forms
from appliance.casework.appeals import queries
from appliance.casework.forms.drafts import (
    call_of_token,
    find_call_draft,
    find_draft,
    is_token_without_call,
    registration_of_token,
    token_for,
)
from appliance.core.statements import PreparedQuery, query_parameter
from appliance.models import Appeal, Call, CallForm, Draft, QueueVisit, Ring, Talk, User
from appliance.telephony import calls

# A form in which nothing was typed opens by itself until this long after its call ended.
FORM_OPENS_FOR = dt.timedelta(hours=12)
# Queries about the current call that every refresh of an operator's call bar runs.
_TALKS_OF_CALL = PreparedQuery(
    lambda: Talk.select().where(Talk.call == query_parameter("call")).order_by(Talk.started_at)
)
_VISITS_OF_CALL = PreparedQuery(
    lambda: (
        QueueVisit.select()
        .where(QueueVisit.call == query_parameter("call"))
        .order_by(QueueVisit.position)
    )
)
# Without an order: to sort the result, SQLite would scan all rings of the operator.
_ACTIVE_RINGS = PreparedQuery(
    lambda: (
        Ring.select()
        .join(QueueVisit)
        .where(
            QueueVisit.call == query_parameter("call"),
            Ring.operator == query_parameter("login"),
            Ring.ended_at.is_null(),
        )
    )
)


@dataclass(frozen=True)
class OperatorDesk:
    """A form that an operator fills in or has registered, with the call it belongs to.

    `stage` is how far the call is for the operator: "ringing", "dialling" (an outgoing call that is
    not answered yet), "talk", "wrap_up" (after the talk), "missed" (they did not answer), or "" for
    a form without a call. `since` is when the stage began, None for "missed" and "". `token`
    identifies the form (drafts.token_for). `draft` holds what was typed in the form, if anything is
    stored. `registered` are the operator's appeals of this call so far, `call_form` is their
    registered call form (№2) of it, if any.
    """

    token: str
    call: Call | None
    stage: str
    since: dt.datetime | None
    draft: Draft | None
    registered: list[Appeal]
    call_form: CallForm | None = None

    @property
    def waiting_since(self) -> dt.datetime | None:
        """When the caller joined the queue they are waiting in, if any."""
        visits = _VISITS_OF_CALL.fetch_objects(call=self.call.id) if self.call else []
        return visits[-1].joined_at if visits and not visits[-1].left_at else None

    @property
    def is_registered(self) -> bool:
        """True if the call is registered, and no further form of it has a draft."""
        return bool(self.registered or self.call_form) and not self.draft

    @property
    def is_closed(self) -> bool:
        """True if no form opens by itself: the call is registered, or its form was set aside.

        The operator sets a form aside to fill it in later.
        """
        return self.is_registered or bool(self.draft and self.draft.aside)


def current_desk(operator: User, now: dt.datetime) -> OperatorDesk | None:
    """Return the desk of the operator's current call, else of their last one.

    The last call's desk is returned until the call is registered or its form was set aside; if
    nothing was typed in the form, for FORM_OPENS_FOR at most. Returns None if there is no such
    call: the operator has no form to fill in.
    """
    if call := calls.current_call(operator.login):
        return desk_for_call(operator, call)
    call = calls.last_call_with_talk(operator.login)
    if not call:
        return None
    desk = desk_for_call(operator, call)
    if desk.draft:
        return None if desk.draft.aside else desk
    recent = desk.since and now - desk.since < FORM_OPENS_FOR
    return desk if recent and not desk.is_registered else None


def desk_for_unregistered_form(operator: User, form_token: str) -> OperatorDesk | None:
    """Return the desk of the operator's form with this token, if it is not registered yet.

    Returns None for an invalid token, too.
    """
    if registration_of_token(operator, form_token):
        return None
    if call := call_of_token(operator, form_token):
        desk = desk_for_call(operator, call)
        return desk if desk.token == form_token else None
    saved_draft = find_draft(operator, form_token)
    if not saved_draft and not is_token_without_call(form_token):
        return None
    return OperatorDesk(form_token, None, "", None, saved_draft, [])


def desk_for_appeal(appeal: Appeal) -> OperatorDesk:
    """Return the desk of an appeal's operator for the call of the appeal, if any.

    Without a call, the desk has the appeal only.
    """
    call = Call.get_or_none(Call.id == appeal.call_id) if appeal.call_id else None
    return (
        desk_for_call(appeal.operator, call)
        if call
        else OperatorDesk(appeal.token, None, "", None, None, [appeal])
    )


def desk_for_call_form(form: CallForm) -> OperatorDesk:
    """Return the desk of a call form's operator for its call."""
    return desk_for_call(form.operator, Call.get_by_id(form.call_id))


def desk_for_registered_form(operator: User, form_token: str) -> OperatorDesk | None:
    """Return the desk of the operator's form with this token, if it is registered.

    It may be registered as an appeal or as a call form.
    """
    registered = registration_of_token(operator, form_token)
    if isinstance(registered, CallForm):
        return desk_for_call_form(registered)
    return desk_for_appeal(registered) if registered else None


def desk_for_call(operator: User, call: Call) -> OperatorDesk:
    """Return the operator's desk for a call; its token is that of the call's next form."""
    stage, since = _call_stage(operator.login, call)
    own_appeals = [
        appeal for appeal in queries.appeals_of_call(call.id) if appeal.operator_id == operator.id
    ]
    return OperatorDesk(
        token=token_for(operator, call),
        call=call,
        stage=stage,
        since=since,
        draft=find_call_draft(operator, call.id),
        registered=own_appeals,
        call_form=call_forms.form_of_operator(operator, call),
    )


def _call_stage(login: str, call: Call) -> tuple[str, dt.datetime | None]:
    """Return how far the call is for the operator, and since when: OperatorDesk.stage, `since`.

    In an outgoing call, the operator talks once the called party ("outside") has answered.
    """
    is_outgoing = call.direction == "outbound" and call.by == login
    all_talks = _TALKS_OF_CALL.fetch_objects(call=call.id)
    talks = [
        talk_row
        for talk_row in all_talks
        if (talk_row.party == "outside" if is_outgoing else talk_row.who == login)
    ]
    talk = talks[-1] if talks else None
    rings = _ACTIVE_RINGS.fetch_objects(call=call.id, login=login)
    # while the operator consults an employee, their talk is interrupted, not over
    if (
        call.ended_at is None
        and talk
        and (talk.ended_at is None or calls.is_consulting(login, call))
    ):
        return "talk", _talk_start(call, talks)
    if call.ended_at is None and rings:
        return "ringing", max(ring.started_at for ring in rings)
    if call.ended_at is None and is_outgoing and not talk:
        return "dialling", call.arrived_at
    return ("wrap_up", talk.ended_at or call.ended_at) if talk else ("missed", None)


def _talk_start(call: Call, talks: list[Talk]) -> dt.datetime:
    """Return when the operator's talk with the caller began.

    A talk that was interrupted to consult an employee counts as one. `talks` are the operator's
    talks of the call, oldest first. Only those after the caller last joined a queue count: before,
    the caller may have talked to the operator and then been transferred to a queue.
    """
    newest_start = talks[-1].started_at
    joined = [
        visit.joined_at
        for visit in _VISITS_OF_CALL.fetch_objects(call=call.id)
        if visit.joined_at <= newest_start
    ]
    last_joined = max(joined, default=None)
    since: dt.datetime = next(
        talk.started_at for talk in talks if not last_joined or talk.started_at >= last_joined
    )
    return since
