"""Issued reports that name somebody who was masked: their files go, the figures stay."""

import contextlib
import datetime as dt
import json
from collections.abc import Callable, Collection, Iterator
from typing import Any

from appliance.core import audit, clock, files, live
from appliance.core.settings import Settings
from appliance.models import IssuedReport
from appliance.reports.issuing import keeping


def find(
    settings: Settings,
    is_his: Callable[[str], bool],
    day: dt.date,
    records: Collection[str],
    names_him: Callable[[str], bool] | None = None,
    *,
    reasons: bool,
) -> list[IssuedReport]:
    """The issued reports of which a text is somebody's, those withdrawn before left out.

    `day`: when the call arrived. `records`: numbers of the citizen's records and ids of their
    calls, which by themselves name nobody. `reasons`: also reports of who looked at whom on a day
    since, which are long; one that names none of the records counts only by `names_him`, for the
    same reason is given for many records.
    """
    about = (IssuedReport.first <= day) & (IssuedReport.last >= day)
    if reasons:
        about |= (IssuedReport.name == "accesses") & (IssuedReport.last >= day)
    rows = IssuedReport.select().where(IssuedReport.withdrawn_at.is_null(), about)

    def has_text(report: IssuedReport) -> bool:
        texts = set(_texts(settings, report))
        is_about = report.name != "accesses" or not texts.isdisjoint(records)
        is_match = is_his if is_about else names_him
        return bool(is_match and any(map(is_match, texts.difference(records))))

    return [one for one in rows.order_by(IssuedReport.id) if has_text(one)]


def withdraw(report: IssuedReport, is_his: Callable[[str], bool], by: str) -> None:
    """Withdraw a report, in a write transaction: cells that are somebody's go, figures stay.

    `remove_files` then takes its files away; their rows and hashes stay as proof of what was given.
    """
    cells = {
        key: cell
        for key, cell in report.cells.items()
        if not any(map(is_his, (key, *map(str, cell))))
    }
    columns = {"cells": cells, "withdrawn_at": clock.now()}
    IssuedReport.update(columns).where(IssuedReport.id == report.id).execute()
    period = f"{report.first}..{report.last}"
    audit.record(by, "report.withdraw", report.name, period=period, edition=report.edition)
    live.publish("reports")


def remove_files(settings: Settings) -> int:
    """Remove the files of withdrawn reports; how many there were.

    The pages may only read them (docs/security.md): what they cannot remove, `appliance jobs` does.
    """
    count, folder = 0, keeping.folder(settings)
    for report in IssuedReport.select().where(IssuedReport.withdrawn_at.is_null(False)):
        for file in report.files:
            count += files.remove(folder / file.file)
    return count


def _texts(settings: Settings, report: IssuedReport) -> Iterator[str]:
    """Every text of a report: of its cells, and of whatever else its JSON holds."""
    yield from _strings(report.cells)
    file = next((one for one in report.files if one.kind == "json"), None)
    with contextlib.suppress(FileNotFoundError):
        if file:
            yield from _strings(json.loads((keeping.folder(settings) / file.file).read_bytes()))


def _strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for key, inner in value.items():
                yield key
                yield from _strings(inner)
        case list():
            for inner in value:
                yield from _strings(inner)
