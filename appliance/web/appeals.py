"""A registered appeal: its form, the call it hangs on, its history."""

from flask import Blueprint, abort, render_template

from appliance import appeals, applicants, audit, catalogs
from appliance.appeals import form
from appliance.i18n import named
from appliance.models import Appeal, Call, Talk, User
from appliance.web import formats, labels
from appliance.web.access import may
from appliance.web.context import me
from appliance.web.language import locale

screen = Blueprint("appeals", __name__, url_prefix="/appeals")


@screen.get("/<number>")
@may("operator", "supervisor", "manager")
def page(number: str) -> str:
    """One appeal; whoever sees it is written down."""
    appeal = appeals.visible_to(me()).where(Appeal.number == number).first()
    if not appeal:
        abort(404)
    audit.record(me().login, "appeal.view", appeal.number)
    call = Call.get_or_none(Call.id == appeal.call_id) if appeal.call_id else None
    return render_template(
        "appeals/page.html",
        appeal=appeal,
        name=applicants.name_of(appeal),
        rows=_rows(appeal),
        doubts=labels.doubts_by_field(appeal.warnings),
        empty=labels.empty_fields(appeal.warnings),
        call=call,
        talks=list(call.talks.order_by(Talk.position)) if call else [],
        names={user.login: user.name for user in User.select()},
        values=labels.VALUES,
        kind=catalogs.label("appeal_type", appeal.appeal_type, locale()),
    )


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
