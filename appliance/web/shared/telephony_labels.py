"""Labels of calls and pauses, and the texts about actions that the exchange refused."""

from typing import TYPE_CHECKING

from flask_babel import LazyString, lazy_gettext, lazy_pgettext
from flask_babel import lazy_gettext as _l

from appliance.casework import catalogs
from appliance.people import presence
from appliance.telephony import calls
from appliance.telephony.calls import dialling
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import Call

# By outcome of an inbound call ("open" if it is ongoing): its name, the badge's kind, the icon.
OUTCOMES: dict[str, tuple[LazyString, str, str]] = {
    "open": (_l("Ongoing"), "accent", "phone-call"),
    **{
        outcome.code: (lazy_gettext(outcome.name), outcome.tone, outcome.icon)
        for outcome in calls.INBOUND_OUTCOMES
    },
}
# By outcome of an outbound call: its name, the badge's kind, the icon.
OUTBOUND_OUTCOMES = {
    outcome.code: (lazy_gettext(outcome.name), outcome.tone, outcome.icon)
    for outcome in calls.OUTBOUND_OUTCOMES
}
# Why an outbound call reached nobody, by its outcome, or for a failed call by its Q.850 cause.
FAILURE_TEXTS: dict[str, LazyString] = {
    "busy": _l("the number is busy"),
    "no_answer": _l("nobody answered"),
    "failed": _l("the network did not connect the call"),
    **{cause: lazy_gettext(why) for cause, why in dialling.FAILURE_REASONS.items()},
}
SHORT_LANGUAGE_NAMES: dict[str, LazyString] = {
    "uz": lazy_pgettext("short", "Uzb"),
    "ru": lazy_pgettext("short", "Rus"),
}
IMPOSED_REASON_NAMES: dict[str, LazyString] = {
    presence.NO_ANSWER: _l("Did not answer"),
    presence.FORCED: _l("Set by the supervisor"),
}
# Why the exchange (Asterisk) refused to dial or to transfer, by code.
EXCHANGE_TROUBLES: dict[str, LazyString] = {
    "number": _l("This number cannot be dialled."),
    "barred": _l("Calls to this number are barred."),
    "no_talk": _l("You are not speaking with anybody right now."),
    "no_consultation": _l("Nobody is being consulted right now."),
    "not_answered": _l("The employee has not answered yet."),
    "no_phone": _l("You have no phone."),
    "phone_off": _l("Your phone is not connected: switch it on."),
    "phone_busy": _l("Your phone is in use: hang up first."),
    "exchange": _l("The exchange did not do it. Try again."),
}
ASTERISK_UNREACHABLE = _l("The exchange does not answer. Use the keys of your phone.")


def pause_reason_name(code: str) -> str:
    """Return the name of the reason for a pause in the page's language; "" if the code is empty."""
    return str(
        IMPOSED_REASON_NAMES.get(code) or catalogs.value_label(catalogs.PAUSES, code, locale())
    )


def failure_text(call: "Call") -> str:
    """Return why an outbound call reached nobody, as text in the page's language.

    Raises KeyError if the call's outcome is another one.
    """
    return str(FAILURE_TEXTS.get(calls.failure_cause(call) or "") or FAILURE_TEXTS[call.outcome])
