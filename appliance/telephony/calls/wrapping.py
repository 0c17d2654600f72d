"""The time after a talk in which the queue leaves an operator alone."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from appliance.core.intervals import merged

type Moment = Any  # whatever moments are told in: with a zone, or as whole microseconds


def wrap_ups(
    talks: Iterable[tuple[Moment, Moment]],
    others: Iterable[tuple[Moment, Moment]],
    ready: Sequence[tuple[Moment, Moment]],
    length_at: Callable[[Moment], Any],
    until: Moment,
) -> list[tuple[Moment, Moment]]:
    """One operator's, in order: each begins when a talk of `talks` (callers') ends and he is ready.

    It lasts as long as the line's rule said then, and ends before that when he speaks again
    (`others` are talks of his that are followed by none), takes another state, or at `until`.
    `ready` is in order.
    """
    talks = list(talks)
    ended = {end for _, end in talks}
    spoken = merged([*talks, *others])
    nexts = [*(begin for begin, _ in spoken), until][1:]
    since = [begin for begin, _ in ready]
    found = []
    for (_, end), again in zip(spoken, nexts, strict=True):
        place = bisect_right(since, end) - 1
        if end in ended and place >= 0:
            last = min(end + length_at(end), again, ready[place][1], until)
            if end < last:
                found.append((end, last))
    return found
