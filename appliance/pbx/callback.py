"""Calling missed callers: while operators are free, never more citizens than operators."""

import datetime as dt
import logging
import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from appliance.core import clock
from appliance.core.settings import Settings
from appliance.models import FollowUp
from appliance.pbx.ami import Connection, Refused, Unreachable
from appliance.telephony import followups, routing

log = logging.getLogger(__name__)

_LOOK = 2.0  # seconds between two looks
_FREE = "1"  # AST_DEVICE_NOT_INUSE
_APPEARS = dt.timedelta(seconds=10)  # in which a call asked of Asterisk has its channels
_MACHINE = "@outgoing-machine"


def call_back(settings: Settings, stop: threading.Event) -> None:
    """Call whoever is due, until `stop`. What fails is tried again at the next look."""
    while not stop.wait(_LOOK):
        try:
            step(settings)
        except (Unreachable, Refused) as error:
            log.warning("nobody is called back: %s", error)
        except Exception:  # the boundary of a look: the ledger's threads go on
            log.exception("calling back failed")


def step(settings: Settings) -> int:
    """Give up who was tried often enough, call who is due; returns how many calls were placed."""
    rules = followups.rules(settings)
    for task in followups.exhausted(rules):
        followups.mark(task, "given_up")
    waiting = followups.due(rules)
    left = followups.spent(rules).left if waiting else 0
    if not left:
        return 0
    placed = 0
    with Connection(settings) as asterisk:
        room = _look(asterisk)
        for task in waiting:
            language = task.language or "uz"
            if placed == left:
                break
            if task.number in room.called or not room.for_one(language):
                continue
            if not followups.claim(task):
                continue
            try:
                call(settings, asterisk, task)
            except (Unreachable, Refused):
                followups.release(task)
                raise
            room.take(language)
            placed += 1
            log.info("calling %s back, attempt %d", task.number, task.attempts + 1)
    return placed


def call(settings: Settings, asterisk: Connection, task: FollowUp) -> None:
    """Call a citizen; when he answers, he goes to the head of his queue. Raises Refused."""
    ring = routing.current(settings).limits.outgoing_ring
    variables = {
        "__OUT_REASON": "callback" if task.kind == "callback" else "follow_up",
        "__OUT_FOR": str(task.id),
        "__OUT_QUEUE_SINCE": str(int(task.joined_at.timestamp())),
        "SPOKEN": task.language or "uz",
    }
    asterisk.act(
        "Originate",
        Channel=f"Local/{task.number}{_MACHINE}/n",
        Context="callback",
        Exten="s",
        Priority="1",
        Timeout=(ring + 15) * 1000,
        Codecs="alaw",  # as trunks and phones have it: recoded, half of the operators go unheard
        Async="true",
        Variable=",".join(f"{name}={value}" for name, value in variables.items()),
    )


@dataclass
class _Room:
    """How many more citizens may be called, by the operators' languages."""

    free: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    busy: Counter[str] = field(default_factory=Counter)  # waiting, or being called
    called: set[str] = field(default_factory=set)  # numbers with a call of ours

    def for_one(self, language: str) -> bool:
        everybody = set().union(*self.free.values())
        left = len(everybody) - self.busy.total()
        return left > 0 and len(self.free[language]) > self.busy[language]

    def take(self, language: str) -> None:
        self.busy[language] += 1


def _look(asterisk: Connection) -> _Room:
    room = _Room()
    for event in asterisk.listed("QueueStatus", "QueueStatusComplete"):
        language = event.get("Queue", "").partition("-")[0]
        if event.get("Event") == "QueueEntry":
            room.busy[language] += 1
        elif event.get("Event") == "QueueMember" and _is_free(event):
            room.free[language].add(event["Location"])
    channels = asterisk.listed("CoreShowChannels", "CoreShowChannelsComplete")
    arrived = {c["Linkedid"] for c in channels if c.get("Application") == "Queue"}
    called: dict[str, bool] = {}
    for channel in channels:
        number, machine, _ = channel["Channel"].removeprefix("Local/").partition(_MACHINE)
        if machine:
            called[number] = called.get(number, False) or channel["Linkedid"] in arrived
    now = clock.now()
    for task in followups.claimed():
        fresh = task.claimed_until > now + followups.CLAIM - _APPEARS
        if not called.get(task.number, not fresh):
            room.take(task.language or "uz")
    room.called = set(called)
    return room


def _is_free(member: dict[str, str]) -> bool:
    """Whether this phone would ring for the next caller."""
    ready = member.get("Paused") == "0" and member.get("Status") == _FREE
    rests_until = int(member.get("LastCall") or 0) + int(member.get("Wrapuptime") or 0)
    return ready and member.get("InCall") != "1" and rests_until <= clock.now().timestamp()
