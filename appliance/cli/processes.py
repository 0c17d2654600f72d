"""`appliance jobs` and `appliance web`."""

import click

from appliance.cli.context import Site, pass_site


@click.command()
@pass_site
def jobs(site: Site) -> None:
    """Do the scheduled work."""
    from appliance.jobs import timetable  # as below: only what needs it waits for it

    timetable.run(site.open())


@click.command()
@pass_site
def web(site: Site) -> None:
    """Serve the pages."""
    from appliance.cli import keeper

    keeper.serve(site.settings.for_pages())
