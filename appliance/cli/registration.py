"""`appliance registration`: appeals and registered calls, exported for other programs."""

import datetime as dt
import json
from itertools import chain

import click

from appliance.casework import call_forms, forms
from appliance.cli.context import Site, audit_access, pass_site
from appliance.cli.periods import from_option, to_option
from appliance.core import spreadsheets


@click.group()
def registration() -> None:
    """Registered appeals (form №1) and calls (form №2)."""


@registration.command()
@click.option("--form", type=click.Choice(forms.FORMS), required=True)
@from_option
@to_option
@click.option("--format", "kind", type=click.Choice(["jsonl", "csv"]), default="jsonl")
@pass_site
@audit_access("registration.export")
def export(site: Site, form: str, begin: dt.datetime, end: dt.datetime, kind: str) -> None:
    """Export the registrations of the period, one JSON object or one row each, oldest first."""
    site.open_database()
    rows = call_forms.iterate_registrations(form, begin, end)
    if kind == "jsonl":
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    columns = ("number", "form", "version", "call", "operator", "registered_at")
    fields = [field.name for field in forms.definition_in_force(form).fields]
    cells = (
        [
            *(row[n] for n in columns),
            *(row["fields"].get(n, {}).get("text", "") for n in fields),
            "; ".join(
                f"{reference['article']}/{reference['version']}" for reference in row["articles"]
            ),
            "; ".join(
                f"{reference['script']}/{reference['version']}" for reference in row["scripts"]
            ),
        ]
        for row in rows
    )
    titles = [*columns, *fields, "articles", "scripts"]
    for piece in spreadsheets.csv_pieces(chain([titles], cells), end="\n"):
        click.echo(piece, nl=False)
