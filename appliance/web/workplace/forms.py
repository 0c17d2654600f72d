"""Form №1 on the page: what it shows, saving it while it is typed, registering it."""

import json
from typing import TYPE_CHECKING

from flask import Blueprint, abort, jsonify, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.casework import appeals, applicants, catalogs, ministry
from appliance.casework.appeals import form
from appliance.core import clock, phone_numbers
from appliance.core.i18n import named
from appliance.messaging import notices
from appliance.telephony import calls
from appliance.web.shell import disclosure, formats, labels
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site
from appliance.web.shell.language import locale
from appliance.web.shell.sent import document, moment

if TYPE_CHECKING:
    from appliance.models import Appeal, Draft

screen = Blueprint("forms", __name__, url_prefix="/operator/forms")


@screen.post("/<token>")
@may("operator")
def save(token: str) -> Response | tuple[Response, int]:
    """Keep what is typed, and answer what is doubtful in it; 409 when it was registered before."""
    values, sent = _values(), document()
    aside, typed_at = bool(sent.get("aside")), moment(sent.get("at"))
    base = _values("base") if "base" in sent else None
    try:
        draft = appeals.save_draft(me(), token, values, aside=aside, typed_at=typed_at, base=base)
    except appeals.AlreadyRegistered as before:
        return _registered(before.appeal), 409
    except appeals.TooMany:
        return jsonify(unfinished=appeals.MOST), 413
    saved_at, saved = draft.updated_at.isoformat(), _saved(draft)
    elsewhere = _elsewhere(values, draft.values) if base is not None else {}
    return jsonify(saved_at=saved_at, saved=saved, elsewhere=elsewhere, **doubts(draft.values))


@screen.post("/<token>/register")
@may("operator")
def register(token: str) -> Response:
    """Register the appeal, whatever its form lacks; sent twice, it is the same appeal."""
    calendar = catalogs.working_calendar(site())

    def announce(appeal: "Appeal") -> None:
        notices.registered(site(), appeal)
        notices.alert(site(), calendar, appeal)
        ministry.registered(site(), appeal)

    made = appeals.register(
        _values(), operator=me(), token=token, tz=site().tz, calendar=calendar, tell=announce
    )
    return _registered(made)


@screen.post("/<token>/discard")
@may("operator")
def discard(token: str) -> Response:
    """Throw a draft away."""
    appeals.discard_draft(me(), token)
    return jsonify(done=True)


def form_context(desk: appeals.Desk) -> dict[str, object]:
    """What the template of an open form needs."""
    values = desk.draft.values if desk.draft else _fresh(desk)
    disclosure.log_shown("draft", [desk.token])
    return {
        "values": worded(values),
        "labels": labels,
        "asked": form,
        "catalogs": {name: catalogs.choices(name, locale()) for name in form.LISTS},
        "saved": _saved(desk.draft) if desk.draft else "",
        "saved_at": desk.draft.updated_at.isoformat() if desk.draft else "",
        **doubts(values, fresh=not desk.draft),
        **caller(desk),
    }


def caller(desk: appeals.Desk, besides: "Appeal | None" = None) -> dict[str, object]:
    """Who calls: those known by the number, with what they told before; their calls, appeals.

    `besides`: an appeal that is no earlier one.
    """
    phone = desk.call.citizen if desk.call else None
    known = applicants.with_phone(phone)
    earlier = [appeal for appeal in appeals.of_caller(phone) if appeal != besides]
    disclosure.log_shown("call", [desk.call.id] if desk.call else [])
    disclosure.log_shown("applicant", [person.id for person in known])
    disclosure.log_shown("appeal", [appeal.number for appeal in earlier])
    people = [
        {
            "name": applicants.name_of(person),
            "person": person,
            "fill": json.dumps(worded(appeals.known_values(person)), ensure_ascii=False),
        }
        for person in known
    ]
    return {
        "people": people,
        "earlier_calls": calls.earlier(desk.call) if desk.call else [],
        "earlier_appeals": earlier,
    }


def doubts(values: dict[str, str], fresh: bool = False) -> dict[str, object]:
    """Field → wording of its doubt, the empty fields, and the line that counts them."""
    today = clock.now().astimezone(site().tz).date()
    codes = [str(doubt) for doubt in form.read(values, today).doubts]
    worded, empty = labels.doubts_by_field(codes), labels.empty_fields(codes)
    summary = render_template(
        "operator/summary.html", doubts=worded, empty=[] if fresh else empty, labels=labels
    )
    return {"doubts": worded, "empty": empty, "summary": summary}


def drafts(besides: str = "") -> "list[Draft]":
    """The operator's drafts to finish, besides the one that is open."""
    found = [draft for draft in appeals.drafts(me()) if draft.token != besides]
    disclosure.log_shown("draft", [draft.token for draft in found])
    return found


def _elsewhere(sent: dict[str, str], kept: dict[str, str]) -> dict[str, str]:
    """Field → what is kept of it, where that is not what was sent: another page changed it."""
    sent, kept = worded(form.cleaned(sent)), worded(kept)
    return {n: kept.get(n, "") for n in form.NAMES if kept.get(n, "") != sent.get(n, "")}


def _values(name: str = "values") -> dict[str, str]:
    values = document().get(name)
    if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
        abort(422)
    return values


def _fresh(desk: appeals.Desk) -> dict[str, str]:
    phone = phone_numbers.grouped(desk.call.citizen) if desk.call and desk.call.citizen else ""
    return {"applicant_kind": "person", "openness": "open", "phone": phone}


def worded(values: dict[str, str]) -> dict[str, str]:
    """The values with the names of what was chosen, in the language of the page."""
    names = {name: values.get(f"{name}_text", "") for name in form.CHOSEN}
    for name in catalogs.PLACES:
        place = catalogs.place(name, values.get(name))
        names[name] = named(place, locale()) if place else names[name]
    for name in set(form.CHOSEN) & set(catalogs.CATALOGS):
        if code := values.get(name):
            names[name] = catalogs.label(name, code, locale())
    return values | {f"{name}_text": text for name, text in names.items() if text}


def _saved(draft: "Draft") -> str:
    return _("Draft saved, %(time)s", time=formats.time(draft.updated_at))


def _registered(appeal: "Appeal") -> Response:
    return jsonify(number=appeal.number, url=url_for("appeals.page", number=appeal.number))
