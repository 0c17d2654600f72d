"""Lines to the carriers, in the state that Asterisk reports: SIP trunks, E1 spans, test calls."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from peewee import Case, fn

from appliance.core import clock, live
from appliance.core.db import write_transaction
from appliance.models import Call, DialAttempt, LineTrial, SpanState, TrunkState
from appliance.telephony.calls.dialling import FAILED_STATUSES
from appliance.telephony.routing import Trunk

LINES_TOPIC = "lines"
UP, DOWN, UNASKED = "up", "down", "unasked"
SLOTS_PER_SPAN = 31  # usable timeslots of a span; slot 16 is the D-channel (signalling)
# How the text of a registration's error begins, and how it ends if the carrier did not answer.
REGISTER_PREFIX, NO_RESPONSE_SUFFIX = (
    "REGISTER ",
    "no response",
)
_TEST_TIMEOUT = dt.timedelta(minutes=3)  # after this, no result of a test call is expected


@dataclass(frozen=True)
class TrunkReport:
    """A report on a SIP trunk. None: this value was not reported, so the stored one is retained."""

    name: str
    state: str | None = None  # up | down | unasked
    registration: str | None = None  # "" if no registration is needed
    round_trip: int | None = None  # milliseconds
    error: str = ""


@dataclass(frozen=True)
class SpanReport:
    """A report on a span. None: this value was not reported, so the stored one is retained.

    `channels` has the state of each timeslot by its number: "free", "busy" or "alarm".
    """

    number: int
    trunk: str | None = None
    alarm: str | None = None
    d_channel: bool | None = None
    channels: Mapping[int, str] | None = None


@dataclass(frozen=True)
class TrunkTraffic:
    """A trunk's calls in a period: their number, the last in each direction, the last failure."""

    calls: int = 0
    last_in: dt.datetime | None = None
    last_out: dt.datetime | None = None
    failed_at: dt.datetime | None = None
    failed: str = ""  # DIALSTATUS
    cause: str = ""  # Q.850


def trunk_states() -> dict[str, TrunkState]:
    """Return the state of each SIP trunk that Asterisk has reported, by name."""
    return {row.name: row for row in TrunkState.select()}


def span_states() -> list[SpanState]:
    """The state of every span that Asterisk has reported, in order."""
    return list(SpanState.select().order_by(SpanState.number))


def trunk_of_span(trunks: Iterable[Trunk], number: int) -> str:
    """The name of the plan's trunk that uses channels of a span; "" if no trunk does."""
    return next((t.name for t in trunks if t.kind == "e1" and number in spans_of_trunk(t)), "")


def spans_of_trunk(trunk: Trunk) -> set[int]:
    """Return the numbers of the spans that contain an E1 trunk's channels (as "1-15,17-31")."""
    spans: set[int] = set()
    for channel_range in filter(None, trunk.spans.replace(" ", "").split(",")):
        first_channel, _, last_channel = channel_range.partition("-")
        if first_channel.isdigit() and (last_channel or first_channel).isdigit():
            spans |= {
                span_and_slot(number)[0]
                for number in range(int(first_channel), int(last_channel or first_channel) + 1)
            }
    return spans


def span_and_slot(channel: int) -> tuple[int, int]:
    """The (span, timeslot) of a channel.

    DAHDI numbers channels across spans: channel 32 is slot 1 of span 2.
    """
    return (channel - 1) // SLOTS_PER_SPAN + 1, (channel - 1) % SLOTS_PER_SPAN + 1


def trunk_load(
    trunk: Trunk, channels: Mapping[str, int], spans: Iterable[SpanState]
) -> tuple[int, int]:
    """Return (present calls, maximum of calls at once) of a trunk of the plan; 0 means no limit.

    `channels` has the number of call legs on each SIP trunk by name; `spans` are the states last
    reported.
    """
    if trunk.kind == "sip":
        return channels.get(trunk.name, 0), trunk.channels
    slots = [slot for span in spans if span.trunk == trunk.name for slot in span.channels.values()]
    return sum(slot["state"] == "busy" for slot in slots), trunk.channels or len(slots)


def store_trunks(reports: Iterable[TrunkReport], is_complete: bool = False) -> list[str]:
    """Store the reports that differ from the stored states. Returns the names that changed.

    `is_complete`: `reports` contains every trunk, so all other stored trunks are deleted.
    """
    now, stored, by_name = clock.now(), trunk_states(), {trunk.name: trunk for trunk in reports}
    rows = {name: _trunk_row(trunk, stored.get(name), now) for name, trunk in by_name.items()}
    changed_names = [name for name, row in rows.items() if _differs(row, stored.get(name))]
    removed_names = list(stored.keys() - by_name.keys()) if is_complete else []
    if changed_names or removed_names:
        with write_transaction():
            for name in changed_names:
                TrunkState.replace(**rows[name]).execute()
            TrunkState.delete().where(TrunkState.name.in_(removed_names)).execute()
            live.publish_topics(LINES_TOPIC)
    return [*changed_names, *removed_names]


def store_spans(reports: Iterable[SpanReport], is_complete: bool = False) -> list[int]:
    """Store the reports that differ from the stored states. Returns the numbers that changed.

    `is_complete`: `reports` contains every span, so all other stored spans are deleted.
    """
    now, by_number = clock.now(), {span.number: span for span in reports}
    stored = {row.number: row for row in SpanState.select()}
    rows = {number: _span_row(span, stored.get(number), now) for number, span in by_number.items()}
    changed_numbers = [number for number, row in rows.items() if _differs(row, stored.get(number))]
    removed_numbers = list(stored.keys() - by_number.keys()) if is_complete else []
    if changed_numbers or removed_numbers:
        with write_transaction():
            for number in changed_numbers:
                SpanState.replace(**rows[number]).execute()
            SpanState.delete().where(SpanState.number.in_(removed_numbers)).execute()
            live.publish_topics(LINES_TOPIC)
    return [*changed_numbers, *removed_numbers]


def begin_test(trunk: str, number: str, by: str, span: int | None = None) -> LineTrial:
    """Store that a test call over a line has begun."""
    with write_transaction():
        live.publish_topics(LINES_TOPIC)
        trial: LineTrial = LineTrial.create(
            trunk=trunk, span=span, number=number, by=by, at=clock.now()
        )
    return trial


def end_test(id: int, result: str, cause: str = "", seconds: float | None = None) -> bool:
    """Store the result of a test call, once. Returns True if it had no result yet."""
    with write_transaction():
        updated_rows = (
            LineTrial.update(result=result, cause=cause, seconds=seconds, ended_at=clock.now())
            .where(LineTrial.id == id, LineTrial.ended_at.is_null())
            .execute()
        )
        live.publish_topics(LINES_TOPIC)
    return bool(updated_rows)


def latest_tests() -> dict[tuple[str, int | None], LineTrial]:
    """Return the latest test call over each line, by (trunk, span)."""
    newest = LineTrial.select(fn.MAX(LineTrial.id)).group_by(LineTrial.trunk, LineTrial.span)
    return {
        (row.trunk, row.span): row for row in LineTrial.select().where(LineTrial.id.in_(newest))
    }


def is_test_running(test: LineTrial) -> bool:
    """Returns True if a test call has no result yet, and is recent enough to get one."""
    return test.ended_at is None and clock.now() - test.at < _TEST_TIMEOUT


def trunk_traffic(since: dt.datetime) -> dict[str, TrunkTraffic]:
    """Return the traffic of each trunk since `since`, by name."""
    calls, last_in, last_out = (
        fn.COUNT(Call.id),
        _last_call_time("inbound"),
        _last_call_time("outbound"),
    )
    rows = Call.select(Call.trunk, calls, last_in, last_out).where(
        Call.arrived_at >= since, Call.trunk.is_null(False)
    )
    failed_attempts = {
        attempt.trunk: attempt
        for attempt in DialAttempt.select(DialAttempt)
        .join(Call)
        .where(Call.arrived_at >= since, DialAttempt.status.in_(FAILED_STATUSES))
        .order_by(DialAttempt.at)
    }
    counts_by_trunk = {name: counts for name, *counts in rows.group_by(Call.trunk).tuples()}
    return {
        name: _traffic_of_trunk(counts_by_trunk.get(name), failed_attempts.get(name))
        for name in counts_by_trunk.keys() | failed_attempts.keys()
    }


def _traffic_of_trunk(counts: list[Any] | None, failed_attempt: DialAttempt | None) -> TrunkTraffic:
    calls, last_in, last_out = counts or (0, None, None)
    if not failed_attempt:
        return TrunkTraffic(calls, last_in, last_out)
    return TrunkTraffic(
        calls,
        last_in,
        last_out,
        failed_attempt.at,
        failed_attempt.status,
        failed_attempt.cause or "",
    )


def _last_call_time(direction: str):  # type: ignore[no-untyped-def]  # peewee's function
    arrival = Case(None, [(Call.direction == direction, Call.arrived_at)])
    return fn.MAX(arrival).python_value(Call.arrived_at.python_value)


def _trunk_row(
    report: TrunkReport, stored: TrunkState | None, now: dt.datetime
) -> dict[str, object]:
    state = report.state or (stored.state if stored else UNASKED)
    registration = report.registration
    if registration is None:
        registration = stored.registration if stored else ""
    registered_since = now if registration else None
    if stored and stored.registration == registration:
        registered_since = stored.registered_since
    return {
        "name": report.name,
        "state": state,
        "since": stored.since if stored and stored.state == state else now,
        "registration": registration,
        "registered_since": registered_since,
        "round_trip": None if state != UP else report.round_trip or (stored and stored.round_trip),
        "error": report.error or (stored.error if stored else ""),
        "error_at": now if report.error else stored.error_at if stored else None,
    }


def _span_row(report: SpanReport, stored: SpanState | None, now: dt.datetime) -> dict[str, object]:
    alarm = report.alarm if report.alarm is not None else stored.alarm if stored else ""
    d_channel = report.d_channel if report.d_channel is not None else not stored or stored.d_channel
    is_unchanged = stored is not None and (stored.alarm, stored.d_channel) == (alarm, d_channel)
    is_new_alarm = alarm and not (stored and stored.alarm == alarm)
    is_new_failure = not d_channel and (not stored or stored.d_channel)
    error = alarm if is_new_alarm else "D-channel" if is_new_failure else ""
    channels = dict(stored.channels) if stored else {}
    if report.channels is not None:
        stamp = now.isoformat(timespec="seconds")
        channels = {
            str(slot): previous
            if (previous := channels.get(str(slot))) and previous["state"] == state
            else {"state": state, "since": stamp}
            for slot, state in report.channels.items()
        }
    return {
        "number": report.number,
        "trunk": report.trunk if report.trunk is not None else stored.trunk if stored else "",
        "alarm": alarm,
        "d_channel": d_channel,
        "since": stored.since if stored and is_unchanged else now,
        "error": error or (stored.error if stored else ""),
        "error_at": now if error else stored.error_at if stored else None,
        "channels": channels,
    }


def _differs(row: dict[str, object], stored: TrunkState | SpanState | None) -> bool:
    return stored is None or any(getattr(stored, name) != value for name, value in row.items())
