"""Writing a call down, as often as more becomes known of it."""

from collections.abc import Collection, Mapping, Sequence

from appliance.core import live
from appliance.core.tables import Table
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


def store(facts: CallFacts, short_abandon: float) -> None:
    """Replace what the ledger says of this call. Call it inside a write transaction.

    `short_abandon`: seconds up to which a caller who gives up in the queue counts as short.
    """
    phones = {ring.operator for ring in _open_rings(facts)} | _operators_of(facts.id)
    rating, channel = _rating(facts)
    Call.delete().where(Call.id == facts.id).execute()
    Call.insert(
        id=facts.id,
        direction=facts.direction,
        arrived_at=facts.arrived_at,
        ended_at=facts.ended_at,
        hotline_number=facts.hotline_number,
        diverted_from=facts.diverted_from,
        caller=facts.caller,
        callee=facts.callee,
        trunk=facts.trunk,
        technology=facts.technology,
        language=facts.language,
        menu=facts.menu,
        stage=facts.stage,
        outcome=facts.outcome,
        short=facts.outcome == "abandoned_queue" and (facts.wait_seconds or 0) <= short_abandon,
        menu_seconds=facts.menu_seconds,
        wait_seconds=facts.wait_seconds,
        talk_seconds=facts.talk_seconds,
        hold_seconds=facts.hold_seconds,
        ended_by=facts.ended_by,
        rating=rating,
        rating_channel=channel,
        synthetic=facts.synthetic,
        topic=facts.topic,
        sip=facts.sip,
        by=facts.by,
        reason=facts.reason,
        serves=facts.serves,
    ).execute()
    _store_visits(facts)
    _store_talks(facts)
    _store_transfers(facts)
    for one in facts.recordings:
        told = {"call_id": facts.id, "begun_at": one.begun_at, "aside": one.aside}
        row = Recording.insert(file=one.file, **told)
        row.on_conflict(conflict_target=[Recording.file], update=told).execute()
    phones |= {talk.who for talk in facts.talks if talk.party == "operator"}
    if facts.by:
        phones.add(facts.by)
    live.publish("calls", *(f"operator:{login}" for login in sorted(phones)))


def _rating(facts: CallFacts) -> tuple[int | None, str | None]:
    """The mark and how it was given: by keypad, else by SMS, of which the log knows nothing."""
    if facts.rating is None and facts.ended_at:
        asked = SmsRating.get_or_none(SmsRating.call_id == facts.id)
        if asked and asked.mark:
            return asked.mark, "sms"
    return facts.rating, facts.rating_channel


def forget(ids: Collection[str]) -> None:
    """Take out what turned out to be no call of its own. Call it inside a write transaction."""
    if ids and Call.delete().where(Call.id.in_(ids)).execute():
        live.publish("calls")


# What belongs to a call was removed with its former row.


def _store_visits(facts: CallFacts) -> None:
    for position, visit in enumerate(facts.visits):
        row = QueueVisit.insert(
            call=facts.id,
            position=position,
            queue=visit.queue,
            joined_at=visit.joined_at,
            left_at=visit.left_at,
            result=visit.result,
            why=visit.why,
        ).execute()
        rings = [
            {
                "visit": row,
                "operator": ring.operator,
                "extension": ring.extension,
                "started_at": ring.started_at,
                "ended_at": ring.ended_at,
                "result": ring.result,
            }
            for ring in visit.rings
        ]
        _insert(Ring, rings)


def _store_talks(facts: CallFacts) -> None:
    for position, talk in enumerate(facts.talks):
        row = Talk.insert(
            call=facts.id,
            position=position,
            party=talk.party,
            who=talk.who,
            extension=talk.extension,
            started_at=talk.started_at,
            ended_at=talk.ended_at,
        ).execute()
        _insert(Gap, [{"talk": row, "started_at": b, "ended_at": e} for b, e in talk.gaps])


def _store_transfers(facts: CallFacts) -> None:
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
        for position, transfer in enumerate(facts.transfers)
    ]
    _insert(Transfer, transfers)
    attempts = [
        {
            "call": facts.id,
            "position": position,
            "trunk": attempt.trunk,
            "at": attempt.at,
            "status": attempt.status,
            "cause": attempt.cause,
        }
        for position, attempt in enumerate(facts.attempts)
    ]
    _insert(DialAttempt, attempts)


def _insert(table: type[Table], rows: Sequence[Mapping[str, object]]) -> None:
    if rows:
        table.insert_many(rows).execute()


def _open_rings(facts: CallFacts) -> list:
    return [ring for visit in facts.visits for ring in visit.rings if ring.ended_at is None]


def _operators_of(call_id: str) -> set[str]:
    """Operators whose page shows the call as it was written down before."""
    ringing = (
        Ring.select(Ring.operator)
        .join(QueueVisit)
        .where(QueueVisit.call == call_id, Ring.ended_at.is_null())
    )
    return {ring.operator for ring in ringing}
