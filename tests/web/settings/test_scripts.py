"""The pages *Scripts*: written by the manager, approved by the ministry; typed values are kept."""

import io
import re

import docx
import pytest
from pypdf import PdfReader

from appliance.casework.scripts import queries, runs
from appliance.models import ChangeLink, ChangeRequest, ScriptVersion
from tests.rig.appeals import create_call
from tests.rig.scripts import make_script, make_step, publish_script, replace_definition

STEP_FIELDS = {
    "name-uz": "Savol",
    "name-ru": "Вопрос",
    "said-uz": "Nima yordam kerak?",
    "said-ru": "Чем помочь?",
    "answer-uz": ["Subsidiya", "Boshqa", ""],
    "answer-ru": ["Субсидия", "Другое", ""],
    "answer-to": ["1", "1", ""],
    "action": ["specialist:", ""],
    "fields": ["gist", "region"],
}


@pytest.fixture
def manager(login_as):
    """The manager, with a draft of a script."""
    browser = login_as("manager")
    answer = browser.send("/scripts", **{"title-uz": "Birinchi suhbat", "title-ru": "Первый"})
    assert answer.headers["Location"] == "/scripts/birinchi-suhbat"
    return browser


def newest_revision() -> int:
    return ScriptVersion.select().order_by(ScriptVersion.id.desc()).get().revision


def newest_definition():
    return queries.version_definition(
        ScriptVersion.select().order_by(ScriptVersion.id.desc()).get()
    )


def test_step_is_saved_and_shown_with_its_faults(manager) -> None:
    answer = manager.send("/scripts/birinchi-suhbat/steps", seen=newest_revision(), **STEP_FIELDS)
    assert answer.headers["Location"] == "/scripts/birinchi-suhbat#step-savol"
    definition = newest_definition()
    assert [item.code for item in definition.steps] == ["1", "savol"]
    assert definition.steps[1].fields == ("gist", "region")
    assert [item.to for item in definition.steps[1].answers] == ["1", "1"]
    page = manager.get("/scripts/birinchi-suhbat").text
    assert "Nima yordam kerak?" in page
    assert 'class="box wrong"' in page  # no answer leads to it
    assert page.count('<rect class="box') == 2
    refused = manager.refused_page(
        manager.send("/scripts/birinchi-suhbat/send", seen=newest_revision())
    )
    assert 'role="alert"' in refused


def test_refused_step_keeps_its_typed_values(manager) -> None:
    steps_url = "/scripts/birinchi-suhbat/steps"
    typed = STEP_FIELDS | {"name-uz": "", "name-ru": "", "answer-uz": ["Ha", "Yoʻq", "Bilmayman"]}
    page = manager.refused_page(manager.send(steps_url, seen=newest_revision(), **typed))
    assert "Nima yordam kerak?" in page
    assert "Bilmayman" in page
    stale = manager.refused_page(
        manager.send(f"{steps_url}/1", seen=newest_revision() - 1, **STEP_FIELDS)
    )
    assert "Nima yordam kerak?" in stale


def test_script_is_approved_by_the_ministry_and_put_in_force(login_as, manager) -> None:
    change_request = ChangeRequest.create(
        kind="interface", what="Skript", why="Kerak", author="bahodir", asked_at=0, due_at=0,
        state="asked",
    )  # fmt: skip
    manager.send("/scripts", **{"title-uz": "Ikkinchi", "request": change_request.id})
    row = ScriptVersion.select().order_by(ScriptVersion.id.desc()).get()
    replace_definition(row, make_script())
    ministry = login_as("bahodir")
    assert ministry.send("/scripts/ikkinchi/approve", seen=newest_revision()).status_code == 303
    manager.send("/scripts/ikkinchi/send", seen=newest_revision())
    page = ministry.get("/scripts/ikkinchi").text
    assert 'action="/scripts/ikkinchi/approve"' in page
    assert 'action="/scripts/ikkinchi/put"' not in page
    refused_page = ministry.refused_page(
        ministry.send("/scripts/ikkinchi/return", seen=newest_revision(), words=" ")
    )
    assert 'role="alert"' in refused_page
    ministry.send("/scripts/ikkinchi/return", seen=newest_revision(), words="Qisqaroq boʻlsin")
    assert "Qisqaroq boʻlsin" in manager.get("/scripts/ikkinchi").text
    manager.send("/scripts/ikkinchi/send", seen=newest_revision())
    ministry.send("/scripts/ikkinchi/approve", seen=newest_revision())
    wrong = manager.send("/scripts/ikkinchi/put", seen=newest_revision(), day="31.02.2030")
    assert "31.02.2030" in manager.refused_page(wrong)
    manager.send("/scripts/ikkinchi/put", seen=newest_revision())
    assert [version.script.code for version in queries.versions_in_force()] == ["ikkinchi"]
    link = ChangeLink.get()
    assert (link.request_id, link.kind, link.ref) == (change_request.id, "script", "ikkinchi/1")
    assert "/scripts/ikkinchi/versions/1" in manager.get(f"/changes/{change_request.id}").text


def test_calls_to_which_a_script_applies_can_be_set(manager) -> None:
    form = {
        "title-uz": "Subsidiya",
        "topics": ["subsidies"],
        "kinds": ["incoming", "callback"],
        "hours": "open",
        "languages": ["uz"],
    }
    manager.send("/scripts/birinchi-suhbat/about", seen=newest_revision(), **form)
    when = newest_definition().when
    assert (when.topics, when.hours, when.languages) == (("subsidies",), "open", ("uz",))
    page = manager.get("/scripts").text
    assert "ish vaqtida" in page
    refused = manager.send("/scripts/birinchi-suhbat/about", seen=newest_revision(), hours="night")
    assert refused.status_code == 303


def test_two_versions_are_compared(login_as, sherzod, bahodir) -> None:
    first = publish_script(sherzod, bahodir)
    manager = login_as("manager")
    code = first.script.code
    manager.send(f"/scripts/{code}/draft")
    manager.send(f"/scripts/{code}/steps", seen=newest_revision(), **STEP_FIELDS)
    page = manager.get(f"/scripts/{code}/versions/2").text
    assert re.search(r"<th scope=\"row\">Savol</th><td>\S+</td>", page)
    assert manager.get(f"/scripts/{code}/versions/9").status_code == 404
    manager.send(f"/scripts/{code}/steps/savol-2/remove", seen=newest_revision())
    manager.send(f"/scripts/{code}/steps/xato/up", seen=newest_revision())
    assert [item.code for item in newest_definition().steps] == ["salom", "savol", "xato", "rahmat"]


def test_step_preview_shows_the_operators_view(manager) -> None:
    preview_url = "/scripts/birinchi-suhbat/preview"
    fragment = manager.send(
        preview_url, **(STEP_FIELDS | {"said-uz": "Salom, {name}! <b>Ha</b>"})
    ).text
    assert '<span class="gap">' in fragment
    assert "&lt;b&gt;Ha&lt;/b&gt;" in fragment
    assert "<html" not in fragment
    assert 'class="warn"' in manager.send(preview_url, **(STEP_FIELDS | {"name-uz": "x" * 99})).text


def test_script_preview_goes_step_by_step(login_as, sherzod, bahodir) -> None:
    code = publish_script(sherzod, bahodir).script.code
    ministry = login_as("bahodir")
    page = ministry.get(f"/scripts/{code}/preview?way=1-2").text
    assert "Gap xato" in page
    page = ministry.get(f"/scripts/{code}/preview?way=1-9-2&language=ru").text
    assert "Gap savol (ru)" in page
    assert ministry.get(f"/scripts/{code}/preview?version=7").status_code == 404


def test_counts_show_how_scripts_are_followed(login_as, nilufar, sherzod, bahodir) -> None:
    version = publish_script(sherzod, bahodir)
    run = runs.begin_run(nilufar, "t", create_call(), version, "uz")
    runs.end_run(runs.open_step(run, 1, answer=1), "left")
    run = runs.begin_run(nilufar, "u", None, version, "uz")
    runs.end_run(runs.open_step(runs.open_step(run, 1, answer=1), 2, answer=1), "finished")
    page = login_as("dilnoza").get("/scripts/counts").text
    rows = re.findall(r"<th scope=\"row\">\d\. (.*?)</th>\s*<td class=\"n\">(.*?)</td>\s*"
                      r"<td class=\"n\">(.*?)</td>\s*<td class=\"n\">(.*?)</td>", page)  # fmt: skip
    assert [(name, opened, abandoned) for name, opened, _time, abandoned in rows] == [
        ("Qadam salom", "2", "0"),
        ("Qadam savol", "2", "1"),
        ("Qadam rahmat", "1", "0"),
        ("Qadam xato", "0", "0"),
    ]
    assert "50" in page
    assert "Qadam" not in login_as("dilnoza").get("/scripts/counts?last=01.01.2020").text


def test_graph_shows_forty_steps(manager) -> None:
    steps = [make_step(f"s{n}", *(f"s{m}" for m in (n + 1, n + 7, 1 + n // 2) if m < 40))
             for n in range(40)]  # fmt: skip
    row = ScriptVersion.get()
    replace_definition(row, make_script(*steps))
    assert manager.get("/scripts/birinchi-suhbat").text.count('<rect class="box') == 40


def test_version_can_be_downloaded_as_pdf_to_be_signed(login_as, sherzod, bahodir) -> None:
    code = publish_script(sherzod, bahodir).script.code
    answer = login_as("bahodir").get(f"/scripts/{code}/versions/1.pdf")
    assert answer.mimetype == "application/pdf"
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.data)).pages)
    assert "Gap savol" in text
    assert "Javob 2 savol" in text
    assert "Sekin ayting" in text


def test_script_is_imported_from_a_document(login_as) -> None:
    manager = login_as("manager")
    page = docx.Document()
    page.add_heading("Salomlashish", 1)
    page.add_paragraph("Assalomu alaykum!")
    content = io.BytesIO()
    page.save(content)
    answer = manager.send("/scripts/import", file=(io.BytesIO(content.getvalue()), "Suhbat.docx"))
    assert answer.headers["Location"] == "/scripts/suhbat"
    assert "Assalomu alaykum!" in manager.get("/scripts/suhbat").text
    refused = manager.send("/scripts/import", file=(io.BytesIO(b"PK\x03\x04no"), "a.docx"))
    assert "Word" in manager.refused_page(refused)


def test_text_is_imported_into_a_new_version_of_a_script(login_as, sherzod, bahodir) -> None:
    version = publish_script(sherzod, bahodir)
    code, manager = version.script.code, login_as("manager")
    assert f'value="{code}/{version.revision}"' in manager.get("/scripts").text
    page = docx.Document()
    page.add_heading("Qadam salom", 1)
    page.add_paragraph("Yaxshimisiz?")
    content = io.BytesIO()
    page.save(content)

    def import_document(into: str):
        file = (io.BytesIO(content.getvalue()), "Suhbat.docx")
        return manager.send("/scripts/import", file=file, into=into)

    assert import_document(f"{code}/{version.revision}").headers["Location"] == f"/scripts/{code}"
    assert (newest_revision(), len(newest_definition().steps)) == (1, 1)
    # the same text twice
    assert import_document(f"{code}/1").headers["Location"] == f"/scripts/{code}"
    assert ScriptVersion.select().count() == 2
    page = manager.refused_page(import_document(f"{code}/1"))
    assert 'role="alert"' in page
    assert import_document("yoq/1").status_code == 404
