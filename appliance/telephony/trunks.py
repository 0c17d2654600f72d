"""Lines to the carriers as Asterisk tells of them: SIP trunks, E1 spans, calls to try one."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from peewee import Case, fn

from appliance.core import clock, live
from appliance.core.db import writing
from appliance.models import Call, DialAttempt, LineTrial, SpanState, TrunkState
from appliance.telephony.calls.dialling import NOT_CARRIED
from appliance.telephony.routing import Trunk

TOPIC = "lines"
UP, DOWN, UNASKED = "up", "down", "unasked"
SLOTS = 31  # timeslots of a span that carry something; 16 is the D-channel
REGISTER, NO_RESPONSE = "REGISTER ", "no response"  # how errors of a registration begin and end
_GAVE_UP = dt.timedelta(minutes=3)  # after which a test call that told nothing is lost


@dataclass(frozen=True)
class SeenTrunk:
    """A SIP trunk at one moment; what is None was not told, and stays as it was known."""

    name: str
    state: str | None = None  # up | down | unasked
    registration: str | None = None  # "" when none is needed
    round_trip: int | None = None  # milliseconds
    error: str = ""


@dataclass(frozen=True)
class SeenSpan:
    """A span at one moment; what is None was not told. `channels`: timeslot → free, busy, alarm."""

    number: int
    trunk: str | None = None
    alarm: str | None = None
    d_channel: bool | None = None
    channels: Mapping[int, str] | None = None


@dataclass(frozen=True)
class Traffic:
    """A trunk's day: calls over it, the last one each way, and the last attempt that failed."""

    calls: int = 0
    last_in: dt.datetime | None = None
    last_out: dt.datetime | None = None
    failed_at: dt.datetime | None = None
    failed: str = ""  # DIALSTATUS
    cause: str = ""  # Q.850


def states() -> dict[str, TrunkState]:
    """Name → SIP trunk."""
    return {row.name: row for row in TrunkState.select()}


def spans() -> list[SpanState]:
    """Every span that was seen, in order."""
    return list(SpanState.select().order_by(SpanState.number))


def of_span(trunks: Iterable[Trunk], number: int) -> str:
    """The trunk of the plan that uses channels of a span; "" for none."""
    return next((t.name for t in trunks if t.kind == "e1" and number in spans_of(t)), "")


def spans_of(trunk: Trunk) -> set[int]:
    """The spans that an E1 trunk's channels ("1-15,17-31") lie on."""
    found: set[int] = set()
    for part in filter(None, trunk.spans.replace(" ", "").split(",")):
        first, _, last = part.partition("-")
        if first.isdigit() and (last or first).isdigit():
            found |= {place(number)[0] for number in range(int(first), int(last or first) + 1)}
    return found


def place(channel: int) -> tuple[int, int]:
    """(span, timeslot) of a channel, as DAHDI counts them through: 32 is slot 1 of span 2."""
    return (channel - 1) // SLOTS + 1, (channel - 1) % SLOTS + 1


def load(trunk: Trunk, channels: Mapping[str, int], spans: Iterable[SpanState]) -> tuple[int, int]:
    """(calls, most calls at once or 0 for no limit) of a trunk of the plan.

    `channels`: SIP trunk → legs of calls on it; `spans`: as seen.
    """
    if trunk.kind == "sip":
        return channels.get(trunk.name, 0), trunk.channels
    slots = [slot for span in spans if span.trunk == trunk.name for slot in span.channels.values()]
    return sum(slot["state"] == "busy" for slot in slots), trunk.channels or len(slots)


def see_trunks(seen: Iterable[SeenTrunk], whole: bool = False) -> list[str]:
    """Write down what changed; `whole`: these are all there are. Returns names that changed."""
    now, known, by_name = clock.now(), states(), {trunk.name: trunk for trunk in seen}
    fresh = {name: _trunk(trunk, known.get(name), now) for name, trunk in by_name.items()}
    changed = [name for name, row in fresh.items() if _differ(row, known.get(name))]
    gone = list(known.keys() - by_name.keys()) if whole else []
    if changed or gone:
        with writing():
            for name in changed:
                TrunkState.replace(**fresh[name]).execute()
            TrunkState.delete().where(TrunkState.name.in_(gone)).execute()
            live.publish(TOPIC)
    return [*changed, *gone]


def see_spans(seen: Iterable[SeenSpan], whole: bool = False) -> list[int]:
    """The same for spans."""
    now, by_number = clock.now(), {span.number: span for span in seen}
    known = {row.number: row for row in SpanState.select()}
    fresh = {number: _span(span, known.get(number), now) for number, span in by_number.items()}
    changed = [number for number, row in fresh.items() if _differ(row, known.get(number))]
    gone = list(known.keys() - by_number.keys()) if whole else []
    if changed or gone:
        with writing():
            for number in changed:
                SpanState.replace(**fresh[number]).execute()
            SpanState.delete().where(SpanState.number.in_(gone)).execute()
            live.publish(TOPIC)
    return [*changed, *gone]


def begin_test(trunk: str, number: str, by: str, span: int | None = None) -> LineTrial:
    """Write down that a line is being tried."""
    with writing():
        live.publish(TOPIC)
        return LineTrial.create(trunk=trunk, span=span, number=number, by=by, at=clock.now())


def end_test(id: int, result: str, cause: str = "", seconds: float | None = None) -> bool:
    """Write down what came of it, once; whether it was still going on."""
    with writing():
        ended = (
            LineTrial.update(result=result, cause=cause, seconds=seconds, ended_at=clock.now())
            .where(LineTrial.id == id, LineTrial.ended_at.is_null())
            .execute()
        )
        live.publish(TOPIC)
    return bool(ended)


def tests() -> dict[tuple[str, int | None], LineTrial]:
    """(trunk, span) → the last call that tried it."""
    newest = LineTrial.select(fn.MAX(LineTrial.id)).group_by(LineTrial.trunk, LineTrial.span)
    return {
        (row.trunk, row.span): row for row in LineTrial.select().where(LineTrial.id.in_(newest))
    }


def goes_on(test: LineTrial) -> bool:
    """Whether a test call has no result yet, and one may still come."""
    return test.ended_at is None and clock.now() - test.at < _GAVE_UP


def traffic(since: dt.datetime) -> dict[str, Traffic]:
    """Name → what went over each trunk since a moment."""
    calls, last_in, last_out = fn.COUNT(Call.id), _last("inbound"), _last("outbound")
    rows = Call.select(Call.trunk, calls, last_in, last_out).where(
        Call.arrived_at >= since, Call.trunk.is_null(False)
    )
    failed = {
        attempt.trunk: attempt
        for attempt in DialAttempt.select(DialAttempt)
        .join(Call)
        .where(Call.arrived_at >= since, DialAttempt.status.in_(NOT_CARRIED))
        .order_by(DialAttempt.at)
    }
    found = {name: counts for name, *counts in rows.group_by(Call.trunk).tuples()}
    return {name: _went(found.get(name), failed.get(name)) for name in found.keys() | failed.keys()}


def _went(counts: list[Any] | None, failed: DialAttempt | None) -> Traffic:
    calls, last_in, last_out = counts or (0, None, None)
    if not failed:
        return Traffic(calls, last_in, last_out)
    return Traffic(calls, last_in, last_out, failed.at, failed.status, failed.cause or "")


def _last(direction: str):  # type: ignore[no-untyped-def]  # peewee's function
    moment = Case(None, [(Call.direction == direction, Call.arrived_at)])
    return fn.MAX(moment).python_value(Call.arrived_at.python_value)


def _trunk(seen: SeenTrunk, known: TrunkState | None, now: dt.datetime) -> dict[str, object]:
    state = seen.state or (known.state if known else UNASKED)
    registration = seen.registration
    if registration is None:
        registration = known.registration if known else ""
    registered_since = now if registration else None
    if known and known.registration == registration:
        registered_since = known.registered_since
    return {
        "name": seen.name,
        "state": state,
        "since": known.since if known and known.state == state else now,
        "registration": registration,
        "registered_since": registered_since,
        "round_trip": None if state != UP else seen.round_trip or (known and known.round_trip),
        "error": seen.error or (known.error if known else ""),
        "error_at": now if seen.error else known.error_at if known else None,
    }


def _span(seen: SeenSpan, known: SpanState | None, now: dt.datetime) -> dict[str, object]:
    alarm = seen.alarm if seen.alarm is not None else known.alarm if known else ""
    d_channel = seen.d_channel if seen.d_channel is not None else not known or known.d_channel
    same = known is not None and (known.alarm, known.d_channel) == (alarm, d_channel)
    broke = alarm and not (known and known.alarm == alarm)
    fell = not d_channel and (not known or known.d_channel)
    error = alarm if broke else "D-channel" if fell else ""
    channels = dict(known.channels) if known else {}
    if seen.channels is not None:
        stamp = now.isoformat(timespec="seconds")
        channels = {
            str(slot): before
            if (before := channels.get(str(slot))) and before["state"] == state
            else {"state": state, "since": stamp}
            for slot, state in seen.channels.items()
        }
    return {
        "number": seen.number,
        "trunk": seen.trunk if seen.trunk is not None else known.trunk if known else "",
        "alarm": alarm,
        "d_channel": d_channel,
        "since": known.since if known and same else now,
        "error": error or (known.error if known else ""),
        "error_at": now if error else known.error_at if known else None,
        "channels": channels,
    }


def _differ(fresh: dict[str, object], known: TrunkState | SpanState | None) -> bool:
    return known is None or any(getattr(known, name) != value for name, value in fresh.items())
