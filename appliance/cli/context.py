"""What every command needs: the settings, the open database, a way to print, the audit."""

import functools
import getpass
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Concatenate

import click

from appliance.core.settings import Settings


@dataclass
class Site:
    """The site that a command works on."""

    settings: Settings

    def open(self) -> Settings:
        """Open the database until the command ends, and return the settings."""
        from appliance.core import db  # what keeps the pages' process has no need of it

        db.open_database(self.settings.paths.database)
        click.get_current_context().find_root().call_on_close(_close)
        return self.settings


pass_site = click.make_pass_decorator(Site)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def reads[**P, R](
    action: str,
) -> Callable[[Callable[Concatenate[Site, P], R]], Callable[Concatenate[Site, P], R]]:
    """Declare a command that reads personal data: the audit says who asks, before it answers.

    `action`: of the audit. Stands below `pass_site`; what was asked are the command's parameters.
    """

    def declare(command: Callable[Concatenate[Site, P], R]) -> Callable[Concatenate[Site, P], R]:
        @functools.wraps(command)
        def noted(site: Site, *given: P.args, **asked: P.kwargs) -> R:
            from appliance.core import audit

            site.open()
            account = os.environ.get("SUDO_USER") or getpass.getuser()
            values = {name: getattr(value, "name", value) for name, value in asked.items()}
            audit.record(
                "cli", action, account=account, asked={k: str(v) for k, v in values.items() if v}
            )
            return command(site, *given, **asked)

        noted.__dict__["reads"] = action
        return noted

    return declare


def _close() -> None:
    from appliance.core import db

    if not db.database.is_closed():
        db.database.close()


def show(rows: Iterable[Mapping[str, Any]], as_json: bool) -> None:
    """Print rows as a JSON list, or one line each."""
    rows = list(rows)
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, default=str, indent=1))
        return
    for row in rows:
        click.echo("  ".join("-" if v is None else str(v) for v in row.values()))
