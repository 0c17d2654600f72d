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
    """Add the file's rows to a list, or update existing rows."""
    site.open_database()
    _check_list_name(name)
    try:
        with file.open(encoding="utf-8", newline="") as text:
            click.echo(catalogs.import_list_csv(name, text))
    except catalogs.SheetError as error:
        raise click.ClickException(f"{file}: {error}") from error


@catalog.command("export")
@click.argument("name")
@pass_site
def export_list(site: Site, name: str) -> None:
    """Print a list as CSV; `catalog import` reads it back."""
    site.open_database()
    _check_list_name(name)
    catalogs.export_csv(name, sys.stdout)


def _check_list_name(name: str) -> None:
    """Raise a usage error if neither the product nor the site has a list of that name."""
    names = dict.fromkeys(
        (*catalogs.SHEETS, *(catalog_list.code for catalog_list in catalogs.all_lists()))
    )
    if name not in names:
        raise click.BadParameter(f"{name} is not one of {', '.join(names)}", param_hint="NAME")
