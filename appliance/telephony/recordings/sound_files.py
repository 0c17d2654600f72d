"""The database rows of the calls' sound files."""

import datetime as dt

from peewee import Expression

from appliance.core.clock import microseconds_since_epoch
from appliance.core.statements import PreparedQuery, query_parameter
from appliance.models import Call, Recording
from appliance.telephony.recordings.sound import Sound

# These queries run every second.
_UNMEASURED = PreparedQuery(
    lambda: (
        Recording.select()
        .where(
            Recording.seconds.is_null(),
            Recording.call_id.in_(Call.select(Call.id).where(Call.ended_at.is_null(False))),
        )
        .order_by(Recording.file.desc())
        .limit(query_parameter("limit"))
    )
)
_UNCOMPRESSED = PreparedQuery(
    lambda: (
        Recording.select()
        .where(
            *(Recording.kept.is_null(), Recording.seconds > 0),
            Recording.written_at < query_parameter("before"),
        )
        .order_by(Recording.written_at)
        .limit(1)
    )
)


def files_of_call(call_id: str) -> list[Recording]:
    """Return the files of a call that contain sound and were not removed, oldest first."""
    rows = Recording.select().where(Recording.call_id == call_id, has_sound())
    return list(rows.order_by(Recording.begun_at, Recording.file))


def has_sound() -> Expression:
    """The SQL condition that a recording contains sound and was not removed because of its age."""
    return (Recording.seconds > 0) & (Recording.kept.is_null() | (Recording.kept != ""))


def unmeasured_recordings(limit: int = 500) -> list[Recording]:
    """Recordings of ended calls that were not measured yet."""
    return _UNMEASURED.fetch_objects(limit=limit)


def oldest_uncompressed(before: dt.datetime) -> Recording | None:
    """The oldest recording that was finished before `before` and is not compressed yet."""
    recording: Recording | None = _UNCOMPRESSED.fetch_first(before=microseconds_since_epoch(before))
    return recording


def compressed_recordings(since: dt.datetime) -> list[Recording]:
    """Return the compressed recordings that Asterisk finished writing after `since`."""
    rows = Recording.select().where(Recording.kept > "", Recording.written_at > since)
    return [row for row in rows if row.kept != row.file]


def store_measurement(
    recording: Recording, sound: Sound | None, written_at: dt.datetime | None
) -> None:
    """Store what a finished file contains; if that is nothing (None or 0 s), mark it as empty.

    Must run inside a write transaction.
    """
    Recording.update(
        seconds=sound.seconds if sound else 0.0,
        sha256=sound.sha256 if sound else None,
        peaks=sound.peaks if sound else None,
        written_at=written_at,
        kept=None if sound and sound.seconds else "",
    ).where(Recording.file == recording.file).execute()


def set_file_name(recording: Recording, name: str, sha256: str | None) -> None:
    """Store the present file name of a recording. Must run inside a write transaction."""
    Recording.update(kept=name, sha256=sha256).where(Recording.file == recording.file).execute()
