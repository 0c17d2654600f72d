"""Whether the ledger holds every call that came."""

import datetime as dt
from collections import Counter
from dataclasses import dataclass

from appliance import clock
from appliance.models import AsteriskWatch, Call, EventRow, Recording


@dataclass(frozen=True)
class Balance:
    """Whether the ledger holds every call of a period that Asterisk's log says arrived.

    `arrivals` is counted from the log's own rows; `outcomes` (outcome → calls) and `open` (calls
    that still go on) from the ledger; `difference` is what the ledger lacks, and must be 0.
    `unobserved` lists the stretches in which Asterisk was not seen: what came then is unknown.
    """

    arrivals: int
    outcomes: dict[str, int]
    open: int
    difference: int
    unobserved: list[tuple[dt.datetime, dt.datetime]]
    recordings_expected: int
    recordings_found: int
    recordings_short: int


_SHORTER = 1.0  # seconds by which a recording may be shorter than its talks
_SILENCE = dt.timedelta(minutes=1)  # without a sign, after which Asterisk counts as not seen


def arrivals(begin: dt.datetime, end: dt.datetime) -> int:
    """How many calls the event log says came in over a trunk in [begin, end)."""
    rows = (
        EventRow.select(EventRow.fields)
        .where(EventRow.event == "CHAN_START", EventRow.at >= begin, EventRow.at < end)
        .tuples()
    )
    return len(
        {
            fields["LinkedID"]
            for (fields,) in rows
            if fields["Context"] == "from-trunk" and fields["UniqueID"] == fields["LinkedID"]
        }
    )


def balance(begin: dt.datetime, end: dt.datetime) -> Balance:
    """The balance of the calls that arrived in [begin, end)."""
    came = arrivals(begin, end)
    in_period = (Call.direction == "inbound", Call.arrived_at >= begin, Call.arrived_at < end)
    found = list(Call.select(Call.id, Call.outcome, Call.talk_seconds).where(*in_period))
    outcomes = Counter(call.outcome for call in found if call.outcome)
    talked = {call.id: call.talk_seconds for call in found if call.outcome == "answered"}
    recorded = _recorded(begin, end)
    return Balance(
        arrivals=came,
        outcomes=dict(sorted(outcomes.items())),
        open=sum(call.outcome is None for call in found),
        difference=came - len(found),
        unobserved=_unobserved(begin, end),
        recordings_expected=len(talked),
        recordings_found=sum(1 for call in talked if recorded.get(call)),
        recordings_short=sum(
            1
            for call, seconds in talked.items()
            if recorded.get(call) and recorded[call] < seconds - _SHORTER
        ),
    )


def _recorded(begin: dt.datetime, end: dt.datetime) -> dict[str, float]:
    """Call → seconds of sound, of the calls that arrived in the period."""
    rows = (
        Recording.select(Recording.call_id, Recording.seconds)
        .join(Call, on=Recording.call_id == Call.id)
        .where(Call.arrived_at >= begin, Call.arrived_at < end, Recording.seconds > 0)
    )
    seconds: Counter[str] = Counter()
    for row in rows:
        seconds[row.call_id] += row.seconds
    return dict(seconds)


def _unobserved(begin: dt.datetime, end: dt.datetime) -> list[tuple[dt.datetime, dt.datetime]]:
    """Stretches of the period in which no Asterisk was seen.

    Each lasts from the last sign of one (a record of its log, an answer to our ping) to the start
    of the next, or until now. What was before the very first sign was before this hotline.
    """
    boots = EventRow.select(EventRow.at, EventRow.linkedid).where(
        EventRow.event == "BOOT", EventRow.at > begin
    )
    gaps = [
        (last, boot.at)
        for boot in boots.order_by(EventRow.at)
        if (last := _last_sign(boot.at, boot.linkedid))
    ]
    now = clock.now()
    if (last := _last_sign(now)) and now - last > _SILENCE:
        gaps.append((last, now))
    clipped = ((max(since, begin), min(until, end)) for since, until in gaps)
    return [(since, until) for since, until in clipped if since < until]


def _last_sign(before: dt.datetime, booting: str = "") -> dt.datetime | None:
    """When an Asterisk was last seen before a moment; `booting` is the linkedid of a new one."""
    record = EventRow.select(EventRow.at).where(EventRow.at < before, EventRow.linkedid != booting)
    seen = AsteriskWatch.select(AsteriskWatch.seen_at).where(AsteriskWatch.seen_at < before)
    signs = (
        record.order_by(EventRow.at.desc()).limit(1).scalar(),
        seen.order_by(AsteriskWatch.seen_at.desc()).limit(1).scalar(),
    )
    return max((sign for sign in signs if sign), default=None)
