"""The size of what is sent is limited, and typed text is kept so that it can be shortened."""

import inspect
import os
import re
import uuid
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from werkzeug.datastructures import FileStorage

import appliance.web
from appliance.casework.forms import drafts
from appliance.core.i18n import LOCALES
from appliance.models import AuditEntry, Draft, Tariff, User
from appliance.telephony import routing
from appliance.telephony.routing import Topic
from appliance.web.reports import minutes
from appliance.web.shell import concurrency, size_limits

FORM_VALUES = {"first_name": "Aziza", "gist": "Ish"}


def save_draft(browser, token: str, **values: str):
    headers = {"X-CSRFToken": browser.token("/account")}
    sent = {"values": FORM_VALUES | values}
    return browser.post(f"/operator/forms/{token}", json=sent, headers=headers)


@pytest.mark.parametrize(
    ("field", "max_length"),
    [
        ("gist", size_limits.MAX_TEXT_CHARACTERS),
        ("first_name", size_limits.MAX_LINE_CHARACTERS),
        ("evil", size_limits.MAX_LINE_CHARACTERS),
    ],
)
def test_the_length_of_a_drafts_fields_is_limited(login_as, field: str, max_length: int) -> None:
    browser, token = login_as("operator"), uuid.uuid4().hex
    assert save_draft(browser, token, **{field: "ў" * max_length}).status_code == 200
    answer = save_draft(browser, token, **{field: "ў" * (max_length + 1)})
    assert (answer.status_code, answer.json) == (413, {"longest": {field: max_length}})
    assert all(len(text) <= max_length for text in Draft.get().values.values())


def test_the_number_of_drafts_is_limited_and_existing_ones_can_be_saved(
    login_as, nilufar: User
) -> None:
    browser = login_as("operator")
    for _ in range(drafts.MAX_DRAFTS_WITHOUT_CALL - 1):
        drafts.save_draft(nilufar, uuid.uuid4().hex, FORM_VALUES)
    last, another = uuid.uuid4().hex, uuid.uuid4().hex
    assert save_draft(browser, last).status_code == 200
    assert save_draft(browser, another).status_code == 413
    assert save_draft(browser, last, gist="Yana").status_code == 200
    assert Draft.select().count() == drafts.MAX_DRAFTS_WITHOUT_CALL
    headers = {"X-CSRFToken": browser.token("/account")}
    registered = browser.post(
        f"/operator/forms/{another}/register", json={"values": FORM_VALUES}, headers=headers
    )
    assert registered.status_code == 200  # an appeal is never refused
    browser.post(f"/operator/forms/{last}/discard", headers=headers)
    assert save_draft(browser, uuid.uuid4().hex).status_code == 200


def test_a_request_that_is_too_large_is_read_to_its_end(login_as) -> None:
    """Otherwise nginx, while still sending, finds the connection closed and reports that
    instead.
    """
    browser, size = login_as("manager"), 2_000_000
    body = BytesIO(b"file=" + b"a" * size)
    headers = {"X-CSRFToken": browser.token("/account")}
    kind = "application/x-www-form-urlencoded"
    answer = browser.post(
        "/departments", input_stream=body, content_length=size, content_type=kind, headers=headers
    )
    assert (answer.status_code, body.read()) == (413, b"")


def test_discarding_a_missing_draft_is_not_audited(login_as) -> None:
    browser = login_as("operator")
    headers = {"X-CSRFToken": browser.token("/account")}
    browser.post(f"/operator/forms/{uuid.uuid4().hex}/discard", headers=headers)
    assert not AuditEntry.select().where(AuditEntry.action == "draft.discard").exists()


@pytest.mark.parametrize("locale", LOCALES)
def test_a_text_that_is_too_long_is_returned_for_shortening(
    login_as, sherzod: User, locale: str
) -> None:
    User.update(language=locale).execute()
    browser = login_as("manager")
    name = "Boʻlim " * 1000
    answer = browser.send("/departments", name_uz_latn=name, own_body="on")
    assert answer.status_code == 413
    assert name.strip() in answer.text
    assert 'name="own_body" value="on"' in answer.text
    assert str(size_limits.MAX_LINE_CHARACTERS) in answer.text
    token = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)
    assert token
    short = {"name_uz_latn": "Boʻlim", "own_body": "on", "csrf_token": token[1]}
    assert browser.post("/departments", data=short).status_code == 302


@pytest.mark.parametrize(
    ("role", "path", "field"),
    [
        ("manager", "/directory", "name"),
        ("manager", "/directory", "position"),
        ("manager", "/staff-records/events", "note"),
        ("manager", "/staff-records/answers", "numbers"),
        ("manager", "/retention/holds", "why"),
        ("manager", "/notices", "text"),
        ("manager", "/telephony/trunks", "note"),
        ("manager", "/telephony/blocked", "blocked"),
        ("manager", "/prompts/speak/uz/thanks", "text"),
        ("manager", "/keys", "name"),
        ("manager", "/minutes/tariffs", "number"),
        ("operator", "/followups/1/done", "note"),
        ("supervisor", "/calls/no-call/listen", "reason"),
        ("supervisor", "/appeals/2026-000001/correct", "gist"),
        ("supervisor", "/appeals/2026-000001/contacted", "contact"),
        ("operator", "/messages/appeal/2026-000001", "sms"),
        ("ministry", "/appeals/2026-000001/steps", "text"),
    ],
)
def test_the_length_of_every_submitted_text_is_limited(
    login_as, role: str, path: str, field: str
) -> None:
    answer = login_as(role).send(path, **{field: "x" * 100_001})
    assert answer.status_code == 413
    assert 'role="alert"' in answer.text or f'name="{field}"' in answer.text


def test_a_form_of_very_many_fields_is_refused(login_as) -> None:
    browser = login_as("manager")
    fields = {f"topics.{number}.keys": "1" for number in range(size_limits.MAX_FORM_FIELDS)}
    assert browser.send("/telephony/topics", **fields).status_code == 413
    assert (
        browser.send("/telephony/topics", **{f"topics.{'9' * 5000}.keys": "1"}).status_code == 413
    )
    assert browser.send("/telephony/topics", **{"topics.².keys": "1"}).status_code < 500
    deep = browser.post(
        "/operator/state",
        data="[" * 200_000,
        content_type="application/json",
        headers={"X-CSRFToken": browser.token("/account")},
    )
    assert deep.status_code in (400, 403)


@pytest.mark.parametrize(
    "price", ["1e999990", "1e9", "1e-999990", "9" * 1000, "NaN", "-1", "١٢٣", "1.005", "100000000"]
)
def test_an_invalid_price_is_refused(login_as, monkeypatch: pytest.MonkeyPatch, price: str) -> None:
    parsed_texts: list[str] = []
    monkeypatch.setattr(minutes, "Decimal", lambda text: parsed_texts.append(text) or Decimal(0))
    form = {"direction": "inbound", "rounding": "second", "valid_from": "01.12.2026"}
    browser = login_as("manager")
    assert 'role="alert"' in browser.refused_page(
        browser.send("/minutes/tariffs", **form, price=price)
    )
    assert parsed_texts == []  # an exponent of 999,990 would be written out as digits
    assert not Tariff.select().exists()


@pytest.mark.parametrize(
    ("price", "tiyin"), [("150", 15_000), ("87,50", 8_750), ("1 200.5", 120_050), ("0", 0)]
)
def test_a_valid_price_is_saved(login_as, price: str, tiyin: int) -> None:
    form = {"direction": "inbound", "rounding": "second", "valid_from": "01.12.2026"}
    assert login_as("manager").send("/minutes/tariffs", **form, price=price).status_code == 302
    assert Tariff.get().price == tiyin


def test_the_size_of_a_plan_is_limited(settings) -> None:
    many = tuple(Topic(str(key), "a", "b") for key in range(1000, 1201))
    assert routing.find_faults(routing.Plan(topics=many)) == {"topics.200.keys": "many"}
    wordy = (Topic("1", "a" * 101, "b"),)
    assert routing.find_faults(routing.Plan(topics=wordy))["topics.0.uz"] == "long"
    blocked = tuple(f"+9989{number:08d}" for number in range(5001))
    assert routing.find_faults(routing.Plan(blocked=blocked))["blocked"] == "many"


def test_every_file_field_declares_its_limits() -> None:
    """The browser refuses the file before sending, in the reader's language: other input
    is kept.
    """
    fields = {
        f"{file.name}: {call}": call
        for file in Path(appliance.web.__file__).parent.rglob("*.html")
        for call in re.findall(r"{{ file_input\((.*?)\)\s*}}", file.read_text("utf-8"), re.S)
    }
    assert len(fields) >= 6
    assert [place for place, call in fields.items() if "most=" not in call] == []
    assert [place for place, call in fields.items() if "described=" not in call] == []


def test_a_file_that_is_too_large_is_not_stored() -> None:
    with size_limits.BoundedFile(100_000) as file:
        for _ in range(1000):
            file.write(bytes(1000))
        assert file.size == 1_000_000
        assert file.seek(0, os.SEEK_END) <= 100_000
        assert size_limits.file_size(FileStorage(file, "a.bin")) == 1_000_000


def test_every_view_that_prints_uses_the_queue_of_heavy_work(app) -> None:
    """A view that prints by itself is declared `heavy`: few run at once, fewer for one user."""
    makes = re.compile(
        r"\bpdf\.write_pdf\(|\bpaper\.render_answer\(|\bas_book\b|xlsx\.|files\.render_file"
    )
    printing = set()
    for endpoint, view in app.view_functions.items():
        view_function = inspect.unwrap(view)
        if view_function.__module__.startswith("appliance.web.") and makes.search(
            inspect.getsource(view_function)
        ):
            printing.add(endpoint)
            assert "works_long" in view.__dict__, endpoint
    assert {
        "scripts.download_version_pdf",
        "backups.download_recovery_sheet",
        "data_requests.download_answer",
    } <= printing


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("uz_Latn", "Oldingi hujjatlaringiz hali tayyorlanmoqda"),
        ("uz_Cyrl", "Олдинги ҳужжатларингиз ҳали тайёрланмоқда"),
        ("ru", "Ваши предыдущие документы ещё готовятся"),
    ],
)
def test_a_user_who_requests_too_many_documents_must_wait(
    app, login_as, bahodir, locale, words
) -> None:
    User.update(language=locale).execute()
    browser = login_as("ministry")
    browser.get("/scripts")
    for _ in range(concurrency.MAX_PENDING_REPORTS_PER_USER):
        assert app.extensions["report_slots"].acquire_slot(bahodir.login)
    answer = browser.get("/scripts/x/versions/1.pdf")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    assert words in answer.text
