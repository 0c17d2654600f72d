"""`appliance ledger`: the event log into calls, calls out to other programs, the balance."""

import dataclasses
import datetime as dt
import gc
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from appliance.cli.context import Site, as_json, pass_site, reads, show
from appliance.cli.periods import from_option, to_option
from appliance.core import spreadsheets
from appliance.core.settings import Settings
from appliance.pbx import ledger as pbx_ledger
from appliance.telephony import calls, followups

_SHOWN = 60  # bytes
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def ledger() -> None:
    """Calls as Asterisk's event log tells them."""


@ledger.command()
@click.argument("files", nargs=-1, required=True, type=_FILE)
@pass_site
def ingest(site: Site, files: tuple[Path, ...]) -> None:
    """Read event logs, rotated ones too; in any order, as often as you like."""
    settings = site.open()
    gc.freeze()  # what is loaded is not looked through each time that records are read
    for file in files:
        new = pbx_ledger.read(file, settings.calls, growing=False)
        click.echo(f"{file}: {new} new records")


@ledger.command()
@from_option
@to_option
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl")
@pass_site
@reads("calls.export")
def export(site: Site, begin: dt.datetime, end: dt.datetime, form: str) -> None:
    """Every call that arrived in the period, one JSON object or one row each."""
    site.open()
    rows = calls.export(begin, end)
    if form == "jsonl":
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    for piece in spreadsheets.pieces(_cells(rows), end="\n"):
        click.echo(piece, nl=False)


@ledger.command()
@from_option
@to_option
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


@ledger.command()
@as_json
@pass_site
@reads("log.list")
def quarantine(site: Site, as_json: bool) -> None:
    """What stood in Asterisk's logs and could not be taken in: where, and how it begins."""
    settings = site.open()
    show(
        (
            {
                "noted": _moment_text(settings, row.noted_at),
                "file": row.file,
                "position": row.position,
                "size": row.size,
                "kind": row.kind,
                "call": row.linkedid or "",
                "beginning": repr(bytes(row.beginning)[:_SHOWN])[2:-1],
            }
            for row in calls.quarantined()
        ),
        as_json,
    )


@ledger.command("follow-ups")
@pass_site
def follow_ups(site: Site) -> None:
    """Tell the register of missed callers anew from the ledger."""
    site.open()
    click.echo(f"{followups.rebuild()} numbers")


def _lack(settings: Settings, lack: calls.Lack) -> dict[str, Any]:
    return dataclasses.asdict(lack) | {"arrived_at": _moment_text(settings, lack.arrived_at)}


def _interval(settings: Settings, begin: dt.datetime, end: dt.datetime) -> dict[str, str]:
    return {"from": _moment_text(settings, begin), "to": _moment_text(settings, end)}


def _moment_text(settings: Settings, moment: dt.datetime) -> str:
    return moment.astimezone(settings.tz).isoformat(timespec="seconds")


def _cells(rows: Iterable[dict[str, Any]]) -> Iterator[list[Any]]:
    """The names of what each call tells, then its values."""
    for number, row in enumerate(rows):
        if not number:
            yield list(row)
        yield [_cell(value) for value in row.values()]


def _cell(value: Any) -> Any:
    """Lists and objects as JSON inside their cell."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
