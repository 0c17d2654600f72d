"""`appliance audit`: verify that the log of actions and views is unchanged; export its rows."""

import datetime as dt
import json
import sys
from pathlib import Path

import click

from appliance.cli.context import Site, as_json, audit_access, pass_site, print_rows
from appliance.core import signatures
from appliance.core.audit import Head, entries, verifying

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def audit() -> None:
    """The log of who did and viewed what."""


@audit.command()
@click.option("--head", "noted_heads", multiple=True, help="A head noted before, as 1234:0f1e…")
@as_json
@pass_site
def verify(site: Site, noted_heads: tuple[str, ...], as_json: bool) -> None:
    """Read the complete chain; every head noted or signed earlier must be in it."""
    try:
        result = verifying.verify_chain(
            site.open_database(), [Head.parse_text(item) for item in noted_heads]
        )
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    first, last = result.first_wrong_min_id, result.first_wrong_max_id
    row = {
        "head": str(result.head or ""),
        "broken_at": result.broken_at,
        "missing": ", ".join(str(item) for item in result.missing),
        "state": "holds" if result.is_sound else "broken",
        "first_wrong": first if first == last else f"{first}..{last}",
        "forged": ", ".join(str(item) for item in result.forged),
        "unguarded": result.unguarded,
        "signed": result.signed,
        "restored": ", ".join(f"{item.at:%Y-%m-%dT%H:%M} {item.head}" for item in result.restored),
    }
    if as_json:
        print_rows([row], as_json)
    else:
        for name, value in row.items():
            if value or name == "head":
                click.echo(f"{name:<12} {value}")
    if not result.is_sound:
        sys.exit(1)


@audit.command("new-key")
@click.argument("key", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("public_key", type=click.Path(dir_okay=False, path_type=Path))
def new_key(key: Path, public_key: Path) -> None:
    """Make a new key that signs the audit; the earlier public keys stay, for older heads."""
    try:
        signatures.create_key_pair(key, public_key)
    except OSError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{key}: new; {public_key}: for all who verify")


@audit.command()
@click.option("--from", "first", type=_DAY, required=True, help="The first day.")
@click.option("--to", "last", type=_DAY, required=True, help="The last day.")
@pass_site
@audit_access("audit.export")
def export(site: Site, first: dt.datetime, last: dt.datetime) -> None:
    """Print the entries of a range of days, one JSON object per line, with their hashes."""
    settings = site.open_database()
    filters = entries.EntryFilters(
        since=first.replace(tzinfo=settings.tz),
        until=(last + dt.timedelta(days=1)).replace(tzinfo=settings.tz),
    )
    for entry in (item for piece in entries.entry_batches(filters) for item in piece):
        row = {
            "id": entry.id,
            "at": entry.at.astimezone(settings.tz).isoformat(),
            "who": entry.who,
            "action": entry.action,
            "subject": entry.subject,
            "address": entry.address,
            "detail": entry.detail,
            "hash": entry.hash,
        }
        click.echo(json.dumps(row, ensure_ascii=False))
