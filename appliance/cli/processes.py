"""`appliance migrate` and the three processes."""

import click

from appliance import db
from appliance.cli.context import Site, pass_site


@click.command()
@pass_site
def migrate(site: Site) -> None:
    """Bring the database to the newest schema, after an online copy."""
    site.open()
    for name in db.migrate():
        click.echo(name)


COMMANDS = (migrate,)
