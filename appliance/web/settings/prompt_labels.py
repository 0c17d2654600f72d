"""Titles of the prompts."""

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

_TITLES: dict[str, LazyString] = {
    "all-busy": _l("All operators were busy"),
    "appeal-answered": _l("State: answered"),
    "appeal-ask": _l("Asks for the appeal's number"),
    "appeal-closed": _l("State: closed"),
    "appeal-considered": _l("State: in progress"),
    "appeal-next": _l("What to press next"),
    "appeal-number": _l("Before the appeal's number"),
    "appeal-received": _l("State: received"),
    "appeal-returned": _l("State: returned"),
    "appeal-unavailable": _l("The state is not available now"),
    "appeal-unknown": _l("Appeal not found"),
    "callback-accepted": _l("Callback promised"),
    "callback-greeting": _l("Greeting of a callback"),
    "callback-number": _l("Asks for the phone number"),
    "callback-offer": _l("Offer of a callback"),
    "closed": _l("Outside working hours"),
    "greeting": _l("Greeting"),
    "holiday": _l("On a day off"),
    "menu": _l("Language selection"),
    "notice": _l("Notice of recording"),
    "queue-holdtime": _l("Expected wait"),
    "queue-thereare": _l("Position in the queue"),
    "queue-youarenext": _l("First in the queue"),
    "rating": _l("Request for a rating"),
    "record-ask": _l("Recording by phone: speak"),
    "record-check": _l("Recording by phone: keep it?"),
    "record-kept": _l("Recording by phone: kept"),
    "record-refused": _l("Recording by phone: refused"),
    "thanks": _l("Thanks and goodbye"),
    "topics": _l("Topic menu"),
    "transfer-back": _l("Back from an employee"),
    "whisper-again": _l("To the operator: calls again"),
    "whisper-employee": _l("To the operator: an employee"),
    "whisper-language": _l("To the operator: the language"),
    "whisper-waited": _l("To the operator: waited long"),
}


def prompt_title(name: str) -> str:
    """Return the prompt's title in the reader's language."""
    if name.startswith("topics-"):
        return str(_("Topic menu after key %(keys)s", keys=name.removeprefix("topics-")))
    if name.startswith("topic-"):
        return str(_("To the operator: topic %(code)s", code=name.removeprefix("topic-")))
    if name.startswith("digits/"):
        return str(_("Number or date: %(name)s", name=name.removeprefix("digits/")))
    return str(_TITLES.get(name, name))
