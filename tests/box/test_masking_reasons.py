"""Reasons given by staff repeat across records: only those about the masked citizen are removed."""

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
    retained.create_run(clock.now() - retained.DAY)
    return dataclasses.replace(settings, retention=Retention(2, 2))


@pytest.fixture
def appeal(site, nilufar, bahodir) -> Appeal:
    """A closed appeal due for masking, with a listening to its call."""
    old = retained.midnight_years_ago(site, 2) - retained.DAY
    closed_appeal = retained.register_appeal(site, nilufar, "1.1")
    retained.close_appeal(closed_appeal, old)
    Appeal.update(received_at=old).where(Appeal.id == closed_appeal.id).execute()
    Listening.create(login="m", call_id="1.1", at=old, reason=REASON)
    return closed_appeal


def create_access_report(site, record: str, first: dt.date, reason: str = REASON) -> IssuedReport:
    """Create a report of accesses with one line about one record."""
    report = IssuedReport.create(
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
    issuing.archive._write_file(site, report, "uz_Cyrl", "json", content)
    return report


def are_withdrawn(*reports: IssuedReport) -> list[bool]:
    return [bool(issuing.find_report(report.id).withdrawn_at) for report in reports]


def test_the_same_reason_for_another_record_withdraws_no_report(site, appeal) -> None:
    day = Appeal.get_by_id(appeal.id).received_at.date()
    citizens_report = create_access_report(site, "1.1", day)
    other_report = create_access_report(site, "2.1", day + dt.timedelta(days=40))
    assert retention.remove_due(site).appeals == 1
    assert are_withdrawn(citizens_report, other_report) == [True, False]
    assert issuing.files_by_kind(issuing.find_report(other_report.id))


def test_masking_on_request_withdraws_reports_that_name_the_citizen(site, appeal) -> None:
    manager = User.get(User.role == "manager")
    row = Appeal.get_by_id(appeal.id)
    day = row.received_at.date()
    reports = (
        create_access_report(site, "1.1", day),
        create_access_report(site, "2.1", day + dt.timedelta(days=40)),
        create_access_report(
            site, "3.1", day + dt.timedelta(days=80), f"{row.surname} {row.first_name} soʻradi"
        ),
        create_access_report(site, row.number, day + dt.timedelta(days=120), ""),  # names nobody
    )
    sent = {"kind": "mask", "person": "Karim", "phone": row.phone, "proof": "AA7654321"}
    mask_request = data_requests.register_data_request(
        manager, sent, catalogs.working_calendar(site)
    )
    retention.mask_citizen(site, mask_request, manager, [f"appeal:{row.number}"], "")
    assert are_withdrawn(*reports) == [True, False, True, False]


def test_the_reason_of_a_pack_without_an_appeal_is_removed_by_age(site) -> None:
    old = retained.midnight_years_ago(site, 2) - retained.DAY
    for state, at in (("gone", old), ("failed", old), ("gone", clock.now())):
        EvidencePack.create(call_id="9.1", by="m", reason="Zulfiqorov", asked_at=at, state=state)
    retention.remove_due(site)
    assert [pack.reason for pack in EvidencePack.select()] == ["", "", "Zulfiqorov"]
