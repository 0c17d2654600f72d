"""What is known of each sound file."""

import datetime as dt

from appliance.models import Call, Recording


def unfinished(limit: int = 500) -> list[Recording]:
    """Recordings of ended calls that were not measured yet."""
    ended = Call.select(Call.id).where(Call.ended_at.is_null(False))
    return list(
        Recording.select()
        .where(Recording.seconds.is_null(), Recording.call_id.in_(ended))
        .order_by(Recording.file.desc())
        .limit(limit)
    )


def write_down(
    recording: Recording,
    seconds: float,
    sha256: str | None = None,
    written: dt.datetime | None = None,
    kept: str | None = None,
    peaks: str | None = None,
) -> None:
    """What a finished file holds. Call it inside a write transaction.

    `kept`: the file's name since it was compressed; `peaks`: its loudness along its length.
    """
    Recording.update(
        seconds=seconds, sha256=sha256, written_at=written, kept=kept, peaks=peaks
    ).where(Recording.file == recording.file).execute()
