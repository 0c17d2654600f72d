"""A report as cells that can be compared: a key that stays, a name for people, a value."""

from collections.abc import Iterator
from typing import Any

from appliance.reports import figures, words
from appliance.reports.words import Words

type Cells = dict[str, tuple[str, Any]]  # key → (name, value)

_LEFT_OUT = (
    *("period", "formulas", "activity_details"),
    *("call_forms", "change_requests", "links", "restore_drill"),  # the annex
    *("heard", "seen"),  # the lines of who looked at whom: their sums are compared
)
_NAMED = ("weekday", "soato", "code")  # what tells a row of a list from the others


def of(plain: dict[str, Any], locale: str) -> Cells:
    """Every cell of a report's JSON (`as_json`), the balance among them, named in a language."""
    text = words.load(locale)
    found: Cells = {}
    for path, label, value in _walk(plain, text):
        key, number = "/".join(path), 2
        while key in found:  # two rows alike
            key = f"{'/'.join(path)}#{number}"
            number += 1
        found[key] = (label, value)
    return found


def value_text(key: str, value: Any, text: Words) -> str:
    """A value as people read it."""
    match value:
        case None:
            return figures.NONE if key.endswith("share") else text.unknown
        case bool():
            return text.quarterly.exists if value else text.quarterly.exists_not
        case float() if "seconds" in key:
            return figures.length(value, text.length)
        case int():
            return figures.number(value)
        case float():
            return figures.decimal(value)
    return str(value) or figures.NONE


def _walk(plain: dict[str, Any], text: Words) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    for part, value in plain.items():
        if part not in _LEFT_OUT:
            yield from _cells((part,), _table(part, text), value, text)


def _cells(
    path: tuple[str, ...], label: str, value: Any, text: Words
) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in ("name", *_NAMED):
                yield from _cells((*path, key), _joined(label, _head(path, key, text)), inner, text)
    elif isinstance(value, list) and all(isinstance(row, dict) for row in value):
        for row in value:
            key, name, rest = _row(path[-1], row, text)
            yield from _cells((*path, key), _joined(label, name), rest, text)
    elif isinstance(value, list):
        yield path, label, ", ".join(map(str, value))
    else:
        yield path, label, value


def _row(table: str, row: dict[str, Any], text: Words) -> tuple[str, str, Any]:
    """A list's row: its key, its name, and the cells in it."""
    if table == "consultations":
        return f"{row['date']} {row['issue']}", f"{row['date']} {row['issue']}", row["contacted"]
    if table == "unobserved":
        return f"{row['from']}–{row['to']}", f"{row['from']}–{row['to']}", True
    if table == "intervals":
        name = f"{row['from']}–{row['to']}" if row["from"] else text.quarterly.other_hours
        rest = {key: value for key, value in row.items() if key not in ("from", "to")}
        return str(row["from"]), name, rest
    key = next((str(row[part]) for part in _NAMED if part in row), "")
    if not key:  # a list of things without a code: its row is known by its first value
        key = str(next(iter(row.values()), ""))
        return key, key, row
    name = text.weekdays[row["weekday"] - 1] if "weekday" in row else row["name"]
    return key, name, row


def _table(part: str, text: Words) -> str:
    numbers = {
        **{"appeals_by_weekday": 1, "appeals_total": 1, "calls_by_weekday": 2, "calls_total": 2},
        **{"appeals_by_region": 3, "appeals_by_direction": 4, "consultations": 5},
        **{"calls": 1, "staff": 2, "activity": 3},
    }
    if part == "balance":
        return text.balance.title.rstrip(":")
    return text.table.format(number=numbers[part]) if part in numbers else ""


def _head(path: tuple[str, ...], key: str, text: Words) -> str:
    """What a column is called on the form."""
    form, monthly, foot = text.quarterly, text.monthly, text.balance
    if path[0] == "balance":
        heads = {
            "outcomes": "",
            "arrivals": foot.trunks,
            "difference": foot.difference,
            "open": foot.outcomes["open"],
            "unobserved": foot.unobserved,
            "recordings_expected": f"{foot.recordings} ({text.annex.target})",
            "recordings_found": foot.recordings,
            "recordings_short": f"{foot.recordings} {foot.recordings_short}",
            "sip_refused": foot.sip_refused,
            **foot.outcomes,
        }
        gaps = {"count": "", "stretches": "", "found": "", "expected": ""}
        head = heads.get(key, _plain(key)).format(**gaps).replace("()", "")
        return " ".join(head.split()).strip(" /:")
    heads = {
        **{"count": text.count, "share": text.share},
        **{"talk_seconds_total": form.talk_total, "talk_seconds_average": form.talk_average},
        **{"outgoing_answered": f"{form.outgoing} ({text.annex.accepted})"},
        **{"recovered": form.month_recovered},
        **{"recovered_seconds_average": form.month_recovered},
        **{"intervals": "", "education": ""},
    }
    if "by_weekday" in path[0] or path[0].endswith("_total"):
        inside, outside = (
            (monthly.appeals_inside, monthly.appeals_outside)
            if path[0].startswith("appeals")
            else (monthly.calls_inside, monthly.calls_outside)
        )
        half = inside if key.startswith("inside") else outside
        head = _joined(half, text.share) if key.endswith("share") else half
        return _joined(text.total, head) if path[0].endswith("_total") else head
    if key in heads:
        return heads[key]
    head = getattr(text.annex if path[0] == "answering" else form, key, _plain(key))
    return str(head).split("{")[0].strip(" (")


def _plain(key: str) -> str:
    """The name of a cell that the words of the forms have no name for."""
    return key.replace("_", " ")


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
