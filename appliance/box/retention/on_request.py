"""Masking a citizen at his own request (law OʻRQ-547), before his data are old enough to go.

Who he is goes at once. What must be kept longer stays without him: texts of appeals for two years,
recordings for two months (report form №1, table 3), after which they go by themselves. What is
counted, and the ledger, stay; an appeal that is open or on hold is not touched.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from appliance.box.retention import (
    identity,
    issued_reports,
    masking,
    proof,
    rules,
    scrubbing,
    traces,
)
from appliance.box.retention.identity import Cut, Identity
from appliance.casework import data_requests
from appliance.casework.data_requests import RequestError, Stored
from appliance.core import audit, clock
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.messaging.notices import citizens
from appliance.models import Appeal, CallForm, DataRequest, EvidencePack, Handling, User

LEAST_YEARS = 2


@dataclass(frozen=True)
class Records:
    """A citizen's records; `phone`: a number that only they use, or ""."""

    appeals: list[Appeal]
    call_forms: list[CallForm]
    calls: list[str]  # ids
    phone: str = ""

    def __len__(self) -> int:
        return len(self.appeals) + len(self.call_forms) + len(self.calls) + bool(self.phone)


@dataclass(frozen=True)
class _Search:
    """Who a citizen is, and the changes to make where other rows name them."""

    who: Identity
    changes: list[traces.Change]
    withdrawals: list[issued_reports.Withdrawal]


def mask(
    settings: Settings, request: DataRequest, user: User, records: Iterable[str], answer: str
) -> Stored:
    """Mask what somebody says is the citizen's, tell him, forget who asked; what it was.

    Raises RequestError: of `data_requests.chosen` and `close`, and "open", "held" with the number.
    """
    ticked, own_number = set(records), "number" in set(records)
    selection = _records(request, data_requests.chosen(request, user, ticked), own_number)
    search = _find(settings, selection)
    with writing():
        his = data_requests.chosen(request, user, ticked)
        selection = _records(request, his, own_number)
        _require_closed(selection)
        data_requests.close(request, user, "done", search.who.cut(answer), his, own_number)
        citizens.own_data(settings, request)
        rule = f"data_request={request.id}"
        _take_out(settings, selection, search, rule, user.login)
        about = f"data-request:{request.id}"
        proof.write_down("data_request", about, rule, own_number=own_number)
        data_requests.forget(request)
        audit.record(user.login, "data_request.masked", str(request.id))
    _remove_files(settings, selection, user.login)
    scrubbing.scrub_soon()
    return his


def mask_records(settings: Settings, records: Records, rule: str, by: str) -> None:
    """Mask records that were masked before a restore. Raises RequestError: "open", "held"."""
    search = _find(settings, records)
    with writing():
        _require_closed(records)
        _take_out(settings, records, search, rule, by)
    _remove_files(settings, records, by)


def close_again(request: DataRequest) -> None:
    """Close a request that a restore has opened again; it was already answered."""
    with writing():
        columns = {"state": "done", "done_at": clock.now()}
        DataRequest.update(columns).where(DataRequest.id == request.id).execute()
        data_requests.forget(request)


def _take_out(
    settings: Settings,
    records: Records,
    search: _Search,
    rule: str,
    by: str,
) -> None:
    for change in search.changes:
        change()
    for withdrawal in search.withdrawals:
        issued_reports.withdraw(withdrawal, by, remake=True)
    for appeal in records.appeals:
        masking.person(appeal, rule, _shortener(settings, appeal, search.who))
    for made in records.call_forms:
        if not made.appeal_number:
            masking.call_form_person(made, rule, _shortener(settings, made, search.who))
    traces.blank_of_records(set(), set(records.calls))
    for call_id in sorted(records.calls):
        proof.write_down("call_person", call_id, rule)
    if records.phone:
        masking.number(records.phone, rule)


def _remove_files(settings: Settings, records: Records, by: str) -> None:
    from appliance.reports import evidence  # loads PDF code, which checks of disks do not need

    numbers = [appeal.number for appeal in records.appeals]
    about = EvidencePack.appeal.in_(numbers) | EvidencePack.call_id.in_(sorted(records.calls))
    for pack in EvidencePack.select().where(about, EvidencePack.state != "gone"):
        evidence.remove(settings, pack, by)
    issued_reports.remove_files(settings)


def _records(request: DataRequest, his: Stored, own_number: bool) -> Records:
    ids = {row.call_id for row in (*his.appeals, *his.call_forms) if row.call_id}
    ids |= {call.id for call in his.calls}
    phone = request.phone if own_number else ""
    return Records(his.appeals, his.call_forms, sorted(ids), phone)


def _find(settings: Settings, records: Records) -> _Search:
    """Who the citizen is and what else names them; slow, so it runs before the write lock."""
    who = identity.of(records.appeals, records.call_forms, records.calls, records.phone)
    rows = (*records.appeals, *records.call_forms)
    withdrawals = [issued_reports.find(settings, row, who) for row in rows]
    return _Search(who, traces.find(who), withdrawals)


def _require_closed(records: Records) -> None:
    for appeal in records.appeals:
        _stays(appeal)


def _stays(appeal: Appeal) -> None:
    """Raise RequestError when an appeal cannot be masked now."""
    now = Handling.get_or_none(Handling.appeal == appeal.id)
    if now and now.is_open:
        raise RequestError("open", appeal.number)
    if rules.is_on_hold("appeal", appeal.number):
        raise RequestError("held", appeal.number)
    if appeal.call_id and rules.is_on_hold("call", appeal.call_id):
        raise RequestError("held", appeal.number)


def _shortener(settings: Settings, row: Appeal | CallForm, who: Identity) -> Cut | None:
    """What of a text stays while it must be kept: without the person; None once it need not be."""
    return None if row.registered_at < rules.cutoff(settings, LEAST_YEARS * 12) else who.without
