"""Withdrawing issued reports that mention a masked citizen: files are removed, figures remain."""

import contextlib
import datetime as dt
import json
from collections.abc import Callable, Collection, Iterator
from typing import Any

from appliance.core import audit, clock, files, live
from appliance.core.settings import Settings
from appliance.models import IssuedReport


def find_affected(
    settings: Settings,
    is_about_citizen: Callable[[str], bool],
    day: dt.date,
    records: Collection[str],
    mentions_citizen: Callable[[str], bool] | None = None,
    *,
    reasons: bool,
) -> list[IssuedReport]:
    """Return the issued reports with a text about the citizen, except those already withdrawn.

    `day` is the date on which the call arrived. `records` are numbers of the citizen's records and
    ids of their calls, which by themselves identify nobody. With `reasons`, reports of who looked
    at whom on or after that day are searched too, which are long; a report that mentions no record
    counts only by `mentions_citizen`, because the same reason is given for many records.
    """
    covers_day = (IssuedReport.first <= day) & (IssuedReport.last >= day)
    if reasons:
        covers_day |= (IssuedReport.name == "accesses") & (IssuedReport.last >= day)
    rows = IssuedReport.select().where(IssuedReport.withdrawn_at.is_null(), covers_day)

    def has_citizen_text(report: IssuedReport) -> bool:
        texts = set(_report_texts(settings, report))
        is_about = report.name != "accesses" or not texts.isdisjoint(records)
        is_match = is_about_citizen if is_about else mentions_citizen
        return bool(is_match and any(map(is_match, texts.difference(records))))

    return [
        issued_report
        for issued_report in rows.order_by(IssuedReport.id)
        if has_citizen_text(issued_report)
    ]


def withdraw_report(
    report: IssuedReport, is_about_citizen: Callable[[str], bool], login: str
) -> None:
    """Withdraw a report in a write transaction: cells about the citizen go, figures stay.

    `remove_files` then removes its files; their rows and hashes stay as proof of what was issued.
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
    """Remove the files of withdrawn reports; returns the number of files removed.

    The pages may only read these files (docs/security.md): what they cannot remove, `appliance
    jobs` removes.
    """
    count, folder = 0, settings.paths.issued_reports
    for report in IssuedReport.select().where(IssuedReport.withdrawn_at.is_null(False)):
        for file in report.files:
            count += files.remove_file(folder / file.file)
    return count


def _report_texts(settings: Settings, report: IssuedReport) -> Iterator[str]:
    """Yield every text of a report: in its cells, and in the rest of its JSON."""
    yield from _iterate_strings(report.cells)
    json_file = next((file for file in report.files if file.kind == "json"), None)
    with contextlib.suppress(FileNotFoundError):
        if json_file:
            yield from _iterate_strings(
                json.loads((settings.paths.issued_reports / json_file.file).read_bytes())
            )


def _iterate_strings(value: Any) -> Iterator[str]:
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
