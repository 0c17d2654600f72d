"""`appliance release`: records the events of releases on this box in the audit log."""

import click

from appliance.cli.context import Site, pass_site
from appliance.core import audit

EVENTS = {
    "accepted": "release.accepted",
    "in-force": "release.in_force",
    "rolled-back": "release.rolled_back",
}


@click.group()
def release() -> None:
    """Events of releases on this box, for the audit."""


@release.command()
@click.argument("event", type=click.Choice(list(EVENTS)))
@click.argument("name")
@click.option("--by", default="cli", help="Who did it.")
@click.option("--why", default="", help="The reason, as shown to the user who did it.")
@pass_site
def record(site: Site, event: str, name: str, by: str, why: str) -> None:
    """Record that a release was accepted by name, put in force or rolled back."""
    site.open_database()
    audit.record_entry(by, EVENTS[event], name, **({"why": why} if why else {}))
