"""Rights: what each role may do with which records, and which rights single users have."""

from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from appliance.casework import departments
from appliance.casework.appeals import personal
from appliance.core.i18n import localized_name
from appliance.people import accounts, rights
from appliance.telephony import recordings
from appliance.web.settings.people import person_or_404
from appliance.web.shell.access import may
from appliance.web.shell.context import me
from appliance.web.shell.labels import ROLE_NAMES
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import User

screen = Blueprint("rights", __name__, url_prefix="/rights")


@screen.get("")
@may("right.read")
def show_rights() -> str:
    """Show the table of rights: for each action, on which records each role may perform it."""
    return _render_page()


@screen.get("/<int:number>")
@may("right.read")
def show_person_rights(number: int) -> str:
    """Show the table together with the rights that depend on one user."""
    return _render_page(person_or_404(number))


@screen.post("/<int:number>/recordings")
@may("recording.grant")
def toggle_listening(number: int) -> BaseResponse:
    """Grant a user the right to listen to recordings, or revoke it if they have it."""
    user = person_or_404(number)
    if not recordings.can_have_personal_right(user):
        abort(404)
    recordings.set_personal_right(user, not recordings.has_personal_right(user), by=me().login)
    flash(_("Saved: %(name)s", name=accounts.display_name(user, locale())))
    return redirect(url_for(".show_person_rights", number=number))


def _render_page(selected_user: "User | None" = None) -> str:
    """Render the page, with the rights of `selected_user` if there is one."""
    return render_template(
        "rights/page.html",
        one=selected_user,
        people=[user for user in accounts.all_accounts() if user.active],
        roles=ROLE_NAMES,
        rows=[
            (
                _(right.subject) + (f": {_(right.activity)}" if right.activity else ""),
                {role: right.scope_by_role.get(role, rights.NO_RECORDS) for role in ROLE_NAMES},
            )
            for right in rights.RIGHTS
        ],
        scopes={scope: _(name) for scope, name in rights.SCOPE_LABELS.items()},
        **(_user_rights(selected_user) if selected_user else {}),
    )


def _user_rights(user: "User") -> dict[str, Any]:
    """Return the template context of the rights that do not depend on a user's role alone.

    `by_department`: they may read the appeals of their department only. `listens`: they have the
    personal right to listen to recordings, None if their role requires no such right; `listening`
    is on which records they may listen. `named_for` are the numbers of the personal appeals of
    which they are a named reader.
    """
    names = {
        d.id: localized_name(d, locale()) for d in departments.list_departments(active_only=False)
    }
    return {
        "department": names.get(accounts.department_of(user) or 0),
        "by_department": rights.scope_of(user, "appeal.read") == rights.DEPARTMENT_RECORDS,
        "listens": recordings.has_personal_right(user)
        if recordings.can_have_personal_right(user)
        else None,
        "listening": rights.scope_of(user, "recording.listen"),
        "may_grant": rights.has_right(me(), "recording.grant"),
        "named_for": [reader.appeal.number for reader in personal.reader_entries(user.login)],
    }
