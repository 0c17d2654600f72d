"""Notes about a phone number, as they are listed on the pages of its calls."""

from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from appliance.people import accounts
from appliance.telephony import number_notes
from appliance.web.shell import disclosure
from appliance.web.shell.context import me
from appliance.web.shell.language import locale

TROUBLES: dict[str, LazyString] = {
    "text": _l("Write the note first."),
    "long": _l("A note has at most 500 characters."),
    "number": _l("No notes are kept for a hidden number."),
}


def notes_context(number: str | None) -> dict[str, Any]:
    """Return the context of the templates that list the notes about a number.

    Without a number, the list is empty. That the number is shown is recorded in the audit.
    """
    notes = number_notes.notes_of_number(number)
    disclosure.log_shown("number", [number] if notes else [])
    return {
        "notes": notes,
        "may_change": lambda note: number_notes.can_change(note, me()),
        "writers": accounts.display_names(locale()),
    }
