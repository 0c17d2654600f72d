"""`appliance selftest`: the site tests itself and reports which step failed."""

import dataclasses
import json
import sys

import click

from appliance.box.selftests import SelfTestResult
from appliance.cli.context import Site, as_json, pass_site
from appliance.pbx.actions import place_carrier_calls, place_synthetic_call
from appliance.pbx.selftest.offline import run_offline_drill as drill


@click.group()
def selftest() -> None:
    """Self-tests of the site."""


@selftest.command()
@as_json
@pass_site
def call(site: Site, as_json: bool) -> None:
    """Place a call through the real dialplan, marked as a test; it does not ring any operator."""
    _print_result(place_synthetic_call(site.open_database()), as_json)


@selftest.command()
@click.argument("trunk")
@as_json
@pass_site
def carrier(site: Site, trunk: str, as_json: bool) -> None:
    """Place a call over TRUNK to the hotline's own number and back in; it rings no operator."""
    try:
        [result] = place_carrier_calls(site.open_database(), trunk).values()
    except LookupError as error:
        raise click.ClickException(f"there is no trunk {trunk}") from error
    _print_result(result, as_json)


@selftest.command()
@as_json
@pass_site
def offline(site: Site, as_json: bool) -> None:
    """Run a call and its appeal on a trial site without network; the real site is not touched."""
    _print_result(drill(site.open_database()), as_json)


def _print_result(result: SelfTestResult, as_json: bool) -> None:
    """Print each step; exit with status 1 when a step failed."""
    if as_json:
        document = dataclasses.asdict(result) | {"ok": result.ok}
        click.echo(json.dumps(document, ensure_ascii=False, default=str, indent=1))
    else:
        for step in result.steps:
            click.echo(f"{'ok' if step.ok else 'fail':4}  {step.seconds:7.3f} s  {step.step}")
        if not result.ok:
            click.echo(f"{result.failed}: {result.seen}")
    if not result.ok:
        sys.exit(1)
