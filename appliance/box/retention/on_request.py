"""Masking a citizen at his own request (law OʻRQ-547), before his data are old enough to go.

Who he is goes at once. What must be kept longer stays without him: texts of appeals for two years,
recordings for two months (report form №1, table 3), after which they go by themselves. What is
counted, and the ledger, stay; an appeal that is open or on hold is not touched.
"""

from collections.abc import Callable, Iterable

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
from appliance.core import audit
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.messaging.notices import citizens
from appliance.models import Appeal, CallForm, DataRequest, EvidencePack, Handling, User

LEAST_YEARS = 2


def mask(
    settings: Settings, request: DataRequest, user: User, records: Iterable[str], answer: str
) -> Stored:
    """Mask what somebody says is the citizen's, tell him, forget who asked; what it was.

    Raises RequestError: of `data_requests.chosen` and `close`, and "open", "held" with the number.
    """
    from appliance.reports import evidence  # all that prints; whoever looks at disks has no need

    ticked = set(records)
    who, changes = _look_for(request, data_requests.chosen(request, user, ticked), ticked)
    with writing():
        his = data_requests.chosen(request, user, ticked)
        issued = [(row, issued_reports.texts_of(row)) for row in (*his.appeals, *his.call_forms)]
        for appeal in his.appeals:
            _stays(appeal)
        data_requests.close(request, user, "done", who.cut(answer), his, "number" in ticked)
        citizens.own_data(settings, request)
        for change in changes:
            change()
        for row, texts in issued:
            is_his = _is_of(who, texts)
            found = issued_reports.find(settings, row, is_his)
            issued_reports.withdraw(found, is_his, user.login, anew=True)
        rule = f"data_request={request.id}"
        for appeal in his.appeals:
            masking.person(appeal, rule, _shortener(settings, appeal, who))
        alone = (made for made in his.call_forms if not made.appeal_number)
        for made in alone:
            masking.call_form_person(made, rule, _shortener(settings, made, who))
        calls = _calls(his)
        traces.blank_of_records(set(), calls)
        for call_id in sorted(calls):
            proof.write_down("call_person", call_id, rule)
        if "number" in ticked and request.phone:
            masking.number(request.phone, rule)
        proof.write_down("data_request", f"data-request:{request.id}", rule)
        data_requests.forget(request)
        audit.record(user.login, "data_request.masked", str(request.id))
    numbers = [appeal.number for appeal in his.appeals]
    about = EvidencePack.appeal.in_(numbers) | EvidencePack.call_id.in_(sorted(calls))
    for pack in EvidencePack.select().where(about, EvidencePack.state != "gone"):
        evidence.remove(settings, pack, user.login)
    issued_reports.remove_files(settings)
    scrubbing.scrub_soon()
    return his


def _stays(appeal: Appeal) -> None:
    """Raise RequestError when an appeal cannot be masked now."""
    now = Handling.get_or_none(Handling.appeal == appeal.id)
    if now and now.is_open:
        raise RequestError("open", appeal.number)
    if rules.is_on_hold("appeal", appeal.number):
        raise RequestError("held", appeal.number)
    if appeal.call_id and rules.is_on_hold("call", appeal.call_id):
        raise RequestError("held", appeal.number)


def _look_for(
    request: DataRequest, his: Stored, ticked: set[str]
) -> tuple[Identity, list[traces.Change]]:
    """Who the citizen is, and what else names him."""
    phone = request.phone if "number" in ticked else ""
    who = identity.of(his.appeals, his.call_forms, sorted(_calls(his)), phone)
    return who, traces.find(who)


def _is_of(who: Identity, texts: frozenset[str]) -> Callable[[str], bool]:
    return lambda text: text in texts or who.is_his(text)


def _calls(his: Stored) -> set[str]:
    registered = {row.call_id for row in (*his.appeals, *his.call_forms) if row.call_id}
    return registered | {call.id for call in his.calls}


def _shortener(settings: Settings, row: Appeal | CallForm, who: Identity) -> Cut | None:
    """What of a text stays while it must be kept: without the person; None once it need not be."""
    return None if row.registered_at < rules.cutoff(settings, LEAST_YEARS * 12) else who.without
