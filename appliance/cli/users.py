"""`appliance user`: accounts."""

import sys

import click

from appliance.cli.context import Site, as_json, pass_site, show
from appliance.models import User
from appliance.people import accounts
from appliance.telephony import recordings


@click.group()
def user() -> None:
    """Accounts; disabled, never deleted."""


@user.command()
@click.argument("login")
@click.option("--name", required=True)
@click.option("--role", required=True, type=click.Choice(accounts.ROLES))
@click.option("--extension", help="The SIP account of an operator's phone.")
@click.option("--sip-password", help="Made up when left out.")
@click.option("--speaks", default="", help="Languages of calls: uz, ru or uz,ru.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@pass_site
def add(
    site: Site,
    login: str,
    name: str,
    role: str,
    extension: str | None,
    sip_password: str | None,
    speaks: str,
    password_stdin: bool,
) -> None:
    """Make an account."""
    site.open()
    languages = tuple(part for part in speaks.replace(",", " ").split() if part)
    password = _password(password_stdin, login, name)
    try:
        accounts.add(
            login,
            name,
            role,
            password,
            extension=extension,
            sip_password=sip_password,
            speaks=languages,
        )
    except accounts.StaffError as error:
        raise click.ClickException(str(error)) from error


@user.command()
@click.argument("login")
@pass_site
def disable(site: Site, login: str) -> None:
    """Close an account for good."""
    site.open()
    accounts.disable(_user(login), by="cli")


@user.command()
@click.argument("login")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@pass_site
def passwd(site: Site, login: str, password_stdin: bool) -> None:
    """Give a new password."""
    site.open()
    user = _user(login)
    accounts.set_password(user, _password(password_stdin, login, user.name), by="cli")


@user.command()
@click.argument("login")
@click.option("--forbid", is_flag=True, help="Take the right away.")
@pass_site
def listen(site: Site, login: str, forbid: bool) -> None:
    """Let a person of the ministry hear recordings."""
    site.open()
    person = _user(login)
    if person.role != "ministry":
        raise click.ClickException("supervisors and managers may; nobody else but the ministry can")
    recordings.allow(person, not forbid, by="cli")


@user.command("list")
@as_json
@pass_site
def list_users(site: Site, as_json: bool) -> None:
    """Every account, by login."""
    site.open()
    show(
        (
            {
                "login": u.login,
                "name": u.name,
                "role": u.role,
                "extension": u.extension,
                "speaks": u.speaks,
                "active": u.active,
            }
            for u in User.select().order_by(User.login)
        ),
        as_json,
    )


def _user(login: str) -> User:
    user = User.get_or_none(User.login == login)
    if not user:
        raise click.ClickException(f"no such login: {login}")
    return user


def _password(from_stdin: bool, *known: str) -> str:
    """A password that is not guessed soon by who knows login and name."""
    if from_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    try:
        accounts.prove_strong(password, *known)
    except accounts.StaffError as error:
        raise click.ClickException(str(error)) from error
    return password
