"""`appliance user`: accounts."""

import dataclasses
import sys
from pathlib import Path
from typing import Any

import click

from appliance.casework import departments
from appliance.cli.context import Site, as_json, pass_site, reads, show
from appliance.models import User
from appliance.people import accounts, identities, roster, second_factor, sessions, staff
from appliance.telephony import recordings, routing

_must_change = click.option(
    "--must-change", is_flag=True, help="The password has to be changed at the first sign-in."
)
_topics = click.option("--topics", help="Codes of topics whose callers ring: a,b; all; - for none.")
_phone = click.option(
    "--phone",
    type=click.Choice(accounts.PHONES),
    help="Where an operator's phone is: on the desk, or in the page.",
)
_name_cyrl = click.option("--name-cyrl", help="The name in Cyrillic; made up when left out.")


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
@_topics
@_phone
@_name_cyrl
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@_must_change
@pass_site
def add(
    site: Site,
    login: str,
    name: str,
    role: str,
    extension: str | None,
    sip_password: str | None,
    speaks: str,
    topics: str | None,
    phone: str | None,
    name_cyrl: str | None,
    password_stdin: bool,
    must_change: bool,
) -> None:
    """Make an account."""
    site.open()
    served = _served(site, topics or "all")
    password = _password(password_stdin, login, name)
    try:
        accounts.add(
            login,
            name,
            role,
            password,
            extension=extension,
            sip_password=sip_password,
            speaks=_words(speaks),
            topics=served,
            phone=phone or "desk",
            name_cyrl=name_cyrl or "",
            must_change=must_change,
        )
    except accounts.StaffError as error:
        raise click.ClickException(str(error)) from error


@user.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only tell what is wrong.")
@as_json
@pass_site
def import_users(site: Site, file: Path, dry_run: bool, as_json: bool) -> None:
    """Make accounts from a CSV, all of them or none; prints first passwords."""
    site.open()
    known = routing.current(site.settings).own_queues
    try:
        lines = roster.read(file.read_text("utf-8-sig"), None, known)
    except accounts.StaffError as error:
        raise click.ClickException(str(error)) from error
    except UnicodeDecodeError as error:
        raise click.ClickException(f"not UTF-8: {file}") from error
    if faults := [f"line {line.number}: {line.fault}" for line in lines if line.fault]:
        raise click.ClickException("\n".join(faults))
    if dry_run:
        return
    made = staff.add_all([line.entry for line in lines], None)
    show(
        (
            {
                "login": one.user.login,
                "password": one.password,
                "extension": one.user.extension,
                "phone_password": one.phone_password or None,
            }
            for one in made
        ),
        as_json,
    )


@user.command("set")
@click.argument("login")
@click.option("--name")
@click.option("--name-cyrl", help="The name in Cyrillic.")
@click.option("--role", type=click.Choice(accounts.ROLES))
@click.option("--extension", help="Another one has a new phone password; empty: no phone.")
@click.option("--speaks", help="Languages of calls: uz, ru or uz,ru.")
@_topics
@_phone
@click.option("--department", help="Code of the department of a ministry's person; empty: all.")
@click.option(
    "--directory-fallback/--no-directory-fallback",
    default=None,
    help="Whether the stored password signs in while the directory (LDAP) is away.",
)
@pass_site
def set_user(
    site: Site,
    login: str,
    speaks: str | None,
    topics: str | None,
    department: str | None,
    directory_fallback: bool | None,
    **texts: str | None,
) -> None:
    """Change an account; prints the password of a new phone."""
    site.open()
    person = _user(login)
    changes: dict[str, Any] = {name: text for name, text in texts.items() if text is not None}
    if speaks is not None:
        changes["speaks"] = _words(speaks)
    if topics is not None:
        changes["topics"] = _served(site, topics)
    if department is not None:
        found = departments.coded(department)
        if department and not found:
            raise click.ClickException(f"no such department: {department}")
        changes["department"] = found.id if found else None
    try:
        given = staff.change(person, dataclasses.replace(staff.entry(person), **changes), None)
        if directory_fallback is not None:
            identities.allow_fallback(person, directory_fallback, None)
    except accounts.StaffError as error:
        raise click.ClickException(str(error)) from error
    if given.phone_password:
        click.echo(given.phone_password)


@user.command()
@click.argument("login")
@pass_site
def disable(site: Site, login: str) -> None:
    """Close an account for good."""
    site.open()
    staff.disable(_user(login), None)


@user.command()
@click.argument("login")
@pass_site
def enable(site: Site, login: str) -> None:
    """Open a closed account again."""
    site.open()
    staff.enable(_user(login), None)


@user.command()
@click.argument("login")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@_must_change
@pass_site
def passwd(site: Site, login: str, password_stdin: bool, must_change: bool) -> None:
    """Give a new password."""
    site.open()
    user = _user(login)
    password = _password(password_stdin, login, user.name)
    accounts.set_password(user, password, by="cli", must_change=must_change)


@user.command("phone-password")
@click.argument("login")
@pass_site
def phone_password(site: Site, login: str) -> None:
    """Give a person's phone a new password, and print it."""
    site.open()
    try:
        click.echo(staff.give_phone_password(_user(login), None).phone_password)
    except accounts.StaffError as error:
        raise click.ClickException(str(error)) from error


@user.command("sessions")
@click.argument("login", required=False)
@as_json
@pass_site
@reads("session.list")
def list_sessions(site: Site, login: str | None, as_json: bool) -> None:
    """Who is signed in, or where one person is."""
    site.open()
    whose = _user(login) if login else None
    show(
        (
            {
                "id": one.id,
                "login": one.user.login,
                "address": one.address,
                "begun_at": one.begun_at.isoformat(timespec="seconds"),
                "seen_at": one.seen_at.isoformat(timespec="seconds"),
                "factor": one.factor or None,
                "agent": one.agent,
            }
            for one in (sessions.of(whose) if whose else sessions.every())
        ),
        as_json,
    )


@user.command("sign-out")
@click.argument("login")
@click.option("--session", type=int, help="Only this one; its id is told by user sessions.")
@pass_site
def sign_out(site: Site, login: str, session: int | None) -> None:
    """Sign a person out everywhere, or one of his sessions."""
    site.open()
    person = _user(login)
    if session is None:
        staff.sign_out(person, None)
        return
    one = sessions.find(session)
    if not one or one.user != person:
        raise click.ClickException(f"no such session of {login}: {session}")
    sessions.end(one, "cli")


@user.command("second-factor")
@click.argument("login")
@click.option("--forget", is_flag=True, help="Forget app and paper, and sign the person out.")
@pass_site
def factor(site: Site, login: str, forget: bool) -> None:
    """Tell whether a person has an app for codes, or forget it."""
    site.open()
    person = _user(login)
    if forget:
        staff.forget_second_factor(person, None)
        return
    app = second_factor.authenticator(person)
    left = second_factor.codes_left(person)
    click.echo(f"{app.made_at.isoformat(timespec='seconds')}  {left}" if app else "-")


@user.command("identity")
@click.argument("login")
@click.argument("source", type=click.Choice(identities.SOURCES), required=False)
@click.argument("subject", required=False)
@pass_site
@reads("user.view")
def identity(site: Site, login: str, source: str | None, subject: str | None) -> None:
    """Tell what parties outside call a person, or note it; '' for nothing any more."""
    site.open()
    person = _user(login)
    if source is None or subject is None:
        show(({"source": s, "subject": n} for s, n in identities.of(person).items()), False)
        return
    try:
        identities.give(person, source, subject, None)
    except accounts.StaffError as error:
        raise click.ClickException(str(error)) from error


@user.command()
@click.argument("login")
@click.option("--forbid", is_flag=True, help="Take the right away.")
@pass_site
def listen(site: Site, login: str, forbid: bool) -> None:
    """Let a person of the ministry hear recordings, or an operator those of his own calls."""
    site.open()
    person = _user(login)
    try:
        recordings.allow(person, not forbid, by="cli")
    except recordings.NotAllowed as error:
        raise click.ClickException(
            "supervisors and managers may; of others the ministry and operators can"
        ) from error


@user.command("list")
@as_json
@pass_site
@reads("user.list")
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
                "phone": u.phone,
                "speaks": u.speaks,
                "active": u.active,
                "topics": u.topics,
                "name_cyrl": u.name_cyrl,
                "must_change": u.must_change,
                "directory_fallback": u.directory_fallback,
                "seen_at": u.seen_at and u.seen_at.isoformat(timespec="seconds"),
            }
            for u in accounts.everybody()
        ),
        as_json,
    )


def _user(login: str) -> User:
    if user := accounts.account(login):
        return user
    raise click.ClickException(f"no such login: {login}")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _served(site: Site, text: str) -> tuple[str, ...] | None:
    """The topics that were written; None for all."""
    if text == "all":
        return None
    codes = () if text in ("", roster.NO_TOPIC) else _words(text)
    known = routing.current(site.settings).own_queues
    if unknown := set(codes) - set(known):
        raise click.ClickException(f"no topic with operators of its own: {', '.join(unknown)}")
    return codes


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
