"""The differences between an issued report and its current figures, cell by cell."""

from dataclasses import dataclass

from appliance.core.settings import Settings
from appliance.models import IssuedReport
from appliance.reports import files, report_texts
from appliance.reports.issuing import archive, cells
from appliance.reports.issuing.cells import Cells


@dataclass(frozen=True)
class CellChange:
    """One cell that differs between two reports; "–" is the value in a report without the cell."""

    key: str  # of cells.Cells
    name: str  # for people
    before: str  # the value in the earlier report, as text
    after: str  # the value in the later report, as text


def changes_since_issue(settings: Settings, report: IssuedReport, locale: str) -> list[CellChange]:
    """Return the differences between an issued report and the same report made now.

    The names of the cells are in the language of `locale`.
    """
    period = archive.report_period(settings, report)
    current_report = files.build_report(report.name, settings, period, locale)
    report_json = files.FORMS[report.name].as_json(current_report)
    current_cells = cells.report_cells(report_json, locale)
    # Cells of a part that such reports no longer contain are not compared.
    before = {
        key: cell for key, cell in report.cells.items() if key.partition("/")[0] in report_json
    }
    return _changed_cells(before, current_cells, locale, current_cells)


def changes_between(before: IssuedReport, after: IssuedReport, locale: str) -> list[CellChange]:
    """Return the differences between two editions; cells are named as in `after`.

    Their values are shown in the language of `locale`.
    """
    return _changed_cells(before.cells, after.cells, locale, {})


def _changed_cells(
    before: Cells, after: Cells, locale: str, preferred_names: Cells
) -> list[CellChange]:
    """Return the cells that differ or that only one of the reports has.

    A cell has its name in `preferred_names`, or else in `after`, or else in `before`.
    """
    texts = report_texts.load_texts(locale)

    def cell_text(edition_cells: Cells, key: str) -> str:
        """Return the value of a cell of one report as text; "–" if it does not have the cell."""
        return cells.value_text(key, edition_cells[key][1], texts) if key in edition_cells else "–"

    return [
        CellChange(
            key,
            (preferred_names.get(key) or after.get(key) or before[key])[0],
            cell_text(before, key),
            cell_text(after, key),
        )
        for key in {**after, **before}
        if key not in before or key not in after or before[key][1] != after[key][1]
    ]
