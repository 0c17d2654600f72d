"""`appliance doctor`: the self-checks, from the command line."""

import sys

import click

from appliance import health
from appliance.cli.context import Site, as_json, pass_site, show


@click.command()
@as_json
@pass_site
def doctor(site: Site, as_json: bool) -> None:
    """Look at the site and say what to do. Exit 1 when a check fails."""
    looked = health.checks(site.open())
    show(
        (
            {
                "check": check.code,
                "name": check.name,
                "state": check.state,
                "seen": check.seen.format(**check.values),
                "advice": check.advice.format(**check.values),
            }
            for check in looked
        ),
        as_json,
    )
    if any(check.state == "fail" for check in looked):
        sys.exit(1)
