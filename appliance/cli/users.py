"""`appliance user`: accounts."""

import dataclasses
import sys
from pathlib import Path
from typing import Any

import click

from appliance.casework import departments
from appliance.cli.context import Site, as_json, audit_access, find_user, pass_site, print_rows
from appliance.core.refusals import Refused
from appliance.core.settings import ROLES
from appliance.people import accounts, identities, roster, second_factor, sessions, staff
from appliance.telephony import recordings, routing

_must_change = click.option(
    "--must-change", is_flag=True, help="The password has to be changed at the first sign-in."
)
_topics = click.option(
    "--topics", help="Codes of topics whose calls ring: a,b; all; - for no topic."
)
_phone = click.option(
    "--phone",
    type=click.Choice(accounts.PHONE_KINDS),
    help="Where an operator's phone is: on the desk, or in the page.",
)
_name_cyrl = click.option("--name-cyrl", help="The name in Cyrillic; generated when left out.")


@click.group()
def user() -> None:
    """Accounts; disabled, never deleted."""


@user.command()
@click.argument("login")
@click.option("--name", required=True)
@click.option("--role", required=True, type=click.Choice(ROLES))
@click.option("--extension", help="The SIP account of an operator's phone.")
@click.option("--sip-password", help="Generated when left out.")
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
    """Create an account."""
    site.open_database()
    topic_codes = _topic_codes(site, topics or "all")
    password = _read_password(password_stdin, login, name)
    try:
        accounts.create_account(
            login,
            name,
            role,
            password,
            extension=extension,
            sip_password=sip_password,
            speaks=_split_list(speaks),
            topics=topic_codes,
            phone=phone or "desk",
            name_cyrl=name_cyrl or "",
            must_change=must_change,
        )
    except Refused as error:
        raise click.ClickException(str(error)) from error


@user.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only report errors.")
@as_json
@pass_site
def import_users(site: Site, file: Path, dry_run: bool, as_json: bool) -> None:
    """Create accounts from a CSV file, all or no account; prints the first passwords."""
    site.open_database()
    queue_names = routing.current_plan(site.settings).own_queues
    try:
        lines = roster.parse_roster(file.read_text("utf-8-sig"), None, queue_names)
    except Refused as error:
        raise click.ClickException(str(error)) from error
    except UnicodeDecodeError as error:
        raise click.ClickException(f"not UTF-8: {file}") from error
    if faults := [f"line {line.number}: {line.fault}" for line in lines if line.fault]:
        raise click.ClickException("\n".join(faults))
    if dry_run:
        return
    new_accounts = staff.add_people([line.entry for line in lines], None)
    print_rows(
        (
            {
                "login": new_account.user.login,
                "password": new_account.password,
                "extension": new_account.user.extension,
                "phone_password": new_account.phone_password or None,
            }
            for new_account in new_accounts
        ),
        as_json,
    )


@user.command("set")
@click.argument("login")
@click.option("--name")
@click.option("--name-cyrl", help="The name in Cyrillic.")
@click.option("--role", type=click.Choice(ROLES))
@click.option("--extension", help="A new extension gets a new phone password; empty: no phone.")
@click.option("--speaks", help="Languages of calls: uz, ru or uz,ru.")
@_topics
@_phone
@click.option("--department", help="Code of a ministry user's department; empty: all.")
@click.option(
    "--directory-fallback/--no-directory-fallback",
    default=None,
    help="Whether the stored password signs in while the directory (LDAP) is away.",
)
@pass_site
def set_user(
    site: Site,
    /,
    login: str,
    speaks: str | None,
    topics: str | None,
    department: str | None,
    directory_fallback: bool | None,
    **texts: str | None,
) -> None:
    """Change an account; prints the password if the account gets a new phone."""
    site.open_database()
    person = find_user(login)
    changes: dict[str, Any] = {name: text for name, text in texts.items() if text is not None}
    if speaks is not None:
        changes["speaks"] = _split_list(speaks)
    if topics is not None:
        changes["topics"] = _topic_codes(site, topics)
    if department is not None:
        department_row = departments.department_by_code(department)
        if department and not department_row:
            raise click.ClickException(f"no such department: {department}")
        changes["department"] = department_row.id if department_row else None
    try:
        result = staff.change_person(
            person, dataclasses.replace(staff.entry_of_user(person), **changes), None
        )
        if directory_fallback is not None:
            identities.set_directory_fallback(person, directory_fallback, None)
    except Refused as error:
        raise click.ClickException(str(error)) from error
    if result.phone_password:
        click.echo(result.phone_password)


@user.command()
@click.argument("login")
@pass_site
def disable(site: Site, login: str) -> None:
    """Close an account permanently."""
    site.open_database()
    staff.disable_person(find_user(login), None)


@user.command()
@click.argument("login")
@pass_site
def enable(site: Site, login: str) -> None:
    """Open a closed account again."""
    site.open_database()
    staff.enable_person(find_user(login), None)


@user.command()
@click.argument("login")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@_must_change
@pass_site
def passwd(site: Site, login: str, password_stdin: bool, must_change: bool) -> None:
    """Set a new password."""
    site.open_database()
    user = find_user(login)
    password = _read_password(password_stdin, login, user.name)
    accounts.set_password(user, password, by="cli", must_change=must_change)


@user.command("phone-password")
@click.argument("login")
@pass_site
def renew_phone_password(site: Site, login: str) -> None:
    """Set a new password for a person's phone, and print it."""
    site.open_database()
    try:
        click.echo(staff.issue_phone_password(find_user(login), None).phone_password)
    except Refused as error:
        raise click.ClickException(str(error)) from error


@user.command("sessions")
@click.argument("login", required=False)
@as_json
@pass_site
@audit_access("session.list")
def list_sessions(site: Site, login: str | None, as_json: bool) -> None:
    """List everybody who is signed in, or the sessions of one person."""
    site.open_database()
    person = find_user(login) if login else None
    print_rows(
        (
            {
                "id": user_session.id,
                "login": user_session.user.login,
                "address": user_session.address,
                "begun_at": user_session.begun_at.isoformat(timespec="seconds"),
                "seen_at": user_session.seen_at.isoformat(timespec="seconds"),
                "factor": user_session.factor or None,
                "agent": user_session.agent,
            }
            for user_session in (
                sessions.user_sessions(person) if person else sessions.valid_sessions()
            )
        ),
        as_json,
    )


@user.command("sign-out")
@click.argument("login")
@click.option("--session", type=int, help="Only this session; `user sessions` lists the ids.")
@pass_site
def sign_out(site: Site, login: str, session: int | None) -> None:
    """Sign a person out everywhere, or end one of their sessions."""
    site.open_database()
    person = find_user(login)
    if session is None:
        staff.sign_out_person(person, None)
        return
    user_session = sessions.find_session(session)
    if not user_session or user_session.user != person:
        raise click.ClickException(f"no such session of {login}: {session}")
    sessions.end_session(user_session, "cli")


@user.command("second-factor")
@click.argument("login")
@click.option("--forget", is_flag=True, help="Remove app and paper codes, and sign the person out.")
@pass_site
def manage_second_factor(site: Site, login: str, forget: bool) -> None:
    """Show whether a person has an authenticator app, or remove it."""
    site.open_database()
    person = find_user(login)
    if forget:
        staff.remove_second_factor(person, None)
        return
    app = second_factor.find_authenticator(person)
    codes_left = second_factor.count_unused_codes(person)
    click.echo(f"{app.made_at.isoformat(timespec='seconds')}  {codes_left}" if app else "-")


@user.command("identity")
@click.argument("login")
@click.argument("source", type=click.Choice(identities.SOURCES), required=False)
@click.argument("subject", required=False)
@pass_site
@audit_access("user.view")
def manage_identity(site: Site, login: str, source: str | None, subject: str | None) -> None:
    """Show or set a person's name at external identity providers; '' removes it."""
    site.open_database()
    person = find_user(login)
    if source is None or subject is None:
        print_rows(
            ({"source": s, "subject": n} for s, n in identities.identity_subjects(person).items()),
            False,
        )
        return
    try:
        identities.set_identity(person, source, subject, None)
    except Refused as error:
        raise click.ClickException(str(error)) from error


@user.command()
@click.argument("login")
@click.option("--forbid", is_flag=True, help="Revoke the right.")
@pass_site
def listen(site: Site, login: str, forbid: bool) -> None:
    """Let a person of the ministry play recordings, or an operator those of their own calls."""
    site.open_database()
    person = find_user(login)
    try:
        recordings.set_personal_right(person, not forbid, by="cli")
    except recordings.ListeningNotAllowed as error:
        raise click.ClickException(
            "supervisors and managers may; of others the ministry and operators can"
        ) from error


@user.command("list")
@as_json
@pass_site
@audit_access("user.list")
def list_users(site: Site, as_json: bool) -> None:
    """List every account, by login."""
    site.open_database()
    print_rows(
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
            for u in accounts.all_accounts()
        ),
        as_json,
    )


def _split_list(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _topic_codes(site: Site, text: str) -> tuple[str, ...] | None:
    """Return the topic codes in the option's value, or None if it means all topics."""
    if text == "all":
        return None
    codes = () if text in ("", roster.NO_TOPIC) else _split_list(text)
    queue_names = routing.current_plan(site.settings).own_queues
    if unknown := set(codes) - set(queue_names):
        raise click.ClickException(f"no topic with operators of its own: {', '.join(unknown)}")
    return codes


def _read_password(from_stdin: bool, *personal_words: str) -> str:
    """Read a password and reject one that is easy to guess from the login and the name."""
    if from_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    try:
        accounts.require_strong_password(password, *personal_words)
    except Refused as error:
        raise click.ClickException(str(error)) from error
    return password
