"""Notes that stay with a number and are shown in each of its calls."""

from appliance.core import audit, clock
from appliance.core.db import writing
from appliance.core.statements import Question, value
from appliance.models import NumberNote, User
from appliance.people import rights

LONGEST = 500  # letters
_OF_NUMBER = Question(
    lambda: (
        NumberNote.select()
        .where(NumberNote.number == value("number"), NumberNote.removed_at.is_null())
        .order_by(NumberNote.id.desc())
    )
)


class NoteError(ValueError):
    """A note cannot be kept; `code`: "text" without one, "long", "number" of a hidden number."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def of_number(number: str | None) -> list[NumberNote]:
    """The notes of a number, newest first."""
    if not number:
        return []
    return _OF_NUMBER.rows(number=number)


def find(number: str | None, id: int) -> NumberNote | None:
    """One of them."""
    return next((note for note in of_number(number) if note.id == id), None)


def may_change(note: NumberNote, user: User) -> bool:
    """Whether a user may correct and remove it: who wrote it, and whoever leads."""
    return rights.of_all(user, "note.change") or note.by == user.login


def add(number: str | None, text: str, by: str) -> NumberNote:
    """Keep a note. Raises NoteError."""
    if not number:
        raise NoteError("number")
    text = _checked(text)
    with writing():
        note = NumberNote.create(number=number, text=text, by=by, at=clock.now())
        audit.record(by, "note.add", str(note.id), number=number)
    return note


def correct(note: NumberNote, text: str, by: str) -> None:
    """Put other words in its place. Raises NoteError."""
    now = {"text": _checked(text), "changed_by": by, "changed_at": clock.now()}
    with writing():
        NumberNote.update(now).where(NumberNote.id == note.id).execute()
        audit.record(by, "note.correct", str(note.id), number=note.number)


def remove(note: NumberNote, by: str) -> None:
    """Show it no more."""
    with writing():
        gone = NumberNote.update(removed_by=by, removed_at=clock.now()).where(
            NumberNote.id == note.id, NumberNote.removed_at.is_null()
        )
        if gone.execute():
            audit.record(by, "note.remove", str(note.id), number=note.number)


def _checked(text: str) -> str:
    text = " ".join(text.split())
    if not text:
        raise NoteError("text")
    if len(text) > LONGEST:
        raise NoteError("long")
    return text
