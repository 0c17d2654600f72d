"""`appliance report`: the papers that the ministry is given."""

import json
from typing import BinaryIO

import click

from appliance.cli.context import Site, pass_site
from appliance.i18n import LOCALES
from appliance.reports import monthly as form
from appliance.reports import periods


@click.group()
def report() -> None:
    """Reports, as files or to standard output."""


@report.command()
@click.argument("month")
@click.option(
    "--upto", help="The last date included, as 2026-10-20; else the month's end or today."
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(("pdf", "json", "csv")),
    default="pdf",
    show_default=True,
)
@click.option("--lang", type=click.Choice(LOCALES), default="uz_Cyrl", show_default=True)
@click.option("--out", type=click.File("wb", atomic=True), default="-", help="Where to write it.")
@pass_site
def monthly(site: Site, month: str, upto: str | None, kind: str, lang: str, out: BinaryIO) -> None:
    """Report form №2 for MONTH, as 2026-10, to a date."""
    settings = site.open()
    try:
        period = periods.month(month, settings.tz, upto)
    except periods.PeriodError as error:
        raise click.UsageError(str(error)) from error
    made = form.build(settings, period.first, period.last, lang)
    out.write(_rendered(made, kind))


def _rendered(made: form.MonthlyReport, kind: str) -> bytes:
    if kind == "json":
        return (json.dumps(form.as_json(made), ensure_ascii=False, indent=1) + "\n").encode()
    if kind == "csv":
        return form.as_csv(made).encode("utf-8-sig")  # the mark tells office programs the encoding
    from appliance.reports import pdf  # takes a second to load: only who prints waits for it

    try:
        return pdf.monthly(made, made.locale)
    except pdf.PdfError as error:
        raise click.ClickException(str(error)) from error
