"""Calls missed callers back while operators are free, never more citizens than free operators."""

import datetime as dt
import logging
import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from appliance.core import clock
from appliance.core.settings import Settings
from appliance.models import FollowUp
from appliance.pbx.ami import ActionRefused, Connection, Unreachable
from appliance.telephony import followups, routing

log = logging.getLogger(__name__)

_POLL_SECONDS = 2.0
_DEVICE_NOT_IN_USE = "1"  # AST_DEVICE_NOT_INUSE
_CHANNEL_START_LIMIT = dt.timedelta(seconds=10)  # until an originated call has its channels
_MACHINE_CONTEXT = "@outgoing-machine"


def call_missed_callers(settings: Settings, stop: threading.Event) -> None:
    """Call everyone whose callback is due, until `stop` is set; failures are retried."""
    while not stop.wait(_POLL_SECONDS):
        try:
            place_due_calls(settings)
        except (Unreachable, ActionRefused) as error:
            log.warning("nobody is called back: %s", error)
        except Exception:  # the boundary of a round: the ledger's threads go on
            log.exception("calling back failed")


def place_due_calls(settings: Settings) -> int:
    """Close the tasks that were tried often enough, and call for those that are due.

    Returns the number of calls placed.
    """
    rules = followups.calling_rules(settings)
    for task in followups.exhausted_tasks(rules):
        followups.close_task(task, "given_up")
    due_tasks = followups.due_tasks(rules)
    remaining_calls = followups.daily_usage(rules).remaining_calls if due_tasks else 0
    if not remaining_calls:
        return 0
    placed_count = 0
    with Connection(settings) as asterisk:
        capacity = _read_capacity(asterisk)
        for task in due_tasks:
            language = task.language or "uz"
            if placed_count == remaining_calls:
                break
            if task.number in capacity.called_numbers or not capacity.has_room_for(language):
                continue
            if not followups.claim_task(task):
                continue
            try:
                originate_callback(settings, asterisk, task)
            except (Unreachable, ActionRefused):
                followups.release_claim(task)
                raise
            capacity.reserve_operator(language)
            placed_count += 1
            log.info("calling %s back, attempt %d", task.number, task.attempts + 1)
    return placed_count


def originate_callback(settings: Settings, asterisk: Connection, task: FollowUp) -> None:
    """Call a citizen; if they answer, they go to the head of their queue.

    Raises Unreachable, and ActionRefused if Asterisk refuses the call.
    """
    ring_seconds = routing.current_plan(settings).limits.outgoing_ring
    variables = {
        "__OUT_REASON": "callback" if task.kind == "callback" else "follow_up",
        "__OUT_FOR": str(task.id),
        "__OUT_QUEUE_SINCE": str(int(task.joined_at.timestamp())),
        "SPOKEN": task.language or "uz",
    }
    asterisk.send_action(
        "Originate",
        Channel=f"Local/{task.number}{_MACHINE_CONTEXT}/n",
        Context="callback",
        Exten="s",
        Priority="1",
        Timeout=(ring_seconds + 15) * 1000,  # longer than the dialplan's own limit
        Codecs="alaw",  # the codec of trunks and phones: transcoding mutes half of the operators
        Async="true",
        Variable=",".join(f"{name}={value}" for name, value in variables.items()),
    )


@dataclass
class _CallCapacity:
    """How many more citizens may be called, by the languages that operators speak."""

    # By language.
    free_phones: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    waiting_callers: Counter[str] = field(default_factory=Counter)  # in queues or being called
    called_numbers: set[str] = field(default_factory=set)  # numbers being called by the appliance

    def has_room_for(self, language: str) -> bool:
        """Return True if one more citizen who speaks this language may be called.

        A phone must be free in total and for the language: an operator may speak several, so that
        the same free phone is counted for each of them.
        """
        all_phones = set().union(*self.free_phones.values())
        free_count = len(all_phones) - self.waiting_callers.total()
        return free_count > 0 and len(self.free_phones[language]) > self.waiting_callers[language]

    def reserve_operator(self, language: str) -> None:
        """Count one more citizen of this language, for whom an operator must be free."""
        self.waiting_callers[language] += 1


def _read_capacity(asterisk: Connection) -> _CallCapacity:
    """Read from Asterisk's queues and channels how many more citizens may be called.

    A task that is being called needs an operator until its call is in a queue, where it counts as
    any waiting caller. A call just placed may have no channels yet: it needs one too.
    """
    capacity = _CallCapacity()
    for event in asterisk.list_events("QueueStatus", "QueueStatusComplete"):
        language = event.get("Queue", "").partition("-")[0]
        if event.get("Event") == "QueueEntry":
            capacity.waiting_callers[language] += 1
        elif event.get("Event") == "QueueMember" and _is_free(event):
            capacity.free_phones[language].add(event["Location"])
    channels = asterisk.list_events("CoreShowChannels", "CoreShowChannelsComplete")
    queued_call_ids = {
        entry["Linkedid"] for entry in channels if entry.get("Application") == "Queue"
    }
    is_in_queue: dict[str, bool] = {}  # by number being called: its call is in a queue
    for channel in channels:
        number, separator, _ = channel["Channel"].removeprefix("Local/").partition(_MACHINE_CONTEXT)
        if separator:
            is_in_queue[number] = (
                is_in_queue.get(number, False) or channel["Linkedid"] in queued_call_ids
            )
    now = clock.now()
    for task in followups.tasks_being_called():
        is_recent = task.claimed_until > now + followups.CLAIM_DURATION - _CHANNEL_START_LIMIT
        if not is_in_queue.get(task.number, not is_recent):
            capacity.reserve_operator(task.language or "uz")
    capacity.called_numbers = set(is_in_queue)
    return capacity


def _is_free(member: dict[str, str]) -> bool:
    """Return True if the phone of this queue member (an event of AMI) would ring for a caller."""
    is_ready = member.get("Paused") == "0" and member.get("Status") == _DEVICE_NOT_IN_USE
    wrap_up_until = int(member.get("LastCall") or 0) + int(member.get("Wrapuptime") or 0)
    return is_ready and member.get("InCall") != "1" and wrap_up_until <= clock.now().timestamp()
