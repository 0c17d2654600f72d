"""Access keys for programs that read and answer appeals: creating, confirming and revoking them."""

import datetime as dt
from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance.casework import departments, identity
from appliance.core import clock
from appliance.core.i18n import localized_name
from appliance.core.refusals import Refused
from appliance.people import keys, rights
from appliance.web.shell import refusals
from appliance.web.shell.access import may, show_tab_when
from appliance.web.shell.context import me, start_of_day
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import AccessKey

screen = Blueprint("keys", __name__, url_prefix="/keys")

SCOPES: dict[str, LazyString] = {
    "appeals:read": _l("read appeals, without the applicant's data"),
    "appeals:personal": _l("see the applicant's data"),
    "appeals:write": _l("answer appeals and change their state"),
    "reports:read": _l("read reports"),
}
TROUBLES: dict[str, LazyString] = {
    "name": _l("Enter a name that no other key has."),
    "scopes": _l("Choose what the key may do."),
    "ends": _l("Enter a future date, such as 31.12.2027."),
    "rights": _l(
        "Only the manager makes keys, and nobody can grant a right that they do not have."
    ),
}


def _is_tab_shown() -> bool:
    """Return True if the user may revoke keys or a key awaits their confirmation.

    Only then is the tab of the page shown; others can open the page by its address.
    """
    return rights.has_right(me(), "key.revoke") or bool(keys.keys_to_confirm(me()))


@screen.get("")
@may("key.read")
@show_tab_when(_is_tab_shown)
def show_keys() -> str:
    """Show every key, and to users who may create keys, the form for a new one.

    Users who may not revoke keys see only the keys that await their confirmation.
    """
    return _render_page()


@screen.post("")
@may("key.make")
def create_key() -> BaseResponse | str:
    """Create a key, which works once another user has confirmed it.

    Its secret is shown in this response and nowhere else.
    """
    department = departments.active_department(request.form.get("department", ""))
    try:
        key, secret = keys.create_key(
            request.form.get("name", ""),
            tuple(request.form.getlist("scope")),
            department=department and department.id,
            ends_at=_end_from_form(),
            by=me(),
        )
    except Refused as error:
        return refusals.redirect_back(url_for(".show_keys"), error.code)
    return _render_page(created_key=key, secret=secret)


@screen.post("/<int:number>/confirm")
@may("key.confirm")
def confirm_key(number: int) -> BaseResponse:
    """Confirm a key that another user created; from now on it works."""
    key = keys.key_by_id(number) or abort(404)
    try:
        keys.confirm_key(key, me())
    except Refused:
        abort(403)
    flash(_("The key %(name)s is active.", name=key.name))
    return redirect(url_for("keys.show_keys"))


@screen.post("/<int:number>/revoke")
@may("key.revoke")
def revoke_key(number: int) -> BaseResponse:
    """Revoke a key; it stops working at once."""
    key = keys.key_by_id(number) or abort(404)
    keys.revoke_key(key, me().login)
    flash(_("The key %(name)s was revoked.", name=key.name))
    return redirect(url_for("keys.show_keys"))


def _render_page(created_key: "AccessKey | None" = None, secret: str = "") -> str:
    """Render the page, with the secret of a key that was just created if there is one."""
    refusal = refusals.latest_refusal()
    all_departments = departments.list_departments(active_only=False)
    may_revoke = rights.has_right(me(), "key.revoke")
    unconfirmed_keys = keys.keys_to_confirm(me())
    return render_template(
        "keys/page.html",
        keys=keys.all_keys() if may_revoke else unconfirmed_keys,
        keeps=may_revoke,
        makes=rights.has_right(me(), "key.make"),
        mine={key.id for key in unconfirmed_keys},
        made=created_key,
        secret=secret,
        trouble=TROUBLES.get(refusal.trouble),
        sent=refusal.values,
        scopes=SCOPES,
        departments={d.id: localized_name(d, locale()) for d in all_departments},
        now=clock.now(),
    )


def _end_from_form() -> dt.datetime | None:
    """Return when a new key expires: at the end of the typed day, or never if it is blank.

    Raises Refused with the code `ends` if the text is not a date.
    """
    text = request.form.get("ends", "").strip()
    if not text:
        return None
    date = identity.parse_plausible_date(text)
    if not date:
        raise Refused("ends")
    return start_of_day(date + dt.timedelta(days=1))
