"""`/healthz`, and the page of the self-checks."""

import pytest

from appliance import alarms, clock, db, plan, runs, trunks
from appliance.health import Check
from appliance.plan import Plan, Trunk
from appliance.trunks import SeenSpan, SeenTrunk


def test_healthz(client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_healthz_of_a_database_that_cannot_be_written(client, settings) -> None:
    db.database.execute_sql("PRAGMA query_only = 1")  # the request takes up this connection
    assert client.get("/healthz").status_code == 503


@pytest.mark.parametrize("path", ["/status", "/status/checks"])
def test_each_check_with_what_to_do(login_as, path) -> None:
    page = login_as("technician").get(path).text
    assert 'id="check-asterisk"' in page
    assert "hali biror marta koʻrilmagan" in page
    assert "<code>appliance pbx</code> ishlayotganini tekshiring" in page
    assert page.index('id="check-asterisk"') < page.index('id="check-database"')


@pytest.fixture
def lines(settings):
    """A trunk that is dead, and a span with calls on it."""
    sip = Trunk("sip1", address="127.9.9.9", watched=True, channels=50)
    e1 = Trunk("e1", kind="e1", spans="1-15,17-31")
    plan.save(Plan(trunks=(sip, e1)), by="rustam")
    trunks.see_trunks([SeenTrunk("sip1", trunks.DOWN, error="OPTIONS sip:127.9.9.9:5060")])
    slots = {slot: "busy" if slot < 8 else "free" for slot in range(1, 32) if slot != 16}
    trunks.see_spans([SeenSpan(1, "e1", "", True, slots)])


@pytest.mark.usefixtures("lines")
def test_trunks_and_spans(login_as) -> None:
    page = login_as("technician").get("/status/lines").text
    row = page.split('id="trunk-sip1"')[1].split("</tr>")[0]
    assert "Javob bermayapti" in row
    assert "OPTIONS sip:127.9.9.9:5060" in row
    assert "0 / 50" in row
    assert "7 / 30" in page.split('id="trunk-e1"')[1]
    span = page.split('id="span-1"')[1]
    assert span.count('class="busy"') == 7
    assert span.count('class="free"') == 23
    assert page.count("/test") == 3  # two trunks and the span


@pytest.mark.usefixtures("lines")
def test_only_the_technician_tries_lines(login_as) -> None:
    assert "/test" not in login_as("backup").get("/status/lines").text


@pytest.mark.usefixtures("lines")
def test_a_line_is_not_tried_without_a_number(login_as) -> None:
    browser = login_as("technician")
    assert browser.send("/status/lines/sip1/test").status_code == 302
    assert "calls.test_number" in browser.get("/status").text.split('id="toasts"')[1]
    assert browser.send("/status/lines/gone/test").status_code == 404


@pytest.mark.usefixtures("lines")
def test_what_came_of_a_test_call(login_as) -> None:
    def said() -> str:
        page = login_as("technician").get("/status/lines").text
        return page.split("data-test=")[1].split("</tr>")[0]

    test = trunks.begin_test("sip1", "+998712000000", "rustam")
    assert "sinalmoqda" in said()
    assert trunks.end_test(test.id, "CONGESTION", "34")
    assert not trunks.end_test(test.id, "ANSWER")
    assert "liniya qoʻngʻiroqni oʻtkazmadi" in said()
    assert "sabab 34" in said()


def test_processes_jobs_and_disks(login_as) -> None:
    page = login_as("technician").get("/status/machine").text
    assert "Ishlamayapti" in page  # nothing runs in this test
    assert "SQLite" in page
    assert "Yozuvlar diski" in page


def test_what_takes_long_is_shown_as_it_was_seen_last(settings, login_as) -> None:
    browser = login_as("technician")
    assert 'id="check-clock"' not in browser.get("/status/checks").text
    seen = "{milliseconds} ms off"
    alarms.remember([Check("clock", "Clock", "fail", seen, "x", {"milliseconds": "2500.0"})])
    page = browser.get("/status/checks").text
    assert "farqi 2500.0 ms" in page.split('id="check-clock"')[1]


@pytest.mark.parametrize("name", ["reports", "snapshot", "one of a later release"])
def test_a_job_that_failed_is_named(login_as, name) -> None:
    run = runs.begin(name, clock.now(), "1:1")
    assert run
    runs.end(run, "failed", "ValueError: {no} such %(thing)s")
    page = login_as("technician").get("/status")
    assert page.status_code == 200
    row = page.text.split('id="check-jobs"')[1].split("</li>")[0]
    assert "ValueError: {no} such %(thing)s" in row
