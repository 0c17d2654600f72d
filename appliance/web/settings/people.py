"""The accounts of users, with roles, languages, topics and phones: creating, changing, closing."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from appliance.casework import departments
from appliance.core import audit, clock, script, search
from appliance.core.i18n import localized_name
from appliance.core.refusals import Refused
from appliance.people import accounts, identities, rights, roster, second_factor, staff
from appliance.people.staff import IssuedCredentials, StaffEntry
from appliance.telephony import routing
from appliance.web.shell import refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site
from appliance.web.shell.labels import CALL_LANGUAGES, ROLE_NAMES
from appliance.web.shell.language import locale
from appliance.web.shell.request_data import parse_count
from appliance.web.shell.size_limits import accepts_file

if TYPE_CHECKING:
    from appliance.models import User

screen = Blueprint("people", __name__, url_prefix="/people")

MAX_FILE_BYTES = 100 * 1024  # of an uploaded file of people
TROUBLES: dict[str, LazyString] = {
    "login": _l("Enter a user name that is not in use: lowercase Latin letters, digits, . _ -"),
    "name": _l("Enter a name of at most 120 characters."),
    "role": _l("Choose a role."),
    "rights": _l("You may not assign this role or change this person."),
    "speaks": _l("Choose the languages that the operator speaks with callers."),
    "extension": _l("Enter an extension that is not in use: four or five digits."),
    "phone": _l("Only operators can have their phone in the browser page."),
    "department": _l("There is no such department."),
    "self": _l("You cannot close your own account or change your own role."),
    "last": _l(
        "The last manager and the last technician cannot be removed. Add another one first."
    ),
    "topics": _l("There is no such topic with its own operators."),
    "subject": _l("Another user already has this name there, or it is too long."),
    "twice": _l("An earlier line has this user name or extension."),
    "fields": _l("This line has more fields than the first one has columns."),
    "columns": _l("The first line must name the columns; login, name and role are needed."),
    "empty": _l("There is nobody in the file."),
    "many": _l("The file contains more than 300 people."),
    "letters": _l("The file is not text in UTF-8."),
}


@screen.get("")
@may("person.read")
def show_people() -> str:
    """Show all users, and to those who may change accounts, the form for a new one."""
    return _render_page()


@screen.get("/list")
@may("person.read")
def show_people_list() -> str:
    """Show the list of users, as a fragment of the open page."""
    return render_template("people/list.html", **_list_context())


@screen.get("/people.csv")
@may("person.read")
def download_people() -> Response:
    """Send all users as a CSV file in the format that can be imported again."""
    audit.record_entry(me().login, "user.export", "people.csv")
    headers = {"Content-Disposition": "attachment; filename=people.csv"}
    return Response(
        roster.format_roster(accounts.all_accounts()), mimetype="text/csv", headers=headers
    )


@screen.post("")
@may("person.change")
def add_person() -> BaseResponse | str:
    """Create an account; only this response ever shows its passwords."""
    try:
        credentials = staff.add_person(_entry_from_form(request.form), me())
    except Refused as error:
        return refusals.redirect_back(url_for(".show_people"), error.code)
    return _render_page(credentials=credentials)


@screen.get("/<int:number>")
@may("person.change")
def show_person(number: int) -> str:
    """Show one person's account in the form, to be edited."""
    return _render_page(person_or_404(number))


@screen.post("/<int:number>")
@may("person.change")
def change_person(number: int) -> BaseResponse | str:
    """Change an account; if it gets a phone, only this response ever shows its password."""
    user = person_or_404(number)
    try:
        credentials = staff.change_person(user, _entry_from_form(request.form, user), me())
    except Refused as error:
        return refusals.redirect_back(url_for(".show_person", number=number), error.code)
    if credentials.phone_password:
        return _render_page(credentials.user, credentials)
    flash(_("Saved: %(name)s", name=accounts.display_name(credentials.user, locale())))
    return redirect(url_for(".show_person", number=number))


@screen.post("/<int:number>/<any(password, phone):what>")
@may("person.change")
def issue_password(number: int, what: str) -> BaseResponse | str:
    """Create a new password for a person or their phone; only this response ever shows it."""
    user = person_or_404(number)
    issue = {"password": staff.issue_password, "phone": staff.issue_phone_password}[what]
    try:
        credentials = issue(user, me())
    except Refused as error:
        return refusals.redirect_back(url_for(".show_person", number=number), error.code)
    return _render_page(accounts.account_by_id(number), credentials)


@screen.post("/<int:number>/<any(disable, enable, signout, factor):what>")
@may("person.change")
def change_access(number: int, what: str) -> BaseResponse:
    """Close an account, reopen it, end its sessions, or remove its second factor.

    `what` says which of these; the page then says what was done, or why it was refused.
    """
    user = person_or_404(number)
    action: Callable[..., None] = {
        "disable": staff.disable_person,
        "enable": staff.enable_person,
        "signout": staff.sign_out_person,
        "factor": staff.remove_second_factor,
    }[what]
    try:
        action(user, me())
    except Refused as error:
        return refusals.redirect_back(url_for(".show_person", number=number), error.code)
    name = accounts.display_name(user, locale())
    messages = {
        "disable": _("The account was closed: %(name)s", name=name),
        "enable": _("The account was reopened: %(name)s", name=name),
        "signout": _("Signed out everywhere: %(name)s", name=name),
        "factor": _("Phone and sheet were cancelled: %(name)s", name=name),
    }
    flash(messages[what])
    return redirect(url_for(".show_person", number=number))


@screen.post("/<int:number>/identity")
@may("person.change")
def save_identity(number: int) -> BaseResponse:
    """Store the person's name at an outside sign-in service, or remove it if it is empty."""
    user, source = person_or_404(number), request.form.get("source", "")
    if source not in _sign_in_services():
        abort(400)
    try:
        identities.set_identity(user, source, request.form.get("subject", ""), me())
    except Refused as error:
        return refusals.redirect_back(url_for(".show_person", number=number), error.code)
    flash(_("Saved: %(name)s", name=accounts.display_name(user, locale())))
    return redirect(url_for(".show_person", number=number))


@screen.post("/<int:number>/fallback")
@may("person.change")
def set_password_fallback(number: int) -> BaseResponse:
    """Allow or forbid a person to sign in by the stored password while LDAP does not respond.

    It is allowed if the form has `allowed`.
    """
    user = person_or_404(number)
    try:
        identities.set_directory_fallback(user, "allowed" in request.form, me())
    except Refused as error:
        return refusals.redirect_back(url_for(".show_person", number=number), error.code)
    flash(_("Saved: %(name)s", name=accounts.display_name(user, locale())))
    return redirect(url_for(".show_person", number=number))


@screen.get("/import")
@may("person.change")
def show_import() -> str:
    """Show the page for importing people from a file.

    After a file was uploaded, it shows the file line by line, before accounts are created.
    """
    return _render_import()


@screen.post("/import")
@may("person.change")
@accepts_file(2 * MAX_FILE_BYTES + 5_200)  # the file, or its text in a field of the form
def import_people() -> BaseResponse | str:
    """Read a file of people and redirect to the page that shows it line by line.

    Its text is stored like a refused form, with the code "seen". If the form has `confirmed` and no
    line has a fault, creates the accounts instead; only this response ever shows their passwords.
    """
    try:
        text = _uploaded_text()
        lines = roster.parse_roster(text, me(), _staffed_topics())
        if "confirmed" in request.form and not any(line.fault for line in lines):
            return _render_import(
                credentials=staff.add_people([line.entry for line in lines], me())
            )
    except Refused as error:
        return refusals.redirect_back(
            url_for(".show_import"), error.code, people=request.form.get("people", "")
        )
    return refusals.redirect_back(url_for(".show_import"), "seen", people=text)


def _uploaded_text() -> str:
    """Return the text of the uploaded file, or if there is no file, of the field `people`.

    Raises Refused with the code `letters` if the file is not UTF-8 text.
    """
    file = request.files.get("file")
    if not file or not file.filename:
        return request.form.get("people", "")
    try:
        return str(file.read(), "utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused("letters", "not UTF-8") from error


def person_or_404(number: int) -> "User":
    """Return the user with this id; abort with 404 if there is no such user."""
    return accounts.account_by_id(number) or abort(404)


def _sign_in_services() -> dict[str, str]:
    """Return the names of the outside services by which users can sign in here, by code."""
    openid, ldap = site().openid, site().ldap
    services = {"openid": openid.name if openid else "", "ldap": "LDAP" if ldap else ""}
    return {source: name for source, name in services.items() if name}


def _staffed_topics() -> dict[str, str]:
    """Return the spoken names of the topics that have their own operators, by topic code."""
    topics = [t for t in routing.current_plan(site()).topics if t.action == "own_queue"]
    is_russian = locale() == "ru"
    return {
        t.code: t.ru if is_russian else script.transliterate_for_locale(t.uz, locale())
        for t in topics
    }


def _entry_from_form(form: MultiDict[str, str], user: "User | None" = None) -> StaffEntry:
    """Return the account that was typed in the form, for `user` or for a new user.

    Role, topics and phone of `user` stay unchanged if the form does not contain them, which depends
    on rights and settings. Topics are None if the user serves all.
    """
    current = staff.entry_of_user(user) if user else StaffEntry("", "", "")
    every_topic = form.get("every_topic")
    selected_topics = tuple(form.getlist("topic")) if every_topic == "no" else None
    return StaffEntry(
        login=user.login if user else form.get("login", ""),
        name=form.get("name", ""),
        role=form.get("role", current.role),
        name_cyrl=form.get("name_cyrl", ""),
        speaks=tuple(form.getlist("speaks")),
        topics=current.topics if every_topic is None else selected_topics,
        extension=form.get("extension", ""),
        phone=form.get("phone", current.phone),
        department=form.get("department", type=parse_count),
    )


def _list_context() -> dict[str, Any]:
    """Return the template context of the list: users who match the search `q`.

    They are sorted by name; closed accounts come last. `unserved` are the titles of queues without
    an operator; `keeps`: the user may change accounts.
    """
    search_text = request.args.get("q", "")
    people = search.best_matches(accounts.all_accounts(), search_text, _search_key)
    people.sort(
        key=lambda user: (not user.active, accounts.display_name(user, locale()), user.login)
    )
    plan = routing.current_plan(site())
    return {
        "people": people,
        "unserved": [
            routing.queue_title(q, _) for q, n in routing.operators_per_queue(plan).items() if not n
        ],
        "typed": search_text,
        "roles": ROLE_NAMES,
        "call_languages": CALL_LANGUAGES,
        "topics": _staffed_topics(),
        "departments": {
            d.id: localized_name(d, locale())
            for d in departments.list_departments(active_only=False)
        },
        "members": departments.department_ids_by_user(),
        "now": clock.now(),
        "keeps": rights.has_right(me(), "person.change"),
    }


def _search_key(user: "User") -> str:
    """Return the text in which the search looks for a user: names, login, extension and role."""
    role = str(ROLE_NAMES[user.role])
    return search.fold_names(user.name, user.name_cyrl, user.login, user.extension or "", role)


def _render_page(user: "User | None" = None, credentials: IssuedCredentials | None = None) -> str:
    """Render the page with the form for `user`, by default for a new person.

    `credentials` are new passwords to be shown. `may_keep` and `may_equip`: the signed-in user may
    change the account, or only its phone, languages and topics; `equipped`: the person may have
    these.
    """
    refusal, list_context = refusals.latest_refusal(), _list_context()
    entry = staff.entry_of_user(user) if user else StaffEntry("", "", "operator", speaks=("uz",))
    return render_template(
        "people/page.html",
        **list_context,
        one=user,
        entry=_entry_from_form(refusal.values, user) if refusal else entry,
        options=list_context["topics"]
        | {code: code for code in _unlisted_topics(entry, list_context["topics"])},
        given=credentials,
        trouble=TROUBLES.get(refusal.trouble),
        mine=[role for role in ROLE_NAMES if role in staff.ASSIGNABLE_ROLES.get(me().role, ())],
        browser_phones=site().asterisk.browser_phones,
        may_keep=not user or staff.can_manage(me(), user),
        has_second_factor=user and second_factor.has_second_factor(user),
        outside=_sign_in_services(),
        identities=identities.identity_subjects(user) if user else {},
        may_equip=not user or staff.can_equip(me(), user),
        equipped=not user or user.role in staff.EQUIPPED_ROLES or staff.can_manage(me(), user),
    )


def _unlisted_topics(entry: StaffEntry, topics: dict[str, str]) -> list[str]:
    """Return the person's topics that are not among `topics`: the plan no longer has them.

    They stay selectable, as they may be added to the plan again.
    """
    return [code for code in entry.topics or () if code not in topics]


def _render_import(credentials: list[IssuedCredentials] | None = None) -> str:
    """Render the import page with the lines of an uploaded file, or with the created accounts."""
    refusal, lines, trouble = refusals.latest_refusal(), [], ""
    text = refusal.values.get("people", "")
    if refusal and not credentials:
        try:
            lines = (
                roster.parse_roster(text, me(), _staffed_topics())
                if refusal.trouble == "seen"
                else []
            )
            trouble = TROUBLES.get(refusal.trouble, "")
        except Refused as error:
            trouble = TROUBLES[error.code]
    return render_template(
        "people/import.html",
        largest=MAX_FILE_BYTES,
        given=credentials or [],
        lines=lines,
        faults=sum(bool(line.fault) for line in lines),
        text=text,
        trouble=trouble,
        troubles=TROUBLES,
        roles=ROLE_NAMES,
        mine=[role for role in ROLE_NAMES if role in staff.ASSIGNABLE_ROLES.get(me().role, ())],
        columns=roster.COLUMNS,
        topics=_staffed_topics(),
        call_languages=CALL_LANGUAGES,
    )
