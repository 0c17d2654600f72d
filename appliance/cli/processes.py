"""`appliance jobs` and `appliance web`."""

import click

from appliance.cli.context import Site, pass_site


@click.command()
@pass_site
def jobs(site: Site) -> None:
    """Run the scheduled jobs."""
    from appliance.jobs import (
        # Imported here, as below, so that only the command that needs it waits for the import.
        timetable,
    )

    timetable.run_jobs(site.open_database())


@click.command()
@pass_site
def web(site: Site) -> None:
    """Serve the pages."""
    from appliance.cli import gunicorn_app

    gunicorn_app.serve_pages(site.settings.without_ami_secret())
