"""The staff records page: what is saved, what is refused, and what the report shows of it."""

import pytest

from appliance.models import AuditEntry, QuarterAnswer, Shift, StaffEvent, StaffRecord
from appliance.reports import periods

STAFF_RECORDS_PATH = "/staff-records"


@pytest.fixture
def manager(login_as):
    return login_as("manager")


@pytest.fixture
def this_quarter(at_noon) -> str:
    return periods.quarter_name(at_noon.date())


def test_operator_records_are_saved_and_reported(manager, nilufar, sardor, settings) -> None:
    manager.send(
        f"{STAFF_RECORDS_PATH}/shifts",
        STAFF_RECORDS_PATH,
        opens="08:00",
        closes="20:00",
        since="01.01.2025",
    )
    shift = Shift.get()
    fields = {
        f"education-{nilufar.id}": "higher",
        f"hired-{nilufar.id}": "01.02.2025",
        f"left-{nilufar.id}": "",
        f"shift-{nilufar.id}": str(shift.id),
        f"education-{sardor.id}": "",
    }
    assert (
        manager.send(f"{STAFF_RECORDS_PATH}/people", STAFF_RECORDS_PATH, **fields).status_code
        == 302
    )
    record = StaffRecord.get(StaffRecord.user == nilufar)
    assert (record.education, str(record.hired_on)) == ("higher", "2025-02-01")
    assert not StaffRecord.select().where(StaffRecord.user == sardor).exists()
    entry = AuditEntry.get(AuditEntry.action == "staff.record")
    assert entry.detail["shift"] == "08:00-20:00"
    manager.send(f"{STAFF_RECORDS_PATH}/people", STAFF_RECORDS_PATH, **fields)
    assert AuditEntry.select().where(AuditEntry.action == "staff.record").count() == 1
    for quarter in ("", "?quarter=2026-Q1"):  # the first shift counts from its start on
        assert "08:00–20:00" in manager.get(f"/reports/quarterly{quarter}").text
    page = manager.get("/reports/quarterly").text
    row = page.split("08:00–20:00</th>")[1].split("</tr>")[0]
    assert row.startswith('<td class="n">1</td>')


@pytest.mark.parametrize(
    ("field", "typed", "message"),
    [
        ("hired", "soon", "sana kk.oo.yyyy"),
        ("left", "01.01.2024", "ishga olinganidan oldin"),
        ("education", "doctor", "roʻyxatdan tanlang"),
    ],
)
def test_one_invalid_value_saves_nothing(manager, nilufar, sardor, field, typed, message) -> None:
    fields = {f"education-{sardor.id}": "higher", f"education-{nilufar.id}": "secondary"}
    fields |= {f"hired-{nilufar.id}": "01.02.2025", f"{field}-{nilufar.id}": typed}
    page = manager.refused_page(
        manager.send(f"{STAFF_RECORDS_PATH}/people", STAFF_RECORDS_PATH, **fields)
    )
    assert message in page
    assert '<option value="higher" selected>' in page  # the other typed value is kept
    assert not StaffRecord.select().exists()


def test_staff_events_are_recorded_and_removed(manager, nilufar) -> None:
    values = {"user": "nilufar", "kind": "training", "date": "10.11.2025", "note": " Kurs <1> "}
    manager.send(f"{STAFF_RECORDS_PATH}/events", STAFF_RECORDS_PATH, **values)
    event = StaffEvent.get()
    assert (event.kind, str(event.date), event.note) == ("training", "2025-11-10", "Kurs <1>")
    assert "Kurs &lt;1&gt;" in manager.get(STAFF_RECORDS_PATH).text
    manager.send(f"{STAFF_RECORDS_PATH}/events/{event.id}/remove", STAFF_RECORDS_PATH)
    assert not StaffEvent.select().exists()
    for wrong in ({"user": "sherzod"}, {"kind": "x"}, {"date": "31.02.2025"}):
        manager.send(f"{STAFF_RECORDS_PATH}/events", STAFF_RECORDS_PATH, **values | wrong)
    assert not StaffEvent.select().exists()
    assert (
        manager.send(f"{STAFF_RECORDS_PATH}/events/99/remove", STAFF_RECORDS_PATH).status_code
        == 404
    )


@pytest.mark.parametrize(
    "wrong", [{"opens": "8"}, {"closes": "24:00"}, {"closes": "08:00"}, {"since": "x"}]
)
def test_an_invalid_shift_is_refused(manager, wrong) -> None:
    shift = {"opens": "08:00", "closes": "20:00", "since": "01.01.2025"}
    manager.send(f"{STAFF_RECORDS_PATH}/shifts", STAFF_RECORDS_PATH, **shift | wrong)
    assert not Shift.select().exists()


def test_a_shift_can_be_ended(manager, nilufar) -> None:
    manager.send(
        f"{STAFF_RECORDS_PATH}/shifts",
        STAFF_RECORDS_PATH,
        opens="08:00",
        closes="20:00",
        since="01.01.2025",
    )
    shift = Shift.get()
    manager.send(f"{STAFF_RECORDS_PATH}/shifts/{shift.id}/end", STAFF_RECORDS_PATH)
    assert "08:00–20:00" not in manager.get(STAFF_RECORDS_PATH).text
    assert Shift.get().until is not None


def test_the_answers_of_a_quarter_are_saved_and_reported(manager, this_quarter) -> None:
    manager.send(
        f"{STAFF_RECORDS_PATH}/answers",
        STAFF_RECORDS_PATH,
        quarter=this_quarter,
        published="yes",
        published_note="mehnat.uz",
        numbers="71 200 06 00",
        complete="1",
    )
    stored_answers = QuarterAnswer.get()
    assert (stored_answers.published, stored_answers.complete) == (True, True)
    assert stored_answers.by.login == "sherzod"
    page = manager.get("/reports/quarterly").text
    assert "Mavjud emas&nbsp;<sup>1)" in page  # the settings name no bot
    assert "Joylashtirilgan: mehnat.uz" in page
    assert "1282, 71 200 06 00" in page
    assert 'value="mehnat.uz"' in manager.get(f"{STAFF_RECORDS_PATH}?quarter={this_quarter}").text
    assert (
        manager.send(
            f"{STAFF_RECORDS_PATH}/answers", STAFF_RECORDS_PATH, quarter="1999-Q1"
        ).status_code
        == 400
    )
