"""Writing a call down, as often as more becomes known of it."""

import datetime as dt
import functools
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from peewee import ModelSelect

from appliance.core import live
from appliance.core.clock import microseconds
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
from appliance.telephony.calls.facts import CallFacts
from appliance.telephony.calls.outcomes import FOLLOWED_UP


def _places(table: type[QueueVisit] | type[Talk]) -> ModelSelect:
    rows = table.select(table.id, table.call, table.position)
    return rows.where(some(table.call, "ids")).order_by(table.id)


_KNOWN = Question(lambda: Call.select(Call.id, Call.rating).where(some(Call.id, "ids")))
_MARKS = Question(
    lambda: SmsRating.select(SmsRating.call_id, SmsRating.mark).where(
        some(SmsRating.call_id, "ids"), SmsRating.mark > 0
    )
)
# What an operator's page shows of a call that he is not in any more, or was only rung for.
_SHOWN = (
    Question(
        lambda: (
            Ring.select(QueueVisit.call, Ring.operator, Ring.started_at, Ring.ended_at, Ring.result)
            .join(QueueVisit)
            .where(some(QueueVisit.call, "ids"))
            .order_by(Ring.id)
        )
    ),
    Question(
        lambda: (
            Talk.select(Talk.call, Talk.who, Talk.started_at, Talk.ended_at)
            .where(some(Talk.call, "ids"), Talk.party == "operator")
            .order_by(Talk.id)
        )
    ),
    Question(
        lambda: (
            Transfer.select(
                *(Transfer.call, Transfer.to, Transfer.by, Transfer.result, Transfer.returned)
            )
            .where(some(Transfer.call, "ids"))
            .order_by(Transfer.id)
        )
    ),
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
    known = dict(_KNOWN.ask(ids=ids))  # call → its mark
    marks = _marks_by_sms(many)
    before = _parts_known(known)
    if known:
        Call.delete().where(among(Call.id, known)).execute()
    rows = [_row(facts, rules, marks) for facts in many]
    insert(Call, rows)
    _store_visits(many)
    _store_talks(many)
    _store_transfers(many)
    sounds = [
        {"file": one.file, "call_id": facts.id, "begun_at": one.begun_at, "aside": one.aside}
        for facts in many
        for one in facts.recordings
    ]
    insert(Recording, sounds, update=("call_id", "begun_at", "aside"))
    now = _parts_told(
        many, {facts.id: row["rating"] for facts, row in zip(many, rows, strict=True)}
    )
    changed = {key for key in before.keys() | now.keys() if before.get(key) != now.get(key)}
    told = {login for _call, login in changed} | set().union(*map(_busy, many))
    live.publish("calls", *(f"call:{login}" for login in sorted(told)))


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


type _Parts = dict[tuple[str, str], tuple[list[Any], list[Any]]]  # (call, login) → his, the call's


def _parts_known(ratings: Mapping[str, object]) -> _Parts:
    """What operators' pages show of these calls, as they were written down before."""
    if not ratings:
        return {}
    return _parts(ratings.items(), *(question.ask(ids=ratings) for question in _SHOWN))


def _parts_told(many: Sequence[CallFacts], ratings: Mapping[str, object]) -> _Parts:
    """The same of what is told now."""

    def at(moment: dt.datetime | None) -> int | None:
        return microseconds(moment) if moment else None

    return _parts(
        ratings.items(),
        [
            (facts.id, ring.operator, at(ring.started_at), at(ring.ended_at), ring.result)
            for facts in many
            for visit in facts.visits
            for ring in visit.rings
        ],
        [
            (facts.id, talk.who, at(talk.started_at), at(talk.ended_at))
            for facts in many
            for talk in facts.talks
            if talk.party == "operator"
        ],
        [
            (facts.id, one.to, one.by, one.result, one.returned)
            for facts in many
            for one in facts.transfers
        ],
    )


def _parts(
    ratings: Iterable[Any], rings: Iterable[Any], talks: Iterable[Any], transfers: Iterable[Any]
) -> _Parts:
    """Rows that begin with a call, those of rings and talks with the operator after it."""
    own: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)
    for call, login, *told in (*rings, *talks):
        own[call, login].append(told)
    of_call: defaultdict[str, list[Any]] = defaultdict(list)
    for call, *told in (*transfers, *ratings):
        of_call[call].append(told)
    return {key: (told, of_call[key[0]]) for key, told in own.items()}


def _busy(facts: CallFacts) -> set[str]:
    """Operators who are in the call, or who placed it: their pages show all of it."""
    rings = {ring.operator for visit in facts.visits for ring in visit.rings if not ring.ended_at}
    talks = {talk.who for talk in facts.talks if talk.party == "operator" and not talk.ended_at}
    asking = {one.by for one in facts.transfers if one.by and not one.result}
    return rings | talks | asking | ({facts.by} if facts.by else set())
