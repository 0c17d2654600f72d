"""Reasons that staff gave are the same words for many records: only those about him go."""

import dataclasses
import datetime as dt
import json

import pytest

from appliance.box import retention
from appliance.casework import catalogs, data_requests
from appliance.core import clock
from appliance.core.settings import Retention
from appliance.models import Appeal, EvidencePack, IssuedReport, Listening, User
from appliance.reports import issuing
from tests.box import retained

REASON = "Sifat nazorati"


@pytest.fixture
def site(settings):
    retained.night(clock.now() - retained.DAY)
    return dataclasses.replace(settings, retention=Retention(2, 2))


@pytest.fixture
def appeal(site, nilufar, bahodir) -> Appeal:
    """One that is due, to whose call somebody listened."""
    old = retained.years(site, 2) - retained.DAY
    made = retained.register(site, nilufar, "1.1")
    retained.close(made, old)
    Appeal.update(received_at=old).where(Appeal.id == made.id).execute()
    Listening.create(login="m", call_id="1.1", at=old, reason=REASON)
    return made


def report_of(site, record: str, first: dt.date, reason: str = REASON) -> IssuedReport:
    """A report of who looked at whom: one line of one record."""
    made = IssuedReport.create(
        name="accesses",
        edition=1,
        first=first,
        last=first + dt.timedelta(days=27),
        issued_at=clock.now(),
        by="jobs",
        formulas="accesses/2",
        cells={"readers/m/heard": ("heard", 1)},
    )
    line = {"who": "m", "what": "recording.listen", "record": record, "reason": reason}
    content = json.dumps({"heard": [line], "seen": []}).encode()
    issuing.keeping._write_file(site, made, "uz_Cyrl", "json", content)
    return made


def withdrawn(*reports: IssuedReport) -> list[bool]:
    return [bool(issuing.report(one.id).withdrawn_at) for one in reports]


def test_the_same_reason_for_another_record_withdraws_no_report(site, appeal) -> None:
    day = Appeal.get_by_id(appeal.id).received_at.date()
    his = report_of(site, "1.1", day)
    others = report_of(site, "2.1", day + dt.timedelta(days=40))
    assert retention.remove_due(site).appeals == 1
    assert withdrawn(his, others) == [True, False]
    assert issuing.files_of(issuing.report(others.id))


def test_on_request_too_and_a_reason_that_names_him_counts(site, appeal) -> None:
    manager = User.get(User.role == "manager")
    row = Appeal.get_by_id(appeal.id)
    day = row.received_at.date()
    reports = (
        report_of(site, "1.1", day),
        report_of(site, "2.1", day + dt.timedelta(days=40)),
        report_of(
            site, "3.1", day + dt.timedelta(days=80), f"{row.surname} {row.first_name} soʻradi"
        ),
        report_of(site, row.number, day + dt.timedelta(days=120), ""),  # names nobody
    )
    sent = {"kind": "mask", "person": "Karim", "phone": row.phone, "proof": "AA7654321"}
    asked = data_requests.ask(manager, sent, catalogs.working_calendar(site))
    retention.mask(site, asked, manager, [f"appeal:{row.number}"], "")
    assert withdrawn(*reports) == [True, False, True, False]


def test_the_reason_of_a_pack_without_an_appeal_goes_by_age(site) -> None:
    old = retained.years(site, 2) - retained.DAY
    for state, at in (("gone", old), ("failed", old), ("gone", clock.now())):
        EvidencePack.create(call_id="9.1", by="m", reason="Zulfiqorov", asked_at=at, state=state)
    retention.remove_due(site)
    assert [one.reason for one in EvidencePack.select()] == ["", "", "Zulfiqorov"]
