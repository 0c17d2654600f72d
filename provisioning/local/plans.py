"""The kinds of callers that the hotline's dialplan distinguishes, as call plans."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from provisioning.local.callers import CallPlan
from provisioning.local.phones import Handling

NUMBER_PREFIX = "901"  # the first of the nine digits of simulated callers' numbers
PRESS_INTERVAL_SECONDS = 1.5  # between the key presses of a caller who wants to rate


@dataclass(frozen=True)
class Times:
    """The times that the plans assume of the dialplan or choose freely; seconds."""

    key: float = 2.0  # from the answer to the choice of language
    to_queue: float = 5.0  # from that key to joining the queue, at most
    ring: float = 1.0
    talk: float = 6.0
    short: float = 2.0  # wait of a caller who gives up early
    long: float = 8.0  # wait of a caller who gives up late
    stays: float = 90.0  # after which any caller gives up

    @property
    def queued_after(self) -> float:
        """When a caller who pressed a key is certainly in the queue."""
        return self.key + self.to_queue


def caller_number(position: int) -> str:
    """The number of the caller at this position, 0 to 999,999."""
    return f"+998{NUMBER_PREFIX}{position:06}"


def rated(caller: str, times: Times, mark: int = 5, language: str = "1") -> CallPlan:
    """The caller gives a mark after the operator has hung up.

    The caller cannot detect when that is, so the key is pressed again and again from the choice of
    language on; the box ignores it before the rating.
    """
    first_press = times.queued_after
    presses = int((times.stays - first_press) / PRESS_INTERVAL_SECONDS)
    presses_of_mark = tuple(
        (first_press + PRESS_INTERVAL_SECONDS * i, str(mark)) for i in range(presses)
    )
    keys = ((times.key, language), *presses_of_mark)
    return CallPlan("rated", caller, keys, times.stays, handling=_answer_handling(times))


def not_rated(caller: str, times: Times) -> CallPlan:
    """The caller is asked for a mark and presses nothing."""
    keys = ((times.key, "1"),)
    return CallPlan("not_rated", caller, keys, times.stays, handling=_answer_handling(times))


def abandon_menu(caller: str, times: Times) -> CallPlan:
    """The caller hangs up before choosing a language."""
    return CallPlan("abandon_menu", caller, (), times.key)


def abandon_short(caller: str, times: Times) -> CallPlan:
    """The caller hangs up soon after joining the queue; the phones ring and nobody answers."""
    return _abandoning_plan("abandon_short", caller, times, times.short)


def abandon_long(caller: str, times: Times) -> CallPlan:
    """The caller hangs up after a long wait in the queue."""
    return _abandoning_plan("abandon_long", caller, times, times.long)


def caller_hangs_up(caller: str, times: Times) -> CallPlan:
    """The caller ends the talk; the operator would have continued."""
    end = times.queued_after + times.ring + times.talk
    handling = Handling(times.ring, None)
    return CallPlan("caller_hangs_up", caller, ((times.key, "1"),), end, handling=handling)


def operator_hangs_up(caller: str, times: Times) -> CallPlan:
    """The operator hangs up, then the caller while being asked for a mark.

    The question lasts some ten seconds.
    """
    end = times.queued_after + times.ring + times.talk + 4
    keys = ((times.key, "1"),)
    return CallPlan("operator_hangs_up", caller, keys, end, handling=_answer_handling(times))


def no_key(caller: str, times: Times) -> CallPlan:
    """The caller presses nothing, so the box chooses Uzbek."""
    return CallPlan("no_key", caller, (), times.stays, handling=_answer_handling(times))


def wrong_key(caller: str, times: Times) -> CallPlan:
    """The caller presses a key that the menu does not have, then the right one."""
    keys = ((times.key, "9"), (times.key + 4, "1"))
    return CallPlan("wrong_key", caller, keys, times.stays, handling=_answer_handling(times))


def russian(caller: str, times: Times) -> CallPlan:
    """The caller chooses Russian and gives a middling mark."""
    plan = rated(caller, times, mark=3, language="2")
    return replace(plan, kind="russian")


def g711_only(caller: str, times: Times) -> CallPlan:
    """The caller's carrier has no telephone events: keys are tones in the sound."""
    plan = rated(caller, times, mark=4, language="2")
    return replace(plan, kind="g711_only", events=False)


def silent(caller: str, times: Times) -> CallPlan:
    """The caller sends no sound at all."""
    return replace(no_key(caller, times), kind="silent", silent=True)


CALLER_KINDS: dict[str, Callable[[str, Times], CallPlan]] = {
    kind.__name__: kind
    for kind in (
        rated,
        not_rated,
        abandon_menu,
        abandon_short,
        abandon_long,
        caller_hangs_up,
        operator_hangs_up,
        no_key,
        wrong_key,
        russian,
        g711_only,
        silent,
    )
}


def _answer_handling(times: Times) -> Handling:
    return Handling(times.ring, times.talk)


def _abandoning_plan(kind: str, caller: str, times: Times, wait: float) -> CallPlan:
    end = times.queued_after + wait
    never = Handling(manner="never")
    return CallPlan(kind, caller, ((times.key, "1"),), end, handling=never)
