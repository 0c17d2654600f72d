"""Writing a call down, as often as more becomes known of it."""

import functools
from collections.abc import Collection, Iterable, Mapping, Sequence

from peewee import ModelSelect

from appliance.core import live
from appliance.core.settings import Calls
from appliance.core.statements import Question, among, insert, some
from appliance.models import (
    Call,
    DialAttempt,
    Gap,
    QueueVisit,
    Recording,
    Ring,
    SmsRating,
    Talk,
    Transfer,
)
from appliance.telephony.calls.facts import CallFacts, RingFacts
from appliance.telephony.calls.outcomes import FOLLOWED_UP


def _places(table: type[QueueVisit] | type[Talk]) -> ModelSelect:
    rows = table.select(table.id, table.call, table.position)
    return rows.where(some(table.call, "ids")).order_by(table.id)


_KNOWN = Question(lambda: Call.select(Call.id).where(some(Call.id, "ids")))
_MARKS = Question(
    lambda: SmsRating.select(SmsRating.call_id, SmsRating.mark).where(
        some(SmsRating.call_id, "ids"), SmsRating.mark > 0
    )
)
_RINGING = Question(
    lambda: (
        Ring.select(Ring.operator)
        .join(QueueVisit)
        .where(some(QueueVisit.call, "ids"), Ring.ended_at.is_null())
    )
)
_WRITTEN = {table: Question(functools.partial(_places, table)) for table in (QueueVisit, Talk)}


def is_short(outcome: str | None, wait: float | None, rules: Calls) -> bool:
    """Whether a caller gave up so soon that nobody could have answered; `wait`: seconds."""
    return outcome == "abandoned_queue" and (wait or 0) <= rules.short_abandon


def store(facts: CallFacts, rules: Calls) -> None:
    """Replace what the ledger says of this call. Call it inside a write transaction."""
    store_all([facts], rules)


def store_all(many: Sequence[CallFacts], rules: Calls) -> None:
    """The same for many calls at once."""
    if not many:
        return
    ids = [facts.id for facts in many]
    known = [id for (id,) in _KNOWN.ask(ids=ids)]
    # operators whose page shows a call as it is now, or as it was written down before
    phones = {ring.operator for facts in many for ring in _open_rings(facts)}
    phones |= _operators_of(known)
    marks = _marks_by_sms(many)
    if known:
        Call.delete().where(among(Call.id, known)).execute()
    insert(Call, [_row(facts, rules, marks) for facts in many])
    _store_visits(many)
    _store_talks(many)
    _store_transfers(many)
    sounds = [
        {"file": one.file, "call_id": facts.id, "begun_at": one.begun_at, "aside": one.aside}
        for facts in many
        for one in facts.recordings
    ]
    insert(Recording, sounds, update=("call_id", "begun_at", "aside"))
    phones |= {talk.who for facts in many for talk in facts.talks if talk.party == "operator"}
    phones |= {facts.by for facts in many if facts.by}
    live.publish("calls", *(f"call:{login}" for login in sorted(phones)))


def missed(many: Iterable[CallFacts]) -> set[str]:
    """The numbers that somebody is to call back because of these calls."""
    return {
        number
        for facts in many
        if facts.direction == "inbound" and facts.outcome in FOLLOWED_UP
        for number in (facts.caller, facts.callee)
        if number
    }


def forget(ids: Collection[str]) -> None:
    """Take out what turned out to be no call of its own. Call it inside a write transaction."""
    if ids and Call.delete().where(Call.id.in_(ids)).execute():
        live.publish("calls")


def _row(facts: CallFacts, rules: Calls, marks: Mapping[str, int]) -> dict[str, object]:
    rating, channel = facts.rating, facts.rating_channel
    if rating is None and facts.ended_at and facts.id in marks:
        rating, channel = marks[facts.id], "sms"
    return {
        "id": facts.id,
        "direction": facts.direction,
        "arrived_at": facts.arrived_at,
        "ended_at": facts.ended_at,
        "hotline_number": facts.hotline_number,
        "diverted_from": facts.diverted_from,
        "caller": facts.caller,
        "callee": facts.callee,
        "trunk": facts.trunk,
        "technology": facts.technology,
        "language": facts.language,
        "menu": facts.menu,
        "stage": facts.stage,
        "outcome": facts.outcome,
        "short": is_short(facts.outcome, facts.wait_seconds, rules),
        "menu_seconds": facts.menu_seconds,
        "wait_seconds": facts.wait_seconds,
        "talk_seconds": facts.talk_seconds,
        "hold_seconds": facts.hold_seconds,
        "ended_by": facts.ended_by,
        "rating": rating,
        "rating_channel": channel,
        "synthetic": facts.synthetic,
        "topic": facts.topic,
        "sip": facts.sip,
        "by": facts.by,
        "reason": facts.reason,
        "serves": facts.serves,
    }


def _marks_by_sms(many: Iterable[CallFacts]) -> dict[str, int]:
    """Call → the mark that was given by SMS, of which the log knows nothing."""
    unrated = [facts.id for facts in many if facts.rating is None and facts.ended_at]
    return dict(_MARKS.ask(ids=unrated))


# What belongs to a call was removed with its former row.


def _store_visits(many: Sequence[CallFacts]) -> None:
    visits = [
        {
            "call": facts.id,
            "position": position,
            "queue": visit.queue,
            "joined_at": visit.joined_at,
            "left_at": visit.left_at,
            "result": visit.result,
            "why": visit.why,
        }
        for facts in many
        for position, visit in enumerate(facts.visits)
    ]
    insert(QueueVisit, visits)
    rung = {
        (facts.id, position): visit.rings
        for facts in many
        for position, visit in enumerate(facts.visits)
        if visit.rings
    }
    rings = [
        {
            "visit": row,
            "operator": ring.operator,
            "extension": ring.extension,
            "started_at": ring.started_at,
            "ended_at": ring.ended_at,
            "result": ring.result,
        }
        for row, key in _rows_of(QueueVisit, {call for call, _ in rung})
        for ring in rung.get(key, ())
    ]
    insert(Ring, rings)


def _store_talks(many: Sequence[CallFacts]) -> None:
    talks = [
        {
            "call": facts.id,
            "position": position,
            "party": talk.party,
            "who": talk.who,
            "extension": talk.extension,
            "started_at": talk.started_at,
            "ended_at": talk.ended_at,
        }
        for facts in many
        for position, talk in enumerate(facts.talks)
    ]
    insert(Talk, talks)
    away = {
        (facts.id, position): talk.gaps
        for facts in many
        for position, talk in enumerate(facts.talks)
        if talk.gaps
    }
    gaps = [
        {"talk": row, "started_at": begin, "ended_at": end}
        for row, key in _rows_of(Talk, {call for call, _ in away})
        for begin, end in away.get(key, ())
    ]
    insert(Gap, gaps)


def _rows_of(
    table: type[QueueVisit] | type[Talk], ids: Collection[str]
) -> list[tuple[int, tuple[str, int]]]:
    """(id, (call, position)) of what was just written of these calls, in order."""
    if not ids:
        return []
    return [(row, (call, place)) for row, call, place in _WRITTEN[table].ask(ids=ids)]


def _store_transfers(many: Sequence[CallFacts]) -> None:
    transfers = [
        {
            "call": facts.id,
            "position": position,
            "kind": transfer.kind,
            "to": transfer.to,
            "by": transfer.by,
            "at": transfer.at,
            "result": transfer.result,
            "returned": transfer.returned,
        }
        for facts in many
        for position, transfer in enumerate(facts.transfers)
    ]
    insert(Transfer, transfers)
    attempts = [
        {
            "call": facts.id,
            "position": position,
            "trunk": attempt.trunk,
            "at": attempt.at,
            "status": attempt.status,
            "cause": attempt.cause,
        }
        for facts in many
        for position, attempt in enumerate(facts.attempts)
    ]
    insert(DialAttempt, attempts)


def _open_rings(facts: CallFacts) -> list[RingFacts]:
    return [ring for visit in facts.visits for ring in visit.rings if ring.ended_at is None]


def _operators_of(ids: Collection[str]) -> set[str]:
    """Operators whose page shows one of the calls as it was written down before."""
    return {operator for (operator,) in _RINGING.ask(ids=ids)} if ids else set()
