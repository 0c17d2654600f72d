"""Notes attached to a number: written next to the form, shown during each of its calls."""

import datetime as dt
from typing import Any

import pytest

from appliance.box.retention import rules
from appliance.core import clock
from appliance.models import AuditEntry, NumberNote
from appliance.telephony import number_notes
from tests.rig.browser import Browser
from tests.rig.citizen import CITIZEN_NUMBER, form_token_in_talk


def post_note(browser: Browser, token: str, **sent: Any) -> str:
    headers = {"X-CSRFToken": browser.token("/operator")}
    answer = browser.post(f"/operator/forms/{token}/notes", json=sent, headers=headers)
    assert answer.status_code == 200, answer.status
    return answer.get_json()["trouble"]


def test_a_note_is_shown_to_the_next_operator(login_as, nilufar, sardor):
    token, browser = form_token_in_talk(nilufar), login_as("nilufar")
    assert post_note(browser, token, text="Eshitishi past,\n baland gapiring") == ""
    other = form_token_in_talk(sardor, id="1764000000.2")
    card = login_as("sardor").get("/operator/card").text
    assert "Eshitishi past, baland gapiring" in card
    assert "note=" not in card  # the note is not theirs to change
    assert f"/operator/forms/{other}/notes" in card
    row = AuditEntry.get(AuditEntry.action == "note.add")
    assert (row.who, row.detail) == ("nilufar", {"number": CITIZEN_NUMBER})


@pytest.mark.parametrize("text", ["", " \n", "x" * 501])
def test_an_invalid_note_is_not_saved(login_as, nilufar, text):
    token = form_token_in_talk(nilufar)
    assert post_note(login_as("nilufar"), token, text=text)
    assert not NumberNote.select().exists()


def test_a_hidden_number_cannot_have_a_note(login_as, nilufar):
    token = form_token_in_talk(nilufar, None)
    assert "Yashirin" in post_note(login_as("nilufar"), token, text="Eshitishi past")


def test_the_author_corrects_and_removes_a_note(login_as, nilufar, sardor):
    token, browser = form_token_in_talk(nilufar), login_as("nilufar")
    post_note(browser, token, text="Eshitishi past")
    note = NumberNote.get()
    assert "Eshitishi past" in browser.get(f"/operator/forms/{token}/notes?note={note.id}").text
    assert post_note(browser, token, note=str(note.id), text="Eshitmaydi") == ""
    assert "Eshitmaydi" in browser.get(f"/operator/forms/{token}/notes/list").text
    theirs = form_token_in_talk(sardor, id="1764000000.2")
    other = login_as("sardor")
    assert other.get(f"/operator/forms/{theirs}/notes?note={note.id}").status_code == 403
    assert post_note(browser, token, note=str(note.id), step="remove") == ""
    assert number_notes.notes_of_number(CITIZEN_NUMBER) == []
    assert [
        row.action for row in AuditEntry.select().where(AuditEntry.action.startswith("note."))
    ] == [
        "note.add",
        "note.correct",
        "note.remove",
    ]


def test_a_note_of_another_number_is_not_found(login_as, nilufar):
    note = number_notes.add_note("+998901112233", "Boshqa raqam", "nilufar")
    token = form_token_in_talk(nilufar)
    browser = login_as("nilufar")
    assert browser.get(f"/operator/forms/{token}/notes?note={note.id}").status_code == 404


def test_a_supervisor_changes_any_note_on_the_calls_card(login_as, nilufar):
    form_token_in_talk(nilufar)
    note = number_notes.add_note(CITIZEN_NUMBER, "Eshitishi past", "nilufar")
    browser = login_as("supervisor")
    assert "Eshitishi past" in browser.get("/calls/1764000000.1").text
    answer = browser.send(f"/calls/1764000000.1/notes/{note.id}", text="Eshitmaydi")
    assert answer.status_code == 302
    assert NumberNote.get().text == "Eshitmaydi"
    browser.send(f"/calls/1764000000.1/notes/{note.id}", step="remove")
    assert "Eshitmaydi" not in browser.get("/calls/1764000000.1").text


def test_old_notes_are_due_for_masking(settings):
    note = number_notes.add_note(CITIZEN_NUMBER, "Eshitishi past", "nilufar")
    later = clock.now() + dt.timedelta(days=1)
    assert [old_note.id for old_note in rules.due_number_notes(later)] == [note.id]
    assert [*rules.due_number_notes(note.at)] == []
