"""Masks citizens' phone numbers for readers who may not see them, and resolves masks sent back."""

from flask import g

from appliance.core import phone_numbers
from appliance.telephony import number_hiding
from appliance.web.shell.access import current_role


def are_numbers_hidden() -> bool:
    """Return True if the reader sees citizens' numbers masked."""
    if "numbers_hidden" not in g:
        g.numbers_hidden = current_role() == "operator" and number_hiding.is_enabled()
    return bool(g.numbers_hidden)


def readable_number(text: str) -> str:
    """Return a citizen's number as the reader may see it: unchanged or masked."""
    return phone_numbers.masked_number(text) if are_numbers_hidden() else text


def unmask_number(text: str, *candidates: str | None) -> str:
    """Return the number among `candidates` whose mask is `text`; if there is no such one, `text`.

    Missing candidates are ignored. Masks are resolved even if numbers are no longer masked: the
    page may have been opened when they were.
    """
    plain = " ".join(text.split())
    if "*" not in plain:
        return text
    return next(
        (
            candidate
            for candidate in candidates
            if candidate and phone_numbers.masked_number(candidate) == plain
        ),
        text,
    )
