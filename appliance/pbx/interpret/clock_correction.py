"""Corrects the times of a call's records as if the clock had not been changed during the call."""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence
from operator import attrgetter

from appliance.pbx.eventlog import Event

CLOCK_STEP_RANGE = dt.timedelta(days=2)  # a step of the clock farther away does not affect a call
_DETECTION_DELAY = dt.timedelta(seconds=2)  # the longest time until a step is detected


@dataclasses.dataclass(frozen=True)
class ClockStep:
    """A sudden change of the clock. `at` is a time soon after it, by the new clock."""

    at: dt.datetime
    size: dt.timedelta  # negative if the clock was set back

    @property
    def at_by_old_clock(self) -> dt.datetime:
        """The same time as `at`, by the clock before the step."""
        return self.at - self.size

    @property
    def time_tolerance(self) -> dt.timedelta:
        """How inexact the time of the step is, because it was detected a little later.

        A record that is closer than this to `at` or `at_by_old_clock` may be from before or after
        the step. It is at most half of the step, so that the ranges around the two do not overlap.
        """
        return min(_DETECTION_DELAY, abs(self.size) / 2)


def clock_step(event: Event) -> ClockStep:
    """Return the step of the clock that a CLOCK record describes."""
    return ClockStep(event.at, dt.timedelta(seconds=float(event.extra["by"])))


def correct_clock_steps(
    events: Iterable[Event], since: dt.datetime, steps: Sequence[ClockStep]
) -> list[Event]:
    """Return the records of a call that began at `since`, with times by the clock as it was then.

    Steps back that were not detected leave traces too, because no record of a call is older than
    its beginning: records that seem older are moved to follow the others.
    """
    ordered = sorted(events, key=attrgetter("order"))
    for step in steps:
        ordered = sorted(_undo_step(step, ordered, since), key=attrgetter("order"))
    earlier_events = [event for event in ordered if event.at >= since]
    later_events = [event for event in ordered if event.at < since]
    if not earlier_events or not later_events:
        return ordered
    return earlier_events + _shift_events(later_events, earlier_events[-1].at - later_events[0].at)


def _undo_step(step: ClockStep, events: list[Event], since: dt.datetime) -> list[Event]:
    """Return the records with the times they would have without this step of the clock.

    They stay unchanged if the step was not during the call.
    """
    if since > step.at_by_old_clock + step.time_tolerance:
        return events
    if step.size > dt.timedelta(0):
        earlier_events = [
            event for event in events if event.at <= step.at_by_old_clock + step.time_tolerance
        ]
        later_events = [event for event in events if event.at >= step.at - step.time_tolerance]
        # The clock skipped the times of the other records: the step was not during this call.
        if len(earlier_events) + len(later_events) < len(events):
            return events
    else:
        # The clock had some times twice during the call: no record shows which of the two it means.
        if since < step.at - step.time_tolerance:
            return events
        earlier_events = [event for event in events if event.at >= since]
        later_events = [event for event in events if event.at < since]
    return earlier_events + _shift_events(later_events, -step.size)


def _shift_events(events: list[Event], offset: dt.timedelta) -> list[Event]:
    """Return copies of the records, with this offset added to their times."""
    return [dataclasses.replace(event, at=event.at + offset) for event in events]
