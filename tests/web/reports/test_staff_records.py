"""The staff records page: what is kept, what is refused, and what the report makes of it."""

import pytest

from appliance.models import AuditEntry, QuarterAnswer, Shift, StaffEvent, StaffRecord
from appliance.reports import periods

PAGE = "/staff-records"


@pytest.fixture
def manager(login_as):
    return login_as("manager")


@pytest.fixture
def this_quarter(at_noon) -> str:
    return periods.quarter_of(at_noon.date())


def test_what_is_kept_of_the_operators(manager, nilufar, sardor, settings) -> None:
    manager.send(f"{PAGE}/shifts", PAGE, opens="08:00", closes="20:00", since="01.01.2025")
    shift = Shift.get()
    fields = {
        f"education-{nilufar.id}": "higher",
        f"hired-{nilufar.id}": "01.02.2025",
        f"left-{nilufar.id}": "",
        f"shift-{nilufar.id}": str(shift.id),
        f"education-{sardor.id}": "",
    }
    assert manager.send(f"{PAGE}/people", PAGE, **fields).status_code == 302
    record = StaffRecord.get(StaffRecord.user == nilufar)
    assert (record.education, str(record.hired_on)) == ("higher", "2025-02-01")
    assert not StaffRecord.select().where(StaffRecord.user == sardor).exists()
    entry = AuditEntry.get(AuditEntry.action == "staff.record")
    assert entry.detail["shift"] == "08:00-20:00"
    manager.send(f"{PAGE}/people", PAGE, **fields)
    assert AuditEntry.select().where(AuditEntry.action == "staff.record").count() == 1
    for quarter in ("", "?quarter=2026-Q1"):  # the first shift counts since it began
        assert "08:00–20:00" in manager.get(f"/reports/quarterly{quarter}").text
    page = manager.get("/reports/quarterly").text
    row = page.split("08:00–20:00</th>")[1].split("</tr>")[0]
    assert row.startswith('<td class="n">1</td>')


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("hired", "soon", "sana kk.oo.yyyy"),
        ("left", "01.01.2024", "ishga olinganidan oldin"),
        ("education", "doctor", "roʻyxatdan tanlang"),
    ],
)
def test_one_mistake_keeps_nothing(manager, nilufar, sardor, field, typed, told) -> None:
    fields = {f"education-{sardor.id}": "higher", f"education-{nilufar.id}": "secondary"}
    fields |= {f"hired-{nilufar.id}": "01.02.2025", f"{field}-{nilufar.id}": typed}
    page = manager.refused(manager.send(f"{PAGE}/people", PAGE, **fields))
    assert told in page
    assert '<option value="higher" selected>' in page  # what was typed beside it
    assert not StaffRecord.select().exists()


def test_courses_and_measures(manager, nilufar) -> None:
    send = {"user": "nilufar", "kind": "training", "date": "10.11.2025", "note": " Kurs <1> "}
    manager.send(f"{PAGE}/events", PAGE, **send)
    event = StaffEvent.get()
    assert (event.kind, str(event.date), event.note) == ("training", "2025-11-10", "Kurs <1>")
    assert "Kurs &lt;1&gt;" in manager.get(PAGE).text
    manager.send(f"{PAGE}/events/{event.id}/remove", PAGE)
    assert not StaffEvent.select().exists()
    for wrong in ({"user": "sherzod"}, {"kind": "x"}, {"date": "31.02.2025"}):
        manager.send(f"{PAGE}/events", PAGE, **send | wrong)
    assert not StaffEvent.select().exists()
    assert manager.send(f"{PAGE}/events/99/remove", PAGE).status_code == 404


@pytest.mark.parametrize(
    "wrong", [{"opens": "8"}, {"closes": "24:00"}, {"closes": "08:00"}, {"since": "x"}]
)
def test_a_shift_that_is_none(manager, wrong) -> None:
    shift = {"opens": "08:00", "closes": "20:00", "since": "01.01.2025"}
    manager.send(f"{PAGE}/shifts", PAGE, **shift | wrong)
    assert not Shift.select().exists()


def test_a_shift_ends(manager, nilufar) -> None:
    manager.send(f"{PAGE}/shifts", PAGE, opens="08:00", closes="20:00", since="01.01.2025")
    shift = Shift.get()
    manager.send(f"{PAGE}/shifts/{shift.id}/end", PAGE)
    assert "08:00–20:00" not in manager.get(PAGE).text
    assert Shift.get().until is not None


def test_the_answers_of_a_quarter(manager, this_quarter) -> None:
    manager.send(
        f"{PAGE}/answers",
        PAGE,
        quarter=this_quarter,
        published="yes",
        published_note="mehnat.uz",
        numbers="71 200 06 00",
        complete="1",
    )
    kept = QuarterAnswer.get()
    assert (kept.published, kept.complete) == (True, True)
    assert kept.by.login == "sherzod"
    page = manager.get("/reports/quarterly").text
    assert "Mavjud emas&nbsp;<sup>1)" in page  # the settings name no bot
    assert "Joylashtirilgan: mehnat.uz" in page
    assert "1282, 71 200 06 00" in page
    assert 'value="mehnat.uz"' in manager.get(f"{PAGE}?quarter={this_quarter}").text
    assert manager.send(f"{PAGE}/answers", PAGE, quarter="1999-Q1").status_code == 400
