"""The ledger: whether it holds every call, recordings have sound, and records were quarantined."""

import datetime as dt
from collections.abc import Iterator

from appliance.box.health.check import Check, local_time_text
from appliance.box.health.exchange import ledger_lag_seconds
from appliance.core import clock
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.telephony import calls

MEASURE_PERIOD = dt.timedelta(seconds=15)  # within which a recording is measured
SETTLING_PERIOD = dt.timedelta(hours=1)  # calls that arrived before it have ended and are measured


LOST_CALLS_WINDOW = dt.timedelta(days=1)


def check_event_log_calls(settings: Settings) -> Iterator[Check]:
    """Check that the event log contains the calls that Asterisk reported live."""
    code, name = "event_log.calls", N_("Calls in the event log")
    lost_count, newest = calls.lost_calls_since(clock.now() - LOST_CALLS_WINDOW)
    if lost_count and newest and not ledger_lag_seconds(settings):
        yield Check(
            code,
            name,
            "fail",
            N_("calls arrive but are not in it, {count} so far"),
            N_(
                "No call has been recorded since then. Check that {file} exists, that its disk has "
                "space and that the exchange can write to it; then run `asterisk -rx 'module load "
                "cel_custom.so'` and `asterisk -rx 'module reload cel'`."
            ),
            {"count": str(lost_count), "file": str(settings.paths.event_log)},
        )
    else:
        yield Check(code, name, "ok", N_("the newest call is in it"))


def check_newest_recording(settings: Settings) -> Iterator[Check]:
    """Check that the newest talk has its recording."""
    code, name = "recordings.newest", N_("Recording of the latest conversation")
    now = clock.now()
    last_call = calls.last_recording_coverage(now - SETTLING_PERIOD, now - MEASURE_PERIOD)
    if last_call and not last_call.found:
        yield Check(
            code,
            name,
            "fail",
            N_("the call of {moment} has no recording"),
            N_(
                "Check that {folder} exists, that its disk has space and that the exchange can "
                "write there. The check passes again once a conversation, or a test call, has its "
                "recording."
            ),
            {
                "moment": local_time_text(last_call.arrived_at, settings),
                "folder": str(settings.paths.recordings),
            },
        )
    else:
        yield Check(code, name, "ok", N_("is there"))


def check_call_balance(settings: Settings) -> Iterator[Check]:
    """Check that the calls of the last day are in the ledger and have their recordings."""
    until = clock.now() - SETTLING_PERIOD
    day = calls.ledger_balance(until - dt.timedelta(days=1), until)
    is_balanced = not day.difference
    yield Check(
        "balance",
        N_("Balance of calls, last day"),
        "ok" if is_balanced else "fail",
        N_("{arrived} arrived, {held} in the ledger"),
        ""
        if is_balanced
        else N_("Run `appliance ledger ingest` on the event logs, including rotated ones."),
        {"arrived": str(day.arrivals), "held": str(day.arrivals - day.difference)},
    )
    is_complete = day.recordings_found == day.recordings_expected and not day.recordings_short
    yield Check(
        "recordings",
        N_("Recordings, last day"),
        "ok" if is_complete else "warn",
        N_("{found} of {expected} present, {short} incomplete"),
        ""
        if is_complete
        else N_("Check whether the disk was full and whether the exchange was stopped."),
        {
            "found": str(day.recordings_found),
            "expected": str(day.recordings_expected),
            "short": str(day.recordings_short),
        },
    )


def check_quarantine(settings: Settings) -> Iterator[Check]:
    """Check that the event log has no records that could not be imported."""
    code, name = "event_log.damage", N_("Damage in the event log")
    advice = N_(
        "Calls before and after it are complete. `appliance ledger quarantine` shows where the "
        "damage is and how it starts: check the disk (`dmesg`, `smartctl -a`) and what else writes "
        "to that folder."
    )
    uninterpreted_calls, unreadable_files = (
        calls.quarantined_pieces(kind=kind) for kind in ("untold", "unreadable")
    )
    if uninterpreted_calls or unreadable_files:
        finding = N_(
            "calls that could not be imported: {calls}; files that cannot be read: {files}"
        )
        values = {"calls": str(len(uninterpreted_calls)), "files": str(len(unreadable_files))}
        yield Check(code, name, "fail", finding, advice, values)
    elif damaged_records := calls.quarantined_pieces(since=clock.now() - dt.timedelta(days=1)):
        finding = N_("quarantined in the last day: {count}; the last in {file} at byte {position}")
        values = {
            "count": str(len(damaged_records)),
            "file": damaged_records[0].file,
            "position": str(damaged_records[0].position),
        }
        yield Check(code, name, "warn", finding, advice, values)
    else:
        yield Check(code, name, "ok", N_("nothing in the last day"))
