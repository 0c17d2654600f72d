"""`appliance catalog`: lists as CSV files."""

import sys
from pathlib import Path

import click

from appliance.casework import catalogs
from appliance.cli.context import Site, pass_site


@click.group()
def catalog() -> None:
    """Lists that the forms choose from, as CSV files."""


@catalog.command("import")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@pass_site
def import_list(site: Site, name: str, file: Path) -> None:
    """Add the file's rows to a list, or bring known rows up to date."""
    site.open()
    _known(name)
    try:
        with file.open(encoding="utf-8", newline="") as text:
            click.echo(catalogs.import_csv(name, text))
    except catalogs.SheetError as error:
        raise click.ClickException(f"{file}: {error}") from error


@catalog.command("export")
@click.argument("name")
@pass_site
def export_list(site: Site, name: str) -> None:
    """Print a list as CSV; `catalog import` reads it back."""
    site.open()
    _known(name)
    catalogs.export_csv(name, sys.stdout)


def _known(name: str) -> None:
    """Wrong use when there is no such list, of the product's or of the site's own."""
    known = dict.fromkeys((*catalogs.SHEETS, *(one.code for one in catalogs.lists())))
    if name not in known:
        raise click.BadParameter(f"{name} is not one of {', '.join(known)}", param_hint="NAME")
