"""Whether the ledger holds every call, the recordings their sound, and what was set aside."""

import datetime as dt
from collections.abc import Iterator

from appliance.box.health.check import Check, moment_text
from appliance.box.health.exchange import lag
from appliance.core import clock
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.telephony import calls

HEARD = dt.timedelta(seconds=15)  # in which a recording is measured
SETTLED = dt.timedelta(hours=1)  # calls that came before have ended and are measured


DAY = dt.timedelta(days=1)


def witnessed(settings: Settings) -> Iterator[Check]:
    """The event log holds the calls that Asterisk told of while they came."""
    code, name = "event_log.calls", N_("Calls in the event log")
    lost, newest = calls.lost_since(clock.now() - DAY)
    if lost and newest and not lag(settings):
        yield Check(
            code,
            name,
            "fail",
            N_("calls come and are not in it, {count} so far"),
            N_(
                "No call is written down since. Look whether {file} is there, its disk has room "
                "and the exchange may write it; then `asterisk -rx 'module load cel_custom.so'` "
                "and `asterisk -rx 'module reload cel'`."
            ),
            {"count": str(lost), "file": str(settings.paths.event_log)},
        )
    else:
        yield Check(code, name, "ok", N_("the newest call is in it"))


def sound(settings: Settings) -> Iterator[Check]:
    """The newest talk has its recording."""
    code, name = "recordings.newest", N_("Recording of the newest talk")
    now = clock.now()
    last = calls.last_spoken(now - SETTLED, now - HEARD)
    if last and not last.found:
        yield Check(
            code,
            name,
            "fail",
            N_("the call of {moment} has none"),
            N_(
                "Look whether {folder} is there, its disk has room and the exchange may write "
                "there. It is in order again once a talk, or a test call, has its recording."
            ),
            {
                "moment": moment_text(last.arrived_at, settings),
                "folder": str(settings.paths.recordings),
            },
        )
    else:
        yield Check(code, name, "ok", N_("is there"))


def balance(settings: Settings) -> Iterator[Check]:
    """The last day's calls and their recordings."""
    until = clock.now() - SETTLED
    day = calls.balance(until - dt.timedelta(days=1), until)
    even = not day.difference
    yield Check(
        "balance",
        N_("Balance of calls, last day"),
        "ok" if even else "fail",
        N_("{arrived} arrived, {held} in the ledger"),
        "" if even else N_("Run `appliance ledger ingest` over the event logs, rotated ones too."),
        {"arrived": str(day.arrivals), "held": str(day.arrivals - day.difference)},
    )
    whole = day.recordings_found == day.recordings_expected and not day.recordings_short
    yield Check(
        "recordings",
        N_("Recordings, last day"),
        "ok" if whole else "warn",
        N_("{found} of {expected} there, {short} too short"),
        "" if whole else N_("Look whether the disk was full and whether the exchange was stopped."),
        {
            "found": str(day.recordings_found),
            "expected": str(day.recordings_expected),
            "short": str(day.recordings_short),
        },
    )


def quarantine(settings: Settings) -> Iterator[Check]:
    """What stood in the event log and could not be taken in."""
    code, name = "event_log.damage", N_("Damage in the event log")
    advice = N_(
        "Calls before and after it are whole. `appliance ledger quarantine` shows where it is and "
        "how it begins: look at the disk (`dmesg`, `smartctl -a`) and at what else writes into "
        "that folder."
    )
    untold, unreadable = (calls.quarantined(kind=kind) for kind in ("untold", "unreadable"))
    if untold or unreadable:
        seen = N_("calls that cannot be told: {calls}; files that cannot be read: {files}")
        values = {"calls": str(len(untold)), "files": str(len(unreadable))}
        yield Check(code, name, "fail", seen, advice, values)
    elif found := calls.quarantined(since=clock.now() - dt.timedelta(days=1)):
        seen = N_("set aside in the last day: {count}; the last in {file} at byte {position}")
        values = {
            "count": str(len(found)),
            "file": found[0].file,
            "position": str(found[0].position),
        }
        yield Check(code, name, "warn", seen, advice, values)
    else:
        yield Check(code, name, "ok", N_("none in the last day"))
