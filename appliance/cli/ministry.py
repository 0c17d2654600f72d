"""`appliance ministry`: signed files without a network link, and appeals that were never sent."""

import datetime as dt
from pathlib import Path

import click

from appliance.casework.ministry import files
from appliance.casework.ministry.queue import queue_earlier_appeals as put_earlier
from appliance.cli.context import Site, audit_access, pass_site
from appliance.core import signatures
from appliance.core.refusals import Refused
from appliance.messaging.casework_hooks import connect_hooks

_ACTOR = "command"


@click.group()
def ministry() -> None:
    """The ministry's system: signed files, and appeals registered before it was connected."""


@ministry.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@pass_site
@audit_access("ministry.export")
def export(site: Site, folder: Path) -> None:
    """Write the waiting data, and every file without a receipt, into a folder."""
    try:
        new_files = files.export_packages(site.open_database(), folder, _ACTOR)
    except (signatures.SigningKeyError, OSError) as error:
        raise click.ClickException(str(error)) from error
    for file in new_files:
        click.echo(str(file))


@ministry.command("import")
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@pass_site
def import_packages(site: Site, path: Path) -> None:
    """Import receipts and answers: one file, or all files of a folder by their numbers."""
    settings = site.open_database()
    connect_hooks(settings)
    try:
        packages = files.import_packages(settings, path, _ACTOR)
    except (signatures.SigningKeyError, Refused) as error:
        raise click.ClickException(str(error)) from error
    for package in packages:
        if package.repeated:
            click.echo(f"{package.number}: taken before")
        else:
            events = ", ".join(f"{count} {name}" for name, count in sorted(package.events.items()))
            click.echo(f"{package.number}: {package.receipts} receipts; events: {events or 'none'}")


@ministry.command("catch-up")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), default="2000-01-01", help="Day.")
@pass_site
def queue_earlier_appeals(site: Site, since: dt.datetime) -> None:
    """Queue the appeals that were registered before the ministry's system was connected."""
    settings = site.open_database()
    if not settings.ministry:
        raise click.ClickException("the settings have no [ministry] part")
    click.echo(
        f"{put_earlier(settings, since.date(), _ACTOR)} appeals wait for the ministry's system"
    )
