"""The month's page *Who looked at whom*, and its file."""

import csv
import io

import pytest

from appliance.casework import unusual
from appliance.core import audit


@pytest.fixture
def told(settings) -> None:
    """What some people opened, heard, looked for and took away."""
    for _ in range(2):
        audit.record("dilnoza", "recording.listen", "hotline-1.1", reason="=shikoyat")
    audit.record("dilnoza", "appeal.reveal", "2026-000001", reason="tekshiruv")
    audit.record("bahodir", "appeal.view", "2026-000002", asked={"q": "Kanareykina"})
    audit.record("bahodir", "appeal.list", "", appeal=["2026-000002", "2026-000003"])
    audit.record("bahodir", "appeals.download", "", rows=2)
    audit.record("jobs", unusual.ACTION, "bahodir", why="night", record="2026-000002", at="")
    audit.record("rustam", "plan.change", "x")


@pytest.mark.parametrize("role", ["manager", "ministry"])
def test_the_page_tells_who_read_how_much(told, role, login_as) -> None:
    page = login_as(role).get("/reports/accesses").text
    readers = page.split('id="readers-title"')[1].split('id="heard-title"')[0]
    assert "Dilnoza Aliyeva" in readers
    assert "Bahodir Rahimov" in readers
    assert "Rustam" not in readers
    heard = page.split('id="heard-title"')[1].split('id="seen-title"')[0]
    assert "hotline-1.1" in heard
    assert "=shikoyat" in heard
    assert "Kanareykina" not in page  # whom it is about is told by numbers


def test_the_file_has_each_record_of_each_person(told, login_as) -> None:
    text = login_as("ministry").get("/reports/accesses/accesses.csv").text.lstrip("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    heard = next(row for row in rows if row["what"] == "recording.listen")
    assert (heard["who"], heard["record"], heard["times"]) == ("dilnoza", "hotline-1.1", "2")
    assert heard["reason"] == "'=shikoyat"
    assert {(row["who"], row["what"]) for row in rows} == {
        ("dilnoza", "recording.listen"),
        ("dilnoza", "appeal.reveal"),
        ("bahodir", "appeal.view"),
    }


def test_what_is_unusual_stands_on_the_audit_of_the_manager(told, login_as) -> None:
    assert "unusual-title" in login_as("manager").get("/audit").text
    assert "unusual-title" not in login_as("technician").get("/audit").text


@pytest.mark.parametrize("month", ["2026-13", "x", "' OR 1=1"])
def test_no_month_is_the_running_one(told, month, login_as) -> None:
    assert login_as("manager").get(f"/reports/accesses?month={month}").status_code == 200
