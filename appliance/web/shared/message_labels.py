"""Labels of messages: their states, purposes and failures, and why a text is rejected."""

from flask_babel import LazyString, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from appliance.core import outbox
from appliance.reports import formatting

# By state of a message: its name, the badge's kind, the icon.
STATES: dict[str, tuple[LazyString, str, str]] = {
    "pending": (_l("Pending"), "", "hourglass"),
    "claimed": (_l("Being sent"), "accent", "send"),
    "held": (_l("Waiting for review"), "warn", "hourglass"),
    "sent": (_l("Sent"), "ok", "check"),
    "delivered": (_l("Delivered"), "ok", "circle-check"),
    "refused": (_l("Refused"), "bad", "octagon-alert"),
    "expired": (_l("Too late"), "warn", "clock"),
}
PURPOSES = {code: _l(purpose.name) for code, purpose in outbox.PURPOSES.items()}
TROUBLES = {code: _l(text) for code, text in outbox.TROUBLES.items()}
# Why the text or the number of an SMS, or the name of a template, is rejected.
TEXT_TROUBLES: dict[str, LazyString] = {
    "empty": _l("Enter a text."),
    "braces": _l("A brace is unmatched or superfluous."),
    "unknown": _l("Only the listed placeholders may be used in braces."),
    "number": _l("The text must contain the appeal's number: {number}."),
    "link": _l("The text must contain the link: {link}."),
    "nobody": _l("There is no mobile number to send it to."),
    "unwanted": _l("This number has opted out of messages."),
    "phone": _l("This is not a phone number."),
    "long": _l("The text is longer than four messages: shorten it."),
    "unfilled": _l("Replace the words in braces with the actual details."),
    "name": _l("Enter a name that no other template has."),
}


def size_text(parts: int, price_tiyin: int | None) -> str:
    """Return how many SMS a text needs (`parts`), as text, with their price in soʻm if known.

    `price_tiyin` is the price of all of them in tiyin (hundredths of a soʻm), if known.
    """
    count_text: str = ngettext("%(num)s message", "%(num)s messages", parts)
    if price_tiyin is None:
        return count_text
    price_text = formatting.format_money(price_tiyin)
    return str(_("%(messages)s, %(sum)s soʻm", messages=count_text, sum=price_text))
