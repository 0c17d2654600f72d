"""`appliance migrate` and the three processes."""

import click

from appliance import appeals, catalogs, db
from appliance.cli.context import Site, pass_site
from appliance.jobs import timetable


@click.command()
@pass_site
def migrate(site: Site) -> None:
    """Bring the database to the newest schema, after an online copy, and fill empty lists."""
    site.open()
    for name in db.migrate():
        click.echo(name)
    if added := catalogs.seed():
        click.echo(f"{added} rows of the lists that come along")
    if given := appeals.begin_missing(catalogs.working_calendar(site.settings)):
        click.echo(f"{given} appeals given their deadlines")


@click.command()
@pass_site
def jobs(site: Site) -> None:
    """Do the scheduled work."""
    timetable.run(site.open())


@click.command()
@pass_site
def web(site: Site) -> None:
    """Serve the pages."""
    from appliance.web import server  # half a second to load: no other command waits for it

    server.serve(site.settings)


COMMANDS = (migrate, jobs, web)
