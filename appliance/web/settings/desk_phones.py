"""Desk phones: who has which, and the set-up address from which a phone loads its settings."""

from typing import TYPE_CHECKING, Any

import segno
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from appliance.core.refusals import Refused
from appliance.people import accounts
from appliance.telephony import desk_phones, devices
from appliance.web.settings.people import person_or_404
from appliance.web.shell import refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import User

screen = Blueprint("desk_phones", __name__, url_prefix="/people/phones")

PHONE_MAKES = {"yealink": "Yealink", "grandstream": "Grandstream", "fanvil": "Fanvil"}
TROUBLES: dict[str, LazyString] = {
    "make": _l("Choose the manufacturer of the phone."),
    "mac": _l(
        "A MAC address has twelve digits or letters from A to F; it is printed on the back of the "
        "phone."
    ),
    "taken": _l("Another person has the phone with this MAC address."),
    "extension": _l("This person has no extension: assign one on the page People."),
    "rights": _l("Only the manager can change this person."),
    "certificate": _l("The server has no certificate for phones: see asterisk.certificate."),
    "none": _l("Add the phone first."),
}


@screen.get("")
@may("person.change")
def show_phones_page() -> str:
    """Show the page of desk phones: everybody who has an extension, with their phone if any."""
    return _render_page()


@screen.get("/list")
@may("person.change")
def show_phone_table() -> str:
    """Show the table of desk phones, as a fragment of the open page."""
    return render_template("desk_phones/list.html", one=None, **_list_context())


@screen.get("/<int:number>")
@may("person.change")
def show_phone(number: int) -> str:
    """Show one person's phone, with the form to change it."""
    return _render_page(person_or_404(number))


@screen.post("/<int:number>")
@may("person.change")
def save_phone(number: int) -> BaseResponse:
    """Store a person's phone."""
    user, form = person_or_404(number), request.form
    try:
        desk_phones.save_phone(user, form.get("make", ""), form.get("mac", ""), site(), me())
    except Refused as error:
        return refusals.redirect_back(url_for(".show_phone", number=number), error.code)
    flash(_("Saved: %(name)s", name=accounts.display_name(user, locale())))
    return redirect(url_for(".show_phone", number=number))


@screen.post("/<int:number>/remove")
@may("person.change")
def remove_phone(number: int) -> BaseResponse:
    """Remove a person's phone."""
    user = person_or_404(number)
    try:
        desk_phones.remove_phone(user, me())
    except Refused as error:
        return refusals.redirect_back(url_for(".show_phone", number=number), error.code)
    flash(_("The phone was removed: %(name)s", name=accounts.display_name(user, locale())))
    return redirect(url_for(".show_phone", number=number))


@screen.post("/<int:number>/address")
@may("person.change")
def issue_setup_address(number: int) -> BaseResponse | str:
    """Create a new set-up address for a person's phone; only this response ever shows it."""
    user = person_or_404(number)
    try:
        setup = desk_phones.create_setup_address(user, site(), me())
    except Refused as error:
        return refusals.redirect_back(url_for(".show_phone", number=number), error.code)
    code = segno.make(setup.address, error="m", micro=False)
    return render_template(
        "desk_phones/address.html",
        one=user,
        given=setup,
        make=PHONE_MAKES[setup.phone.make],
        code=Markup(code.svg_inline(scale=4, border=2, title=_("Set-up address"))),  # noqa: S704
    )


def _list_context() -> dict[str, Any]:
    """Return the template context of the list of people with an extension, and their phones.

    `phones` has the phones by user id, `waiting` the ids of users whose phone has still to load its
    settings, `seen` what Asterisk knows of each phone, by extension.
    """
    people = sorted(
        accounts.users_with_phone(), key=lambda user: accounts.display_name(user, locale())
    )
    phones = desk_phones.phones_by_user()
    return {
        "people": people,
        "phones": phones,
        "waiting": {key for key, phone in phones.items() if desk_phones.is_setup_pending(phone)},
        "seen": devices.phones_by_extension(),
        "makes": PHONE_MAKES,
    }


def _render_page(user: "User | None" = None) -> str:
    """Render the page, with the form for the phone of `user` if one is given."""
    refusal, phone = refusals.latest_refusal(), user and desk_phones.phone_of_user(user)
    return render_template(
        "desk_phones/page.html",
        one=user,
        phone=phone,
        make=refusal.values.get("make") or (phone.make if phone else ""),
        mac=refusal.values.get("mac") or (_spelled_mac(phone.mac) if phone else ""),
        trouble=TROUBLES.get(refusal.trouble),
        **_list_context(),
    )


def _spelled_mac(mac: str) -> str:
    """Return a MAC address as the phone's label shows it: in pairs, with colons."""
    return ":".join(mac[index : index + 2] for index in range(0, len(mac), 2)).upper()
