"""`appliance search`: the index of the search."""

import click

from appliance.casework import search as index
from appliance.cli.context import Site, pass_site


@click.group()
def search() -> None:
    """What the search of all pages finds."""


@search.command()
@pass_site
def rebuild(site: Site) -> None:
    """Make the index of the search anew; prints how many entries it has."""
    site.open()
    click.echo(index.rebuild())
