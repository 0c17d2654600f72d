"""`/healthz`, and the page of the self-checks."""

import dataclasses

import pytest

from appliance.box import alarms, health, links, runs
from appliance.box.health import Check
from appliance.box.links.looking import Look
from appliance.box.snapshots import sealing
from appliance.core import clock, db
from appliance.core.settings import Backup, Telegram
from appliance.models import TelegramBot
from appliance.telephony import routing, trunks
from appliance.telephony.routing import Plan, Trunk
from appliance.telephony.trunks import SeenSpan, SeenTrunk


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
    routing.save(Plan(trunks=(sip, e1)), by="rustam")
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
    assert page.count('/test"') == 3  # two trunks and the span


@pytest.mark.usefixtures("lines")
def test_only_the_technician_tries_lines(login_as) -> None:
    assert '/test"' not in login_as("backup").get("/status/lines").text


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


def row_of(page: str, code: str) -> str:
    return page.split(f'id="check-{code}"')[1].split("</li>")[0]


@pytest.mark.usefixtures("lines")
def test_a_fault_says_what_it_means_for_calls_and_has_one_button(login_as, settings, app) -> None:
    tried = dataclasses.replace(settings.calls, test_number="+998712000000")
    app.config["SITE"] = dataclasses.replace(settings, calls=tried)
    page = login_as("technician").get("/status").text
    row = row_of(page, "trunk.sip1")
    assert "Bu liniya orqali qoʻngʻiroq yoʻq" in row
    assert row.count("<button") == 1
    assert 'action="/status/lines/sip1/test"' in row
    assert "Qoʻngʻiroqlar qabul qilinmayapti." in row_of(page, "asterisk")
    row = row_of(login_as("backup").get("/status").text, "trunk.sip1")
    assert "<button" not in row  # he may not try lines


def test_pages_that_reach_no_keys_say_how_the_sheet_is_made(
    login_as, settings, app, monkeypatch
) -> None:
    one = Backup("disk", str(settings.file.parent / "repository"), settings.file.parent / "key")
    app.config["SITE"] = dataclasses.replace(settings, backups=(one,))
    browser = login_as("technician")
    assert 'action="/backups/sheet.pdf"' in browser.get("/backups").text
    monkeypatch.setattr(sealing, "reaches_keys", lambda _: False)
    page = browser.get("/backups").text
    assert "sudo appliance backup sheet --lang uz_Latn" in page
    assert "sudo appliance backup remove-key" in page
    assert "/backups/sheet.pdf" not in page
    assert "/backups/remove-key" not in page


def test_a_snapshot_that_failed_is_made_anew_from_its_row(login_as, settings, app) -> None:
    kept = settings.file.parent
    one = Backup("disk", str(kept / "repository"), kept / "key")
    app.config["SITE"] = dataclasses.replace(settings, backups=(one,))
    browser = login_as("technician")
    page = browser.get("/status").text
    row = row_of(page, "snapshot.disk")
    assert 'action="/backups/ask/create"' in row
    assert 'name="repository" value="disk"' in row
    assert "kamroq maʼlumot tiklanadi" in row
    assert 'id="way-snapshot.disk"' in page


def test_ways_out_stand_as_on_their_own_pages(login_as, settings, app) -> None:
    app.config["SITE"] = dataclasses.replace(
        settings, telegram=Telegram("t", -1, "http://127.0.0.1:9")
    )
    links.observe({"telegram": Look(True, "answers")}, {})
    TelegramBot.create(name="bot", trouble="log_in", seen_at=clock.now())
    browser = login_as("technician")
    for path, id in (("/status", "way-telegram"), ("/links", "link-telegram")):
        told = browser.get(path).text.split(f'id="{id}"')[1].split("</tr>")[0]
        assert "Telegram bot tokenini rad etmoqda" in told, path
        assert "is-bad" in told, path


def test_scheduled_work_is_folded_and_says_what_failed(login_as) -> None:
    run = runs.begin("reports", clock.now(), "1:1")
    assert run
    runs.end(run, "failed", "ValueError")
    folded = (
        login_as("technician").get("/status/machine").text.split('<details class="panel folded"')
    )
    assert len(folded) == 2
    assert "open" not in folded[1].split(">")[0]
    assert "Bajarilmagan: 1" in folded[1].split("</summary>")[0]


def test_a_setting_that_only_a_file_holds_is_named_by_file_and_line(login_as, settings) -> None:
    text = settings.file.read_text()
    settings.file.write_text(f"{text}\n[telegram]\ntoken = 't'\nchat = -1\n")
    line = health.line_of(settings.file, "telegram.token")
    assert settings.file.read_text().splitlines()[line - 1] == "token = 't'"
    assert health.line_of(settings.file, "telegram.url") == line - 1  # its table
    assert health.line_of(settings.file, "ministry.url") is None
    calls_at = health.line_of(settings.file, "calls.test_number")
    page = login_as("technician").get("/status").text
    assert f"({settings.file}, {calls_at}-qator)" in page
    assert f'<code>[[backups]]</code> <span class="small muted">({settings.file})</span>' in page


@pytest.mark.parametrize(
    ("code", "state", "means"),
    [
        ("prompts", "fail", "Callers hear silence in its place."),
        ("prompts", "warn", "Calls go on."),
        ("asterisk.folders", "fail", "Some calls may go wrong."),
        (
            "asterisk.tls",
            "fail",
            "No calls over this line; the others carry them, if there are any.",
        ),
        ("something.new", "fail", "Calls go on."),
    ],
)
def test_what_a_fault_means(code, state, means) -> None:
    assert health.meaning(Check(code, "x", state, "x")) == means
