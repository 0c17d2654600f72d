"""Whether the ledger holds every call that came."""

import datetime as dt
from dataclasses import dataclass

from peewee import Expression, fn

from appliance.core import clock
from appliance.models import AsteriskWatch, Call, EventRow, Recording, SeenCall, SipRefusal
from appliance.telephony.calls import quarantine


@dataclass(frozen=True)
class Lack:
    """A call whose sound is missing or shorter than its talks; seconds."""

    call: str
    arrived_at: dt.datetime
    expected: float
    found: float


@dataclass(frozen=True)
class Balance:
    """Whether the ledger holds every call of a period that arrived at the trunks.

    `arrivals` is counted from the log's own rows and from what Asterisk told of while calls came,
    so that a log that lost them does not hide it; `outcomes` (outcome → calls) and `open` (calls
    that still go on) from the ledger; `difference` is what the ledger lacks, and must be 0.
    `unobserved` lists the stretches in which Asterisk was not seen: what came then is unknown.
    Recordings are those of every call with a talk, incoming and outgoing; `lacking` lists the calls
    whose sound is missing or too short. `sip_refused` are requests that Asterisk turned away before
    they were calls (Asterisk's own messages tell); they are no part of the sum. `damaged` are
    pieces of the event log that are no whole records, and may hide something of a call.
    """

    arrivals: int
    outcomes: dict[str, int]
    open: int
    difference: int
    unobserved: list[tuple[dt.datetime, dt.datetime]]
    recordings_expected: int
    recordings_found: int
    recordings_short: int
    lacking: tuple[Lack, ...] = ()
    sip_refused: int = 0
    damaged: int = 0


_SHORTER = 1.0  # seconds by which a recording may be shorter than its talks
_LEAST = 1e-9  # seconds of a sound that is there
_SILENCE = dt.timedelta(minutes=1)  # without a sign, after which Asterisk counts as not seen


def arrivals(begin: dt.datetime, end: dt.datetime) -> int:
    """How many calls came in over a trunk in [begin, end).

    Those that the event log holds, and those that Asterisk has reported and that its log lacks,
    or holds without their first record.
    """
    first = EventRow.select(EventRow.hash).where(
        EventRow.linkedid == SeenCall.linkedid, EventRow.begins.is_null(False)
    )
    counted = 0
    for table, more in ((EventRow, ()), (SeenCall, (~fn.EXISTS(first),))):
        within = (table.at >= begin) & (table.at < end)
        counted += table.select().where(table.begins == "from-trunk", within, *more).count()
    return counted


def balance(begin: dt.datetime, end: dt.datetime) -> Balance:
    """The balance of the calls that arrived in [begin, end)."""
    came = arrivals(begin, end)
    within = (Call.arrived_at >= begin, Call.arrived_at < end)
    rows = Call.select(Call.outcome, fn.COUNT(Call.id)).where(Call.direction == "inbound", *within)
    outcomes = dict(rows.group_by(Call.outcome).order_by(Call.outcome).tuples())
    still_open = outcomes.pop(None, 0)
    expected, lacking = _recorded(*within)
    return Balance(
        arrivals=came,
        outcomes=outcomes,
        open=still_open,
        difference=came - sum(outcomes.values()) - still_open,
        unobserved=_unobserved(begin, end),
        recordings_expected=expected,
        recordings_found=expected - sum(not lack.found for lack in lacking),
        recordings_short=sum(lack.found > 0 for lack in lacking),
        lacking=lacking,
        sip_refused=_refused(begin, end),
        damaged=quarantine.damaged(begin, end),
    )


def last_spoken(begin: dt.datetime, end: dt.datetime) -> Lack | None:
    """The call that ended last in [begin, end) and had to be recorded: what of it is there."""
    spoken = (
        Call.select()
        .where(
            Call.ended_at >= begin,
            Call.ended_at < end,
            Call.outcome.is_null(False),
            Call.talk_seconds >= _SHORTER,
            Call.direction != "internal",
        )
        .order_by(Call.ended_at.desc())
        .first()
    )
    if not spoken:
        return None
    files = Recording.select().where(Recording.call_id == spoken.id, ~Recording.aside)
    found = sum(one.seconds or 0.0 for one in files)
    return Lack(spoken.id, spoken.arrived_at, spoken.talk_seconds, found)


def _recorded(*within: Expression) -> tuple[int, tuple[Lack, ...]]:
    """How many calls must have been recorded, and which of them were not, or not whole."""
    spoken = (*within, Call.outcome.is_null(False), Call.talk_seconds > 0)
    spoken = (*spoken, Call.direction != "internal")
    own = Recording.select(fn.SUM(Recording.seconds)).where(
        Recording.call_id == Call.id, ~Recording.aside
    )
    found = fn.COALESCE(own, 0.0)
    # what is whole has a sound that is long enough, and more than nothing
    lacks = found < fn.MAX(Call.talk_seconds - _SHORTER, _LEAST)
    short = (
        Call.select(Call.id, Call.arrived_at, Call.talk_seconds, found)
        .where(*spoken, lacks)
        .order_by(Call.arrived_at)
    )
    return Call.select().where(*spoken).count(), tuple(Lack(*row) for row in short.tuples())


def _refused(begin: dt.datetime, end: dt.datetime) -> int:
    """Requests to call that were refused before a channel was; tried again and taken, they count
    as the call that they became."""
    became = Call.select(Call.sip).where(
        Call.sip.is_null(False),
        Call.arrived_at >= begin - dt.timedelta(minutes=5),
        Call.arrived_at < end + dt.timedelta(minutes=5),
    )
    period = (SipRefusal.at >= begin, SipRefusal.at < end)
    return SipRefusal.select().where(*period, SipRefusal.sip.not_in(became)).count()


def _unobserved(begin: dt.datetime, end: dt.datetime) -> list[tuple[dt.datetime, dt.datetime]]:
    """Stretches of the period in which no Asterisk was seen.

    Each lasts from the last sign of one (a record of its log, an answer to our ping) to the start
    of the next, or until now. What was before the very first sign was before this hotline.
    """
    boots = EventRow.select(EventRow.at, EventRow.linkedid).where(
        EventRow.begins == "BOOT", EventRow.at > begin
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
