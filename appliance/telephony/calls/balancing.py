"""The balance of the ledger: whether it contains every call that arrived."""

import datetime as dt
from dataclasses import dataclass

from peewee import Expression, fn

from appliance.core import clock
from appliance.models import AsteriskWatch, Call, EventRow, Recording, SeenCall, SipRefusal
from appliance.telephony.calls import quarantine


@dataclass(frozen=True)
class RecordingCoverage:
    """How much of a call was recorded: seconds of talk expected, seconds of sound found."""

    call: str
    arrived_at: dt.datetime
    expected: float
    found: float


@dataclass(frozen=True)
class Balance:
    """Whether the ledger contains every call of a period that arrived at the trunks.

    `arrivals` is counted from the rows of the event log and from what Asterisk reported while calls
    arrived, so a log that lost calls does not hide the loss. `outcomes` (the number of calls by
    outcome) and `open` (calls that have not ended) come from the ledger. `difference` is the number
    of calls missing from the ledger, and must be 0. `unobserved` lists the intervals in which
    Asterisk was not observed: it is unknown which calls arrived then. The recordings counted are
    those of every call with a talk, incoming and outgoing; `lacking` lists the calls whose sound is
    missing or too short. `sip_refused` is the number of requests that Asterisk refused before they
    became calls, according to its own messages; `difference` does not include them. `damaged` is
    the number of pieces of the event log that are not whole records; calls may be missing for them.
    """

    arrivals: int
    outcomes: dict[str, int]
    open: int
    difference: int
    unobserved: list[tuple[dt.datetime, dt.datetime]]
    recordings_expected: int
    recordings_found: int
    recordings_short: int
    lacking: tuple[RecordingCoverage, ...] = ()
    sip_refused: int = 0
    damaged: int = 0


_TOLERANCE_SECONDS = 1.0  # a recording may be this much shorter than its talks
_MIN_SOUND_SECONDS = 1e-9  # less counts as no sound
_SILENCE_LIMIT = dt.timedelta(minutes=1)  # if Asterisk shows no sign for longer, it is unobserved


def count_arrivals(begin: dt.datetime, end: dt.datetime) -> int:
    """The number of calls that arrived over a trunk in [begin, end).

    Counts the calls in the event log, and those that Asterisk has reported but its log lacks or
    holds without their first record.
    """
    first_record = EventRow.select(EventRow.hash).where(
        EventRow.linkedid == SeenCall.linkedid, EventRow.begins.is_null(False)
    )
    total = 0
    for table, conditions in ((EventRow, ()), (SeenCall, (~fn.EXISTS(first_record),))):
        within = (table.at >= begin) & (table.at < end)
        total += table.select().where(table.begins == "from-trunk", within, *conditions).count()
    return total


def ledger_balance(begin: dt.datetime, end: dt.datetime) -> Balance:
    """The balance of the calls that arrived in [begin, end)."""
    arrived_calls = count_arrivals(begin, end)
    within = (Call.arrived_at >= begin, Call.arrived_at < end)
    rows = Call.select(Call.outcome, fn.COUNT(Call.id)).where(Call.direction == "inbound", *within)
    outcomes = dict(rows.group_by(Call.outcome).order_by(Call.outcome).tuples())
    open_calls = outcomes.pop(None, 0)
    expected, lacking = _recording_balance(*within)
    return Balance(
        arrivals=arrived_calls,
        outcomes=outcomes,
        open=open_calls,
        difference=arrived_calls - sum(outcomes.values()) - open_calls,
        unobserved=_unobserved_intervals(begin, end),
        recordings_expected=expected,
        recordings_found=expected - sum(not coverage.found for coverage in lacking),
        recordings_short=sum(coverage.found > 0 for coverage in lacking),
        lacking=lacking,
        sip_refused=_count_refused(begin, end),
        damaged=quarantine.count_damaged(begin, end),
    )


def last_recording_coverage(begin: dt.datetime, end: dt.datetime) -> RecordingCoverage | None:
    """Return the coverage of the last recorded call that ended in [begin, end), if any.

    Internal calls and talks shorter than the tolerance of one second do not count.
    """
    last_call = (
        Call.select()
        .where(
            Call.ended_at >= begin,
            Call.ended_at < end,
            Call.outcome.is_null(False),
            Call.talk_seconds >= _TOLERANCE_SECONDS,
            Call.direction != "internal",
        )
        .order_by(Call.ended_at.desc())
        .first()
    )
    if not last_call:
        return None
    files = Recording.select().where(Recording.call_id == last_call.id, ~Recording.aside)
    seconds = sum(file.seconds or 0.0 for file in files)
    return RecordingCoverage(last_call.id, last_call.arrived_at, last_call.talk_seconds, seconds)


def _recording_balance(*within: Expression) -> tuple[int, tuple[RecordingCoverage, ...]]:
    """The number of calls to be recorded, and those whose sound is missing or too short."""
    conditions = (*within, Call.outcome.is_null(False), Call.talk_seconds > 0)
    conditions = (*conditions, Call.direction != "internal")
    sound_seconds = Recording.select(fn.SUM(Recording.seconds)).where(
        Recording.call_id == Call.id, ~Recording.aside
    )
    recorded_seconds = fn.COALESCE(sound_seconds, 0.0)
    # A recording is complete if it is long enough, and contains any sound at all.
    is_short = recorded_seconds < fn.MAX(Call.talk_seconds - _TOLERANCE_SECONDS, _MIN_SOUND_SECONDS)
    short_calls = (
        Call.select(Call.id, Call.arrived_at, Call.talk_seconds, recorded_seconds)
        .where(*conditions, is_short)
        .order_by(Call.arrived_at)
    )
    return Call.select().where(*conditions).count(), tuple(
        RecordingCoverage(*row) for row in short_calls.tuples()
    )


def _count_refused(begin: dt.datetime, end: dt.datetime) -> int:
    """Return the number of call requests that were refused before a channel existed.

    A request that was accepted on a later try is left out: it is counted as a call.
    """
    accepted_requests = Call.select(Call.sip).where(
        Call.sip.is_null(False),
        Call.arrived_at >= begin - dt.timedelta(minutes=5),
        Call.arrived_at < end + dt.timedelta(minutes=5),
    )
    period = (SipRefusal.at >= begin, SipRefusal.at < end)
    refusals = SipRefusal.select().where(*period, SipRefusal.sip.not_in(accepted_requests))
    count: int = refusals.count()
    return count


def _unobserved_intervals(
    begin: dt.datetime, end: dt.datetime
) -> list[tuple[dt.datetime, dt.datetime]]:
    """Return the intervals of the period in which Asterisk was not observed.

    Each lasts from the last sign of a running Asterisk (a record of its log, or an answer to the
    appliance's ping) until the next start of Asterisk, or until now. The time before the very first
    sign is not counted, because the hotline did not exist yet.
    """
    boots = EventRow.select(EventRow.at, EventRow.linkedid).where(
        EventRow.begins == "BOOT", EventRow.at > begin
    )
    gaps = [
        (last_sign, boot.at)
        for boot in boots.order_by(EventRow.at)
        if (last_sign := _last_sign_before(boot.at, boot.linkedid))
    ]
    now = clock.now()
    if (last_sign := _last_sign_before(now)) and now - last_sign > _SILENCE_LIMIT:
        gaps.append((last_sign, now))
    clipped = ((max(since, begin), min(until, end)) for since, until in gaps)
    return [(since, until) for since, until in clipped if since < until]


def _last_sign_before(before: dt.datetime, booting: str = "") -> dt.datetime | None:
    """Return when Asterisk was last observed before `before`.

    `booting` is the linkedid of Asterisk's start record at that time, which does not count itself.
    """
    last_record = EventRow.select(EventRow.at).where(
        EventRow.at < before, EventRow.linkedid != booting
    )
    last_watch = AsteriskWatch.select(AsteriskWatch.seen_at).where(AsteriskWatch.seen_at < before)
    signs = (
        last_record.order_by(EventRow.at.desc()).limit(1).scalar(),
        last_watch.order_by(AsteriskWatch.seen_at.desc()).limit(1).scalar(),
    )
    return max((sign for sign in signs if sign), default=None)
