"""Who calls: the card beside a form, whom the form tells of, what may be the same matter."""

import json
from collections.abc import Iterable
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, jsonify, render_template
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from appliance.casework import appeals, applicants, call_forms, catalogs, ministry
from appliance.casework.appeals import additions, personal
from appliance.casework.appeals.handling import HandlingError, of_appeal
from appliance.messaging.notices import manual
from appliance.telephony import calls
from appliance.web.appeals import appeal_labels, card
from appliance.web.appeals.lookup import remember
from appliance.web.calls.call import OWN_OUTCOMES
from appliance.web.shell import disclosure, formats
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site, today
from appliance.web.shell.rates import limiter
from appliance.web.shell.sent import document
from appliance.web.status import outbox
from appliance.web.workplace import forms, number_notes

if TYPE_CHECKING:
    from appliance.models import Appeal, Call

screen = Blueprint("caller", __name__, url_prefix="/operator/forms")

MOST = 5  # of each list but those of appeals and calls
TROUBLES: dict[str, LazyString] = {
    "words": _l("Write the gist first: it is added to the appeal."),
    "state": _l("This appeal is open no more. Register a new one."),
}


def _login() -> str:
    return me().login


def shown(desk: appeals.Desk, besides: "Appeal | None" = None) -> dict[str, Any]:
    """What operator/caller.html shows; `besides` is an appeal that is no earlier one.

    By the number: the people known, their calls, appeals, registered calls and messages. By what
    is typed in the form: another person's appeals, and those that may be of the same matter.
    """
    call = desk.call
    phone = call.citizen if call else None
    known = applicants.with_phone(phone)
    before = calls.earlier(call) if call else []
    before_this = personal.veil(me(), appeals.of_caller(phone))
    earlier = [appeal for appeal in before_this if appeal != besides]
    on_form = call_forms.of_number(phone, besides=call.id if call else "", limit=MOST)
    on_form = personal.veil_forms(me(), on_form)
    told = manual.sent_to(phone, limit=MOST)
    closed = personal.unread(me(), {message.cause for message in told})
    told = [message for message in told if message.cause not in closed]
    disclosure.log_shown("call", [call.id] if call else [])
    disclosure.log_shown("applicant", [person.id for person in known])
    disclosure.log_shown("appeal", [appeal.number for appeal in earlier])
    disclosure.log_shown("call_form", [made.number for made in on_form])
    disclosure.log_shown("message", [message.id for message in told])
    people = [
        {
            "name": applicants.name_of(person),
            "person": person,
            "fill": json.dumps(
                forms.worded(appeals.known_values(person, me())), ensure_ascii=False
            ),
        }
        for person in known
    ]
    return {
        "people": people,
        "earlier_calls": before,
        "missed": _missed(before),
        "earlier_appeals": lines(earlier),
        "earlier_forms": on_form,
        "told": told,
        "message_states": outbox.STATES,
        "message_purposes": outbox.PURPOSES,
        "states": appeal_labels.STATES,
        **number_notes.shown(phone),
        **_recognised(desk, {appeal.number for appeal in earlier}),
    }


def came_of(desk: appeals.Desk) -> dict[str, Any]:
    """What operator/after_call.html shows of the call."""
    disclosure.log_shown("call", [desk.call.id] if desk.call else [])
    return {
        "passed": calls.passed_on(me().login, desk.call) if desk.call else None,
        "mark": desk.call.rating if desk.call else None,
        "results": OWN_OUTCOMES,
        "named": formats.owner,
    }


def lines(found: "Iterable[Appeal]") -> list[dict[str, Any]]:
    """Appeals as lists of the card show them: where each stands, how near its deadline is."""
    day, calendar, made = today(), catalogs.working_calendar(site()), []
    for appeal in found:
        now = of_appeal(appeal)
        near = appeal_labels.nearness(now, day, calendar) if now else None
        made.append({"appeal": appeal, "handling": now, "near": near})
    return made


@screen.get("/<token>/<any(person, alike):piece>")
@may("desk.work")
@limiter.limit("60 per minute", key_func=_login)
def recognised(token: str, piece: str) -> str:
    """Whose appeals the form's person has, or which may be of the same matter, as a piece."""
    desk = _desk(token)
    phone = desk.call.citizen if desk.call else None
    earlier = {appeal.number for appeal in appeals.of_caller(phone)}
    facts = {"desk": desk, "states": appeal_labels.STATES, **_recognised(desk, earlier)}
    return render_template(f"operator/{piece}.html", **facts)


@screen.get("/<token>/after")
@may("desk.work")
def after(token: str) -> str:
    """What came of the call of a registered form, as a piece: passing on, the caller's mark."""
    desk = appeals.of_registered(me(), token) or abort(404)
    return render_template("operator/after_call.html", desk=desk, form_token=token, **came_of(desk))


@screen.post("/<token>/add")
@may("desk.work")
def add(token: str) -> Response:
    """Add what the form holds to an open appeal, in place of registering another one."""
    values, sent = forms.values_sent(token), document()
    appeal = card.seen(str(sent.get("appeal", "")))  # to a veiled one he adds without reading it
    changed = partial(ministry.changed, site())
    try:
        made = additions.add(
            appeal, values, operator=me(), token=token, tz=site().tz, changed=changed
        )
    except HandlingError as error:
        return jsonify(trouble=str(TROUBLES.get(error.code, appeal_labels.TROUBLES["changed"])))
    return jsonify(number=made.number if made else "", trouble="")


def _recognised(desk: appeals.Desk, of_number: set[str]) -> dict[str, Any]:
    """Whom the draft tells of; his appeals but those that stand under the number already."""
    values: dict[str, str] = desk.draft.values if desk.draft else {}
    if not values or desk.done:
        return {"recognised": "", "person": None, "of_person": [], "alike": []}
    phone = desk.call.citizen if desk.call else None
    found = additions.recognise(values, phone, today(), me())
    theirs = appeals.of_applicant(found.person, me()) if found.person else []
    theirs = [appeal for appeal in theirs if appeal.number not in of_number]
    numbers = [appeal.number for appeal in (*theirs, *found.alike)]
    if numbers:
        remember(numbers)
    disclosure.log_shown("applicant", [found.person.id] if theirs and found.person else [])
    disclosure.log_shown("appeal", numbers)
    return {
        "recognised": found.key,
        "person": applicants.name_of(found.person) if theirs else "",
        "of_person": lines(theirs),
        "alike": lines(personal.veil(me(), found.alike)),
    }


def _desk(token: str) -> appeals.Desk:
    return appeals.of_form(me(), token) or abort(404)


def _missed(before: "list[Call]") -> int:
    """How often he called in vain since somebody spoke with him; `before` is the newest first."""
    ended = (call for call in before if call.ended_at)
    since = takewhile(lambda call: call.outcome != "answered", ended)
    return sum(call.outcome in calls.FOLLOWED_UP for call in since)
