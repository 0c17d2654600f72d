"""`appliance demo`: a synthetic history, to try out the pages and to measure their speed."""

import datetime as dt

import click

from appliance.casework import catalogs
from appliance.casework.appeals import handling
from appliance.cli.context import Site, pass_site
from appliance.core import clock, db
from appliance.demo import DemoError, load_history, load_site_profile


@click.group()
def demo() -> None:
    """A synthetic history; never on a site that serves citizens."""


_day = click.DateTime(["%Y-%m-%d"])


@demo.command("load")
@click.option("--calls", type=click.IntRange(min=1), required=True, help="Inbound calls.")
@click.option("--from", "first", type=_day, required=True, help="The first day, as 2026-01-01.")
@click.option("--to", "last", type=_day, required=True, help="The last day, before today.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed, other calls.")
@pass_site
def load_command(site: Site, calls: int, first: dt.datetime, last: dt.datetime, seed: int) -> None:
    """Add calls with waits, talks, transfers, ratings, appeals and forms №2 to the ledger."""
    settings = site.open_database()
    if first > last:
        raise click.UsageError("--from is after --to")
    if last.date() >= clock.now().astimezone(settings.tz).date():
        raise click.UsageError("--to must be before today: real calls are not mixed in")
    try:
        with (
            db.write_transaction()
        ):  # the calls and the deadlines of their appeals in one transaction
            counts = load_history(
                load_site_profile(settings, first.date(), last.date()), calls, seed
            )
            handling.start_missing_handling(catalogs.working_calendar(settings))
    except DemoError as error:
        raise click.ClickException(str(error)) from error
    except db.Error as error:
        raise click.ClickException(
            f"the database refused it, and nothing is loaded: {error}"
        ) from error
    for table, count in counts.items():
        click.echo(f"{table}: {count}")
