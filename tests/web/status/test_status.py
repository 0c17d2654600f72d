"""`/healthz`, and the page of the self-checks."""

import dataclasses

import pytest

from appliance.box import alarms, health, runs
from appliance.box.health import Check
from appliance.box.links import intervals
from appliance.box.links.probing import Look
from appliance.box.snapshots import sealing
from appliance.core import clock, db
from appliance.core.settings import Backup, Telegram
from appliance.models import TelegramBot
from appliance.telephony import routing, trunks
from appliance.telephony.routing import Plan, Trunk
from appliance.telephony.trunks import SpanReport, TrunkReport


def test_healthz(client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_healthz_fails_if_the_database_is_not_writable(client, settings) -> None:
    db.database.execute_sql("PRAGMA query_only = 1")  # the request reuses this connection
    assert client.get("/healthz").status_code == 503


@pytest.mark.parametrize("path", ["/status", "/status/checks"])
def test_each_check_is_shown_with_its_remedy(login_as, path) -> None:
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
    routing.save_plan(Plan(trunks=(sip, e1)), by="rustam")
    trunks.store_trunks([TrunkReport("sip1", trunks.DOWN, error="OPTIONS sip:127.9.9.9:5060")])
    slots = {slot: "busy" if slot < 8 else "free" for slot in range(1, 32) if slot != 16}
    trunks.store_spans([SpanReport(1, "e1", "", True, slots)])


@pytest.mark.usefixtures("lines")
def test_trunks_and_spans_are_shown(login_as) -> None:
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
def test_only_the_technician_can_test_lines(login_as) -> None:
    assert '/test"' not in login_as("backup").get("/status/lines").text


@pytest.mark.usefixtures("lines")
def test_line_is_not_tested_without_a_number(login_as) -> None:
    browser = login_as("technician")
    assert browser.send("/status/lines/sip1/test").status_code == 302
    assert "calls.test_number" in browser.get("/status").text.split('id="toasts"')[1]
    assert browser.send("/status/lines/gone/test").status_code == 404


@pytest.mark.usefixtures("lines")
def test_result_of_a_test_call_is_shown(login_as) -> None:
    def result_text() -> str:
        page = login_as("technician").get("/status/lines").text
        return page.split("data-test=")[1].split("</tr>")[0]

    test = trunks.begin_test("sip1", "+998712000000", "rustam")
    assert "sinalmoqda" in result_text()
    assert trunks.end_test(test.id, "CONGESTION", "34")
    assert not trunks.end_test(test.id, "ANSWER")
    assert "liniya qoʻngʻiroqni oʻtkazmadi" in result_text()
    assert "sabab 34" in result_text()


def test_processes_jobs_and_disks_are_shown(login_as) -> None:
    page = login_as("technician").get("/status/machine").text
    assert "Ishlamayapti" in page  # nothing runs in this test
    assert "SQLite" in page
    assert "Yozuvlar diski" in page


def test_slow_check_is_shown_with_its_last_result(settings, login_as) -> None:
    browser = login_as("technician")
    assert 'id="check-clock"' not in browser.get("/status/checks").text
    message = "off by {milliseconds} ms"
    alarms.store_check_states(
        [Check("clock", "Clock", "fail", message, "x", {"milliseconds": "2500.0"})]
    )
    page = browser.get("/status/checks").text
    assert "farqi 2500.0 ms" in page.split('id="check-clock"')[1]


@pytest.mark.parametrize("name", ["reports", "snapshot", "one of a later release"])
def test_failed_job_is_shown(login_as, name) -> None:
    run = runs.claim_run(name, clock.now(), "1:1")
    assert run
    runs.finish_run(run, "failed", "ValueError: {no} such %(thing)s")
    page = login_as("technician").get("/status")
    assert page.status_code == 200
    row = page.text.split('id="check-jobs"')[1].split("</li>")[0]
    assert "ValueError: {no} such %(thing)s" in row


def check_row(page: str, code: str) -> str:
    return page.split(f'id="check-{code}"')[1].split("</li>")[0]


@pytest.mark.usefixtures("lines")
def test_fault_shows_its_consequence_and_one_button(login_as, settings, app) -> None:
    call_settings = dataclasses.replace(settings.calls, test_number="+998712000000")
    app.config["SITE"] = dataclasses.replace(settings, calls=call_settings)
    page = login_as("technician").get("/status").text
    row = check_row(page, "trunk.sip1")
    assert "Bu liniya orqali qoʻngʻiroq yoʻq" in row
    assert row.count("<button") == 1
    assert 'action="/status/lines/sip1/test"' in row
    assert "Qoʻngʻiroqlar qabul qilinmayapti." in check_row(page, "asterisk")
    row = check_row(login_as("backup").get("/status").text, "trunk.sip1")
    assert "<button" not in row  # they may not test lines


def test_page_without_access_to_keys_names_the_commands(
    login_as, settings, app, monkeypatch
) -> None:
    backup = Backup("disk", str(settings.file.parent / "repository"), settings.file.parent / "key")
    app.config["SITE"] = dataclasses.replace(settings, backups=(backup,))
    browser = login_as("technician")
    assert 'action="/backups/sheet.pdf"' in browser.get("/backups").text
    monkeypatch.setattr(sealing, "can_access_keys", lambda _: False)
    page = browser.get("/backups").text
    assert "sudo appliance backup sheet --lang uz_Latn" in page
    assert "sudo appliance backup remove-key" in page
    assert "/backups/sheet.pdf" not in page
    assert "/backups/remove-key" not in page


def test_failed_snapshot_can_be_repeated_from_its_row(login_as, settings, app) -> None:
    folder = settings.file.parent
    backup = Backup("disk", str(folder / "repository"), folder / "key")
    app.config["SITE"] = dataclasses.replace(settings, backups=(backup,))
    browser = login_as("technician")
    page = browser.get("/status").text
    row = check_row(page, "snapshot.disk")
    assert 'action="/backups/ask/create"' in row
    assert 'name="repository" value="disk"' in row
    assert "kamroq maʼlumot tiklanadi" in row
    assert 'id="way-snapshot.disk"' in page


def test_channels_show_the_same_state_as_on_their_own_pages(login_as, settings, app) -> None:
    app.config["SITE"] = dataclasses.replace(
        settings, telegram=Telegram("t", -1, "http://127.0.0.1:9")
    )
    intervals.record_looks({"telegram": Look(True, "answers")}, {})
    TelegramBot.create(name="bot", trouble="log_in", seen_at=clock.now())
    browser = login_as("technician")
    for path, id in (("/status", "way-telegram"), ("/links", "link-telegram")):
        row = browser.get(path).text.split(f'id="{id}"')[1].split("</tr>")[0]
        assert "Telegram bot tokenini rad etmoqda" in row, path
        assert "is-bad" in row, path


def test_scheduled_jobs_are_folded_and_count_failures(login_as) -> None:
    run = runs.claim_run("reports", clock.now(), "1:1")
    assert run
    runs.finish_run(run, "failed", "ValueError")
    folded = (
        login_as("technician").get("/status/machine").text.split('<details class="panel folded"')
    )
    assert len(folded) == 2
    assert "open" not in folded[1].split(">")[0]
    assert "Bajarilmagan: 1" in folded[1].split("</summary>")[0]


def test_file_only_setting_is_shown_with_file_and_line(login_as, settings) -> None:
    text = settings.file.read_text()
    settings.file.write_text(f"{text}\n[telegram]\ntoken = 't'\nchat = -1\n")
    line = health.settings_line(settings.file, "telegram.token")
    assert settings.file.read_text().splitlines()[line - 1] == "token = 't'"
    assert health.settings_line(settings.file, "telegram.url") == line - 1  # its table
    assert health.settings_line(settings.file, "ministry.url") is None
    calls_at = health.settings_line(settings.file, "calls.test_number")
    page = login_as("technician").get("/status").text
    assert f"({settings.file}, {calls_at}-qator)" in page
    assert f'<code>[[backups]]</code> <span class="small muted">({settings.file})</span>' in page


@pytest.mark.parametrize(
    ("code", "state", "means"),
    [
        ("prompts", "fail", "Silence is played to callers instead."),
        ("prompts", "warn", "Calls continue."),
        ("asterisk.folders", "fail", "Some calls may be handled incorrectly."),
        (
            "asterisk.tls",
            "fail",
            "There are no calls over this line; other lines carry them, if there are any.",
        ),
        ("something.new", "fail", "Calls continue."),
    ],
)
def test_fault_has_its_consequence(code, state, means) -> None:
    assert health.call_consequence(Check(code, "x", state, "x")) == means
