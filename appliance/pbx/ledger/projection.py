"""Projects calls into the ledger: gathers what is stored about them, interprets and stores it."""

import datetime as dt
import functools
import logging
from collections.abc import Callable, Mapping, Sequence

from peewee import OperationalError

from appliance.core.db import database
from appliance.core.settings import Calls, Settings
from appliance.models import MergedCall
from appliance.pbx.eventlog import Event
from appliance.pbx.interpret import (
    CallRecords,
    InterpretedCall,
    calls_without_beginning,
    interpret_records,
    root_linkedids,
)
from appliance.pbx.ledger import gathering, records
from appliance.telephony import calls, followups
from appliance.telephony.calls import CallFacts, Damage

log = logging.getLogger(__name__)


def call_projector(settings: Settings) -> Callable[[str], None]:
    """Return a function that takes a linkedid and projects its call, as `project_call` does."""
    return functools.partial(project_call, rules=settings.calls)


def interpret_in_advance(
    events_by_call: Mapping[str, Sequence[Event]],
) -> dict[str, InterpretedCall]:
    """Interpret calls from these records alone, as if no others were stored; uses no database.

    For most calls of a log that is so, and their interpretation need not be done while the write
    lock is held. Returns the calls by linkedid, without those whose interpretation failed.
    """
    interpreted_calls = (
        _try_to_interpret(CallRecords(linkedid, events), logging.DEBUG)
        for linkedid, events in events_by_call.items()
    )
    return {call.records.root: call for call in interpreted_calls if call}


def project_calls(
    events_by_call: Mapping[str, Sequence[Event]],
    rules: Calls,
    interpreted_calls: Mapping[str, InterpretedCall],
) -> None:
    """Project these calls: interpret each from all its records and store it in the ledger.

    `events_by_call` contains all records of each linkedid, which are stored already. Calls that
    depend on no other are stored together, the rest one by one. `rules` are the settings of calls.
    `interpreted_calls` were interpreted in advance; one is used if the same records are gathered
    now. Call it inside a write transaction.
    """
    stored_ids: set[str] = set()
    try:
        with database.atomic():
            gathered = gathering.independent_calls(events_by_call)
            interpreted = [_reuse_or_interpret(call, interpreted_calls) for call in gathered]
            facts = [call.facts for call in interpreted if call and call.facts]
            _store_independent_calls(facts, rules)
            stored_ids = {call_facts.id for call_facts in facts}
    except OperationalError:  # not the fault of a call: the database is busy, or its disk is full
        raise
    except Exception:  # one of them cannot be written: each is projected singly
        log.exception("%d calls cannot be stored together", len(events_by_call))
        stored_ids = set()
    for linkedid in sorted(events_by_call.keys() - stored_ids):
        project_call(linkedid, rules)


def _reuse_or_interpret(
    call_records: CallRecords, interpreted_calls: Mapping[str, InterpretedCall]
) -> InterpretedCall | None:
    """Return the interpretation of these records: the one made in advance, if it still holds.

    It holds if it was made from the same records. Returns None if the interpretation fails.
    """
    call = interpreted_calls.get(call_records.root)
    if call and call.records == call_records:
        return call
    return _try_to_interpret(call_records, logging.ERROR)


def _try_to_interpret(call_records: CallRecords, level: int) -> InterpretedCall | None:
    """Return the interpretation of a call; None if it fails, which is logged at this level."""
    try:
        return interpret_records(call_records)
    except Exception:  # the boundary of a call: if it fails singly too, it is set aside
        log.log(level, "call %s is tried by itself", call_records.root, exc_info=True)
        return None


def _store_independent_calls(batch: Sequence[CallFacts], rules: Calls) -> None:
    """Store calls of which no other call is a part, and update the tasks to call callers back.

    A call that has neither an end nor a talk yet changes no task.
    """
    calls.store_calls(batch, rules)
    first_arrivals: dict[str, dt.datetime] = {}
    for call in batch:
        if call.ended_at or call.talks:
            for number in filter(None, (call.caller, call.callee)):
                at = first_arrivals.get(number, call.arrived_at)
                first_arrivals[number] = min(at, call.arrived_at)
    followups.update_concerned_tasks(first_arrivals, calls.numbers_to_call_back(batch))


def project_call(linkedid: str, rules: Calls) -> None:
    """Project the call that this linkedid's records belong to: interpret and store it again.

    A phone's second call belongs to the call that waits during it, and is projected with it. A call
    that cannot be interpreted keeps its former row, and is set aside (`calls.quarantine_pieces`)
    until it can. `rules` are the settings of calls, such as when a call counts as short.
    """
    name = linkedid.encode("utf-8", "replace")
    try:
        with database.atomic():
            _project_family(linkedid, rules)
    except OperationalError:  # not the call's fault: the database is busy, or its disk is full
        raise
    except Exception:  # the boundary of a call: all others are projected
        log.exception("call %s cannot be interpreted", linkedid)
        calls.quarantine_pieces("", [Damage("untold", 0, name, linkedid=linkedid)])
    else:
        calls.release_piece("untold", name)


def _project_family(linkedid: str, rules: Calls) -> None:
    """Project the calls to which the records of this linkedid belong.

    These are the calls of which they are a part, or those that they name themselves. If another
    linkedid turns out to be no longer a part of one of these calls, its own call is projected too.
    """
    events = records.family_events(linkedid)
    if not events:
        return
    for name, at in calls_without_beginning(events).items():
        calls.record_seen_call(name, "from-trunk", at)
    if enclosing_ids := gathering.enclosing_calls(events):
        for enclosing_id in enclosing_ids:
            _project_family(enclosing_id, rules)
        if gathering.calls_merged_with(events):
            return
    for root in root_linkedids(events):
        call = interpret_records(gathering.gather_call(root, events))
        for released_id in _store_call(call, rules):
            _project_family(released_id, rules)


def _store_call(call: InterpretedCall, rules: Calls) -> list[str]:
    """Store one call, and which other linkedids are part of it; delete it if it has no facts.

    Without facts the records describe no call. Returns the linkedids that were part of the call
    before and no longer are.
    """
    facts, root = call.facts, call.records.root
    if not facts:
        calls.delete_calls(call.linkedids)
        return []
    calls.store_call(facts, rules)
    if facts.ended_at or facts.talks:
        followups.update_tasks(facts.arrived_at, facts.caller, facts.callee)
    calls.delete_calls(call.merged_ids)
    rows = MergedCall.select(MergedCall.linkedid).where(MergedCall.call_id == root)
    former_ids = {row.linkedid for row in rows}
    for linkedid in sorted(call.merged_ids - former_ids):
        MergedCall.replace(linkedid=linkedid, call_id=root).execute()
    released_ids = former_ids - call.merged_ids
    for linkedid in released_ids:
        MergedCall.delete().where(MergedCall.linkedid == linkedid).execute()
    return sorted(released_ids)
