"""`appliance ledger`: import of event logs as calls, export of calls, the balance."""

import dataclasses
import datetime as dt
import gc
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from appliance.cli.context import Site, as_json, audit_access, pass_site, print_rows
from appliance.cli.periods import from_option, to_option
from appliance.core import spreadsheets
from appliance.core.settings import Settings
from appliance.pbx import ledger as pbx_ledger
from appliance.telephony import calls, followups

_SHOWN_BYTES = 60
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def ledger() -> None:
    """Calls, as recorded by Asterisk's event log."""


@ledger.command()
@click.argument("files", nargs=-1, required=True, type=_FILE)
@pass_site
def ingest(site: Site, files: tuple[Path, ...]) -> None:
    """Import event logs, rotated ones too; in any order, and repeatedly without harm."""
    settings = site.open_database()
    gc.freeze()  # keeps the loaded modules out of each garbage collection while records are read
    for file in files:
        new_records = pbx_ledger.read_log(file, settings.calls, growing=False)
        click.echo(f"{file}: {new_records} new records")


@ledger.command()
@from_option
@to_option
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl")
@pass_site
@audit_access("calls.export")
def export(site: Site, begin: dt.datetime, end: dt.datetime, form: str) -> None:
    """Export every call that arrived in the period, one JSON object or one row each."""
    site.open_database()
    rows = calls.export_calls(begin, end)
    if form == "jsonl":
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    for piece in spreadsheets.csv_pieces(_csv_rows(rows), end="\n"):
        click.echo(piece, nl=False)


@ledger.command()
@from_option
@to_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_site
def balance(site: Site, begin: dt.datetime, end: dt.datetime, as_json: bool) -> None:
    """Check that the ledger holds every call that arrived. Exit status 1 when it does not."""
    settings = site.open_database()
    result = calls.ledger_balance(begin, end)
    document = dataclasses.asdict(result) | {
        "unobserved": [_interval_row(settings, *gap) for gap in result.unobserved],
        "lacking": [_missing_call_row(settings, lack) for lack in result.lacking],
        "fragments": pbx_ledger.count_record_fragments(),
    }
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        for key, value in document.items():
            click.echo(f"{key}: {value}")
    if result.difference:
        raise click.ClickException(f"the ledger lacks {result.difference} calls")


@ledger.command()
@as_json
@pass_site
@audit_access("log.list")
def quarantine(site: Site, as_json: bool) -> None:
    """List the parts of Asterisk's logs that could not be imported: position and first bytes."""
    settings = site.open_database()
    print_rows(
        (
            {
                "noted": _local_time(settings, row.noted_at),
                "file": row.file,
                "position": row.position,
                "size": row.size,
                "kind": row.kind,
                "call": row.linkedid or "",
                "beginning": repr(bytes(row.beginning)[:_SHOWN_BYTES])[2:-1],
            }
            for row in calls.quarantined_pieces()
        ),
        as_json,
    )


@ledger.command("follow-ups")
@pass_site
def rebuild_followups(site: Site) -> None:
    """Rebuild the register of missed callers from the ledger."""
    site.open_database()
    click.echo(f"{followups.rebuild_tasks()} numbers")


def _missing_call_row(settings: Settings, lack: calls.RecordingCoverage) -> dict[str, Any]:
    return dataclasses.asdict(lack) | {"arrived_at": _local_time(settings, lack.arrived_at)}


def _interval_row(settings: Settings, begin: dt.datetime, end: dt.datetime) -> dict[str, str]:
    return {"from": _local_time(settings, begin), "to": _local_time(settings, end)}


def _local_time(settings: Settings, moment: dt.datetime) -> str:
    return moment.astimezone(settings.tz).isoformat(timespec="seconds")


def _csv_rows(rows: Iterable[dict[str, Any]]) -> Iterator[list[Any]]:
    """Yield the names of the columns, then the values of each call."""
    for number, row in enumerate(rows):
        if not number:
            yield list(row)
        yield [_csv_value(value) for value in row.values()]


def _csv_value(value: Any) -> Any:
    """Return lists and objects as JSON text, any other value unchanged."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
