"""Removing what is due: recordings, what was typed, files that nobody owns. Each has its row."""

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from appliance.box.retention import (
    issued_reports,
    masking,
    nights,
    orphaned_files,
    proof,
    rules,
    scrubbing,
)
from appliance.box.retention.turns import Turns
from appliance.core import audit, clock, live
from appliance.core.settings import Settings
from appliance.models import Recording
from appliance.people import refused_forms
from appliance.telephony import recordings

_SCRUBBED = dt.timedelta(days=2)  # a night's removals, and those of the one before
LEAST_MONTHS = 2  # that recordings are kept in any case (report form №1, table 3)
_WORDS = {
    "recordings": "recordings",
    "appeals": "appeals' personal data",
    "call_forms": "registered calls' personal data",
    "drafts": "drafts",
    "notes": "notes",
    "strays": "stray files",
}


@dataclass(frozen=True)
class Removed:
    """What one run removed."""

    recordings: int
    appeals: int
    call_forms: int
    drafts: int
    notes: int
    strays: int

    def __bool__(self) -> bool:
        return any(asdict(self).values())

    def __str__(self) -> str:
        return ", ".join(f"{n} {_WORDS[what]}" for what, n in asdict(self).items() if n)


def remove_due(
    settings: Settings,
    goes_on: Callable[[], bool] = lambda: True,
    pause: Callable[[float], object] = time.sleep,
) -> Removed:
    """Remove what is older than the settings say, until `goes_on` says no.

    Raises nights.ClockDoubted, and removes nothing, while the clock may be wrong.
    """
    nights.ask(settings)
    turns = Turns(goes_on, pause)
    months, years = settings.retention.recordings_months, settings.retention.appeals_years
    heard, typed = rules.cutoff(settings, months), rules.cutoff(settings, years * 12)
    by_months, by_years = f"recordings_months={months}", f"appeals_years={years}"
    refused_forms.forget(clock.now() - refused_forms.KEPT)
    least = rules.cutoff(settings, LEAST_MONTHS)
    removed = Removed(
        recordings=_recordings(settings, turns, heard, by_months)
        + _recordings(settings, turns, least, "data_request", rules.asked_away),
        appeals=masking.appeals(settings, turns, typed, by_years),
        call_forms=masking.call_forms(settings, turns, typed, by_years),
        drafts=masking.drafts(turns, heard, by_months),
        notes=masking.notes(turns, typed, by_years),
        strays=orphaned_files.remove(settings, turns, heard, by_months),
    )
    again = masking.again(turns)
    issued_reports.remove_files(settings)
    if removed:
        audit.record("jobs", "retention.remove", str(removed))
        live.publish("retention")
    if again or rules.masked_since(clock.now() - _SCRUBBED):
        scrubbing.scrub(goes_on=goes_on)
    return removed


def _recordings(
    settings: Settings,
    turns: Turns,
    before: dt.datetime,
    rule: str,
    due: Callable[[dt.datetime], Any] = rules.recordings,
) -> int:
    def remove(recording: Recording) -> bool:
        return _remove_file(settings.paths.recordings.resolve(), recording, before, rule)

    return turns.each(due(before), Recording.file, remove)


def _remove_file(folder: Path, recording: Recording, before: dt.datetime, rule: str) -> bool:
    names = {recording.file, recording.kept or recording.file}  # as written, and as compressed
    paths = [(folder / name).resolve() for name in sorted(names)]
    if not all(path.is_relative_to(folder) for path in paths):
        return False
    sizes = [_size(path, before) for path in paths]
    if None in sizes:
        return False
    proof.write_down(
        "recording",
        recording.file,
        rule,
        call=recording.call_id,
        seconds=recording.seconds,
        sha256=recording.sha256,
        bytes=sum(size or 0 for size in sizes),
        was_there=any(path.exists() for path in paths),
    )
    recordings.set_kept_file(recording, "", recording.sha256)
    for path in paths:
        path.unlink(missing_ok=True)
    return True


def _size(path: Path, before: dt.datetime) -> int | None:
    """The file's size, 0 when there is none; None when it was written since and has to stay."""
    try:
        told = path.stat()
    except FileNotFoundError:
        return 0
    return None if told.st_mtime >= before.timestamp() else told.st_size
