"""Notes on a phone number, shown during each of its calls."""

from appliance.core import audit, clock
from appliance.core.db import write_transaction
from appliance.core.refusals import Refused
from appliance.core.statements import PreparedQuery, query_parameter
from appliance.models import NumberNote, User
from appliance.people import rights

MAX_NOTE_CHARACTERS = 500
_NOTES_OF_NUMBER = PreparedQuery(
    lambda: (
        NumberNote.select()
        .where(NumberNote.number == query_parameter("number"), NumberNote.removed_at.is_null())
        .order_by(NumberNote.id.desc())
    )
)


def notes_of_number(number: str | None) -> list[NumberNote]:
    """Return the notes of a number, newest first; empty for a hidden number (None)."""
    if not number:
        return []
    return _NOTES_OF_NUMBER.fetch_objects(number=number)


def find_note(number: str | None, id: int) -> NumberNote | None:
    """The note with this id, if it is among those of the number."""
    return next((note for note in notes_of_number(number) if note.id == id), None)


def can_change(note: NumberNote, user: User) -> bool:
    """Returns True if a user may correct and remove the note.

    Its author may, and users with the right to change all notes.
    """
    return rights.has_full_scope(user, "note.change") or note.by == user.login


def add_note(number: str | None, text: str, by: str) -> NumberNote:
    """Save a new note.

    Raises Refused with the code "number" if the number is hidden, "text" if the text is empty, or
    "long" if it is too long.
    """
    if not number:
        raise Refused("number")
    text = _valid_text(text)
    with write_transaction():
        note: NumberNote = NumberNote.create(number=number, text=text, by=by, at=clock.now())
        audit.record_entry(by, "note.add", str(note.id), number=number)
    return note


def correct_note(note: NumberNote, text: str, by: str) -> None:
    """Replace the text of a note.

    Raises Refused with the code "text" if the new text is empty, or "long" if it is too long.
    """
    changes = {"text": _valid_text(text), "changed_by": by, "changed_at": clock.now()}
    with write_transaction():
        NumberNote.update(changes).where(NumberNote.id == note.id).execute()
        audit.record_entry(by, "note.correct", str(note.id), number=note.number)


def remove_note(note: NumberNote, by: str) -> None:
    """Mark a note as removed, so that it is no longer shown; its row stays in the database."""
    with write_transaction():
        removal = NumberNote.update(removed_by=by, removed_at=clock.now()).where(
            NumberNote.id == note.id, NumberNote.removed_at.is_null()
        )
        if removal.execute():
            audit.record_entry(by, "note.remove", str(note.id), number=note.number)


def _valid_text(text: str) -> str:
    text = " ".join(text.split())
    if not text:
        raise Refused("text")
    if len(text) > MAX_NOTE_CHARACTERS:
        raise Refused("long")
    return text
