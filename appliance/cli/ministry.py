"""`appliance ministry`: signed files without a link, and appeals that were never sent."""

import datetime as dt
from pathlib import Path

import click

from appliance.casework.ministry import catch_up as put_earlier
from appliance.casework.ministry import files
from appliance.cli.context import Site, pass_site, reads
from appliance.core import signatures
from appliance.messaging import notices

_BY = "command"


@click.group()
def ministry() -> None:
    """The ministry's system: signed files, and appeals of the time before it was connected."""


@ministry.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@pass_site
@reads("ministry.export")
def export(site: Site, folder: Path) -> None:
    """Write what waits, and every file without a receipt, into a folder."""
    try:
        written = files.export(site.open(), folder, _BY)
    except (signatures.KeyTrouble, OSError) as error:
        raise click.ClickException(str(error)) from error
    for file in written:
        click.echo(str(file))


@ministry.command("import")
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@pass_site
def import_(site: Site, path: Path) -> None:
    """Take receipts and answers: a file, or all of a folder by their numbers."""
    try:
        taken = files.take(site.open(), path, _BY, notices.answered)
    except (signatures.KeyTrouble, files.PackageError) as error:
        raise click.ClickException(str(error)) from error
    for one in taken:
        if one.repeated:
            click.echo(f"{one.number}: taken before")
        else:
            events = ", ".join(f"{count} {name}" for name, count in sorted(one.events.items()))
            click.echo(f"{one.number}: {one.receipts} receipts; events: {events or 'none'}")


@ministry.command("catch-up")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), default="2000-01-01", help="Day.")
@pass_site
def catch_up(site: Site, since: dt.datetime) -> None:
    """Have the appeals sent that were registered before the system was connected."""
    settings = site.open()
    if not settings.ministry:
        raise click.ClickException("the settings have no [ministry] part")
    click.echo(f"{put_earlier(settings, since.date(), _BY)} appeals wait for the ministry's system")
