"""Validation of a plan: every fault, with the field that contains it.

A field is identified by its path: "trunks.0.address", "queueing.ring", "blocked".
"""

import re
from collections.abc import Callable, Iterator, Sequence

from appliance.people import accounts
from appliance.telephony.routing.plan import (
    ANONYMOUS_RULES,
    NUMBER_STYLES,
    SIP_TRANSPORTS,
    TOPIC_ACTIONS,
    TRUNK_KINDS,
    Plan,
    Topic,
    Trunk,
)

# Names that Asterisk's configuration uses itself.
RESERVED_NAMES = frozenset(
    {"any", "busy", "global", "h", "none", "other", "phone", "place", "self-test", "self-test-out"}
    | {"system", *SIP_TRANSPORTS, "ws"}
)
FAULT_CODES = (
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

_NAME_PATTERN = re.compile(r"[a-z][a-z0-9_-]{0,29}")
_HOST_PATTERN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_SECRET_PATTERN = re.compile(r"[^\s;\[\]{}<>\"]{0,100}")
_SPANS_PATTERN = re.compile(r"\d{1,3}(-\d{1,3})?(,\d{1,3}(-\d{1,3})?)*")
_NUMBER_PATTERN = re.compile(r"\+?\d{2,15}")
_PREFIX_PATTERN = re.compile(r"\+?\d{0,14}")
_TIME_PATTERN = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_KEYS_PATTERN = re.compile(r"\d{1,4}")
_MAX_TOPIC_CHARACTERS = 100  # in a topic's announcement: ten of them take a minute to say
# The most rows that a part of the plan may have, and the first field of its rows.
_MAX_ROWS = {
    "trunks": (100, ".name"),
    "routes": (1000, ".prefix"),
    "numbers": (1000, ".number"),
    "topics": (200, ".keys"),
    "blocked": (5000, ""),
}
_ALLOWED_RANGES = {
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


class PlanFaults(ValueError):
    """A plan cannot be saved; `by_field` has a code (FAULT_CODES) for each faulty field."""

    def __init__(self, by_field: dict[str, str]) -> None:
        super().__init__(", ".join(f"{field}: {code}" for field, code in by_field.items()))
        self.by_field = by_field


def find_faults(plan: Plan) -> dict[str, str]:
    """Return the code of each faulty field's first fault, by field; empty for a valid plan."""
    faults: dict[str, str] = dict(_row_count_faults(plan))
    if faults:
        return faults  # the other checks compare rows with one another: too slow for that many
    for faults_of_part in (
        _trunk_faults,
        _route_faults,
        _number_faults,
        _topic_faults,
        _range_faults,
        _format_faults,
    ):
        for field, code in faults_of_part(plan):
            faults.setdefault(field, code)
    return faults


def require_valid(plan: Plan) -> None:
    """Raise PlanFaults for a plan that cannot be put in force."""
    if faults := find_faults(plan):
        raise PlanFaults(faults)


def _row_count_faults(plan: Plan) -> Iterator[Fault]:
    for part, (max_rows, first_field) in _MAX_ROWS.items():
        if len(getattr(plan, part)) > max_rows:
            yield f"{part}.{max_rows}{first_field}" if first_field else part, "many"


def _trunk_faults(plan: Plan) -> Iterator[Fault]:
    names = [trunk.name.replace("-", "") for trunk in plan.trunks]
    extensions = {operator.extension for operator in accounts.active_operators()}
    for i, trunk in enumerate(plan.trunks):
        path = f"trunks.{i}."
        if not _NAME_PATTERN.fullmatch(trunk.name) or trunk.name in RESERVED_NAMES | extensions:
            yield f"{path}name", "name" if trunk.name else "required"
        if names.count(names[i]) > 1:
            yield f"{path}name", "taken"
        yield from _choice_faults(
            path, trunk, {"kind": TRUNK_KINDS, "transport": SIP_TRANSPORTS, "style": NUMBER_STYLES}
        )
        yield from (_e1_faults if trunk.kind == "e1" else _sip_faults)(path, trunk, plan.trunks)
        if trunk.shown and not _NUMBER_PATTERN.fullmatch(trunk.shown):
            yield f"{path}shown", "number"
        if not 0 <= trunk.channels <= 1000:
            yield f"{path}channels", "range"


def _e1_faults(path: str, trunk: Trunk, trunks: Sequence[Trunk]) -> Iterator[Fault]:
    groups = [t.group for t in trunks if t.kind == "e1"]
    if not _SPANS_PATTERN.fullmatch(trunk.spans):
        yield f"{path}spans", "digits" if trunk.spans else "required"
    if not 0 <= trunk.group <= 63:
        yield f"{path}group", "range"
    if groups.count(trunk.group) > 1:
        yield f"{path}group", "taken"


def _sip_faults(path: str, trunk: Trunk, trunks: Sequence[Trunk]) -> Iterator[Fault]:
    addresses = [t.address for t in trunks if t.kind == "sip"]
    if not _HOST_PATTERN.fullmatch(trunk.address):
        yield f"{path}address", "host" if trunk.address else "required"
    if addresses.count(trunk.address) > 1:
        yield f"{path}address", "taken"
    if not 1 <= trunk.port <= 65535:
        yield f"{path}port", "range"
    for field in ("user", "password"):
        if not _SECRET_PATTERN.fullmatch(getattr(trunk, field)):
            yield f"{path}{field}", "characters"
    if trunk.register and not trunk.user:
        yield f"{path}user", "required"


def _route_faults(plan: Plan) -> Iterator[Fault]:
    names = {trunk.name for trunk in plan.trunks}
    prefixes = [route.prefix for route in plan.routes]
    for i, route in enumerate(plan.routes):
        path = f"routes.{i}."
        if not _PREFIX_PATTERN.fullmatch(route.prefix):
            yield f"{path}prefix", "digits"
        if prefixes.count(route.prefix) > 1:
            yield f"{path}prefix", "taken"
        if not route.trunks:
            yield f"{path}trunks", "required"
        if set(route.trunks) - names:
            yield f"{path}trunks", "unknown"


def _number_faults(plan: Plan) -> Iterator[Fault]:
    numbers = [number.number for number in plan.numbers]
    for i, number in enumerate(plan.numbers):
        path = f"numbers.{i}."
        if number.number and not _NUMBER_PATTERN.fullmatch(number.number):
            yield f"{path}number", "number"
        if numbers.count(number.number) > 1:
            yield f"{path}number", "taken"
        if not number.languages:
            yield f"{path}languages", "required"
        if set(number.languages) - set(accounts.CALL_LANGUAGES):
            yield f"{path}languages", "unknown"


def _topic_faults(plan: Plan) -> Iterator[Fault]:
    keys = [topic.keys for topic in plan.topics]
    own_queues = list(plan.own_queues)
    for i, topic in enumerate(plan.topics):
        path = f"topics.{i}."
        if not _KEYS_PATTERN.fullmatch(topic.keys):
            yield f"{path}keys", "digits" if topic.keys else "required"
        if keys.count(topic.keys) > 1:
            yield f"{path}keys", "taken"
        if len(topic.keys) > 1 and topic.keys[:-1] not in keys:
            yield f"{path}keys", "unknown"
        yield from _choice_faults(path, topic, {"action": TOPIC_ACTIONS})
        yield from _announcement_faults(path, topic)
        if topic.code and not _NAME_PATTERN.fullmatch(topic.code):
            yield f"{path}code", "name"
        if topic.action == "own_queue" and not topic.code:
            yield f"{path}code", "required"
        if topic.action == "own_queue" and own_queues.count(topic.code) > 1:
            yield f"{path}code", "taken"
        if topic.action == "employee" and not _NUMBER_PATTERN.fullmatch(topic.target):
            yield f"{path}target", "number" if topic.target else "required"


def _announcement_faults(path: str, topic: Topic) -> Iterator[Fault]:
    for language in accounts.CALL_LANGUAGES:
        text = getattr(topic, language)
        if not text or not text.isprintable():
            yield f"{path}{language}", "characters" if text else "required"
        elif len(text) > _MAX_TOPIC_CHARACTERS:
            yield f"{path}{language}", "long"


def _range_faults(plan: Plan) -> Iterator[Fault]:
    for field, (minimum, maximum) in _ALLOWED_RANGES.items():
        group, _, name = field.partition(".")
        if not minimum <= getattr(getattr(plan, group), name) <= maximum:
            yield field, "range"


def _format_faults(plan: Plan) -> Iterator[Fault]:
    rules: dict[str, tuple[Callable[[str], object], str]] = {
        "shown": (lambda text: not text or _NUMBER_PATTERN.fullmatch(text), plan.shown),
        "anonymous": (lambda text: text in ANONYMOUS_RULES, plan.anonymous),
        "callback.key": (lambda text: re.fullmatch(r"\d", text), plan.callback.key),
        "follow_ups.opens": (_TIME_PATTERN.fullmatch, plan.follow_ups.opens),
        "follow_ups.closes": (_TIME_PATTERN.fullmatch, plan.follow_ups.closes),
    }
    for field, (is_valid, text) in rules.items():
        if not is_valid(text):
            yield field, "number" if field == "shown" else "digits"
    if not all(_NUMBER_PATTERN.fullmatch(number) for number in plan.blocked):
        yield "blocked", "number"


def _choice_faults(path: str, row: object, allowed: dict[str, tuple[str, ...]]) -> Iterator[Fault]:
    for field, values in allowed.items():
        if getattr(row, field) not in values:
            yield f"{path}{field}", "unknown"
