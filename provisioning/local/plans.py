"""The kinds of callers that the hotline's flow has, as plans."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from provisioning.local.callers import CallPlan
from provisioning.local.phones import Handling

BEGIN = "901"  # how the nine digits of our callers begin
PRESS_EVERY = 1.5  # seconds between the presses of a caller who wants to rate


@dataclass(frozen=True)
class Times:
    """What the plans assume of the flow and choose freely; seconds."""

    key: float = 2.0  # from the answer to the choice of language
    to_queue: float = 5.0  # from that key to joining the queue, at most
    ring: float = 1.0
    talk: float = 6.0
    short: float = 2.0  # wait of one who gives up early
    long: float = 8.0  # … late
    stays: float = 90.0  # after which anyone gives up

    @property
    def queued(self) -> float:
        """When a caller who pressed a key is surely in the queue."""
        return self.key + self.to_queue


def number(position: int) -> str:
    """The number of the caller at this position, 0 to 999,999."""
    return f"+998{BEGIN}{position:06}"


def rated(caller: str, times: Times, mark: int = 5, language: str = "1") -> CallPlan:
    """Gives a mark after the operator has hung up.

    The caller cannot hear when that is, so the key is pressed again and again from the choice of
    language on; nothing listens to it before the rating.
    """
    first = times.queued
    presses = int((times.stays - first) / PRESS_EVERY)
    marks = tuple((first + PRESS_EVERY * i, str(mark)) for i in range(presses))
    keys = ((times.key, language), *marks)
    return CallPlan("rated", caller, keys, times.stays, handling=_talk(times))


def not_rated(caller: str, times: Times) -> CallPlan:
    """Hears the question for a mark and presses nothing."""
    keys = ((times.key, "1"),)
    return CallPlan("not_rated", caller, keys, times.stays, handling=_talk(times))


def abandon_menu(caller: str, times: Times) -> CallPlan:
    """Hangs up before a language is chosen."""
    return CallPlan("abandon_menu", caller, (), times.key)


def abandon_short(caller: str, times: Times) -> CallPlan:
    """Hangs up soon after joining the queue; the phones ring and nobody answers."""
    return _abandon("abandon_short", caller, times, times.short)


def abandon_long(caller: str, times: Times) -> CallPlan:
    """Hangs up after a long wait in the queue."""
    return _abandon("abandon_long", caller, times, times.long)


def caller_hangs_up(caller: str, times: Times) -> CallPlan:
    """Ends the talk; the operator would have gone on."""
    end = times.queued + times.ring + times.talk
    how = Handling(times.ring, None)
    return CallPlan("caller_hangs_up", caller, ((times.key, "1"),), end, handling=how)


def operator_hangs_up(caller: str, times: Times) -> CallPlan:
    """Is left by the operator and hangs up when asked for a mark, which lasts some ten seconds."""
    end = times.queued + times.ring + times.talk + 4
    keys = ((times.key, "1"),)
    return CallPlan("operator_hangs_up", caller, keys, end, handling=_talk(times))


def no_key(caller: str, times: Times) -> CallPlan:
    """Presses nothing, so Uzbek is taken."""
    return CallPlan("no_key", caller, (), times.stays, handling=_talk(times))


def wrong_key(caller: str, times: Times) -> CallPlan:
    """Presses a key that the menu does not have, then the right one."""
    keys = ((times.key, "9"), (times.key + 4, "1"))
    return CallPlan("wrong_key", caller, keys, times.stays, handling=_talk(times))


def russian(caller: str, times: Times) -> CallPlan:
    """Chooses Russian and gives a middling mark."""
    plan = rated(caller, times, mark=3, language="2")
    return replace(plan, kind="russian")


def g711_only(caller: str, times: Times) -> CallPlan:
    """Comes from a carrier without telephone events: keys are tones in the sound."""
    plan = rated(caller, times, mark=4, language="2")
    return replace(plan, kind="g711_only", events=False)


def silent(caller: str, times: Times) -> CallPlan:
    """Sends no sound at all."""
    return replace(no_key(caller, times), kind="silent", silent=True)


KINDS: dict[str, Callable[[str, Times], CallPlan]] = {
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


def _talk(times: Times) -> Handling:
    return Handling(times.ring, times.talk)


def _abandon(kind: str, caller: str, times: Times, wait: float) -> CallPlan:
    end = times.queued + wait
    never = Handling(manner="never")
    return CallPlan(kind, caller, ((times.key, "1"),), end, handling=never)
