"""People: accounts with their roles, languages, topics and phones; made, changed, closed."""

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
from appliance.core.i18n import named
from appliance.people import accounts, identities, rights, roster, second_factor, staff
from appliance.people.accounts import StaffError
from appliance.people.staff import Entry, Given
from appliance.telephony import routing
from appliance.web.person.account import ROLES
from appliance.web.shell import refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site
from appliance.web.shell.labels import CALL_LANGUAGES
from appliance.web.shell.language import locale
from appliance.web.shell.sent import bounded
from appliance.web.shell.sizes import takes_file

if TYPE_CHECKING:
    from appliance.models import User

screen = Blueprint("people", __name__, url_prefix="/people")

LARGEST = 100 * 1024  # bytes of a file of people
TROUBLES: dict[str, LazyString] = {
    "login": _l("Write a user name that nobody has: small letters, digits, . _ -"),
    "name": _l("Write the name, with 120 letters at most."),
    "role": _l("Choose a role."),
    "rights": _l("You may not give this role, nor change this person."),
    "speaks": _l("An operator speaks Uzbek or Russian with callers: choose."),
    "extension": _l("Write an extension that nobody has: four or five digits."),
    "phone": _l("Only an operator has his phone in the page."),
    "department": _l("There is no such department."),
    "self": _l("Nobody closes his own account or changes his own role."),
    "last": _l("The last manager and the last technician stay. Let another one in first."),
    "topics": _l("There is no such topic with operators of its own."),
    "subject": _l("Somebody else has this name there, or it is too long."),
    "twice": _l("An earlier line has this user name or extension."),
    "fields": _l("This line has more fields than the first one has columns."),
    "columns": _l("The first line must name the columns; login, name and role are needed."),
    "empty": _l("There is nobody in the file."),
    "many": _l("The file holds more than 300 people."),
    "letters": _l("The file is not text in UTF-8."),
}


@screen.get("")
@may("person.read")
def page() -> str:
    """Everybody; for who keeps accounts, the form of a new one."""
    return _page()


@screen.get("/list")
@may("person.read")
def table() -> str:
    """The list, as a piece of the open page."""
    return render_template("people/list.html", **_list())


@screen.get("/people.csv")
@may("person.read")
def download() -> Response:
    """Everybody, as the file that can be read in again."""
    audit.record(me().login, "user.export", "people.csv")
    headers = {"Content-Disposition": "attachment; filename=people.csv"}
    return Response(roster.written(accounts.everybody()), mimetype="text/csv", headers=headers)


@screen.post("")
@may("person.change")
def add() -> BaseResponse | str:
    """Make an account; its passwords are on this answer and nowhere else."""
    try:
        given = staff.add(_typed(request.form), me())
    except StaffError as error:
        return refusals.back(url_for(".page"), error.code)
    return _page(given=given)


@screen.get("/<int:number>")
@may("person.change")
def person(number: int) -> str:
    """One person's account, to be changed."""
    return _page(_person(number))


@screen.post("/<int:number>")
@may("person.change")
def change(number: int) -> BaseResponse | str:
    """Change an account; the password of a new phone is on this answer and nowhere else."""
    user = _person(number)
    try:
        given = staff.change(user, _typed(request.form, user), me())
    except StaffError as error:
        return refusals.back(url_for(".person", number=number), error.code)
    if given.phone_password:
        return _page(given.user, given)
    flash(_("Saved: %(name)s", name=accounts.named(given.user, locale())))
    return redirect(url_for(".person", number=number))


@screen.post("/<int:number>/<any(password, phone):what>")
@may("person.change")
def give(number: int, what: str) -> BaseResponse | str:
    """Give a new password, the person's or his phone's: on this answer and nowhere else."""
    user = _person(number)
    act = {"password": staff.give_password, "phone": staff.give_phone_password}[what]
    try:
        given = act(user, me())
    except StaffError as error:
        return refusals.back(url_for(".person", number=number), error.code)
    return _page(accounts.find(number), given)


@screen.post("/<int:number>/<any(disable, enable, signout, factor):what>")
@may("person.change")
def close(number: int, what: str) -> BaseResponse:
    """Close an account, open it again, end its sessions, or forget its second factor."""
    user = _person(number)
    act: Callable[..., None] = {
        "disable": staff.disable,
        "enable": staff.enable,
        "signout": staff.sign_out,
        "factor": staff.forget_second_factor,
    }[what]
    try:
        act(user, me())
    except StaffError as error:
        return refusals.back(url_for(".person", number=number), error.code)
    name = accounts.named(user, locale())
    done = {
        "disable": _("The account is closed: %(name)s", name=name),
        "enable": _("The account is open again: %(name)s", name=name),
        "signout": _("Signed out everywhere: %(name)s", name=name),
        "factor": _("Telephone and paper are forgotten: %(name)s", name=name),
    }
    flash(done[what])
    return redirect(url_for(".person", number=number))


@screen.post("/<int:number>/identity")
@may("person.change")
def identity(number: int) -> BaseResponse:
    """Note what a party outside calls the person, or that it calls him nothing any more."""
    user, source = _person(number), request.form.get("source", "")
    if source not in _outside():
        abort(400)
    try:
        identities.give(user, source, request.form.get("subject", ""), me())
    except StaffError as error:
        return refusals.back(url_for(".person", number=number), error.code)
    flash(_("Saved: %(name)s", name=accounts.named(user, locale())))
    return redirect(url_for(".person", number=number))


@screen.post("/<int:number>/fallback")
@may("person.change")
def fallback(number: int) -> BaseResponse:
    """Let the stored password sign the person in while the directory is away, or not any more."""
    user = _person(number)
    try:
        identities.allow_fallback(user, "allowed" in request.form, me())
    except StaffError as error:
        return refusals.back(url_for(".person", number=number), error.code)
    flash(_("Saved: %(name)s", name=accounts.named(user, locale())))
    return redirect(url_for(".person", number=number))


@screen.get("/import")
@may("person.change")
def many() -> str:
    """Many people from a file: what it holds, line by line, before anybody is made."""
    return _many()


@screen.post("/import")
@may("person.change")
@takes_file(2 * LARGEST + 5_200)  # the file, or its text
def add_many() -> BaseResponse | str:
    """Show what a file holds; when `confirmed` and without a fault, make all of them."""
    try:
        text = _sent_text()
        lines = roster.read(text, me(), _topics())
        if "confirmed" in request.form and not any(line.fault for line in lines):
            return _many(given=staff.add_all([line.entry for line in lines], me()))
    except StaffError as error:
        return refusals.back(url_for(".many"), error.code, people=request.form.get("people", ""))
    return refusals.back(url_for(".many"), "seen", people=text)


def _sent_text() -> str:
    """The file that was sent, else the text of the form. Raises StaffError("letters")."""
    file = request.files.get("file")
    if not file or not file.filename:
        return request.form.get("people", "")
    try:
        return file.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StaffError("letters", "not UTF-8") from error


def _person(number: int) -> "User":
    return accounts.find(number) or abort(404)


def _outside() -> dict[str, str]:
    """Source → its name, of the parties by which people sign in."""
    openid, ldap = site().openid, site().ldap
    known = {"openid": openid.name if openid else "", "ldap": "LDAP" if ldap else ""}
    return {source: name for source, name in known.items() if name}


def _topics() -> dict[str, str]:
    """Code → what callers hear, of the topics that have operators of their own."""
    topics = [t for t in routing.current(site()).topics if t.action == "own_queue"]
    russian = locale() == "ru"
    return {t.code: t.ru if russian else script.written(t.uz, locale()) for t in topics}


def _typed(form: MultiDict[str, str], user: "User | None" = None) -> Entry:
    """What was typed; what the form does not ask for stays as it is."""
    known = staff.entry(user) if user else Entry("", "", "")
    every = form.get("every_topic")
    some = tuple(form.getlist("topic")) if every == "no" else None
    return Entry(
        login=user.login if user else form.get("login", ""),
        name=form.get("name", ""),
        role=form.get("role", known.role),
        name_cyrl=form.get("name_cyrl", ""),
        speaks=tuple(form.getlist("speaks")),
        topics=known.topics if every is None else some,
        extension=form.get("extension", ""),
        phone=form.get("phone", known.phone),
        department=form.get("department", type=bounded),
    )


def _list() -> dict[str, Any]:
    typed = request.args.get("q", "")
    found = search.best(accounts.everybody(), typed, _key_of)
    found.sort(key=lambda user: (not user.active, accounts.named(user, locale()), user.login))
    plan = routing.current(site())
    return {
        "people": found,
        "unserved": [routing.queue_title(q, _) for q, n in routing.staffed(plan).items() if not n],
        "typed": typed,
        "roles": ROLES,
        "call_languages": CALL_LANGUAGES,
        "topics": _topics(),
        "departments": {d.id: named(d, locale()) for d in departments.departments(active=False)},
        "members": departments.memberships(),
        "now": clock.now(),
        "keeps": rights.has(me(), "person.change"),
    }


def _key_of(user: "User") -> str:
    role = str(ROLES[user.role])
    return search.key(user.name, user.name_cyrl, user.login, user.extension or "", role)


def _page(one: "User | None" = None, given: Given | None = None) -> str:
    was, listed = refusals.latest(), _list()
    entry = staff.entry(one) if one else Entry("", "", "operator", speaks=("uz",))
    return render_template(
        "people/page.html",
        **listed,
        one=one,
        entry=_typed(was.values, one) if was else entry,
        options=listed["topics"] | {code: code for code in _former(entry, listed["topics"])},
        given=given,
        trouble=TROUBLES.get(was.trouble),
        mine=[role for role in ROLES if role in staff.GIVES.get(me().role, ())],
        browser_phones=site().asterisk.browser_phones,
        may_keep=not one or staff.may_keep(me(), one),
        has_second_factor=one and second_factor.is_set(one),
        outside=_outside(),
        identities=identities.of(one) if one else {},
        may_equip=not one or staff.may_equip(me(), one),
        equipped=not one or one.role in staff.EQUIPPED or staff.may_keep(me(), one),
    )


def _former(entry: Entry, topics: dict[str, str]) -> list[str]:
    """Topics that he serves and the plan no more has: they may come again."""
    return [code for code in entry.topics or () if code not in topics]


def _many(given: list[Given] | None = None) -> str:
    was, lines, trouble = refusals.latest(), [], ""
    text = was.values.get("people", "")
    if was and not given:
        try:
            lines = roster.read(text, me(), _topics()) if was.trouble == "seen" else []
            trouble = TROUBLES.get(was.trouble, "")
        except StaffError as error:
            trouble = TROUBLES[error.code]
    return render_template(
        "people/import.html",
        largest=LARGEST,
        given=given or [],
        lines=lines,
        faults=sum(bool(line.fault) for line in lines),
        text=text,
        trouble=trouble,
        troubles=TROUBLES,
        roles=ROLES,
        mine=[role for role in ROLES if role in staff.GIVES.get(me().role, ())],
        columns=roster.COLUMNS,
        topics=_topics(),
        call_languages=CALL_LANGUAGES,
    )
