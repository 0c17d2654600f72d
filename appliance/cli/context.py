"""Shared parts of the commands: the settings, the open database, the output, the audit."""

import functools
import getpass
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate

import click

from appliance.core.settings import Settings

if TYPE_CHECKING:
    from appliance.models import User


@dataclass
class Site:
    """The site that a command works on."""

    settings: Settings

    def open_database(self) -> Settings:
        """Open the database until the command ends, and return the settings."""
        from appliance.core import (
            db,  # imported here, because the parent process of the web server does not need it
        )

        db.open_database(self.settings.paths.database)
        click.get_current_context().find_root().call_on_close(_close_database)
        return self.settings


pass_site = click.make_pass_decorator(Site)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def audit_access[**P, R](
    action: str,
) -> Callable[[Callable[Concatenate[Site, P], R]], Callable[Concatenate[Site, P], R]]:
    """Decorate a command that reads personal data: an audit entry is written before it runs.

    `action` is the action of the entry, which also stores the command's parameters. The decorator
    must be below `pass_site`.
    """

    def decorate_command(
        command: Callable[Concatenate[Site, P], R],
    ) -> Callable[Concatenate[Site, P], R]:
        @functools.wraps(command)
        def run_audited(site: Site, /, *args: P.args, **kwargs: P.kwargs) -> R:
            from appliance.core import audit

            site.open_database()
            account = os.environ.get("SUDO_USER") or getpass.getuser()
            values = {name: getattr(value, "name", value) for name, value in kwargs.items()}
            audit.record_entry(
                "cli", action, account=account, asked={k: str(v) for k, v in values.items() if v}
            )
            return command(site, *args, **kwargs)

        run_audited.__dict__["reads"] = action
        return run_audited

    return decorate_command


def _close_database() -> None:
    from appliance.core import db

    if not db.database.is_closed():
        db.database.close()


def find_user(login: str) -> "User":
    """Return the account with this login; the command fails if it does not exist."""
    from appliance.people import accounts

    if user := accounts.find_account(login):
        return user
    raise click.ClickException(f"no such login: {login}")


def print_rows(rows: Iterable[Mapping[str, Any]], as_json: bool) -> None:
    """Print rows as a JSON list, or as one line each."""
    rows = list(rows)
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, default=str, indent=1))
        return
    for row in rows:
        click.echo("  ".join("-" if v is None else str(v) for v in row.values()))
