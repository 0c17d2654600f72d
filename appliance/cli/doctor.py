"""`appliance doctor`: the self-checks, from the command line."""

import sys

import click

from appliance.box import health
from appliance.cli.context import Site, as_json, pass_site, show
from appliance.core import i18n


@click.command()
@click.option(
    "--lang", type=click.Choice([*i18n.LOCALES, "en"]), default="en", help="Language of the words."
)
@as_json
@pass_site
def doctor(site: Site, lang: str, as_json: bool) -> None:
    """Look at the site and say what to do. Exit 1 when a check fails."""
    looked = health.checks(site.open())
    say = i18n.translations(lang).gettext
    show(
        (
            {
                "check": check.code,
                "name": say(check.name).format(**check.values),
                "state": check.state,
                "seen": say(check.seen).format(**check.values),
                "advice": say(check.advice).format(**check.values) if check.advice else "",
            }
            for check in looked
        ),
        as_json,
    )
    if any(check.state == "fail" for check in looked):
        sys.exit(1)
