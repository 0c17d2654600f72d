"""Records in the order and at the distances in which they happened, whatever the clock did."""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence
from operator import attrgetter

from appliance.pbx.eventlog import Event

_SLACK = dt.timedelta(seconds=2)  # within which a step was noticed


@dataclasses.dataclass(frozen=True)
class Step:
    """The clock was stepped; `at` is told by the new clock, soon after it."""

    at: dt.datetime
    by: dt.timedelta

    @property
    def before(self) -> dt.datetime:
        """The same moment by the clock before."""
        return self.at - self.by

    @property
    def slack(self) -> dt.timedelta:
        """How far from `at` and `before` a record may lie and still be on either side."""
        return min(_SLACK, abs(self.by) / 2)


def straightened(events: Iterable[Event], since: dt.datetime, steps: Sequence[Step]) -> list[Event]:
    """The records of a call that began at `since`, by the clock that it began with.

    A step back that nobody noticed leaves its traces too: nothing of a call is older than its
    beginning. What seems so is moved up to what had happened until then.
    """
    told = sorted(events, key=attrgetter("order"))
    for step in steps:
        told = sorted(_without(step, told, since), key=attrgetter("order"))
    before = [event for event in told if event.at >= since]
    after = [event for event in told if event.at < since]
    if not before or not after:
        return told
    return before + _moved(after, before[-1].at - after[0].at)


def _without(step: Step, events: list[Event], since: dt.datetime) -> list[Event]:
    """The records as if this step had not been, if the call went on meanwhile."""
    if since > step.before + step.slack:
        return events
    if step.by > dt.timedelta(0):
        before = [event for event in events if event.at <= step.before + step.slack]
        after = [event for event in events if event.at >= step.at - step.slack]
        if len(before) + len(after) < len(events):  # the clock was there at that time, another day
            return events
    else:
        if since < step.at - step.slack:
            return events
        before = [event for event in events if event.at >= since]
        after = [event for event in events if event.at < since]
    return before + _moved(after, -step.by)


def _moved(events: list[Event], by: dt.timedelta) -> list[Event]:
    return [dataclasses.replace(event, at=event.at + by) for event in events]
