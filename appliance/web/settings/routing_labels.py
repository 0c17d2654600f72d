"""Texts of the telephony plan: its sections, fields, choices and faults."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from appliance.telephony.routing import CHECKBOX_FIELDS, Difference

SECTIONS: dict[str, LazyString] = {
    "trunks": _l("Trunks"),
    "routes": _l("Outgoing routes"),
    "numbers": _l("Numbers"),
    "topics": _l("Topic menu"),
    "queues": _l("Queues"),
    "callback": _l("Callback"),
    "limits": _l("Limits"),
    "blocked": _l("Blocked numbers"),
}
PARTS: dict[str, LazyString] = {
    "trunks": _l("Trunks"),
    "routes": _l("Outgoing routes"),
    "shown": _l("Number shown"),
    "numbers": _l("Numbers"),
    "hours": _l("Hours"),
    "topics": _l("Topic menu"),
    "queueing": _l("Queues"),
    "callback": _l("Callback"),
    "follow_ups": _l("How the system makes calls"),
    "limits": _l("Limits"),
    "blocked": _l("Blocked numbers"),
    "anonymous": _l("Hidden numbers"),
}
SECTION_HINTS: dict[str, LazyString] = {
    "trunks": _l("Trunks of the carriers. Calls may arrive over any of them."),
    "routes": _l(
        "Trunks used to call each group of numbers. The next trunk is tried when one is full or "
        "down, but never when the number is busy."
    ),
    "numbers": _l("How calls to each of our numbers are handled."),
    "topics": _l("Asked after the language. Empty: callers go straight to the queue."),
    "queues": _l("How callers wait. In seconds unless stated otherwise; 0 switches a setting off."),
    "callback": _l(
        "Callers who press the key while waiting are called back when an operator is free."
    ),
    "limits": _l("0 means no limit."),
    "blocked": _l("Their calls are refused, and counted as refused."),
}
FIELDS: dict[str, LazyString] = {
    "trunks.name": _l("Name"),
    "trunks.kind": _l("Kind"),
    "trunks.address": _l("Carrier's address"),
    "trunks.port": _l("Port"),
    "trunks.transport": _l("Transport"),
    "trunks.srtp": _l("Encrypts sound if the carrier supports it"),
    "trunks.register": _l("Registers at the carrier"),
    "trunks.user": _l("User"),
    "trunks.password": _l("Password"),
    "trunks.group": _l("E1 group"),
    "trunks.spans": _l("E1 channels"),
    "trunks.channels": _l("Maximum number of calls at the same time"),
    "trunks.style": _l("Number format"),
    "trunks.shown": _l("Number shown"),
    "trunks.watched": _l("Checked for a response"),
    "trunks.test_calls": _l("Checked by calls to our own number"),
    "routes.prefix": _l("Numbers that start with"),
    "routes.trunks": _l("Trunks in order"),
    "shown": _l("Number shown"),
    "numbers.number": _l("Number dialled"),
    "numbers.languages": _l("Languages"),
    "numbers.topics": _l("Asks for the topic"),
    "numbers.hours": _l("Announces the hours"),
    "hours.closed": _l("Announces that the ministry is closed"),
    "hours.holiday": _l("Announces a holiday"),
    "topics.keys": _l("Keys"),
    "topics.uz": _l("Spoken in Uzbek"),
    "topics.ru": _l("Spoken in Russian"),
    "topics.code": _l("Code"),
    "topics.action": _l("Leads to"),
    "topics.target": _l("Employee's number"),
    "queueing.ring": _l("Ring time of a phone, seconds"),
    "queueing.wrap_up": _l("Wrap-up after a call"),
    "queueing.max_wait": _l("Longest wait"),
    "queueing.fall_back_after": _l("Overflow to any operator, s"),
    "queueing.announce_every": _l("Position in the queue announced every, s"),
    "queueing.announce_wait": _l("Announces the expected wait"),
    "queueing.autopause": _l("Operators who do not answer are put on a pause"),
    "queueing.last_operator_hours": _l("Route to the last operator, hours"),
    "queueing.returning_minutes": _l("Callers who gave up go first again, minutes"),
    "queueing.whisper": _l("Announces the caller to the operator"),
    "callback.offered": _l("Offered while waiting"),
    "callback.key": _l("Key"),
    "callback.offer_every": _l("Offered every, seconds"),
    "callback.at_the_end": _l("Offered when the maximum wait is over"),
    "follow_ups.requests": _l("Calls people who asked for a callback"),
    "follow_ups.missed": _l("Calls people who gave up waiting"),
    "follow_ups.attempts": _l("Maximum number of attempts"),
    "follow_ups.pause_minutes": _l("Before the second attempt, minutes"),
    "follow_ups.opens": _l("Call from (hour)"),
    "follow_ups.closes": _l("Call until (hour)"),
    "limits.calls": _l("Calls on all trunks"),
    "limits.waiting": _l("Callers in one queue"),
    "limits.transfer_ring": _l("Ring time of an employee's phone, seconds"),
    "limits.outgoing_ring": _l("Ring time of an outside number, seconds"),
    "blocked": _l("Numbers, one per line"),
    "anonymous": _l("Hidden numbers"),
}
HINTS: dict[str, LazyString] = {
    "trunks.name": _l("Latin letters and digits"),
    "trunks.spans": _l("For example 1-15,17-31"),
    "trunks.channels": _l("0: no limit"),
    "trunks.shown": _l("Empty: the number from the routes"),
    "trunks.password": _l("Empty: unchanged"),
    "routes.prefix": _l("Empty: every number"),
    "shown": _l("To the person we call; empty: chosen by the carrier"),
    "numbers.number": _l("Empty: every other number"),
    "topics.keys": _l("21: key 1 after key 2"),
    "topics.code": _l("In the reports; Latin letters"),
    "queueing.whisper": _l("At most two seconds, before each conversation"),
    "callback.key": _l("This key is named in the prompt"),
    "follow_ups.pause_minutes": _l("Three times as long before each later attempt"),
    "follow_ups.opens": _l("Hours and minutes, such as 08:00"),
}
_YES, _NO = _l("yes"), _l("no")
BOTH_LANGUAGES: LazyString = _l("Uzbek and Russian")
CHOICES: dict[str, dict[str, LazyString | str]] = {
    "trunks.kind": {"sip": "SIP", "e1": "E1"},
    "trunks.transport": {"udp": "UDP", "tcp": "TCP", "tls": "TLS"},
    "trunks.style": {
        "plus": "+998 71 …",
        "plain": "998 71 …",
        "national": "71 …",
    },
    "numbers.languages": {"uz ru": BOTH_LANGUAGES, "uz": _l("Uzbek"), "ru": _l("Russian")},
    "topics.action": {
        "queue": _l("the queue"),
        "own_queue": _l("a separate queue"),
        "employee": _l("an employee"),
        "self_service": _l("state of an appeal"),
    },
    "anonymous": {"take": _l("are accepted"), "refuse": _l("are refused")},
}


def value_label(difference: Difference, value: str | None) -> LazyString | str:
    """Return a value of a field that differs, as the form of the plan shows it."""
    key = f"{difference.part}.{difference.field}" if difference.field else difference.part
    if key in CHECKBOX_FIELDS:
        return _YES if value else _NO
    return CHOICES.get(key, {}).get(value or "", value or "–")


FAULTS: dict[str, LazyString] = {
    "required": _l("This field is required."),
    "name": _l(
        "Latin letters, digits, - and _, starting with a letter; not a reserved word of the "
        "exchange."
    ),
    "taken": _l("Duplicated here."),
    "unknown": _l("This does not exist."),
    "host": _l("An address such as 10.1.2.3 or sip.carrier.uz."),
    "characters": _l("Contains a character that is not allowed here."),
    "number": _l("A number has digits only, with an optional plus at the start."),
    "digits": _l("Digits only."),
    "range": _l("The value is too small or too large."),
    "long": _l("Too long: at most 100 characters."),
    "many": _l("There are too many of them."),
}
