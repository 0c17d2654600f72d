"""`appliance phone`: phones on desks, which set themselves up."""

import click

from appliance.cli.context import Site, as_json, pass_site, show
from appliance.models import User
from appliance.people import accounts
from appliance.telephony import desk_phones
from appliance.telephony.desk_phones import PhoneError

_FAULTS = {
    "make": f"no such make: one of {', '.join(desk_phones.MAKES)}",
    "mac": "a MAC address has twelve hexadecimal digits",
    "taken": "another person has this phone",
    "extension": "this person has no extension",
    "certificate": "the settings name no asterisk.certificate to show to phones",
    "none": "no phone is written down: appliance phone set",
}


@click.group()
def phone() -> None:
    """Phones on desks, which set themselves up."""


@phone.command("list")
@as_json
@pass_site
def list_phones(site: Site, as_json: bool) -> None:
    """Every desk phone, by the login of its person."""
    site.open()
    phones = desk_phones.every()
    show(
        (
            {
                "login": user.login,
                "extension": user.extension,
                "make": one.make,
                "mac": one.mac,
                "waits": desk_phones.waits(one),
                "set_up_at": one.set_up_at and one.set_up_at.isoformat(timespec="seconds"),
                "set_up_from": one.set_up_from or None,
            }
            for user in accounts.everybody()
            if (one := phones.get(user.id))
        ),
        as_json,
    )


@phone.command("set")
@click.argument("login")
@click.option("--make", required=True, type=click.Choice(list(desk_phones.MAKES)))
@click.option("--mac", required=True, help="Twelve hexadecimal digits, as on the phone's back.")
@pass_site
def set_phone(site: Site, login: str, make: str, mac: str) -> None:
    """Write down a person's phone; another one than before is shut out."""
    site.open()
    try:
        desk_phones.save(_user(login), make, mac, site.settings, None)
    except PhoneError as error:
        raise click.ClickException(_FAULTS[error.code]) from error


@phone.command()
@click.argument("login")
@pass_site
def address(site: Site, login: str) -> None:
    """Give a set-up address; prints it and the password of the phone's own web page."""
    site.open()
    try:
        given = desk_phones.give_address(_user(login), site.settings, None)
    except PhoneError as error:
        raise click.ClickException(_FAULTS[error.code]) from error
    click.echo(given.address)
    click.echo(given.web_password)


@phone.command()
@click.argument("login")
@pass_site
def remove(site: Site, login: str) -> None:
    """Strike a person's phone out; it can register no more."""
    site.open()
    try:
        desk_phones.remove(_user(login), None)
    except PhoneError as error:
        raise click.ClickException(_FAULTS[error.code]) from error


def _user(login: str) -> User:
    if user := accounts.account(login):
        return user
    raise click.ClickException(f"no such login: {login}")
