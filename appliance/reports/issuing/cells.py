"""A report as comparable cells, each with a stable key, a name for people and a value."""

from collections.abc import Iterator
from typing import Any

from appliance.reports import formatting, report_texts
from appliance.reports.report_texts import ReportTexts

# (name, value) by key; a key is the path of the value in JSON: "calls_by_weekday/1/inside"
type Cells = dict[str, tuple[str, Any]]

_EXCLUDED_PARTS = (  # parts of a report's JSON that are not compared
    *("period", "formulas", "activity_details"),  # not on the form
    *("call_forms", "change_requests", "links", "restore_drill"),  # the annex
    *("counted", "counting_rule"),  # printed below the tables
    *("heard", "seen"),  # the lines of the access report; their totals are compared
)
_ROW_KEY_FIELDS = ("weekday", "soato", "code")  # one of them identifies a row of a list


def report_cells(report_json: dict[str, Any], locale: str) -> Cells:
    """Return the cells of a report, with names in the language of `locale`.

    `report_json` is the result of the report's as_json(). The balance is included; parts that are
    not compared (_EXCLUDED_PARTS) are left out.
    """
    texts = report_texts.load_texts(locale)
    cells: Cells = {}
    for path, label, value in _iterate_cells(report_json, texts):
        key, number = "/".join(path), 2
        while key in cells:  # two rows with the same key
            key = f"{'/'.join(path)}#{number}"
            number += 1
        cells[key] = (label, value)
    return cells


def value_text(key: str, value: Any, texts: ReportTexts) -> str:
    """Return a cell's value as text for people.

    Its key determines how None and a number of seconds are shown: None is "–" for a share, because
    there is nothing to divide, and "unknown" for any other value.
    """
    match value:
        case None:
            return formatting.NO_VALUE if key.endswith("share") else texts.unknown
        case bool():
            return texts.quarterly.exists if value else texts.quarterly.exists_not
        case float() if "seconds" in key:
            return formatting.format_duration(value, texts.length)
        case int():
            return formatting.format_number(value)
        case float():
            return formatting.format_decimal(value)
    return str(value) or formatting.NO_VALUE


def _iterate_cells(
    report_json: dict[str, Any], texts: ReportTexts
) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    """Yield (path, name, value) of every compared cell; the path is the keys that lead to it."""
    for part, value in report_json.items():
        if part not in _EXCLUDED_PARTS:
            yield from _cells_below((part,), _table_label(part, texts), value, texts)


def _cells_below(
    path: tuple[str, ...], label: str, value: Any, texts: ReportTexts
) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    """Yield (path, name, value) of every cell within a value of a report's JSON.

    `path` and `label` belong to the value itself; the paths and the names of its cells begin with
    them. The path of a row in a list contains the row's code, not its position, so that cells are
    the same in any order of rows.
    """
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in ("name", *_ROW_KEY_FIELDS):  # these are in the path and label of a row
                yield from _cells_below(
                    (*path, key),
                    _joined_label(label, _column_label(path, key, texts)),
                    inner,
                    texts,
                )
    elif isinstance(value, list) and all(isinstance(row, dict) for row in value):
        for row in value:
            key, name, row_cells = _list_row(path[-1], row, texts)
            yield from _cells_below((*path, key), _joined_label(label, name), row_cells, texts)
    elif isinstance(value, list):
        yield path, label, ", ".join(map(str, value))
    else:
        yield path, label, value


def _list_row(table: str, row: dict[str, Any], texts: ReportTexts) -> tuple[str, str, Any]:
    """Return the key, the name and the cells of a row of a list.

    `table` is the key of the list in the JSON. The cells are a dict, or the value of a single cell.
    """
    if table == "consultations":
        return f"{row['date']} {row['issue']}", f"{row['date']} {row['issue']}", row["contacted"]
    if table == "unobserved":
        return f"{row['from']}–{row['to']}", f"{row['from']}–{row['to']}", True
    if table == "intervals":
        name = f"{row['from']}–{row['to']}" if row["from"] else texts.quarterly.other_hours
        row_cells = {key: value for key, value in row.items() if key not in ("from", "to")}
        return str(row["from"]), name, row_cells
    key = next((str(row[field]) for field in _ROW_KEY_FIELDS if field in row), "")
    if not key:  # a list of items without a code: the first value identifies the row
        key = str(next(iter(row.values()), ""))
        return key, key, row
    name = texts.weekdays[row["weekday"] - 1] if "weekday" in row else row["name"]
    return key, name, row


def _table_label(part: str, texts: ReportTexts) -> str:
    """Return the name of the table with this key in the JSON: "1-жадвал"; "" if it has no name."""
    numbers = {
        **{"appeals_by_weekday": 1, "appeals_total": 1, "calls_by_weekday": 2, "calls_total": 2},
        **{"requests_by_weekday": 1, "requests_total": 1},
        **{"appeals_by_region": 3, "appeals_by_direction": 4, "consultations": 5},
        **{"requests_by_region": 3, "requests_by_direction": 4},
        **{"calls": 1, "staff": 2, "activity": 3},
    }
    if part == "balance":
        return texts.balance.title.rstrip(":")
    label = texts.table.format(number=numbers[part]) if part in numbers else ""
    return f"{label} ({texts.monthly.all_requests})" if part.startswith("requests_") else label


def _column_label(path: tuple[str, ...], key: str, texts: ReportTexts) -> str:
    """Return the name that the printed report gives to the values with this key.

    `path` leads to the dict that contains the key. "" if the report has no name for this level.
    """
    quarterly, monthly, balance = texts.quarterly, texts.monthly, texts.balance
    if path[0] == "balance":
        heads = {
            "outcomes": "",
            "arrivals": balance.trunks,
            "difference": balance.difference,
            "open": balance.outcomes["open"],
            "unobserved": balance.unobserved,
            "recordings_expected": f"{balance.recordings} ({texts.annex.target})",
            "recordings_found": balance.recordings,
            "recordings_short": f"{balance.recordings} {balance.recordings_short}",
            "sip_refused": balance.sip_refused,
            **balance.outcomes,
        }
        placeholders = {"count": "", "stretches": "", "found": "", "expected": ""}
        head = heads.get(key, _spaced_key(key)).format(**placeholders).replace("()", "")
        return " ".join(head.split()).strip(" /:")
    heads = {
        **{"count": texts.count, "share": texts.share},
        **{
            "talk_seconds_total": quarterly.talk_total,
            "talk_seconds_average": quarterly.talk_average,
        },
        **{"outgoing_answered": f"{quarterly.outgoing} ({texts.annex.accepted})"},
        **{"recovered": quarterly.month_recovered},
        **{"recovered_seconds_average": quarterly.month_recovered},
        **{"intervals": "", "education": ""},
    }
    if "by_weekday" in path[0] or path[0].endswith("_total"):
        inside, outside = (
            (monthly.appeals_inside, monthly.appeals_outside)
            if path[0].startswith(("appeals", "requests"))
            else (monthly.calls_inside, monthly.calls_outside)
        )
        hours_label = inside if key.startswith("inside") else outside
        head = _joined_label(hours_label, texts.share) if key.endswith("share") else hours_label
        return _joined_label(texts.total, head) if path[0].endswith("_total") else head
    if key in heads:
        return heads[key]
    head = getattr(texts.annex if path[0] == "answering" else quarterly, key, _spaced_key(key))
    return str(head).split("{")[0].strip(" (")


def _spaced_key(key: str) -> str:
    """Return the key as a name, for a cell for which the forms have no text."""
    return key.replace("_", " ")


def _joined_label(*parts: str) -> str:
    """Return the parts of a cell's name as one text, without empty parts."""
    return " · ".join(part for part in parts if part)
