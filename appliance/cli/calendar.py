"""`appliance calendar`: the days on which the ministry's calendar differs from Mon-Fri."""

import getpass
from pathlib import Path

import click

from appliance.casework import catalogs
from appliance.casework.catalogs import days
from appliance.cli.context import Site, as_json, pass_site, print_rows
from appliance.core import clock


@click.group()
def calendar() -> None:
    """The ministry's working calendar."""


@calendar.command("list")
@click.option("--year", type=int, help="Only the days of this year.")
@as_json
@pass_site
def list_days(site: Site, year: int | None, as_json: bool) -> None:
    """List holidays, swapped days and working weekends, in order."""
    site.open_database()
    print_rows(
        (
            {
                "date": day.date.isoformat(),
                "kind": day.kind,
                "working": day.working,
                "name_uz_latn": day.name_uz_latn,
                "name_uz_cyrl": day.name_uz_cyrl,
                "name_ru": day.name_ru,
            }
            for day in days.list_days(year)
        ),
        as_json,
    )


@calendar.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@pass_site
def import_days(site: Site, file: Path) -> None:
    """Add the days of the file, or update future days; a past day never changes."""
    settings = site.open_database()
    today = clock.now().astimezone(settings.tz).date()
    try:
        with file.open(encoding="utf-8", newline="") as text:
            click.echo(days.import_days(text, today, getpass.getuser()))
    except (catalogs.SheetError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file}: {error}") from error
