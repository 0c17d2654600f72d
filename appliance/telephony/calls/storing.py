"""Stores a call in the ledger, again and again as more facts about it become available."""

import dataclasses
import datetime as dt
import functools
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from peewee import ModelSelect

from appliance.core import live
from appliance.core.clock import microseconds_since_epoch
from appliance.core.settings import Calls
from appliance.core.statements import PreparedQuery, insert_rows, is_one_of, is_one_of_parameter
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
from appliance.telephony.calls.columns import column_values, value_columns
from appliance.telephony.calls.facts import CallFacts, RecordingFacts
from appliance.telephony.calls.outcomes import FOLLOW_UP_CODES


def _position_rows(table: type[QueueVisit] | type[Talk]) -> ModelSelect:
    rows = table.select(table.id, table.call, table.position)
    return rows.where(is_one_of_parameter(table.call, "ids")).order_by(table.id)


_STORED_RATINGS = PreparedQuery(
    lambda: Call.select(Call.id, Call.rating).where(is_one_of_parameter(Call.id, "ids"))
)
_SMS_MARKS = PreparedQuery(
    lambda: SmsRating.select(SmsRating.call_id, SmsRating.mark).where(
        is_one_of_parameter(SmsRating.call_id, "ids"), SmsRating.mark > 0
    )
)
# The facts that an operator's page shows of a call in which the operator no longer takes part.
_PAGE_FACT_QUERIES = (
    PreparedQuery(
        lambda: (
            Ring.select(QueueVisit.call, Ring.operator, Ring.started_at, Ring.ended_at, Ring.result)
            .join(QueueVisit)
            .where(is_one_of_parameter(QueueVisit.call, "ids"))
            .order_by(Ring.id)
        )
    ),
    PreparedQuery(
        lambda: (
            Talk.select(Talk.call, Talk.who, Talk.started_at, Talk.ended_at)
            .where(is_one_of_parameter(Talk.call, "ids"), Talk.party == "operator")
            .order_by(Talk.id)
        )
    ),
    PreparedQuery(
        lambda: (
            Transfer.select(
                *(Transfer.call, Transfer.to, Transfer.by, Transfer.result, Transfer.returned)
            )
            .where(is_one_of_parameter(Transfer.call, "ids"))
            .order_by(Transfer.id)
        )
    ),
)
_POSITION_QUERIES = {
    table: PreparedQuery(functools.partial(_position_rows, table)) for table in (QueueVisit, Talk)
}


def is_short(outcome: str | None, wait: float | None, rules: Calls) -> bool:
    """Returns True if the caller gave up before anybody could have answered.

    `wait` is in seconds.
    """
    return outcome == "abandoned_queue" and (wait or 0) <= rules.short_abandon


def store_call(facts: CallFacts, rules: Calls) -> None:
    """Replace everything that the ledger holds about this call.

    Must run inside a write transaction.
    """
    store_calls([facts], rules)


def store_calls(batch: Sequence[CallFacts], rules: Calls) -> None:
    """Replace everything that the ledger holds about these calls.

    Must run inside a write transaction.
    """
    if not batch:
        return
    ids = [facts.id for facts in batch]
    stored_ratings = dict(_STORED_RATINGS.fetch_tuples(ids=ids))  # call id → its rating
    marks = _sms_marks(batch)
    facts_before = _stored_page_facts(stored_ratings)
    if stored_ratings:
        Call.delete().where(is_one_of(Call.id, stored_ratings)).execute()
    rows = [_call_row(facts, rules, marks) for facts in batch]
    insert_rows(Call, rows)
    _store_visits(batch)
    _store_talks(batch)
    _store_transfers(batch)
    _store_recordings(batch)
    facts_after = _new_page_facts(
        batch, {facts.id: row["rating"] for facts, row in zip(batch, rows, strict=True)}
    )
    changed_keys = {
        key
        for key in facts_before.keys() | facts_after.keys()
        if facts_before.get(key) != facts_after.get(key)
    }
    logins = {login for _call, login in changed_keys} | set().union(
        *map(_involved_operators, batch)
    )
    live.publish_topics("calls", *(f"call:{login}" for login in sorted(logins)))


def numbers_to_call_back(batch: Iterable[CallFacts]) -> set[str]:
    """Return the numbers that somebody has to call back because these calls were missed."""
    return {
        number
        for facts in batch
        if facts.direction == "inbound" and facts.outcome in FOLLOW_UP_CODES
        for number in (facts.caller, facts.callee)
        if number
    }


def delete_calls(ids: Collection[str]) -> None:
    """Delete calls that turned out to belong to other calls.

    Must run inside a write transaction.
    """
    if ids and Call.delete().where(Call.id.in_(ids)).execute():
        live.publish_topics("calls")


# The columns of a call that are facts or are computed from the facts alone.
_FACT_COLUMNS = tuple(name for name in value_columns(Call) if name != "short")


def _call_row(facts: CallFacts, rules: Calls, marks: Mapping[str, int]) -> dict[str, object]:
    row = column_values(facts, _FACT_COLUMNS)
    row["short"] = is_short(facts.outcome, row["wait_seconds"], rules)
    if facts.rating is None and facts.ended_at and facts.id in marks:
        row |= {"rating": marks[facts.id], "rating_channel": "sms"}
    return row


def _sms_marks(batch: Iterable[CallFacts]) -> dict[str, int]:
    """Return the marks that callers sent by SMS, by call id; the event log lacks these marks."""
    unrated_ids = [facts.id for facts in batch if facts.rating is None and facts.ended_at]
    return dict(_SMS_MARKS.fetch_tuples(ids=unrated_ids))


# When these functions run, the rows that belonged to a call were deleted with its former row.


def _store_visits(batch: Sequence[CallFacts]) -> None:
    visits = [row for facts in batch for row in _part_rows(QueueVisit, facts, facts.visits)]
    insert_rows(QueueVisit, visits)
    rings_by_position = {
        (facts.id, position): visit.rings
        for facts in batch
        for position, visit in enumerate(facts.visits)
        if visit.rings
    }
    rings = [
        {"visit": row, **column_values(ring, value_columns(Ring))}
        for row, key in _inserted_rows(QueueVisit, {call for call, _ in rings_by_position})
        for ring in rings_by_position.get(key, ())
    ]
    insert_rows(Ring, rings)


def _store_talks(batch: Sequence[CallFacts]) -> None:
    talks = [row for facts in batch for row in _part_rows(Talk, facts, facts.talks)]
    insert_rows(Talk, talks)
    gaps_by_position = {
        (facts.id, position): talk.gaps
        for facts in batch
        for position, talk in enumerate(facts.talks)
        if talk.gaps
    }
    gaps = [
        {"talk": row, "started_at": begin, "ended_at": end}
        for row, key in _inserted_rows(Talk, {call for call, _ in gaps_by_position})
        for begin, end in gaps_by_position.get(key, ())
    ]
    insert_rows(Gap, gaps)


def _inserted_rows(
    table: type[QueueVisit] | type[Talk], ids: Collection[str]
) -> list[tuple[int, tuple[str, int]]]:
    """Return (row id, (call, position)) of each row just inserted for these calls, in order."""
    if not ids:
        return []
    return [
        (row, (call, position))
        for row, call, position in _POSITION_QUERIES[table].fetch_tuples(ids=ids)
    ]


def _store_transfers(batch: Sequence[CallFacts]) -> None:
    transfers = [row for facts in batch for row in _part_rows(Transfer, facts, facts.transfers)]
    insert_rows(Transfer, transfers)
    attempts = [row for facts in batch for row in _part_rows(DialAttempt, facts, facts.attempts)]
    insert_rows(DialAttempt, attempts)


def _part_rows(
    table: Any, facts: CallFacts, parts: Sequence[object]
) -> Iterator[dict[str, object]]:
    """Yield a row for each part of a call: a visit, a talk, a transfer or an attempt."""
    for position, part in enumerate(parts):
        yield {
            "call": facts.id,
            "position": position,
            **column_values(part, value_columns(table)),
        }


# The other columns of a recording are filled after the call, when its file is measured.
_RECORDING_COLUMNS = tuple(field.name for field in dataclasses.fields(RecordingFacts))


def _store_recordings(batch: Sequence[CallFacts]) -> None:
    recordings = [
        {"call_id": facts.id, **column_values(recording, _RECORDING_COLUMNS)}
        for facts in batch
        for recording in facts.recordings
    ]
    updated_columns = ("call_id", *(name for name in _RECORDING_COLUMNS if name != "file"))
    insert_rows(Recording, recordings, update=updated_columns)


type _PageFacts = dict[tuple[str, str], tuple[list[Any], list[Any]]]  # (call, login) → facts


def _stored_page_facts(ratings: Mapping[str, object]) -> _PageFacts:
    """The facts that operators' pages show of these calls, as stored so far."""
    if not ratings:
        return {}
    return _page_facts(
        ratings.items(), *(question.fetch_tuples(ids=ratings) for question in _PAGE_FACT_QUERIES)
    )


def _new_page_facts(batch: Sequence[CallFacts], ratings: Mapping[str, object]) -> _PageFacts:
    """The facts that operators' pages show of these calls, as they are stored now."""

    def to_microseconds(time: dt.datetime | None) -> int | None:
        return microseconds_since_epoch(time) if time else None

    return _page_facts(
        ratings.items(),
        [
            (
                facts.id,
                ring.operator,
                to_microseconds(ring.started_at),
                to_microseconds(ring.ended_at),
                ring.result,
            )
            for facts in batch
            for visit in facts.visits
            for ring in visit.rings
        ],
        [
            (facts.id, talk.who, to_microseconds(talk.started_at), to_microseconds(talk.ended_at))
            for facts in batch
            for talk in facts.talks
            if talk.party == "operator"
        ],
        [
            (facts.id, transfer.to, transfer.by, transfer.result, transfer.returned)
            for facts in batch
            for transfer in facts.transfers
        ],
    )


def _page_facts(
    ratings: Iterable[Any], rings: Iterable[Any], talks: Iterable[Any], transfers: Iterable[Any]
) -> _PageFacts:
    """Return the facts that the page of each operator shows of each call, by (call, login).

    Each row begins with the call id; in rows of `rings` and `talks` the operator's login is next.
    """
    operator_facts: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)
    for call, login, *values in (*rings, *talks):
        operator_facts[call, login].append(values)
    call_facts: defaultdict[str, list[Any]] = defaultdict(list)
    for call, *values in (*transfers, *ratings):
        call_facts[call].append(values)
    return {key: (values, call_facts[key[0]]) for key, values in operator_facts.items()}


def _involved_operators(facts: CallFacts) -> set[str]:
    """Return the operators who are in the call or who placed it: their pages show all of it."""
    ringing_logins = {
        ring.operator for visit in facts.visits for ring in visit.rings if not ring.ended_at
    }
    talking_logins = {
        talk.who for talk in facts.talks if talk.party == "operator" and not talk.ended_at
    }
    consulting_logins = {
        transfer.by for transfer in facts.transfers if transfer.by and not transfer.result
    }
    return ringing_logins | talking_logins | consulting_logins | ({facts.by} if facts.by else set())
