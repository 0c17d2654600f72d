"""`appliance audit`: whether the log of who did and saw what is as it was written, and its rows."""

import datetime as dt
import json
import sys
from pathlib import Path

import click

from appliance.cli.context import Site, as_json, pass_site, reads, show
from appliance.core import signatures
from appliance.core.audit import Head, entries, verifying

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def audit() -> None:
    """Who did and saw what."""


@audit.command()
@click.option("--head", "given", multiple=True, help="A head noted before, as 1234:0f1e…")
@as_json
@pass_site
def verify(site: Site, given: tuple[str, ...], as_json: bool) -> None:
    """Read the whole chain; every head noted or signed before must be in it."""
    try:
        found = verifying.verify(site.open(), [Head.read(one) for one in given])
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    first = found.first_wrong
    row = {
        "head": str(found.head or ""),
        "broken_at": found.broken_at,
        "missing": ", ".join(str(one) for one in found.missing),
        "state": "holds" if found.holds else "broken",
        "first_wrong": first if first == found.until else f"{first}..{found.until}",
        "forged": ", ".join(str(one) for one in found.forged),
        "unguarded": found.unguarded,
        "signed": found.signed,
        "restored": ", ".join(f"{one.at:%Y-%m-%dT%H:%M} {one.head}" for one in found.restored),
    }
    if as_json:
        show([row], as_json)
    else:
        for name, value in row.items():
            if value or name == "head":
                click.echo(f"{name:<12} {value}")
    if not found.holds:
        sys.exit(1)


@audit.command("new-key")
@click.argument("key", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("public_key", type=click.Path(dir_okay=False, path_type=Path))
def new_key(key: Path, public_key: Path) -> None:
    """Make a new key that signs the audit; the public ones of before stay, for older heads."""
    try:
        signatures.make(key, public_key)
    except OSError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{key}: new; {public_key}: for all who verify")


@audit.command()
@click.option("--from", "first", type=_DAY, required=True, help="The first day.")
@click.option("--to", "last", type=_DAY, required=True, help="The last day.")
@pass_site
@reads("audit.export")
def export(site: Site, first: dt.datetime, last: dt.datetime) -> None:
    """Print the entries of some days, a JSON object a line, with their hashes."""
    settings = site.open()
    chosen = entries.Filters(
        since=first.replace(tzinfo=settings.tz),
        until=(last + dt.timedelta(days=1)).replace(tzinfo=settings.tz),
    )
    for entry in (one for piece in entries.pieces(chosen) for one in piece):
        told = {
            "id": entry.id,
            "at": entry.at.astimezone(settings.tz).isoformat(),
            "who": entry.who,
            "action": entry.action,
            "subject": entry.subject,
            "address": entry.address,
            "detail": entry.detail,
            "hash": entry.hash,
        }
        click.echo(json.dumps(told, ensure_ascii=False))
