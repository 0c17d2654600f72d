"""The end of a call whose end is not in the log: Asterisk died, or the call vanished from it."""

import datetime as dt
from collections.abc import Sequence

from appliance.pbx.eventlog import Event
from appliance.pbx.interpret.call_records import Boot, CallRecords
from appliance.pbx.interpret.clock_correction import CLOCK_STEP_RANGE


def time_of_cut(records: CallRecords, events: Sequence[Event]) -> dt.datetime | None:
    """Return when a call without an end in the log was cut; None if it was not.

    If Asterisk died, this is its last sign of life before its next start: the last record of any
    call, or the last sound written to the call's recording. If the call vanished from a running
    Asterisk, see `_time_of_vanishing`. `events` are the records that turned out to be part of the
    call.
    """
    if vanished_at := _time_of_vanishing(records, events):
        return vanished_at
    began_at = min(event.at for event in events)
    boot = next((boot for boot in records.boots if boot.at > began_at), None)
    if not boot or _began_after_boot(records, began_at, boot):
        return None
    signs_of_life = [at for at in records.sounds_at if at < boot.at]
    if boot.last_record_at:
        signs_of_life.append(boot.last_record_at)
    return max(signs_of_life, default=None)


def _time_of_vanishing(records: CallRecords, events: Sequence[Event]) -> dt.datetime | None:
    """Return when a call ended that is no longer in Asterisk; None for any other call.

    If the call was observed before, the time is exact to one poll. Otherwise nothing was observed
    for long: the time is that of the last sound, or the last time at which Asterisk was observed.
    """
    root_events = [event for event in events if event.linkedid == records.root]
    gone_event = min(
        (e for e in root_events if e.type == "GONE"), key=lambda event: event.at, default=None
    )
    if not gone_event:
        return None
    last_record_at = max(event.at for event in root_events if event.type != "GONE")
    if not (observed_text := gone_event.extra.get("before")):
        return max(last_record_at, gone_event.at)
    observed_at = dt.datetime.fromtimestamp(float(observed_text), dt.UTC)
    last_sign_at = max(records.sounds_at, default=observed_at)
    return max(last_record_at, min(last_sign_at, gone_event.at))


def _began_after_boot(records: CallRecords, began_at: dt.datetime, boot: Boot) -> bool:
    """Return True if a call began after a start of Asterisk, although its time is earlier.

    The clock was set back in between: this is so if that start is still in the future. A call that
    the start did cut was recorded as ended before the clock was set back.
    """
    nearby_steps = [
        step for step in records.steps if began_at - CLOCK_STEP_RANGE <= step.at <= began_at
    ]
    is_between = any(boot.at <= step.at_by_old_clock + step.slack for step in nearby_steps)
    return (is_between or boot.is_future) and not records.is_stored_as_ended
