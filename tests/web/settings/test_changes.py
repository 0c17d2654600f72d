"""The pages of change requests, in each role."""

import io
import re

import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from appliance.casework import catalogs, changes
from appliance.models import AuditEntry, ChangeFile, ChangeRequest, User

WRITTEN = {"kind": "interface", "what": "Tugma nomi «Saqlash» boʻlsin", "why": "Tushunarsiz"}


@pytest.fixture
def asked(bahodir, settings):
    """A request that the ministry has written."""
    calendar = catalogs.working_calendar(settings)
    return changes.ask(bahodir, "other", WRITTEN["what"], WRITTEN["why"], calendar)


def step(browser, request, action, **fields):
    number = request.id
    version = ChangeRequest.get_by_id(number).version
    sent = {"action": action, "version": version, **fields}
    return browser.send(f"/changes/{number}/steps", f"/changes/{number}", **sent)


def test_the_ministry_writes_a_request_with_a_file(login_as, at_noon):
    browser = login_as("ministry")
    file = (io.BytesIO(b"%PDF-1.7"), "taklif.pdf")
    answer = browser.send("/changes", "/changes/new", **WRITTEN, files=[file])
    assert answer.headers["Location"] == "/changes/1"
    page = browser.get("/changes/1").text
    assert WRITTEN["what"] in page
    assert "27.11.2026" in page  # seven working days after the 18th
    number = ChangeFile.get().id
    got = browser.get(f"/changes/1/files/{number}")
    assert got.data == b"%PDF-1.7"
    assert got.headers["Content-Disposition"] == "attachment; filename=taklif.pdf"
    assert got.headers["Content-Type"] == "application/octet-stream"
    assert got.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("wrong", "trouble"),
    [
        ({"kind": "nothing"}, "Oʻzgartirish turini tanlang"),
        ({"what": "  "}, "Nimani oʻzgartirish kerakligini yozing"),
        ({"why": ""}, "Nima uchun oʻzgartirish kerakligini yozing"),
        ({"files": [(io.BytesIO(b""), "a.txt")]}, "5 MB dan katta"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(wrong, trouble, login_as):
    browser = login_as("ministry")
    page = browser.refused(browser.send("/changes", "/changes/new", **(WRITTEN | wrong)))
    assert trouble in page
    for name in ("what", "why"):
        if name not in wrong:
            assert WRITTEN[name] in page
    if "kind" not in wrong:
        assert re.search(r'value="interface" checked', page)
    assert ChangeRequest.select().count() == 0


def test_a_file_of_any_name_is_only_saved(login_as, bahodir, settings):
    calendar = catalogs.working_calendar(settings)
    sent = [changes.Sent('Талаб "хати".html', 8, lambda: b"<script>")]
    made = changes.ask(bahodir, "other", "x", "y", calendar, sent)
    answer = login_as("manager").get(f"/changes/{made.id}/files/{ChangeFile.get().id}")
    told = answer.headers["Content-Disposition"]
    assert told.startswith("attachment; ")
    assert "filename*=UTF-8''%D0%A2%D0%B0" in told
    assert told.isascii()
    assert answer.mimetype == "application/octet-stream"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("uz_Latn", "5 MB dan katta"),
        ("uz_Cyrl", "Файл бўш ёки"),
        ("ru", "больше 5 МБ"),
    ],
)
def test_a_large_file_is_passed_over_and_what_was_typed_stays(login_as, language, words):
    User.update(language=language).execute()
    browser = login_as("ministry")
    file = FileStorage(io.BytesIO(bytes(30 * 1024 * 1024)), "a.bin")
    sent = {"csrf_token": browser.token("/changes/new"), **WRITTEN, "files": file}
    boundary, body = encode_multipart(sent)  # in memory: the client would leave a file open
    kind = f"multipart/form-data; boundary={boundary}"
    answer = browser.post("/changes", data=body, content_type=kind)
    page = browser.refused(answer)
    assert words in page
    assert WRITTEN["what"] in page
    assert (ChangeRequest.select().count(), ChangeFile.select().count()) == (0, 0)


@pytest.mark.parametrize(
    ("language", "full", "day"),
    [
        ("uz_Latn", "20 MB gacha", "30 MB gacha"),
        ("uz_Cyrl", "20 МБ гача", "30 МБ гача"),
        ("ru", "до 20 МБ", "до 30 МБ"),
    ],
)
def test_the_bounds_of_a_request_and_of_a_day_are_said(login_as, monkeypatch, language, full, day):
    User.update(language=language).execute()
    browser = login_as("ministry")
    for bound, words in (("REQUEST_BYTES", full), ("DAY_BYTES", day)):
        with monkeypatch.context() as patch:
            patch.setattr(changes.files, bound, 3)
            file = (io.BytesIO(b"xxxx"), "a.txt")
            page = browser.refused(
                browser.send("/changes", "/changes/new", **WRITTEN, files=[file])
            )
        assert words in page
        assert WRITTEN["why"] in page
    assert ChangeRequest.select().count() == 0


def test_too_much_at_once_is_refused(app, login_as, monkeypatch):
    view = app.view_functions["changes.ask"]
    assert changes.MOST * changes.LARGEST < view.largest <= 40 * 1024 * 1024  # as nginx takes
    assert view.largest_file == changes.LARGEST
    monkeypatch.setattr(view, "largest", 4096)
    browser = login_as("ministry")
    file = (io.BytesIO(b"x" * 5000), "a.bin")
    assert browser.send("/changes", "/changes/new", **WRITTEN, files=[file]).status_code == 413
    assert ChangeRequest.select().count() == 0


def test_a_request_goes_between_ministry_and_manager(login_as, asked):
    ministry, manager = login_as("ministry"), login_as("manager")
    assert step(manager, asked, "question", text="Qaysi sahifada?").status_code == 302
    assert "Qaysi sahifada?" in ministry.get(f"/changes/{asked.id}").text
    assert step(ministry, asked, "answer", text="Murojaatlarda").status_code == 302
    for action in ("accept", "begin"):
        assert step(manager, asked, action).status_code == 302
    page = manager.refused(step(manager, asked, "finish", text=" "))
    assert "Avval matnni yozing" in page
    assert step(manager, asked, "finish", text="Nomi almashdi").status_code == 302
    assert step(ministry, asked, "approve").status_code == 302
    page = manager.get(f"/changes/{asked.id}").text
    for words in ("Nomi almashdi", "Murojaatlarda", "Vazirlik qabul qildi", "Sherzod Qodirov"):
        assert words in page
    assert 'name="action"' not in page


def test_who_was_slower_is_told_and_keeps_his_words(login_as, asked, rustam):
    manager = login_as("manager")
    changes.do("accept", asked, rustam, 1)
    sent = {"action": "question", "version": 1, "text": "Qaysi biri?"}
    answer = manager.send(f"/changes/{asked.id}/steps", f"/changes/{asked.id}", **sent)
    page = manager.refused(answer)
    assert "Boshqa xodim avvalroq bajardi" in page
    assert "Qaysi biri?" in page


def test_a_step_of_the_other_side_is_not_taken(login_as, asked):
    assert step(login_as("ministry"), asked, "accept").status_code == 400
    assert step(login_as("manager"), asked, "approve").status_code == 400
    assert ChangeRequest.get_by_id(asked.id).state == "asked"


def test_a_request_that_is_not_there_is_not_found(login_as):
    browser = login_as("technician")
    for path in ("/changes/7", "/changes/7/done", "/changes/7/files/1"):
        assert browser.get(path).status_code == 404


@pytest.mark.parametrize(("role", "section"), [("ministry", "/appeals"), ("manager", "/telephony")])
def test_the_tab_stands_in_the_roles_own_section(role, section, login_as, asked):
    page = login_as(role).get("/changes").text
    nav = page.split('<nav class="nav"')[1].split("</nav>")[0]
    assert re.search(rf'href="{section}" aria-current="page"', nav)
    tabs = page.split('<nav class="tabs sections"')[1].split("</nav>")[0]
    assert re.search(r'href="/changes" aria-current="page">.*<span class="count">1', tabs)


def test_what_presses_is_seen_on_every_page(login_as, asked, at_noon, monkeypatch):
    browser = login_as("manager")
    ChangeRequest.update(due_at=at_noon).execute()  # the last moment

    def pressing() -> list[str]:
        nav = browser.get("/account").text.split('<nav class="nav"')[1].split("</nav>")[0]
        return re.findall(r'<span class="(count[^"]*)">(\d+)', nav)

    assert pressing() == [("count", "1")]
    ChangeRequest.update(due_at=at_noon.replace(hour=6)).execute()
    assert pressing() == [("count is-bad", "1")]
    ChangeRequest.update(is_open=False).execute()
    assert pressing() == []


def test_the_lists_hold_what_they_say(login_as, asked, sherzod, rustam):
    browser = login_as("technician")
    changes.do("accept", asked, sherzod, 1)
    assert f'id="request-{asked.id}"' in browser.get("/changes").text
    changes.do("finish", asked, rustam, 2, "Tayyor")
    assert f'id="request-{asked.id}"' not in browser.get("/changes/list").text
    for show in ("done", "all"):
        assert f'id="request-{asked.id}"' in browser.get(f"/changes/list?show={show}").text


def test_what_is_typed_is_shown_as_text(login_as, bahodir, settings):
    bad = '<script>alert("x")</script>'
    calendar = catalogs.working_calendar(settings)
    sent = [changes.Sent(f"{bad}.html", 8, lambda: b"<script>")]
    made = changes.ask(bahodir, "other", bad, bad, calendar, sent)
    for path in ("/changes", f"/changes/{made.id}"):
        assert "<script>alert" not in login_as("manager").get(path).text


def test_every_step_is_audited(login_as, asked):
    step(login_as("manager"), asked, "accept")
    entry = AuditEntry.select().where(AuditEntry.action == "change.accept").get()
    assert (entry.who, entry.subject) == ("sherzod", str(asked.id))
