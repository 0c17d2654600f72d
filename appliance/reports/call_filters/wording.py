"""The values of filters as readable text, for the page that lists the selected calls.

The functions are of the type ValueText, or return such a function.
"""

from collections.abc import Callable, Mapping

from appliance.core import phone_numbers
from appliance.core.i18n import N_, locale_translations
from appliance.people import accounts
from appliance.reports import periods, report_texts
from appliance.reports.call_filters.definition import MISSING_VALUE, Dimension, Reader, ValueText
from appliance.telephony import followups


def labelled_text(labels: Mapping[str, str]) -> ValueText:
    """Return a function from a value and its reader to readable text.

    A value consists of parts separated by ":"; `labels` are the message ids of the parts. A part
    without a label is shown unchanged.
    """

    def value_text(value: str, reader: Reader) -> str:
        """Return the labels of the parts of `value`, separated by commas."""
        gettext = locale_translations(reader.locale).gettext
        parts = [part for part in value.split(":") if part]
        return ", ".join(gettext(labels[part]) if part in labels else part for part in parts)

    return value_text


def dimension_text(dimension: Dimension) -> ValueText:
    """Return a function from a dimension's value and its reader to the name of the value.

    A value without a name, such as a phone number, is shown with spaces or unchanged.
    """

    def value_text(value: str, reader: Reader) -> str:
        """Return the name of a value of the dimension."""
        if value == MISSING_VALUE:
            return dimension.missing_name(reader.locale)
        names = dimension.value_names(reader.locale)
        return names.get(value, phone_numbers.grouped_number(value))

    return value_text


def plain_text(value: str, reader: Reader) -> str:
    """Return the value unchanged, for a filter whose values are readable: "10" for an hour."""
    return value


def range_text(value: str, reader: Reader) -> str:
    """Return "5-10" as "5–10", "-5" as "0–5" and "90-" as "90+"."""
    low, _, high = value.partition("-")
    return f"{low or 0}–{high}" if high else f"{low or 0}+"


def weekday_text(value: str, reader: Reader) -> str:
    """Return the name of a weekday given as "1" (Monday) to "7"."""
    return report_texts.load_texts(reader.locale).weekdays[int(value) - 1]


def time_text(value: str, reader: Reader) -> str:
    """Return ranges of times of day as text; a leading "!" means the times outside the ranges."""
    ranges = value.removeprefix("!").replace("-", "–").replace(",", ", ")
    if not value.startswith("!"):
        return ranges
    outside = locale_translations(reader.locale).gettext(N_("outside %(times)s"))
    return outside % {"times": ranges}


def days_text(value: str, reader: Reader) -> str:
    """Return ranges of dates as text."""
    days = periods.parse_periods(value, reader.tz)
    return ", ".join(f"{day.first:%d.%m.%Y}–{day.last:%d.%m.%Y}" for day in days)


def operator_name(value: str, reader: Reader) -> str:
    """Return the name of the operator with this login, or the login if there is no such user."""
    return accounts.display_names(reader.locale).get(value, value)


def caller_text(value: str, reader: Reader) -> str:
    """Return the caller's number, or the words "hidden number" for "-"."""
    if value == MISSING_VALUE:
        return locale_translations(reader.locale).gettext(N_("hidden number"))
    return phone_numbers.grouped_number(value)


def task_text(value: str, reader: Reader) -> str:
    """Return the caller's number in the follow-up task with this id.

    The id is returned if the reader may not see the task.
    """
    task = followups.find_task(reader.user, int(value)) if reader.user else None
    return phone_numbers.grouped_number(task.number) if task else value


def names_translator(message_ids: Mapping[str, str]) -> Callable[[str], dict[str, str]]:
    """Return a function from a locale to the names of a filter's values in that language.

    `message_ids` are the message ids of the names, by value.
    """

    def localized_names(locale: str) -> dict[str, str]:
        """Return the names by value, translated into the language of `locale`."""
        gettext = locale_translations(locale).gettext
        return {value: gettext(message_id) for value, message_id in message_ids.items()}

    return localized_names
