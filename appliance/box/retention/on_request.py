"""Masks a citizen at their own request (law OʻRQ-547), before their data reach the age limit.

Personal data are removed at once. What must be kept longer is kept without them: texts of appeals
for two years, recordings for two months (report form №1, table 3), after which retention removes
them. The ledger and the values that reports count stay. An appeal that is open or on hold is not
changed.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from appliance.box.retention import (
    identity,
    issued_reports,
    masking,
    removal_log,
    rules,
    scrubbing,
    traces,
)
from appliance.box.retention.identity import Identity, Redactor
from appliance.casework import data_requests
from appliance.casework.data_requests import StoredRecords
from appliance.core import audit, clock
from appliance.core.db import write_transaction
from appliance.core.refusals import Refused
from appliance.core.settings import Settings
from appliance.messaging.notices import citizens
from appliance.models import Appeal, CallForm, DataRequest, EvidencePack, Handling, User

MIN_APPEAL_YEARS = 2


@dataclass(frozen=True)
class CitizenRecords:
    """The records of one citizen; `phone`: a number that only they use, or ""."""

    appeals: list[Appeal]
    call_forms: list[CallForm]
    calls: list[str]  # ids
    phone: str = ""

    def __len__(self) -> int:
        return len(self.appeals) + len(self.call_forms) + len(self.calls) + bool(self.phone)


@dataclass(frozen=True)
class _MaskingPlan:
    """The citizen's identity, and the changes to other rows and reports that name them."""

    citizen: Identity
    changes: list[traces.Change]
    withdrawals: list[issued_reports.Withdrawal]


def mask_citizen(
    settings: Settings, request: DataRequest, user: User, records: Iterable[str], answer: str
) -> StoredRecords:
    """Mask the selected records, notify the citizen and erase the request's personal data.

    Returns the records that were masked. Raises Refused "open" or "held", with the number of an
    appeal that is open or on hold, and with the codes of the functions of `data_requests`.
    """
    selected_ids, own_number = set(records), "number" in set(records)
    selection = _selected_records(
        request, data_requests.selected_records(request, user, selected_ids), own_number
    )
    plan = _plan_masking(settings, selection)
    with write_transaction():
        stored = data_requests.selected_records(request, user, selected_ids)
        selection = _selected_records(request, stored, own_number)
        _require_closed(selection)
        data_requests.close_data_request(
            request, user, "done", plan.citizen.redact_shared_text(answer), stored, own_number
        )
        citizens.notify_own_data(settings, request)
        rule = f"data_request={request.id}"
        _apply_masking(settings, selection, plan, rule, user.login)
        subject = f"data-request:{request.id}"
        removal_log.record_removal("data_request", subject, rule, own_number=own_number)
        data_requests.anonymise_request(request)
        audit.record_entry(user.login, "data_request.masked", str(request.id))
    _remove_citizen_files(settings, selection, user.login)
    scrubbing.scrub_quickly()
    return stored


def mask_records(settings: Settings, records: CitizenRecords, rule: str, by: str) -> None:
    """Mask records that were masked before a restore. Raises Refused "open" or "held"."""
    plan = _plan_masking(settings, records)
    with write_transaction():
        _require_closed(records)
        _apply_masking(settings, records, plan, rule, by)
    _remove_citizen_files(settings, records, by)


def close_reopened_request(request: DataRequest) -> None:
    """Close a request that a restore has reopened; it was already answered."""
    with write_transaction():
        columns = {"state": "done", "done_at": clock.now()}
        DataRequest.update(columns).where(DataRequest.id == request.id).execute()
        data_requests.anonymise_request(request)


def _apply_masking(
    settings: Settings,
    records: CitizenRecords,
    plan: _MaskingPlan,
    rule: str,
    by: str,
) -> None:
    """Apply all changes of a masking plan, within a write transaction."""
    for change in plan.changes:
        change()
    for withdrawal in plan.withdrawals:
        issued_reports.withdraw_reports(withdrawal, by, remake=True)
    for appeal in records.appeals:
        masking.mask_appeal_person(appeal, rule, _text_redactor(settings, appeal, plan.citizen))
    for call_form in records.call_forms:
        if not call_form.appeal_number:
            masking.mask_call_form_person(
                call_form, rule, _text_redactor(settings, call_form, plan.citizen)
            )
    traces.blank_record_notes(set(), set(records.calls))
    for call_id in sorted(records.calls):
        removal_log.record_removal("call_person", call_id, rule)
    if records.phone:
        masking.blank_number_data(records.phone, rule)


def _remove_citizen_files(settings: Settings, records: CitizenRecords, by: str) -> None:
    """Remove the citizen's evidence packs and the files of withdrawn reports."""
    from appliance.reports import evidence  # loads PDF code, which the disk checks do not need

    numbers = [appeal.number for appeal in records.appeals]
    is_citizen_pack = EvidencePack.appeal.in_(numbers) | EvidencePack.call_id.in_(
        sorted(records.calls)
    )
    for pack in EvidencePack.select().where(is_citizen_pack, EvidencePack.state != "gone"):
        evidence.remove_pack(settings, pack, by)
    issued_reports.remove_withdrawn_files(settings)


def _selected_records(
    request: DataRequest, stored: StoredRecords, own_number: bool
) -> CitizenRecords:
    """Return the records of a request, with the ids of their calls."""
    ids = {row.call_id for row in (*stored.appeals, *stored.call_forms) if row.call_id}
    ids |= {call.id for call in stored.calls}
    phone = request.phone if own_number else ""
    return CitizenRecords(stored.appeals, stored.call_forms, sorted(ids), phone)


def _plan_masking(settings: Settings, records: CitizenRecords) -> _MaskingPlan:
    """Identify the citizen and find what else names them; slow: run without the write lock."""
    citizen = identity.identify_citizen(
        records.appeals, records.call_forms, records.calls, records.phone
    )
    rows = (*records.appeals, *records.call_forms)
    withdrawals = [issued_reports.find_reports(settings, row, citizen) for row in rows]
    return _MaskingPlan(citizen, traces.trace_changes(citizen), withdrawals)


def _require_closed(records: CitizenRecords) -> None:
    for appeal in records.appeals:
        _require_maskable(appeal)


def _require_maskable(appeal: Appeal) -> None:
    """Raise Refused "open" if an appeal is open, "held" if it or its call is on hold."""
    handling = Handling.get_or_none(Handling.appeal == appeal.id)
    if handling and handling.is_open:
        raise Refused("open", subject=appeal.number)
    if rules.is_on_hold("appeal", appeal.number):
        raise Refused("held", subject=appeal.number)
    if appeal.call_id and rules.is_on_hold("call", appeal.call_id):
        raise Refused("held", subject=appeal.number)


def _text_redactor(
    settings: Settings, row: Appeal | CallForm, citizen: Identity
) -> Redactor | None:
    """Return the redactor for the texts of a row, if they must still be kept."""
    return (
        None
        if row.registered_at < rules.retention_cutoff(settings, MIN_APPEAL_YEARS * 12)
        else citizen.redact_own_text
    )
