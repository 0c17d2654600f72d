"""`appliance search`: the search index."""

import click

from appliance.casework import search as index
from appliance.cli.context import Site, pass_site


@click.group()
def search() -> None:
    """The index of the search on all pages."""


@search.command()
@pass_site
def rebuild(site: Site) -> None:
    """Rebuild the search index; prints the number of its entries."""
    site.open_database()
    click.echo(index.rebuild_index())
