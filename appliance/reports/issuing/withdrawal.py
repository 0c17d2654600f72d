"""Withdrawing issued reports that mention a masked citizen: files are removed, figures remain."""

import contextlib
import datetime as dt
import json
from collections.abc import Callable, Collection, Iterator
from typing import Any

from appliance.core import audit, clock, files, live
from appliance.core.settings import Settings
from appliance.models import IssuedReport


def find_reports_about_citizen(
    settings: Settings,
    is_about_citizen: Callable[[str], bool],
    day: dt.date,
    records: Collection[str],
    mentions_citizen: Callable[[str], bool] | None = None,
    *,
    with_access_reports: bool,
) -> list[IssuedReport]:
    """Return the issued reports with a text about a citizen, except those already withdrawn.

    The reports whose period includes `day`, the date on which the citizen's call arrived, are
    searched for a text for which `is_about_citizen` returns True. `records` are the numbers of the
    citizen's records and the ids of their calls; these texts alone identify nobody, so they are
    ignored.

    If `with_access_reports` is True, access reports on `day` and later are searched too, because
    they contain the reasons for opening records. An access report without any of `records` is
    searched with `mentions_citizen`, which accepts fewer texts, because users give the same reason
    for many records; without it, such a report is not searched.
    """
    covers_day = (IssuedReport.first <= day) & (IssuedReport.last >= day)
    if with_access_reports:
        covers_day |= (IssuedReport.name == "accesses") & (IssuedReport.last >= day)
    rows = IssuedReport.select().where(IssuedReport.withdrawn_at.is_null(), covers_day)

    def contains_text_about_citizen(report: IssuedReport) -> bool:
        """Return True if a text of the report, other than `records`, is about the citizen."""
        texts = set(_report_texts(settings, report))
        is_searched_fully = report.name != "accesses" or not texts.isdisjoint(records)
        is_match = is_about_citizen if is_searched_fully else mentions_citizen
        return bool(is_match and any(map(is_match, texts.difference(records))))

    return [
        issued_report
        for issued_report in rows.order_by(IssuedReport.id)
        if contains_text_about_citizen(issued_report)
    ]


def withdraw_report(
    report: IssuedReport, is_about_citizen: Callable[[str], bool], login: str
) -> None:
    """Withdraw a report: remove its cells about the citizen, and mark it as withdrawn.

    `is_about_citizen` returns True for a text that may identify the citizen, `login` is that of the
    user who withdraws the report. Must be called in a write transaction. After that, `remove_files`
    removes the report's files; their rows and hashes stay as proof of what was issued.
    """
    cells = {
        key: cell
        for key, cell in report.cells.items()
        if not any(map(is_about_citizen, (key, *map(str, cell))))
    }
    columns = {"cells": cells, "withdrawn_at": clock.now()}
    IssuedReport.update(columns).where(IssuedReport.id == report.id).execute()
    period = f"{report.first}..{report.last}"
    audit.record_entry(login, "report.withdraw", report.name, period=period, edition=report.edition)
    live.publish_topics("reports")


def remove_files(settings: Settings) -> int:
    """Remove the files of withdrawn reports, and return the number of removed files.

    The web process may only read these files (docs/security.md). Files that it fails to remove are
    removed by `appliance jobs`, which calls this function too.
    """
    count, folder = 0, settings.paths.issued_reports
    for report in IssuedReport.select().where(IssuedReport.withdrawn_at.is_null(False)):
        for file in report.files:
            count += files.remove_file(folder / file.file)
    return count


def _report_texts(settings: Settings, report: IssuedReport) -> Iterator[str]:
    """Yield every text in a report's cells and in its JSON file, if the file exists."""
    yield from _iterate_strings(report.cells)
    json_file = next((file for file in report.files if file.kind == "json"), None)
    with contextlib.suppress(FileNotFoundError):
        if json_file:
            yield from _iterate_strings(
                json.loads((settings.paths.issued_reports / json_file.file).read_bytes())
            )


def _iterate_strings(value: Any) -> Iterator[str]:
    """Yield every string within a JSON value, including the keys of objects."""
    match value:
        case str():
            yield value
        case dict():
            for key, inner in value.items():
                yield key
                yield from _iterate_strings(inner)
        case list():
            for inner in value:
                yield from _iterate_strings(inner)
