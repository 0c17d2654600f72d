"""Phones on desks: whose is which, and the address by which one sets itself up, shown once."""

from typing import TYPE_CHECKING, Any

import segno
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from appliance.people import accounts
from appliance.telephony import desk_phones, devices
from appliance.telephony.desk_phones import PhoneError
from appliance.web.shell import refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import User

screen = Blueprint("desk_phones", __name__, url_prefix="/people/phones")

MAKES = {"yealink": "Yealink", "grandstream": "Grandstream", "fanvil": "Fanvil"}
TROUBLES: dict[str, LazyString] = {
    "make": _l("Choose the make of the phone."),
    "mac": _l("A MAC address has twelve digits or letters from A to F; see the phone's back."),
    "taken": _l("Another person has the phone with this MAC address."),
    "extension": _l("This person has no extension: give one on the page People."),
    "rights": _l("Only the manager changes this person."),
    "certificate": _l("The box has no certificate to show to phones: see asterisk.certificate."),
    "none": _l("Write the phone down first."),
}


@screen.get("")
@may("person.change")
def page() -> str:
    """Everybody who has an extension, with his phone."""
    return _page()


@screen.get("/list")
@may("person.change")
def table() -> str:
    """The list, as a piece of the open page."""
    return render_template("desk_phones/list.html", one=None, **_list())


@screen.get("/<int:number>")
@may("person.change")
def phone(number: int) -> str:
    """One person's phone, to be written down."""
    return _page(_person(number))


@screen.post("/<int:number>")
@may("person.change")
def save(number: int) -> BaseResponse:
    """Write a person's phone down."""
    user, form = _person(number), request.form
    try:
        desk_phones.save(user, form.get("make", ""), form.get("mac", ""), site(), me())
    except PhoneError as error:
        return refusals.back(url_for(".phone", number=number), error.code)
    flash(_("Saved: %(name)s", name=accounts.named(user, locale())))
    return redirect(url_for(".phone", number=number))


@screen.post("/<int:number>/remove")
@may("person.change")
def remove(number: int) -> BaseResponse:
    """Strike a person's phone out."""
    user = _person(number)
    try:
        desk_phones.remove(user, me())
    except PhoneError as error:
        return refusals.back(url_for(".phone", number=number), error.code)
    flash(_("The phone is removed: %(name)s", name=accounts.named(user, locale())))
    return redirect(url_for(".phone", number=number))


@screen.post("/<int:number>/address")
@may("person.change")
def give_address(number: int) -> BaseResponse | str:
    """Give a new set-up address; it is on this answer and nowhere else."""
    user = _person(number)
    try:
        given = desk_phones.give_address(user, site(), me())
    except PhoneError as error:
        return refusals.back(url_for(".phone", number=number), error.code)
    code = segno.make(given.address, error="m", micro=False)
    return render_template(
        "desk_phones/address.html",
        one=user,
        given=given,
        make=MAKES[given.phone.make],
        code=Markup(code.svg_inline(scale=4, border=2, title=_("Set-up address"))),  # noqa: S704
    )


def _person(number: int) -> "User":
    return accounts.find(number) or abort(404)


def _list() -> dict[str, Any]:
    people = sorted(accounts.with_phone(), key=lambda user: accounts.named(user, locale()))
    phones = desk_phones.every()
    return {
        "people": people,
        "phones": phones,
        "waiting": {key for key, phone in phones.items() if desk_phones.waits(phone)},
        "seen": devices.phones(),
        "makes": MAKES,
    }


def _page(one: "User | None" = None) -> str:
    was, phone = refusals.latest(), one and desk_phones.of(one)
    return render_template(
        "desk_phones/page.html",
        one=one,
        phone=phone,
        make=was.values.get("make") or (phone.make if phone else ""),
        mac=was.values.get("mac") or (_spelt(phone.mac) if phone else ""),
        trouble=TROUBLES.get(was.trouble),
        **_list(),
    )


def _spelt(mac: str) -> str:
    """A MAC address as it stands on the phone's label."""
    return ":".join(mac[at : at + 2] for at in range(0, len(mac), 2)).upper()
