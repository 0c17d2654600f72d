"""Wrap-up: the time after a talk in which the queue does not ring the operator."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from appliance.core.intervals import merge_intervals

type Time = Any  # any representation of times: aware datetimes, or whole microseconds


def wrap_up_intervals(
    talks: Iterable[tuple[Time, Time]],
    other_talks: Iterable[tuple[Time, Time]],
    ready: Sequence[tuple[Time, Time]],
    length_at: Callable[[Time], Any],
    until: Time,
) -> list[tuple[Time, Time]]:
    """Return the wrap-up intervals of one operator, in order.

    A wrap-up begins when one of `talks` (with callers) ends while the operator is ready. Its length
    is what `length_at` returns for that time; it ends earlier when the operator talks again or
    takes another state, or at `until`. After `other_talks` there is no wrap-up. `ready` has the
    intervals in which the operator was ready, sorted.
    """
    talks = list(talks)
    talk_ends = {end for _, end in talks}
    busy_intervals = merge_intervals([*talks, *other_talks])
    next_begins = [*(begin for begin, _ in busy_intervals), until][1:]
    ready_begins = [begin for begin, _ in ready]
    intervals = []
    for (_, end), next_begin in zip(busy_intervals, next_begins, strict=True):
        position = bisect_right(ready_begins, end) - 1
        if end in talk_ends and position >= 0:
            wrap_up_end = min(end + length_at(end), next_begin, ready[position][1], until)
            if end < wrap_up_end:
                intervals.append((end, wrap_up_end))
    return intervals
