"""What every command needs: the settings, the open database, a way to print."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import click

from appliance.core import db
from appliance.core.settings import Settings


@dataclass
class Site:
    """The site that a command works on."""

    settings: Settings

    def open(self) -> Settings:
        """Open the database and return the settings."""
        db.open_database(self.settings.paths.database)
        return self.settings


pass_site = click.make_pass_decorator(Site)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def show(rows: Iterable[Mapping[str, Any]], as_json: bool) -> None:
    """Print rows as a JSON list, or one line each."""
    rows = list(rows)
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, default=str, indent=1))
        return
    for row in rows:
        click.echo("  ".join("-" if v is None else str(v) for v in row.values()))
