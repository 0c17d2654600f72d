"""`appliance registration`: what was registered on either form, out to other programs."""

import datetime as dt
import json
from itertools import chain

import click

from appliance.casework import call_forms, forms
from appliance.cli.context import Site, pass_site, reads
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
@reads("registration.export")
def export(site: Site, form: str, begin: dt.datetime, end: dt.datetime, kind: str) -> None:
    """What was registered in the period, one JSON object or one row each, oldest first."""
    site.open()
    rows = call_forms.registrations(form, begin, end)
    if kind == "jsonl":
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    heads = ("number", "form", "version", "call", "operator", "registered_at")
    fields = [field.name for field in forms.in_force(form).fields]
    cells = (
        [
            *(row[n] for n in heads),
            *(row["fields"].get(n, {}).get("text", "") for n in fields),
            "; ".join(f"{one['article']}/{one['version']}" for one in row["articles"]),
            "; ".join(f"{one['script']}/{one['version']}" for one in row["scripts"]),
        ]
        for row in rows
    )
    titles = [*heads, *fields, "articles", "scripts"]
    for piece in spreadsheets.pieces(chain([titles], cells), end="\n"):
        click.echo(piece, nl=False)
