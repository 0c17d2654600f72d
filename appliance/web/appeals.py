"""A registered appeal: its form, the call it hangs on, its history, what may be done with it."""

import secrets
from typing import Any

from flask import Blueprint, abort, render_template
from flask_babel import LazyString

from appliance import appeals, applicants, audit, catalogs, departments, ministry, notices
from appliance.appeals import form, handling, states
from appliance.i18n import named
from appliance.models import Appeal, Call, DutyAlert, Handling, Talk
from appliance.web import formats, labels, outbox, standing
from appliance.web.access import may
from appliance.web.context import me, site
from appliance.web.language import locale
from appliance.web.ministry import STANDS

screen = Blueprint("appeals", __name__, url_prefix="/appeals")

READERS = ("operator", "supervisor", "manager", "ministry")


@screen.get("/<number>")
@may(*READERS)
def page(number: str) -> str:
    """One appeal; whoever sees it is written down."""
    appeal = loaded(number)
    audit.record(me().login, "appeal.view", appeal.number)
    return shown(appeal)


@screen.get("/<number>/<any(standing, history):piece>")
@may(*READERS)
def part(number: str, piece: str) -> str:
    """Where it stands, or its history, as a piece of the open page."""
    appeal = loaded(number)
    return render_template(f"appeals/{piece}.html", appeal=appeal, **_standing(appeal))


def loaded(number: str) -> Appeal:
    """The appeal of this number, if whoever asks may see it; else 404."""
    appeal = appeals.visible_to(me()).where(Appeal.number == number).first()
    return appeal or abort(404)


def may_correct(appeal: Appeal) -> bool:
    """Whether whoever asks may correct the form: its operator, or any supervisor."""
    return me().role == "supervisor" or appeal.operator_id == me().id


def may_contact(appeal: Appeal) -> bool:
    """Whether whoever asks may note which specialist was contacted."""
    return me().role == "ministry" or may_correct(appeal)


def shown(
    appeal: Appeal, trouble: LazyString | str = "", sent: dict[str, str] | None = None
) -> str:
    """The page of an appeal; `trouble` says why what was `sent` could not be done."""
    return render_template(
        "appeals/page.html",
        appeal=appeal,
        name=applicants.name_of(appeal),
        rows=_rows(appeal),
        doubts=labels.doubts_by_field(appeal.warnings),
        empty=labels.empty_fields(appeal.warnings),
        values=labels.VALUES,
        kind=catalogs.label("appeal_type", appeal.appeal_type, locale()),
        messages=notices.of_appeal(appeal),
        message_states=outbox.STATES,
        message_purposes=outbox.PURPOSES,
        may_write=me().role in ("operator", "supervisor")
        and may_correct(appeal)
        and notices.reaches(site(), appeal),
        sending=secrets.token_hex(8),
        others=appeals.others_of(appeal, me()),
        trouble=trouble,
        sent=sent or {},
        **_standing(appeal),
        **_todo(appeal),
    )


def _standing(appeal: Appeal) -> dict[str, Any]:
    """Where it stands and what was done; without a handling only what its call tells."""
    now = Handling.get_or_none(Handling.appeal == appeal)
    call = Call.get_or_none(Call.id == appeal.call_id) if appeal.call_id else None
    calendar = catalogs.working_calendar(site())
    done = handling.steps(appeal)
    return {
        "handling": now,
        "near": standing.nearness(now, standing.today(), calendar) if now else None,
        "states": standing.STATES,
        "terms": standing.TERMS,
        "steps": done,
        "answer": next((step for step in done if step.action == "answer"), None),
        "done": standing.DONE,
        "told": standing.told,
        "alert": DutyAlert.get_or_none(DutyAlert.appeal == appeal),
        "sent_on": ministry.of_appeal(appeal),
        "ministry_stands": {state: STANDS[name] for state, name in ministry.queue.STANDS.items()},
        "call": call,
        "talks": list(call.talks.order_by(Talk.position)) if call else [],
        "people": standing.names(),
        "who": standing.who,
        "named": lambda thing: named(thing, locale()),
    }


def _todo(appeal: Appeal) -> dict[str, Any]:
    """What whoever asks may do now, and what is chosen for it."""
    now = Handling.get_or_none(Handling.appeal == appeal)
    possible = states.possible(now.state) if now and me().role == "ministry" else ()
    held = bool(now and now.state == "taken" and now.holder != me().login)
    return {
        "todo": {a: w for a, w in standing.TODO.items() if a in possible and not held},
        "may_take": "take" in possible and (now.holder != me().login or now.state == "returned"),
        "may_close": "close" in possible,
        "held": held and bool(possible),
        "may_correct": bool(now) and me().role != "ministry" and may_correct(appeal),
        "may_contact": bool(now) and appeal.consultation and may_contact(appeal),
        "targets": [
            (department.id, named(department, locale()), department.own_body)
            for department in departments.departments()
            if now and department.id != now.department_id
        ],
    }


def _rows(appeal: Appeal) -> list[tuple[str, str, str]]:
    """(field, label, value) of every field that was asked, in the form's order."""
    return [
        (field, str(labels.FIELDS[field]), _value(appeal, field))
        for field in ("number", *form.asked(appeal.applicant_kind))
        if field != "gist"
    ]


def _value(appeal: Appeal, field: str) -> str:
    if field in ("region", "district", "mahalla"):
        place = getattr(appeal, field)
        return named(place, locale()) if place else getattr(appeal, f"{field}_text", "")
    if field in catalogs.CATALOGS:
        return catalogs.label(field, getattr(appeal, field), locale())
    if field in labels.VALUES:
        return str(labels.VALUES[field].get(getattr(appeal, field), ""))
    if field == "born":
        return formats.date(appeal.born_on) if appeal.born_on else appeal.born_text
    if field in ("phone", "phone_at_hand"):
        return formats.phone(getattr(appeal, field)) if getattr(appeal, field) else ""
    return getattr(appeal, field)
