"""What is known of each sound file."""

import datetime as dt

from peewee import Expression

from appliance.core.clock import microseconds
from appliance.core.statements import Question, value
from appliance.models import Call, Recording
from appliance.telephony.recordings.sound import Sound

# Asked each second.
_UNFINISHED = Question(
    lambda: (
        Recording.select()
        .where(
            Recording.seconds.is_null(),
            Recording.call_id.in_(Call.select(Call.id).where(Call.ended_at.is_null(False))),
        )
        .order_by(Recording.file.desc())
        .limit(value("limit"))
    )
)
_UNCOMPRESSED = Question(
    lambda: (
        Recording.select()
        .where(
            *(Recording.kept.is_null(), Recording.seconds > 0),
            Recording.written_at < value("before"),
        )
        .order_by(Recording.written_at)
        .limit(1)
    )
)


def of_call(call_id: str) -> list[Recording]:
    """The files of a call that hold sound, in the order of its legs; not those removed since."""
    rows = Recording.select().where(Recording.call_id == call_id, there())
    return list(rows.order_by(Recording.begun_at, Recording.file))


def there() -> Expression:
    """The condition that a recording holds sound and was not removed by age."""
    return (Recording.seconds > 0) & (Recording.kept.is_null() | (Recording.kept != ""))


def unfinished(limit: int = 500) -> list[Recording]:
    """Recordings of ended calls that were not measured yet."""
    return _UNFINISHED.rows(limit=limit)


def uncompressed(before: dt.datetime) -> Recording | None:
    """The oldest recording written to its end before a moment and not compressed yet."""
    found: Recording | None = _UNCOMPRESSED.first(before=microseconds(before))
    return found


def compressed_since(moment: dt.datetime) -> list[Recording]:
    """Recordings kept under another name than Asterisk gave, written after a moment."""
    rows = Recording.select().where(Recording.kept > "", Recording.written_at > moment)
    return [row for row in rows if row.kept != row.file]


def write_down(recording: Recording, heard: Sound | None, written: dt.datetime | None) -> None:
    """What a finished file holds; None or no sound: nothing. Call it in a write transaction."""
    Recording.update(
        seconds=heard.seconds if heard else 0.0,
        sha256=heard.sha256 if heard else None,
        peaks=heard.peaks if heard else None,
        written_at=written,
        kept=None if heard and heard.seconds else "",
    ).where(Recording.file == recording.file).execute()


def set_kept_file(recording: Recording, name: str, sha256: str | None) -> None:
    """The name under which a file is kept from now on. Call it in a write transaction."""
    Recording.update(kept=name, sha256=sha256).where(Recording.file == recording.file).execute()
