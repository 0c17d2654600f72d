"""`appliance selftest`: the site tests itself, and says which step failed."""

import dataclasses
import json
import sys

import click

from appliance.box.selftests import Result
from appliance.cli.context import Site, as_json, pass_site
from appliance.pbx.actions import over_carriers, synthetic_call
from appliance.pbx.selftest.offline import offline as drill


@click.group()
def selftest() -> None:
    """Tests of the site by itself."""


@selftest.command()
@as_json
@pass_site
def call(site: Site, as_json: bool) -> None:
    """A call through the real dialplan, marked as a test; it rings no operator."""
    _print(synthetic_call(site.open()), as_json)


@selftest.command()
@click.argument("trunk")
@as_json
@pass_site
def carrier(site: Site, trunk: str, as_json: bool) -> None:
    """A call over a TRUNK to the hotline's own number and back in; it rings no operator."""
    try:
        [found] = over_carriers(site.open(), trunk).values()
    except LookupError as error:
        raise click.ClickException(f"there is no trunk {trunk}") from error
    _print(found, as_json)


@selftest.command()
@as_json
@pass_site
def offline(site: Site, as_json: bool) -> None:
    """A call and its appeal on a trial site that has no network; the real one is not touched."""
    _print(drill(site.open()), as_json)


def _print(result: Result, as_json: bool) -> None:
    """Print each step; exit 1 when one failed."""
    if as_json:
        told = dataclasses.asdict(result) | {"ok": result.ok}
        click.echo(json.dumps(told, ensure_ascii=False, default=str, indent=1))
    else:
        for step in result.steps:
            click.echo(f"{'ok' if step.ok else 'fail':4}  {step.seconds:7.3f} s  {step.step}")
        if not result.ok:
            click.echo(f"{result.failed}: {result.seen}")
    if not result.ok:
        sys.exit(1)
