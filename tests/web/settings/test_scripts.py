"""The pages *Scripts*: written by the manager, approved by the ministry; nothing typed is lost."""

import io
import re

import docx
import pytest
from pypdf import PdfReader

from appliance.casework.scripts import queries, runs
from appliance.models import ChangeLink, ChangeRequest, ScriptVersion
from tests.casework.test_appeals import a_call
from tests.rig.scripts import document, in_force, rewritten, step

STEP = {
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


def seen() -> int:
    return ScriptVersion.select().order_by(ScriptVersion.id.desc()).get().revision


def newest():
    return queries.definition_of(ScriptVersion.select().order_by(ScriptVersion.id.desc()).get())


def test_a_step_is_written_and_shown_with_what_is_wrong(manager) -> None:
    answer = manager.send("/scripts/birinchi-suhbat/steps", seen=seen(), **STEP)
    assert answer.headers["Location"] == "/scripts/birinchi-suhbat#step-savol"
    made = newest()
    assert [one.code for one in made.steps] == ["1", "savol"]
    assert made.steps[1].fields == ("gist", "region")
    assert [one.to for one in made.steps[1].answers] == ["1", "1"]
    page = manager.get("/scripts/birinchi-suhbat").text
    assert "Nima yordam kerak?" in page
    assert 'class="box wrong"' in page  # no answer leads to it
    assert page.count('<rect class="box') == 2
    refused = manager.refused(manager.send("/scripts/birinchi-suhbat/send", seen=seen()))
    assert 'role="alert"' in refused


def test_what_was_typed_of_a_refused_step_stays(manager) -> None:
    there = "/scripts/birinchi-suhbat/steps"
    typed = STEP | {"name-uz": "", "name-ru": "", "answer-uz": ["Ha", "Yoʻq", "Bilmayman"]}
    page = manager.refused(manager.send(there, seen=seen(), **typed))
    assert "Nima yordam kerak?" in page
    assert "Bilmayman" in page
    stale = manager.refused(manager.send(f"{there}/1", seen=seen() - 1, **STEP))
    assert "Nima yordam kerak?" in stale


def test_a_script_goes_to_the_ministry_and_comes_in_force(login_as, manager) -> None:
    asked = ChangeRequest.create(
        kind="interface", what="Skript", why="Kerak", author="bahodir", asked_at=0, due_at=0,
        state="asked",
    )  # fmt: skip
    manager.send("/scripts", **{"title-uz": "Ikkinchi", "request": asked.id})
    row = ScriptVersion.select().order_by(ScriptVersion.id.desc()).get()
    rewritten(row, document())
    ministry = login_as("bahodir")
    assert ministry.send("/scripts/ikkinchi/approve", seen=seen()).status_code == 303
    manager.send("/scripts/ikkinchi/send", seen=seen())
    page = ministry.get("/scripts/ikkinchi").text
    assert 'action="/scripts/ikkinchi/approve"' in page
    assert 'action="/scripts/ikkinchi/put"' not in page
    without = ministry.refused(ministry.send("/scripts/ikkinchi/return", seen=seen(), words=" "))
    assert 'role="alert"' in without
    ministry.send("/scripts/ikkinchi/return", seen=seen(), words="Qisqaroq boʻlsin")
    assert "Qisqaroq boʻlsin" in manager.get("/scripts/ikkinchi").text
    manager.send("/scripts/ikkinchi/send", seen=seen())
    ministry.send("/scripts/ikkinchi/approve", seen=seen())
    wrong = manager.send("/scripts/ikkinchi/put", seen=seen(), day="31.02.2030")
    assert "31.02.2030" in manager.refused(wrong)
    manager.send("/scripts/ikkinchi/put", seen=seen())
    assert [one.script.code for one in queries.in_force()] == ["ikkinchi"]
    link = ChangeLink.get()
    assert (link.request_id, link.kind, link.ref) == (asked.id, "script", "ikkinchi/1")
    assert "/scripts/ikkinchi/versions/1" in manager.get(f"/changes/{asked.id}").text


def test_for_which_calls_it_is(manager) -> None:
    sent = {
        "title-uz": "Subsidiya",
        "topics": ["subsidies"],
        "kinds": ["incoming", "callback"],
        "hours": "open",
        "languages": ["uz"],
    }
    manager.send("/scripts/birinchi-suhbat/about", seen=seen(), **sent)
    when = newest().when
    assert (when.topics, when.hours, when.languages) == (("subsidies",), "open", ("uz",))
    page = manager.get("/scripts").text
    assert "ish vaqtida" in page
    refused = manager.send("/scripts/birinchi-suhbat/about", seen=seen(), hours="night")
    assert refused.status_code == 303


def test_two_versions_are_compared(login_as, sherzod, bahodir) -> None:
    first = in_force(sherzod, bahodir)
    manager = login_as("manager")
    code = first.script.code
    manager.send(f"/scripts/{code}/draft")
    manager.send(f"/scripts/{code}/steps", seen=seen(), **STEP)
    page = manager.get(f"/scripts/{code}/versions/2").text
    assert re.search(r"<th scope=\"row\">Savol</th><td>\S+</td>", page)
    assert manager.get(f"/scripts/{code}/versions/9").status_code == 404
    manager.send(f"/scripts/{code}/steps/savol-2/remove", seen=seen())
    manager.send(f"/scripts/{code}/steps/xato/up", seen=seen())
    assert [one.code for one in newest().steps] == ["salom", "savol", "xato", "rahmat"]


def test_a_step_is_seen_as_the_operator_will_see_it(manager) -> None:
    there = "/scripts/birinchi-suhbat/preview"
    piece = manager.send(there, **(STEP | {"said-uz": "Salom, {name}! <b>Ha</b>"})).text
    assert '<span class="gap">' in piece
    assert "&lt;b&gt;Ha&lt;/b&gt;" in piece
    assert "<html" not in piece
    assert 'class="warn"' in manager.send(there, **(STEP | {"name-uz": "x" * 99})).text


def test_a_script_is_tried_step_by_step(login_as, sherzod, bahodir) -> None:
    code = in_force(sherzod, bahodir).script.code
    ministry = login_as("bahodir")
    page = ministry.get(f"/scripts/{code}/preview?way=1-2").text
    assert "Gap xato" in page
    page = ministry.get(f"/scripts/{code}/preview?way=1-9-2&language=ru").text
    assert "Gap savol (ru)" in page
    assert ministry.get(f"/scripts/{code}/preview?version=7").status_code == 404


def test_how_scripts_are_followed_is_counted(login_as, nilufar, sherzod, bahodir) -> None:
    version = in_force(sherzod, bahodir)
    run = runs.begin(nilufar, "t", a_call(), version, "uz")
    runs.end(runs.go(run, 1, answer=1), "left")
    run = runs.begin(nilufar, "u", None, version, "uz")
    runs.end(runs.go(runs.go(run, 1, answer=1), 2, answer=1), "finished")
    page = login_as("dilnoza").get("/scripts/counts").text
    rows = re.findall(r"<th scope=\"row\">\d\. (.*?)</th>\s*<td class=\"n\">(.*?)</td>\s*"
                      r"<td class=\"n\">(.*?)</td>\s*<td class=\"n\">(.*?)</td>", page)  # fmt: skip
    assert [(name, opened, left) for name, opened, _time, left in rows] == [
        ("Qadam salom", "2", "0"),
        ("Qadam savol", "2", "1"),
        ("Qadam rahmat", "1", "0"),
        ("Qadam xato", "0", "0"),
    ]
    assert "50" in page
    assert "Qadam" not in login_as("dilnoza").get("/scripts/counts?last=01.01.2020").text


def test_forty_steps_are_drawn(manager) -> None:
    steps = [step(f"s{n}", *(f"s{m}" for m in (n + 1, n + 7, 1 + n // 2) if m < 40))
             for n in range(40)]  # fmt: skip
    row = ScriptVersion.get()
    rewritten(row, document(*steps))
    assert manager.get("/scripts/birinchi-suhbat").text.count('<rect class="box') == 40


def test_a_version_is_printed_to_be_signed(login_as, sherzod, bahodir) -> None:
    code = in_force(sherzod, bahodir).script.code
    answer = login_as("bahodir").get(f"/scripts/{code}/versions/1.pdf")
    assert answer.mimetype == "application/pdf"
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.data)).pages)
    assert "Gap savol" in text
    assert "Javob 2 savol" in text
    assert "Sekin ayting" in text


def test_a_script_is_taken_from_a_document(login_as) -> None:
    manager = login_as("manager")
    page = docx.Document()
    page.add_heading("Salomlashish", 1)
    page.add_paragraph("Assalomu alaykum!")
    sent = io.BytesIO()
    page.save(sent)
    answer = manager.send("/scripts/import", file=(io.BytesIO(sent.getvalue()), "Suhbat.docx"))
    assert answer.headers["Location"] == "/scripts/suhbat"
    assert "Assalomu alaykum!" in manager.get("/scripts/suhbat").text
    refused = manager.send("/scripts/import", file=(io.BytesIO(b"PK\x03\x04no"), "a.docx"))
    assert "Word" in manager.refused(refused)


def test_a_text_goes_into_a_new_version_of_the_chosen_script(login_as, sherzod, bahodir) -> None:
    made = in_force(sherzod, bahodir)
    code, manager = made.script.code, login_as("manager")
    assert f'value="{code}/{made.revision}"' in manager.get("/scripts").text
    page = docx.Document()
    page.add_heading("Qadam salom", 1)
    page.add_paragraph("Yaxshimisiz?")
    sent = io.BytesIO()
    page.save(sent)

    def take_in(into: str):
        file = (io.BytesIO(sent.getvalue()), "Suhbat.docx")
        return manager.send("/scripts/import", file=file, into=into)

    assert take_in(f"{code}/{made.revision}").headers["Location"] == f"/scripts/{code}"
    assert (seen(), len(newest().steps)) == (1, 1)
    assert take_in(f"{code}/1").headers["Location"] == f"/scripts/{code}"  # the same text twice
    assert ScriptVersion.select().count() == 2
    page = manager.refused(take_in(f"{code}/1"))
    assert 'role="alert"' in page
    assert take_in("yoq/1").status_code == 404
