"""Masks again, in a restored database, the records that were masked after its state was saved."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from appliance.box.mask_journal import DATA_REQUEST_RULE, Mask
from appliance.box.retention import on_request, rules
from appliance.core import audit
from appliance.core.refusals import Refused
from appliance.core.settings import Settings
from appliance.models import Appeal, Call, CallForm, DataRequest


@dataclass
class ReplayResult:
    """How many records were masked again, and the numbers of the appeals that are open now."""

    count: int
    open_appeals: list[str]


def replay_masks(settings: Settings, masks: Iterable[Mask], by: str) -> ReplayResult:
    """Mask the records of `masks` that the database still contains, one citizen at a time.

    A citizen with an appeal that is open again, or on hold, is not masked: that requires a new
    request once the appeal is closed.
    """
    groups: dict[str, list[Mask]] = defaultdict(list)
    for mask in masks:
        groups[mask.rule].append(mask)  # a request concerns one citizen
    result = ReplayResult(0, [])
    for rule, group in groups.items():
        subjects = {
            kind: {mask.subject for mask in group if mask.kind == kind} for kind in _RECORD_KINDS
        }
        records = _unmasked_records(subjects, any(mask.own_number for mask in group))
        if not records:
            continue
        request = _reopened_request(rule, records)
        try:
            on_request.mask_records(settings, records, rule, by)
        except Refused as error:
            result.open_appeals.append(error.subject)
            continue
        result.count += len(records)
        if request:
            on_request.close_reopened_request(request)
    if result.count or result.open_appeals:
        audit.record_entry(
            by, "retention.mask_again", "", masked=result.count, open=result.open_appeals
        )
    return result


_RECORD_KINDS = ("appeal", "appeal_person", "call_form", "call_form_person", "call_person")


def _unmasked_records(subjects: dict[str, set[str]], own_number: bool) -> on_request.CitizenRecords:
    """Return the records of `subjects` (by kind) in the database that are not masked there."""
    numbers = subjects["appeal"] | subjects["appeal_person"]
    form_numbers = subjects["call_form"] | subjects["call_form_person"]
    calls = [call.id for call in Call.select().where(Call.id.in_(subjects["call_person"]))]
    appeals = list(Appeal.select().where(Appeal.number.in_(numbers)))
    forms = list(CallForm.select().where(CallForm.number.in_(form_numbers)))
    phone = ""
    if own_number and any(not rules.matching_removals("call_person", id).exists() for id in calls):
        phone = _likely_own_number(calls, {row.phone for row in (*appeals, *forms)})
    return on_request.CitizenRecords(
        [record for record in appeals if not _is_masked(record.number, "appeal")],
        [record for record in forms if not _is_masked(record.number, "call_form")],
        [id for id in calls if not rules.matching_removals("call_person", id).exists()],
        phone,
    )


def _likely_own_number(calls: list[str], phones: set[str]) -> str:
    """Return the citizen's own number, judged by their calls; "" if the calls have no numbers.

    They may have made a request from another person's phone, whose data must not be removed: a
    number that they gave as their own is preferred, then the one with the most calls.
    """
    rows = Call.select().where(Call.id.in_(calls))
    numbers = Counter(call.citizen for call in rows if call.citizen)
    return max(numbers, key=lambda number: (number in phones, numbers[number]), default="")


def _is_masked(number: str, kind: str) -> bool:
    return any(
        rules.matching_removals(removal_kind, number).exists()
        for removal_kind in (kind, f"{kind}_person")
    )


def _reopened_request(rule: str, records: on_request.CitizenRecords) -> DataRequest | None:
    """Return the citizen's answered request if it is open again; it needs no new answer.

    After an earlier restore, another citizen's request may have the same number: returns None.
    """
    number = rule.removeprefix(f"{DATA_REQUEST_RULE}=")
    request = DataRequest.get_or_none(
        DataRequest.id == (int(number) if number.isdigit() else 0),
        DataRequest.kind == "mask",
        DataRequest.state == "open",
    )
    rows = (*records.appeals, *records.call_forms)
    phones = {records.phone, *(row.phone for row in rows)}
    numbers = {row.number for row in rows}
    is_same_citizen = request and (
        request.phone in phones or numbers & {*request.records.get("named", ())}
    )
    return request if is_same_citizen else None
