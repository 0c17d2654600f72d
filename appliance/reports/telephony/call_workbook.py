"""The list of the calls that a figure counts as a workbook: in words, with translated heads."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from appliance.core import clock
from appliance.core.i18n import N_, locale_translations
from appliance.reports import call_filters, report_texts, xlsx
from appliance.reports.call_filters import CallFilter
from appliance.reports.telephony.calls import CallRow, iterate_calls
from appliance.reports.xlsx import LongTable, LongTableValue, Seconds
from appliance.telephony.calls import INBOUND_OUTCOMES, OUTBOUND_OUTCOMES

# names of values by dimension, such as those of the topics
type _Names = Mapping[str, Mapping[str, str]]

_ENDED_BY_NAMES = {
    "caller": N_("the citizen"),
    "operator": N_("the operator"),
    "system": N_("the system"),
}


@dataclass(frozen=True)
class _Column:
    """A column: its head (a message id), its width in characters, and the value of a call."""

    head: str
    width: float
    value: Callable[[CallRow, _Names], LongTableValue]


def _name_column(
    head: str, width: float, names_key: str, code: Callable[[CallRow], Any]
) -> _Column:
    """Return a column of names of a dimension; a code without a name is shown unchanged."""

    def name(row: CallRow, names: _Names) -> LongTableValue:
        """Return the name of the code that the call has; None without a code."""
        value = code(row)
        return None if value is None else names[names_key].get(value, str(value))

    return _Column(head, width, name)


# by the names of calls.COLUMNS
_COLUMNS: dict[str, _Column] = {
    "arrived_at": _Column(N_("Arrived"), 19, lambda row, names: row.call.arrived_at),
    "ended_at": _Column(N_("Ended"), 19, lambda row, names: row.call.ended_at),
    "caller": _Column(N_("Caller"), 15, lambda row, names: row.call.caller),
    "number": _name_column(N_("Number called"), 15, "number", lambda row: row.number),
    "callee": _Column(
        N_("Number dialled"),
        15,
        lambda row, names: row.call.callee if row.call.direction == "outbound" else None,
    ),
    "trunk": _name_column(N_("Trunk"), 12, "trunk", lambda row: row.call.trunk),
    "language": _name_column(N_("Language"), 11, "language", lambda row: row.call.language),
    "topic": _name_column(N_("Topic"), 40, "topic", lambda row: row.topic),
    "call_type": _name_column(N_("Type of call"), 24, "call_type", lambda row: row.call_type),
    "request_kind": _name_column(
        N_("Kind of request"), 16, "request_kind", lambda row: row.request_kind
    ),
    "call_direction": _name_column(
        N_("Direction of the call"), 18, "call_direction", lambda row: row.call_direction
    ),
    "region": _name_column(N_("Region"), 26, "region", lambda row: row.region),
    "outcome": _Column(
        N_("Outcome"),
        26,
        lambda row, names: names[f"{row.call.direction}_outcome"].get(row.call.outcome),
    ),
    "menu_seconds": _Column(
        N_("Time in the menu"), 10, lambda row, names: _duration(row.call.menu_seconds)
    ),
    "wait_seconds": _Column(N_("Wait"), 10, lambda row, names: _duration(row.call.wait_seconds)),
    "talk_seconds": _Column(N_("Talk"), 10, lambda row, names: _duration(row.call.talk_seconds)),
    "hold_seconds": _Column(N_("Hold"), 10, lambda row, names: _duration(row.call.hold_seconds)),
    "operator": _name_column(N_("Operator"), 24, "operator", lambda row: row.operator),
    "ended_by": _Column(
        N_("Hung up first"), 14, lambda row, names: names["ended_by"].get(row.call.ended_by or "")
    ),
    "rating": _Column(N_("Rating"), 8, lambda row, names: row.call.rating),
}


def as_workbook(call_filter: CallFilter, columns: Sequence[str], locale: str) -> bytes:
    """Return all calls that pass a filter, oldest first, as the bytes of an .xlsx file.

    `columns` are keys of calls.COLUMNS; those that are codes only for programs are left out.
    `locale` is the language of the heads and values. The calls are read and written in chunks.
    """
    gettext, names = locale_translations(locale).gettext, _value_names(locale)
    written_columns = [_COLUMNS[column] for column in columns if column in _COLUMNS]
    title = gettext(N_("Calls"))
    table = LongTable(
        title=title,
        author=report_texts.load_texts(locale).author,
        made_at=clock.now(),
        tz=call_filter.period.tz,
        sheet_name=title,
        heads=[gettext(column.head) for column in written_columns],
        widths=[column.width for column in written_columns],
        rows=(
            [column.value(row, names) for column in written_columns]
            for row in iterate_calls(call_filter)
        ),
    )
    return xlsx.write_long_table(table)


def _value_names(locale: str) -> _Names:
    """Return the names of the values of each dimension, of the outcomes and of who hung up."""
    gettext = locale_translations(locale).gettext
    return {
        **{
            name: call_filters.dimension_names(name, locale)
            for name in call_filters.DIMENSION_NAMES
        },
        "inbound_outcome": {o.code: gettext(o.name) for o in INBOUND_OUTCOMES},
        "outbound_outcome": {o.code: gettext(o.name) for o in OUTBOUND_OUTCOMES},
        "internal_outcome": {o.code: gettext(o.name) for o in OUTBOUND_OUTCOMES},
        "ended_by": {code: gettext(name) for code, name in _ENDED_BY_NAMES.items()},
    }


def _duration(seconds: float | None) -> Seconds | None:
    return None if seconds is None else Seconds(seconds)
