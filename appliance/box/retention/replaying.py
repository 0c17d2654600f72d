"""Masks again, in a restored database, what was masked after the moment that it holds."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from appliance.box.mask_journal import RULE, Mask
from appliance.box.retention import on_request, rules
from appliance.core import audit
from appliance.core.settings import Settings
from appliance.models import Appeal, Call, CallForm, DataRequest


@dataclass
class Replay:
    """How many records were masked again, and the numbers of appeals that are open now."""

    count: int
    open_appeals: list[str]


def replay(settings: Settings, masks: Iterable[Mask], by: str) -> Replay:
    """Mask again what a database holds of masked records, a citizen at a time.

    A citizen with an appeal that is open again, or held, is not masked: that takes a new request
    once the appeal is closed.
    """
    groups: dict[str, list[Mask]] = defaultdict(list)
    for one in masks:
        groups[one.rule].append(one)  # a request is of one citizen
    result = Replay(0, [])
    for rule, group in groups.items():
        subjects = {kind: {one.subject for one in group if one.kind == kind} for kind in _KINDS}
        records = _records(subjects, any(one.own_number for one in group))
        if not records:
            continue
        request = _request(rule, records)
        try:
            on_request.mask_records(settings, records, rule, by)
        except on_request.RequestError as error:
            result.open_appeals.append(error.number)
            continue
        result.count += len(records)
        if request:
            on_request.close_again(request)
    if result.count or result.open_appeals:
        audit.record(by, "retention.mask_again", "", masked=result.count, open=result.open_appeals)
    return result


_KINDS = ("appeal", "appeal_person", "call_form", "call_form_person", "call_person")


def _records(subjects: dict[str, set[str]], own_number: bool) -> on_request.Records:
    """What a database holds of the records that is not masked in it."""
    numbers = subjects["appeal"] | subjects["appeal_person"]
    form_numbers = subjects["call_form"] | subjects["call_form_person"]
    calls = [c.id for c in Call.select().where(Call.id.in_(subjects["call_person"]))]
    appeals = list(Appeal.select().where(Appeal.number.in_(numbers)))
    forms = list(CallForm.select().where(CallForm.number.in_(form_numbers)))
    phone = ""
    if own_number and any(not rules.removed("call_person", id).exists() for id in calls):
        phone = _own_number(calls, {row.phone for row in (*appeals, *forms)})
    return on_request.Records(
        [one for one in appeals if not _is_masked(one.number, "appeal")],
        [one for one in forms if not _is_masked(one.number, "call_form")],
        [id for id in calls if not rules.removed("call_person", id).exists()],
        phone,
    )


def _own_number(calls: list[str], phones: set[str]) -> str:
    """The number that is a citizen's, by his calls; "" when they have none.

    He may have asked for something from the phone of another, of whom nothing may go: a number
    that he named as his comes first, then the one that most of the calls have.
    """
    rows = Call.select().where(Call.id.in_(calls))
    numbers = Counter(call.citizen for call in rows if call.citizen)
    return max(numbers, key=lambda number: (number in phones, numbers[number]), default="")


def _is_masked(number: str, kind: str) -> bool:
    return any(rules.removed(one, number).exists() for one in (kind, f"{kind}_person"))


def _request(rule: str, records: on_request.Records) -> DataRequest | None:
    """The citizen's request, when it is open again: it was answered once and needs no new answer.

    Another citizen's may have its number since an earlier restore.
    """
    number = rule.removeprefix(f"{RULE}=")
    asked = DataRequest.get_or_none(
        DataRequest.id == (int(number) if number.isdigit() else 0),
        DataRequest.kind == "mask",
        DataRequest.state == "open",
    )
    rows = (*records.appeals, *records.call_forms)
    phones = {records.phone, *(row.phone for row in rows)}
    numbers = {row.number for row in rows}
    is_his = asked and (asked.phone in phones or numbers & {*asked.records.get("named", ())})
    return asked if is_his else None
