"""Form №1 on the page: what it shows, saving it while it is typed, registering it."""

import datetime as dt
import json

from flask import Blueprint, abort, jsonify, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance import appeals, applicants, calls, catalogs, clock, identity, ministry, notices
from appliance.appeals import form
from appliance.i18n import named
from appliance.models import Appeal, District, Draft, Mahalla, Region
from appliance.web import formats, labels
from appliance.web.access import may
from appliance.web.context import me, site
from appliance.web.language import locale

screen = Blueprint("forms", __name__, url_prefix="/operator/forms")


@screen.post("/<token>")
@may("operator")
def save(token: str) -> Response | tuple[Response, int]:
    """Keep what is typed, and answer what is doubtful in it; 409 when it was registered before."""
    values, sent = _sent(), request.get_json()
    at = sent.get("at")
    typed_at = dt.datetime.fromtimestamp(at / 1000, dt.UTC) if isinstance(at, int | float) else None
    try:
        draft = appeals.save_draft(
            me(), token, values, aside=bool(sent.get("aside")), typed_at=typed_at
        )
    except appeals.AlreadyRegistered as before:
        return _registered(before.appeal), 409
    return jsonify(saved_at=draft.updated_at.isoformat(), saved=_saved(draft), **doubts(values))


@screen.post("/<token>/register")
@may("operator")
def register(token: str) -> Response:
    """Register the appeal, whatever its form lacks; sent twice, it is the same appeal."""
    calendar = catalogs.working_calendar(site())

    def tell(appeal: Appeal) -> None:
        notices.registered(site(), appeal)
        notices.alert(site(), calendar, appeal)
        ministry.registered(site(), appeal)

    made = appeals.register(
        _sent(), operator=me(), token=token, tz=site().tz, calendar=calendar, tell=tell
    )
    return _registered(made)


@screen.post("/<token>/discard")
@may("operator")
def discard(token: str) -> Response:
    """Throw a draft away."""
    appeals.discard_draft(me(), token)
    return jsonify(done=True)


def shown(desk: appeals.Desk) -> dict[str, object]:
    """What the template of an open form needs."""
    values = desk.draft.values if desk.draft else _fresh(desk)
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


def caller(desk: appeals.Desk) -> dict[str, object]:
    """Who calls: those known by the number, with what they told before; their calls, appeals."""
    phone = desk.call.caller if desk.call else None
    people = [
        {
            "name": applicants.name_of(person),
            "person": person,
            "fill": json.dumps(worded(appeals.known_values(person)), ensure_ascii=False),
        }
        for person in applicants.with_phone(phone)
    ]
    return {
        "people": people,
        "earlier_calls": calls.earlier(desk.call) if desk.call else [],
        "earlier_appeals": appeals.of_caller(phone),
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


def drafts(besides: str = "") -> list[Draft]:
    """The operator's drafts to finish, besides the one that is open."""
    return [draft for draft in appeals.drafts(me()) if draft.token != besides]


def _sent() -> dict[str, str]:
    sent = request.get_json(silent=True)
    values = sent.get("values") if isinstance(sent, dict) else None
    if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
        abort(422)
    return values


def _fresh(desk: appeals.Desk) -> dict[str, str]:
    phone = identity.grouped(desk.call.caller) if desk.call and desk.call.caller else ""
    return {"applicant_kind": "person", "openness": "open", "phone": phone}


def worded(values: dict[str, str]) -> dict[str, str]:
    """The values with the names of what was chosen, in the language of the page."""
    names = {name: values.get(f"{name}_text", "") for name in form.CHOSEN}
    for name, model in (("region", Region), ("district", District), ("mahalla", Mahalla)):
        place = model.get_or_none(model._meta.primary_key == values.get(name))
        names[name] = named(place, locale()) if place else names[name]
    for name in set(form.CHOSEN) & set(catalogs.CATALOGS):
        if code := values.get(name):
            names[name] = catalogs.label(name, code, locale())
    return values | {f"{name}_text": text for name, text in names.items() if text}


def _saved(draft: Draft) -> str:
    return _("Draft saved, %(time)s", time=formats.time(draft.updated_at))


def _registered(appeal: Appeal) -> Response:
    return jsonify(number=appeal.number, url=url_for("appeals.page", number=appeal.number))
