"""`appliance doctor`: the self-checks, from the command line."""

import sys

import click

from appliance.box import health
from appliance.cli.context import Site, as_json, pass_site, print_rows
from appliance.core import i18n


@click.command()
@click.option(
    "--lang", type=click.Choice([*i18n.LOCALES, "en"]), default="en", help="Language of the words."
)
@as_json
@pass_site
def doctor(site: Site, lang: str, as_json: bool) -> None:
    """Check the site and recommend what to do. Exit status 1 when a check fails."""
    checks = health.all_checks(site.open_database())
    translate = i18n.locale_translations(lang).gettext
    print_rows(
        (
            {
                "check": check.code,
                "name": translate(check.name).format(**check.values),
                "state": check.state,
                "seen": translate(check.seen).format(**check.values),
                "advice": translate(check.advice).format(**check.values) if check.advice else "",
            }
            for check in checks
        ),
        as_json,
    )
    if any(check.state == "fail" for check in checks):
        sys.exit(1)
