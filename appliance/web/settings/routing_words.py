"""The words of the telephony's plan: sections, fields, choices, faults."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from appliance.telephony.routing import BOXES, Difference

SECTIONS: dict[str, LazyString] = {
    "trunks": _l("Trunks"),
    "routes": _l("Routes out"),
    "numbers": _l("Numbers"),
    "topics": _l("Topic menu"),
    "queues": _l("Queues"),
    "callback": _l("Callback"),
    "limits": _l("Limits"),
    "blocked": _l("Blocked numbers"),
}
PARTS: dict[str, LazyString] = {
    "trunks": _l("Trunks"),
    "routes": _l("Routes out"),
    "shown": _l("Number shown"),
    "numbers": _l("Numbers"),
    "hours": _l("Hours"),
    "topics": _l("Topic menu"),
    "queueing": _l("Queues"),
    "callback": _l("Callback"),
    "follow_ups": _l("How the machine calls"),
    "limits": _l("Limits"),
    "blocked": _l("Blocked numbers"),
    "anonymous": _l("Hidden numbers"),
}
ABOUT: dict[str, LazyString] = {
    "trunks": _l("Lines of the carriers. Calls come in over any of them."),
    "routes": _l(
        "Over which trunks numbers are called, the first one that can. The next is tried "
        "when a trunk is full or dead, never when the number is busy."
    ),
    "numbers": _l("How callers of each of our numbers are received."),
    "topics": _l("Asked after the language. Empty: callers go straight to the queue."),
    "queues": _l("How callers wait. Seconds, unless it says otherwise; 0 switches a thing off."),
    "callback": _l("Who presses the key while waiting is called back when an operator is free."),
    "limits": _l("0 means no limit."),
    "blocked": _l("Their calls are refused, and counted as refused."),
}
FIELDS: dict[str, LazyString] = {
    "trunks.name": _l("Name"),
    "trunks.kind": _l("Kind"),
    "trunks.address": _l("Carrier's address"),
    "trunks.port": _l("Port"),
    "trunks.transport": _l("Transport"),
    "trunks.srtp": _l("Encrypts sound when the carrier can"),
    "trunks.register": _l("Registers at the carrier"),
    "trunks.user": _l("User"),
    "trunks.password": _l("Password"),
    "trunks.group": _l("E1 group"),
    "trunks.spans": _l("E1 channels"),
    "trunks.channels": _l("Most calls at once"),
    "trunks.style": _l("Writes numbers as"),
    "trunks.shown": _l("Number shown"),
    "trunks.watched": _l("Is asked whether it answers"),
    "trunks.test_calls": _l("Is tried by calls to ourselves"),
    "routes.prefix": _l("Numbers that begin with"),
    "routes.trunks": _l("Trunks in order"),
    "shown": _l("Number shown"),
    "numbers.number": _l("Number dialled"),
    "numbers.languages": _l("Languages"),
    "numbers.topics": _l("Asks for the topic"),
    "numbers.hours": _l("Tells the hours"),
    "hours.closed": _l("Says when the ministry is closed"),
    "hours.holiday": _l("Says when it is a holiday"),
    "topics.keys": _l("Keys"),
    "topics.uz": _l("Said in Uzbek"),
    "topics.ru": _l("Said in Russian"),
    "topics.code": _l("Code"),
    "topics.action": _l("Leads to"),
    "topics.target": _l("Employee's number"),
    "queueing.ring": _l("A phone rings"),
    "queueing.wrap_up": _l("Pause after a talk"),
    "queueing.max_wait": _l("Longest wait"),
    "queueing.fall_back_after": _l("Any operator after"),
    "queueing.announce_every": _l("Place in line told every"),
    "queueing.announce_wait": _l("Tells the expected wait"),
    "queueing.autopause": _l("Who does not answer is paused"),
    "queueing.last_operator_hours": _l("Last operator first, hours"),
    "queueing.returning_minutes": _l("Who gave up is first again, minutes"),
    "queueing.whisper": _l("Tells the operator of the caller"),
    "callback.offered": _l("Offered while waiting"),
    "callback.key": _l("Key"),
    "callback.offer_every": _l("Offered every, seconds"),
    "callback.at_the_end": _l("Offered when the longest wait is over"),
    "follow_ups.requests": _l("Calls who asked to be called"),
    "follow_ups.missed": _l("Calls who hung up waiting"),
    "follow_ups.attempts": _l("Attempts at most"),
    "follow_ups.pause_minutes": _l("Before the second attempt, minutes"),
    "follow_ups.opens": _l("Calls from"),
    "follow_ups.closes": _l("Calls until"),
    "limits.calls": _l("Calls on all trunks"),
    "limits.waiting": _l("Callers in one queue"),
    "limits.transfer_ring": _l("An employee's phone rings, seconds"),
    "limits.outgoing_ring": _l("A number outside rings, seconds"),
    "blocked": _l("Numbers, one a line"),
    "anonymous": _l("Hidden numbers"),
}
HINTS: dict[str, LazyString] = {
    "trunks.name": _l("Latin letters and digits"),
    "trunks.spans": _l("As 1-15,17-31"),
    "trunks.channels": _l("0: no limit"),
    "trunks.shown": _l("Empty: the one of the routes"),
    "trunks.password": _l("Empty: stays as it is"),
    "routes.prefix": _l("Empty: every number"),
    "shown": _l("To whom we call; empty: the carrier's choice"),
    "numbers.number": _l("Empty: every other number"),
    "topics.keys": _l("21: key 1 after key 2"),
    "topics.code": _l("In the reports; Latin letters"),
    "queueing.whisper": _l("Two seconds at most before each talk"),
    "callback.key": _l("The spoken offer names it"),
    "follow_ups.pause_minutes": _l("Three times as long before each later one"),
    "follow_ups.opens": _l("Hour and minutes, as 08:00"),
}
_YES, _NO = _l("yes"), _l("no")
BOTH: LazyString = _l("Uzbek and Russian")
CHOICES: dict[str, dict[str, LazyString | str]] = {
    "trunks.kind": {"sip": "SIP", "e1": "E1"},
    "trunks.transport": {"udp": "UDP", "tcp": "TCP", "tls": "TLS"},
    "trunks.style": {
        "plus": "+998 71 …",
        "plain": "998 71 …",
        "national": "71 …",
    },
    "numbers.languages": {"uz ru": BOTH, "uz": _l("Uzbek"), "ru": _l("Russian")},
    "topics.action": {
        "queue": _l("the queue"),
        "own_queue": _l("a queue of its own"),
        "employee": _l("an employee"),
        "self_service": _l("state of an appeal"),
    },
    "anonymous": {"take": _l("are taken"), "refuse": _l("are refused")},
}


def shown(one: Difference, value: str | None) -> LazyString | str:
    """A value of a field that differs, in the field's own words."""
    key = f"{one.part}.{one.field}" if one.field else one.part
    if key in BOXES:
        return _YES if value else _NO
    return CHOICES.get(key, {}).get(value or "", value or "–")


FAULTS: dict[str, LazyString] = {
    "required": _l("Is needed."),
    "name": _l("Latin letters, digits, - and _, a letter first; not a word of the exchange's own."),
    "taken": _l("Stands here twice."),
    "unknown": _l("There is no such thing."),
    "host": _l("An address such as 10.1.2.3 or sip.carrier.uz."),
    "characters": _l("Has a character that cannot stand here."),
    "number": _l("A number has digits only, with a plus before the country's code."),
    "digits": _l("Digits only."),
    "range": _l("Too small or too large."),
    "long": _l("Too long: at most 100 characters."),
    "many": _l("There are too many of them."),
}
