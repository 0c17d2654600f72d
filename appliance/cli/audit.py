"""`appliance audit`: whether the log of who did and saw what is as it was written."""

import sys

import click

from appliance.cli.context import Site, as_json, pass_site, show
from appliance.core import audit as chain
from appliance.core.audit import heads


@click.group()
def audit() -> None:
    """Who did and saw what."""


@audit.command()
@click.option("--head", "given", help="A head noted before, as 1234:0f1e…")
@as_json
@pass_site
def verify(site: Site, given: str | None, as_json: bool) -> None:
    """Read the whole chain; every head noted before must be in it. Exit 1 when one is not."""
    settings = site.open()
    try:
        known = chain.Head.read(given) if given else None
        gone = [str(one.head) for one in heads.missing(heads.noted(settings))]
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    if known and not chain.holds(known):
        gone.append(str(known))
    broken, head = chain.broken_at(), chain.head()
    show(
        [
            {
                "head": str(head or ""),
                "broken_at": broken,
                "missing": ", ".join(gone),
                "state": "broken" if gone or broken is not None else "holds",
            }
        ],
        as_json,
    )
    if gone or broken is not None:
        sys.exit(1)
