"""What a report would say now, cell by cell, beside what it said when it was issued."""

from dataclasses import dataclass

from appliance.core.settings import Settings
from appliance.models import IssuedReport
from appliance.reports import files, words
from appliance.reports.issuing import cells, keeping
from appliance.reports.issuing.cells import Cells


@dataclass(frozen=True)
class Change:
    """One cell that differs; "–" where it is not there."""

    key: str
    name: str
    before: str
    after: str


def changes(settings: Settings, report: IssuedReport, locale: str) -> list[Change]:
    """What differs between an issued report and the same one made now."""
    period = keeping.period_of(settings, report)
    made = files.build(report.name, settings, period, locale)
    plain = files.FORMS[report.name].as_json(made)
    now = cells.of(plain, locale)
    # A part that such reports have no more has not changed.
    before = {key: cell for key, cell in report.cells.items() if key.partition("/")[0] in plain}
    return _between(before, now, locale, now)


def changes_between(before: IssuedReport, after: IssuedReport, locale: str) -> list[Change]:
    """What differs between two editions; cells are named as they were when issued."""
    return _between(before.cells, after.cells, locale, {})


def _between(before: Cells, after: Cells, locale: str, named: Cells) -> list[Change]:
    text = words.load(locale)

    def value(held: Cells, key: str) -> str:
        return cells.value_text(key, held[key][1], text) if key in held else "–"

    return [
        Change(
            key,
            (named.get(key) or after.get(key) or before[key])[0],
            value(before, key),
            value(after, key),
        )
        for key in {**after, **before}
        if key not in before or key not in after or before[key][1] != after[key][1]
    ]
