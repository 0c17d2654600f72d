"""What a plan may not say: every fault with the field it stands in.

A field is named by the way to it: "trunks.0.address", "queueing.ring", "blocked".
"""

import re
from collections.abc import Callable, Iterator, Sequence

from appliance.people import accounts
from appliance.telephony.routing.shape import (
    ACTIONS,
    ANONYMOUS,
    KINDS,
    STYLES,
    TRANSPORTS,
    Plan,
    Topic,
    Trunk,
)

# Names that Asterisk's configuration has for itself.
RESERVED = frozenset(
    {"any", "busy", "global", "h", "none", "other", "phone", "place", "self-test", "self-test-out"}
    | {"system", *TRANSPORTS, "ws"}
)
CODES = (
    "required",
    "name",
    "taken",
    "unknown",
    "host",
    "characters",
    "number",
    "digits",
    "range",
    "long",
    "many",
)

Fault = tuple[str, str]

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,29}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_SECRET = re.compile(r"[^\s;\[\]{}<>\"]{0,100}")
_SPANS = re.compile(r"\d{1,3}(-\d{1,3})?(,\d{1,3}(-\d{1,3})?)*")
_NUMBER = re.compile(r"\+?\d{2,15}")
_PREFIX = re.compile(r"\+?\d{0,14}")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_KEYS = re.compile(r"\d{1,4}")
_LONGEST_WORDS = 100  # characters of a topic: a menu of ten is a minute of speech
# part: how many it may hold, and the first field of a row of it
_MOST = {
    "trunks": (100, ".name"),
    "routes": (1000, ".prefix"),
    "numbers": (1000, ".number"),
    "topics": (200, ".keys"),
    "blocked": (5000, ""),
}
_RANGES = {
    "queueing.ring": (3, 120),
    "queueing.wrap_up": (0, 600),
    "queueing.max_wait": (10, 7200),
    "queueing.fall_back_after": (0, 3600),
    "queueing.announce_every": (0, 600),
    "queueing.last_operator_hours": (0, 24 * 60),
    "queueing.returning_minutes": (0, 24 * 60),
    "limits.calls": (0, 2000),
    "limits.waiting": (0, 1000),
    "limits.transfer_ring": (3, 120),
    "limits.outgoing_ring": (10, 180),
    "callback.offer_every": (10, 600),
    "follow_ups.attempts": (1, 20),
    "follow_ups.pause_minutes": (0, 24 * 60),
}


class Faults(ValueError):
    """A plan that cannot be; `by_field` has a code (CODES) for each field at fault."""

    def __init__(self, by_field: dict[str, str]) -> None:
        super().__init__(", ".join(f"{field}: {code}" for field, code in by_field.items()))
        self.by_field = by_field


def check(plan: Plan) -> dict[str, str]:
    """Field → code of its first fault; empty for a plan that can be put in force."""
    found: dict[str, str] = dict(_counts(plan))
    if found:
        return found  # no more is looked at: rows are compared with one another
    for part in (_trunks, _routes, _numbers, _topics, _ranges, _rest):
        for field, code in part(plan):
            found.setdefault(field, code)
    return found


def require(plan: Plan) -> None:
    """Raise Faults for a plan that cannot be put in force."""
    if faults := check(plan):
        raise Faults(faults)


def _counts(plan: Plan) -> Iterator[Fault]:
    for part, (most, first) in _MOST.items():
        if len(getattr(plan, part)) > most:
            yield f"{part}.{most}{first}" if first else part, "many"


def _trunks(plan: Plan) -> Iterator[Fault]:
    names = [trunk.name.replace("-", "") for trunk in plan.trunks]
    extensions = {operator.extension for operator in accounts.operators()}
    for i, trunk in enumerate(plan.trunks):
        here = f"trunks.{i}."
        if not _NAME.fullmatch(trunk.name) or trunk.name in RESERVED | extensions:
            yield f"{here}name", "name" if trunk.name else "required"
        if names.count(names[i]) > 1:
            yield f"{here}name", "taken"
        yield from _choices(here, trunk, {"kind": KINDS, "transport": TRANSPORTS, "style": STYLES})
        yield from (_e1 if trunk.kind == "e1" else _sip)(here, trunk, plan.trunks)
        if trunk.shown and not _NUMBER.fullmatch(trunk.shown):
            yield f"{here}shown", "number"
        if not 0 <= trunk.channels <= 1000:
            yield f"{here}channels", "range"


def _e1(here: str, trunk: Trunk, trunks: Sequence[Trunk]) -> Iterator[Fault]:
    groups = [t.group for t in trunks if t.kind == "e1"]
    if not _SPANS.fullmatch(trunk.spans):
        yield f"{here}spans", "digits" if trunk.spans else "required"
    if not 0 <= trunk.group <= 63:
        yield f"{here}group", "range"
    if groups.count(trunk.group) > 1:
        yield f"{here}group", "taken"


def _sip(here: str, trunk: Trunk, trunks: Sequence[Trunk]) -> Iterator[Fault]:
    addresses = [t.address for t in trunks if t.kind == "sip"]
    if not _HOST.fullmatch(trunk.address):
        yield f"{here}address", "host" if trunk.address else "required"
    if addresses.count(trunk.address) > 1:
        yield f"{here}address", "taken"
    if not 1 <= trunk.port <= 65535:
        yield f"{here}port", "range"
    for field in ("user", "password"):
        if not _SECRET.fullmatch(getattr(trunk, field)):
            yield f"{here}{field}", "characters"
    if trunk.register and not trunk.user:
        yield f"{here}user", "required"


def _routes(plan: Plan) -> Iterator[Fault]:
    names = {trunk.name for trunk in plan.trunks}
    prefixes = [route.prefix for route in plan.routes]
    for i, route in enumerate(plan.routes):
        here = f"routes.{i}."
        if not _PREFIX.fullmatch(route.prefix):
            yield f"{here}prefix", "digits"
        if prefixes.count(route.prefix) > 1:
            yield f"{here}prefix", "taken"
        if not route.trunks:
            yield f"{here}trunks", "required"
        if set(route.trunks) - names:
            yield f"{here}trunks", "unknown"


def _numbers(plan: Plan) -> Iterator[Fault]:
    numbers = [number.number for number in plan.numbers]
    for i, number in enumerate(plan.numbers):
        here = f"numbers.{i}."
        if number.number and not _NUMBER.fullmatch(number.number):
            yield f"{here}number", "number"
        if numbers.count(number.number) > 1:
            yield f"{here}number", "taken"
        if not number.languages:
            yield f"{here}languages", "required"
        if set(number.languages) - set(accounts.CALL_LANGUAGES):
            yield f"{here}languages", "unknown"


def _topics(plan: Plan) -> Iterator[Fault]:
    keys = [topic.keys for topic in plan.topics]
    own = list(plan.own_queues)
    for i, topic in enumerate(plan.topics):
        here = f"topics.{i}."
        if not _KEYS.fullmatch(topic.keys):
            yield f"{here}keys", "digits" if topic.keys else "required"
        if keys.count(topic.keys) > 1:
            yield f"{here}keys", "taken"
        if len(topic.keys) > 1 and topic.keys[:-1] not in keys:
            yield f"{here}keys", "unknown"
        yield from _choices(here, topic, {"action": ACTIONS})
        yield from _spoken(here, topic)
        if topic.code and not _NAME.fullmatch(topic.code):
            yield f"{here}code", "name"
        if topic.action == "own_queue" and not topic.code:
            yield f"{here}code", "required"
        if topic.action == "own_queue" and own.count(topic.code) > 1:
            yield f"{here}code", "taken"
        if topic.action == "employee" and not _NUMBER.fullmatch(topic.target):
            yield f"{here}target", "number" if topic.target else "required"


def _spoken(here: str, topic: Topic) -> Iterator[Fault]:
    for language in accounts.CALL_LANGUAGES:
        words = getattr(topic, language)
        if not words or not words.isprintable():
            yield f"{here}{language}", "characters" if words else "required"
        elif len(words) > _LONGEST_WORDS:
            yield f"{here}{language}", "long"


def _ranges(plan: Plan) -> Iterator[Fault]:
    for field, (least, most) in _RANGES.items():
        group, _, name = field.partition(".")
        if not least <= getattr(getattr(plan, group), name) <= most:
            yield field, "range"


def _rest(plan: Plan) -> Iterator[Fault]:
    rules: dict[str, tuple[Callable[[str], object], str]] = {
        "shown": (lambda text: not text or _NUMBER.fullmatch(text), plan.shown),
        "anonymous": (lambda text: text in ANONYMOUS, plan.anonymous),
        "callback.key": (lambda text: re.fullmatch(r"\d", text), plan.callback.key),
        "follow_ups.opens": (_TIME.fullmatch, plan.follow_ups.opens),
        "follow_ups.closes": (_TIME.fullmatch, plan.follow_ups.closes),
    }
    for field, (holds, text) in rules.items():
        if not holds(text):
            yield field, "number" if field == "shown" else "digits"
    if not all(_NUMBER.fullmatch(number) for number in plan.blocked):
        yield "blocked", "number"


def _choices(here: str, row: object, allowed: dict[str, tuple[str, ...]]) -> Iterator[Fault]:
    for field, values in allowed.items():
        if getattr(row, field) not in values:
            yield f"{here}{field}", "unknown"
