"""`appliance phone`: desk phones that configure themselves."""

import click

from appliance.cli.context import Site, as_json, find_user, pass_site, print_rows
from appliance.core.refusals import Refused
from appliance.people import accounts
from appliance.telephony import desk_phones

_FAULT_TEXTS = {
    "make": f"no such make: one of {', '.join(desk_phones.PHONE_MAKERS)}",
    "mac": "a MAC address has twelve hexadecimal digits",
    "taken": "another person has this phone",
    "extension": "this person has no extension",
    "certificate": "the settings name no asterisk.certificate to show to phones",
    "none": "no phone is written down: appliance phone set",
}


@click.group()
def phone() -> None:
    """Desk phones, which configure themselves."""


@phone.command("list")
@as_json
@pass_site
def list_phones(site: Site, as_json: bool) -> None:
    """List every desk phone, by the login of its person."""
    site.open_database()
    phones = desk_phones.phones_by_user()
    print_rows(
        (
            {
                "login": user.login,
                "extension": user.extension,
                "make": desk_phone.make,
                "mac": desk_phone.mac,
                "waits": desk_phones.is_setup_pending(desk_phone),
                "set_up_at": desk_phone.set_up_at
                and desk_phone.set_up_at.isoformat(timespec="seconds"),
                "set_up_from": desk_phone.set_up_from or None,
            }
            for user in accounts.all_accounts()
            if (desk_phone := phones.get(user.id))
        ),
        as_json,
    )


@phone.command("set")
@click.argument("login")
@click.option("--make", required=True, type=click.Choice(list(desk_phones.PHONE_MAKERS)))
@click.option("--mac", required=True, help="Twelve hexadecimal digits, as on the phone's back.")
@pass_site
def set_phone(site: Site, login: str, make: str, mac: str) -> None:
    """Record a person's phone; a different phone recorded before loses access."""
    site.open_database()
    try:
        desk_phones.save_phone(find_user(login), make, mac, site.settings, None)
    except Refused as error:
        raise click.ClickException(_FAULT_TEXTS[error.code]) from error


@phone.command()
@click.argument("login")
@pass_site
def address(site: Site, login: str) -> None:
    """Create a set-up address; prints it and the password of the phone's own web page."""
    site.open_database()
    try:
        setup = desk_phones.create_setup_address(find_user(login), site.settings, None)
    except Refused as error:
        raise click.ClickException(_FAULT_TEXTS[error.code]) from error
    click.echo(setup.address)
    click.echo(setup.web_password)


@phone.command()
@click.argument("login")
@pass_site
def remove(site: Site, login: str) -> None:
    """Remove a person's phone; it can no longer register."""
    site.open_database()
    try:
        desk_phones.remove_phone(find_user(login), None)
    except Refused as error:
        raise click.ClickException(_FAULT_TEXTS[error.code]) from error
