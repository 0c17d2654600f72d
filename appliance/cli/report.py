"""`appliance report`: the reports for the ministry."""

from collections.abc import Callable
from typing import Any, BinaryIO

import click

from appliance.cli.context import Site, audit_access, pass_site
from appliance.core.i18n import LOCALES
from appliance.core.settings import Settings
from appliance.reports import files, periods
from appliance.reports.periods import Period


@click.group()
def report() -> None:
    """Reports, as files or to standard output."""


def _add_report_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that every report has."""
    for option in (
        click.option("--out", type=click.File("wb", atomic=True), default="-", help="Output file."),
        click.option("--lang", type=click.Choice(LOCALES), default="uz_Cyrl", show_default=True),
        click.option(
            "--format",
            "kind",
            type=click.Choice(tuple(files.MIME_TYPES)),
            default="pdf",
            show_default=True,
        ),
    ):
        command = option(command)
    return command


_upto = click.option(
    "--upto", help="The last date included, as 2026-10-20; else the period's end or today."
)


@report.command()
@click.argument("month")
@_upto
@_add_report_options
@pass_site
@audit_access("report.export")
def monthly(site: Site, month: str, upto: str | None, kind: str, lang: str, out: BinaryIO) -> None:
    """Report form №2 for MONTH, as 2026-10, to a date."""
    _write_report(site, "monthly", month, upto, kind, lang, out)


@report.command()
@click.argument("month")
@_upto
@_add_report_options
@pass_site
@audit_access("report.export")
def minutes(site: Site, month: str, upto: str | None, kind: str, lang: str, out: BinaryIO) -> None:
    """The act of the minutes of talk for MONTH, as 2026-10; CSV lists them call by call."""
    _write_report(site, "minutes", month, upto, kind, lang, out)


@report.command()
@click.option("--from", "first", required=True, help="The first day, as 2026-10-01.")
@click.option("--to", "last", required=True, help="The last day, included.")
@_add_report_options
@pass_site
@audit_access("report.export")
def telephony(site: Site, first: str, last: str, kind: str, lang: str, out: BinaryIO) -> None:
    """The telephony report: calls by every filter, waits, callers, workload."""
    settings = site.open_database()
    try:
        period = periods.parse_range(first, last, settings.tz)
    except periods.PeriodError as error:
        raise click.UsageError(str(error)) from error
    _render_report("telephony", settings, period, kind, lang, out)


@report.command()
@click.argument("month")
@_add_report_options
@pass_site
@audit_access("report.export")
def accesses(site: Site, month: str, kind: str, lang: str, out: BinaryIO) -> None:
    """The recordings played and the personal data viewed in MONTH, as 2026-10."""
    _write_report(site, "accesses", month, None, kind, lang, out)


@report.command()
@click.argument("quarter")
@_upto
@_add_report_options
@pass_site
@audit_access("report.export")
def quarterly(
    site: Site, quarter: str, upto: str | None, kind: str, lang: str, out: BinaryIO
) -> None:
    """Report form №1 for QUARTER, as 2026-Q3."""
    _write_report(site, "quarterly", quarter, upto, kind, lang, out)


@report.command()
@click.argument("date")
@_add_report_options
@pass_site
@audit_access("report.export")
def daily(site: Site, date: str, kind: str, lang: str, out: BinaryIO) -> None:
    """The summary of a day, DATE as 2026-10-20."""
    _write_report(site, "daily", date, None, kind, lang, out)


def _write_report(
    site: Site, name: str, period_text: str, upto: str | None, kind: str, lang: str, out: BinaryIO
) -> None:
    settings = site.open_database()
    try:
        period = files.FORMS[name].parse_period(period_text, settings.tz, upto)
    except periods.PeriodError as error:
        raise click.UsageError(str(error)) from error
    _render_report(name, settings, period, kind, lang, out)


def _render_report(
    name: str, settings: Settings, period: Period, kind: str, lang: str, out: BinaryIO
) -> None:
    report_data = files.build_report(name, settings, period, lang)
    try:
        out.write(files.render_file(name, report_data, kind))
    except files.ReportFileError as error:
        raise click.ClickException(str(error)) from error
