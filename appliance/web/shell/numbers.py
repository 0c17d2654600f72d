"""Citizens' numbers as whoever asks may read them, and the number for which a mask comes back."""

from flask import g

from appliance.core import phone_numbers
from appliance.telephony import number_hiding
from appliance.web.shell.access import role


def are_hidden() -> bool:
    """Whether who asks reads citizens' numbers masked."""
    if "numbers_hidden" not in g:
        g.numbers_hidden = role() == "operator" and number_hiding.is_on()
    return bool(g.numbers_hidden)


def seen(text: str) -> str:
    """A number as who asks may read it: as it is given, or masked."""
    return phone_numbers.masked(text) if are_hidden() else text


def meant(text: str, *known: str | None) -> str:
    """The number whose mask was sent, of those known; else what was sent.

    Also where they are hidden no more: the page may have been open before.
    """
    plain = " ".join(text.split())
    if "*" not in plain:
        return text
    return next((one for one in known if one and phone_numbers.masked(one) == plain), text)
