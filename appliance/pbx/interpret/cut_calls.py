"""The end of a call whose end is not in the log: Asterisk died, or the call vanished from it."""

import datetime as dt
from collections.abc import Sequence

from appliance.pbx.eventlog import Event
from appliance.pbx.interpret.call_records import Boot, CallRecords
from appliance.pbx.interpret.clock_correction import CLOCK_STEP_RANGE


def time_of_cut(records: CallRecords, events: Sequence[Event]) -> dt.datetime | None:
    """Return when a call without an end in the log was cut, if it was.

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
    """Return when a call ended, if it vanished from a running Asterisk.

    For such a call `pbx.orphaned_calls` has added a record GONE, with the time of the first poll
    that did not find it: the end. But if no poll ever found it, nothing was observed for long, and
    GONE says ("before") when Asterisk was last observed: the call then ended with the last sound in
    its recordings, or at that time. The end is never earlier than the call's last record.
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

    This is so if the clock was set back in between: such a step is recorded, or the start is still
    in the future. But a call that is stored as ended was cut by the start: its end was stored
    before the clock was set back.
    """
    nearby_steps = [
        step for step in records.steps if began_at - CLOCK_STEP_RANGE <= step.at <= began_at
    ]
    is_between = any(boot.at <= step.at_by_old_clock + step.time_tolerance for step in nearby_steps)
    return (is_between or boot.is_future) and not records.is_stored_as_ended
