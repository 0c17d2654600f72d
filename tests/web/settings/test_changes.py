"""The pages of change requests, in each role."""

import io
import re

import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from appliance.casework import catalogs
from appliance.casework.changes import files, requests
from appliance.models import AuditEntry, ChangeFile, ChangeRequest, User

REQUEST_FIELDS = {"kind": "interface", "what": "Tugma nomi «Saqlash» boʻlsin", "why": "Tushunarsiz"}


@pytest.fixture
def change_request(bahodir, settings):
    """A change request written by the ministry."""
    calendar = catalogs.working_calendar(settings)
    return requests.create_change_request(
        bahodir, "other", REQUEST_FIELDS["what"], REQUEST_FIELDS["why"], calendar
    )


def perform_step(browser, request, action, **fields):
    number = request.id
    version = ChangeRequest.get_by_id(number).version
    form = {"action": action, "version": version, **fields}
    return browser.send(f"/changes/{number}/steps", f"/changes/{number}", **form)


def test_ministry_creates_a_request_with_a_file(login_as, at_noon):
    browser = login_as("ministry")
    file = (io.BytesIO(b"%PDF-1.7"), "taklif.pdf")
    answer = browser.send("/changes", "/changes/new", **REQUEST_FIELDS, files=[file])
    assert answer.headers["Location"] == "/changes/1"
    page = browser.get("/changes/1").text
    assert REQUEST_FIELDS["what"] in page
    assert "27.11.2026" in page  # seven working days after the 18th
    number = ChangeFile.get().id
    download = browser.get(f"/changes/1/files/{number}")
    assert download.data == b"%PDF-1.7"
    assert download.headers["Content-Disposition"] == "attachment; filename=taklif.pdf"
    assert download.headers["Content-Type"] == "application/octet-stream"
    assert download.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("wrong", "trouble"),
    [
        ({"kind": "nothing"}, "Oʻzgartirish turini tanlang"),
        ({"what": "  "}, "Nimani oʻzgartirish kerakligini yozing"),
        ({"why": ""}, "Nima uchun oʻzgartirish kerakligini yozing"),
        ({"files": [(io.BytesIO(b""), "a.txt")]}, "5 MB dan katta"),
    ],
)
def test_invalid_request_is_reported_and_typed_values_are_kept(wrong, trouble, login_as):
    browser = login_as("ministry")
    page = browser.refused_page(
        browser.send("/changes", "/changes/new", **(REQUEST_FIELDS | wrong))
    )
    assert trouble in page
    for name in ("what", "why"):
        if name not in wrong:
            assert REQUEST_FIELDS[name] in page
    if "kind" not in wrong:
        assert re.search(r'value="interface" checked', page)
    assert ChangeRequest.select().count() == 0


def test_file_with_any_name_is_only_sent_as_attachment(login_as, bahodir, settings):
    calendar = catalogs.working_calendar(settings)
    uploads = [files.UploadedFile('Талаб "хати".html', 8, lambda: b"<script>")]
    change_request = requests.create_change_request(bahodir, "other", "x", "y", calendar, uploads)
    answer = login_as("manager").get(f"/changes/{change_request.id}/files/{ChangeFile.get().id}")
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment; ")
    assert "filename*=UTF-8''%D0%A2%D0%B0" in disposition
    assert disposition.isascii()
    assert answer.mimetype == "application/octet-stream"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("uz_Latn", "5 MB dan katta"),
        ("uz_Cyrl", "Файл бўш ёки"),
        ("ru", "больше 5 МБ"),
    ],
)
def test_too_large_file_is_ignored_and_typed_values_are_kept(login_as, language, words):
    User.update(language=language).execute()
    browser = login_as("ministry")
    file = FileStorage(io.BytesIO(bytes(30 * 1024 * 1024)), "a.bin")
    form = {"csrf_token": browser.token("/changes/new"), **REQUEST_FIELDS, "files": file}
    boundary, body = encode_multipart(form)  # in memory: the client would leave a file open
    kind = f"multipart/form-data; boundary={boundary}"
    answer = browser.post("/changes", data=body, content_type=kind)
    page = browser.refused_page(answer)
    assert words in page
    assert REQUEST_FIELDS["what"] in page
    assert (ChangeRequest.select().count(), ChangeFile.select().count()) == (0, 0)


@pytest.mark.parametrize(
    ("language", "full", "day"),
    [
        ("uz_Latn", "20 MB gacha", "30 MB gacha"),
        ("uz_Cyrl", "20 МБ гача", "30 МБ гача"),
        ("ru", "до 20 МБ", "до 30 МБ"),
    ],
)
def test_size_limits_of_a_request_and_of_a_day_are_reported(
    login_as, monkeypatch, language, full, day
):
    User.update(language=language).execute()
    browser = login_as("ministry")
    for limit_name, message in (("MAX_REQUEST_BYTES", full), ("MAX_DAILY_BYTES", day)):
        with monkeypatch.context() as patch:
            patch.setattr(files, limit_name, 3)
            file = (io.BytesIO(b"xxxx"), "a.txt")
            page = browser.refused_page(
                browser.send("/changes", "/changes/new", **REQUEST_FIELDS, files=[file])
            )
        assert message in page
        assert REQUEST_FIELDS["why"] in page
    assert ChangeRequest.select().count() == 0


def test_too_large_upload_is_rejected(app, login_as, monkeypatch):
    view = app.view_functions["changes.create_request"]
    # nginx accepts as much
    assert files.MAX_FILES_PER_UPLOAD * files.MAX_FILE_BYTES < view.max_bytes <= 40 * 1024 * 1024
    assert view.max_file_bytes == files.MAX_FILE_BYTES
    monkeypatch.setattr(view, "max_bytes", 4096)
    browser = login_as("ministry")
    file = (io.BytesIO(b"x" * 5000), "a.bin")
    assert (
        browser.send("/changes", "/changes/new", **REQUEST_FIELDS, files=[file]).status_code == 413
    )
    assert ChangeRequest.select().count() == 0


def test_request_passes_between_ministry_and_manager(login_as, change_request):
    ministry, manager = login_as("ministry"), login_as("manager")
    assert (
        perform_step(manager, change_request, "question", text="Qaysi sahifada?").status_code == 302
    )
    assert "Qaysi sahifada?" in ministry.get(f"/changes/{change_request.id}").text
    assert perform_step(ministry, change_request, "answer", text="Murojaatlarda").status_code == 302
    for action in ("accept", "begin"):
        assert perform_step(manager, change_request, action).status_code == 302
    page = manager.refused_page(perform_step(manager, change_request, "finish", text=" "))
    assert "Avval matnni yozing" in page
    assert perform_step(manager, change_request, "finish", text="Nomi almashdi").status_code == 302
    assert perform_step(ministry, change_request, "approve").status_code == 302
    page = manager.get(f"/changes/{change_request.id}").text
    for text in ("Nomi almashdi", "Murojaatlarda", "Vazirlik qabul qildi", "Sherzod Qodirov"):
        assert text in page
    assert 'name="action"' not in page


def test_outdated_step_is_refused_and_its_text_is_kept(login_as, change_request, rustam):
    manager = login_as("manager")
    requests.perform_request_action("accept", change_request, rustam, 1)
    form = {"action": "question", "version": 1, "text": "Qaysi biri?"}
    answer = manager.send(
        f"/changes/{change_request.id}/steps", f"/changes/{change_request.id}", **form
    )
    page = manager.refused_page(answer)
    assert "Boshqa xodim avvalroq bajardi" in page
    assert "Qaysi biri?" in page


def test_step_of_the_other_role_is_rejected(login_as, change_request):
    assert perform_step(login_as("ministry"), change_request, "accept").status_code == 400
    assert perform_step(login_as("manager"), change_request, "approve").status_code == 400
    assert ChangeRequest.get_by_id(change_request.id).state == "asked"


def test_unknown_request_is_not_found(login_as):
    browser = login_as("technician")
    for path in ("/changes/7", "/changes/7/done", "/changes/7/files/1"):
        assert browser.get(path).status_code == 404


@pytest.mark.parametrize(("role", "section"), [("ministry", "/appeals"), ("manager", "/telephony")])
def test_tab_is_in_the_section_of_the_role(role, section, login_as, change_request):
    page = login_as(role).get("/changes").text
    nav = page.split('<nav class="nav"')[1].split("</nav>")[0]
    assert re.search(rf'href="{section}" aria-current="page"', nav)
    tabs = page.split('<nav class="tabs sections"')[1].split("</nav>")[0]
    assert re.search(r'href="/changes" aria-current="page">.*<span class="count">1', tabs)


def test_urgent_requests_are_counted_on_every_page(login_as, change_request, at_noon, monkeypatch):
    browser = login_as("manager")
    ChangeRequest.update(due_at=at_noon).execute()  # the last possible time

    def urgent_counts() -> list[str]:
        nav = browser.get("/account").text.split('<nav class="nav"')[1].split("</nav>")[0]
        return re.findall(r'<span class="(count[^"]*)">(\d+)', nav)

    assert urgent_counts() == [("count", "1")]
    ChangeRequest.update(due_at=at_noon.replace(hour=6)).execute()
    assert urgent_counts() == [("count is-bad", "1")]
    ChangeRequest.update(is_open=False).execute()
    assert urgent_counts() == []


def test_each_list_holds_the_requests_of_its_state(login_as, change_request, sherzod, rustam):
    browser = login_as("technician")
    requests.perform_request_action("accept", change_request, sherzod, 1)
    assert f'id="request-{change_request.id}"' in browser.get("/changes").text
    requests.perform_request_action("finish", change_request, rustam, 2, "Tayyor")
    assert f'id="request-{change_request.id}"' not in browser.get("/changes/list").text
    for show in ("done", "all"):
        assert f'id="request-{change_request.id}"' in browser.get(f"/changes/list?show={show}").text


def test_typed_markup_is_shown_as_text(login_as, bahodir, settings):
    markup = '<script>alert("x")</script>'
    calendar = catalogs.working_calendar(settings)
    uploads = [files.UploadedFile(f"{markup}.html", 8, lambda: b"<script>")]
    change_request = requests.create_change_request(
        bahodir, "other", markup, markup, calendar, uploads
    )
    for path in ("/changes", f"/changes/{change_request.id}"):
        assert "<script>alert" not in login_as("manager").get(path).text


def test_every_step_is_audited(login_as, change_request):
    perform_step(login_as("manager"), change_request, "accept")
    entry = AuditEntry.select().where(AuditEntry.action == "change.accept").get()
    assert (entry.who, entry.subject) == ("sherzod", str(change_request.id))
