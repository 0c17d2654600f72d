"""`appliance ledger`: the event log into calls, calls out to other programs, the balance."""

import csv
import dataclasses
import datetime as dt
import json
import sys
from pathlib import Path
from typing import Any

import click

from appliance import calls, followups
from appliance.cli.context import Site, pass_site
from appliance.pbx import ledger as pbx_ledger
from appliance.settings import Settings


class Moment(click.ParamType):
    """An ISO 8601 moment or date; without an offset it is site time. `last` is for an end.

    A date as an end includes the whole day.
    """

    name = "moment"

    def __init__(self, *, last: bool = False) -> None:
        self.last = last

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.datetime:
        try:
            moment = dt.datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"not a date or moment: {value}", param, ctx)
        if self.last and len(value) <= len("2026-10-31"):
            moment += dt.timedelta(days=1)
        if moment.tzinfo is None:
            site = ctx.find_object(Site) if ctx else None
            moment = moment.replace(tzinfo=site.settings.tz if site else dt.UTC)
        return moment


_from = click.option("--from", "begin", type=Moment(), required=True)
_to = click.option("--to", "end", type=Moment(last=True), required=True)


@click.group()
def ledger() -> None:
    """Calls as Asterisk's event log tells them."""


@ledger.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@pass_site
def ingest(site: Site, files: tuple[Path, ...]) -> None:
    """Read event logs, rotated ones too; in any order, as often as you like."""
    settings = site.open()
    for file in files:
        new = pbx_ledger.read(file, settings.calls.short_abandon, growing=False)
        click.echo(f"{file}: {new} new records")


@ledger.command()
@_from
@_to
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl")
@pass_site
def export(site: Site, begin: dt.datetime, end: dt.datetime, form: str) -> None:
    """Every call that arrived in the period, one JSON object or one row each."""
    site.open()
    rows = calls.export(begin, end)
    if form == "jsonl":
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    writer = None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(sys.stdout, fieldnames=list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow({key: _cell(value) for key, value in row.items()})


@ledger.command()
@_from
@_to
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_site
def balance(site: Site, begin: dt.datetime, end: dt.datetime, as_json: bool) -> None:
    """Whether the ledger holds every call that came. Exit status 1 when it does not."""
    settings = site.open()
    found = calls.balance(begin, end)
    told = dataclasses.asdict(found) | {
        "unobserved": [_interval(settings, *gap) for gap in found.unobserved],
        "lacking": [_lack(settings, lack) for lack in found.lacking],
        "fragments": pbx_ledger.fragments(),
    }
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        for key, value in told.items():
            click.echo(f"{key}: {value}")
    if found.difference:
        raise click.ClickException(f"the ledger lacks {found.difference} calls")


@ledger.command("follow-ups")
@pass_site
def follow_ups(site: Site) -> None:
    """Tell the register of missed callers anew from the ledger."""
    site.open()
    click.echo(f"{followups.rebuild()} numbers")


def _lack(settings: Settings, lack: calls.Lack) -> dict[str, Any]:
    at = lack.arrived_at.astimezone(settings.tz).isoformat(timespec="seconds")
    return dataclasses.asdict(lack) | {"arrived_at": at}


def _interval(settings: Settings, begin: dt.datetime, end: dt.datetime) -> dict[str, str]:
    return {
        "from": begin.astimezone(settings.tz).isoformat(timespec="seconds"),
        "to": end.astimezone(settings.tz).isoformat(timespec="seconds"),
    }


def _cell(value: Any) -> Any:
    """Lists and objects as JSON inside their cell."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
