"""Removes what is due: recordings, personal data, orphaned files. Each removal is recorded."""

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from appliance.box.retention import (
    clock_trust,
    issued_reports,
    masking,
    orphaned_files,
    removal_log,
    rules,
    scrubbing,
)
from appliance.box.retention.removal_batches import RemovalBatches
from appliance.core import audit, clock, live
from appliance.core.settings import Settings
from appliance.models import Recording
from appliance.people import refused_forms
from appliance.telephony import recordings

_SCRUB_WINDOW = dt.timedelta(days=2)  # covers the removals of this night and of the previous one
MIN_RECORDING_MONTHS = 2  # for which recordings are kept in any case (report form №1, table 3)
_COUNT_NAMES = {
    "recordings": "recordings",
    "appeals": "appeals' personal data",
    "call_forms": "registered calls' personal data",
    "drafts": "drafts",
    "notes": "notes",
    "strays": "stray files",
}


@dataclass(frozen=True)
class RemovalCounts:
    """The numbers of items that one run removed."""

    recordings: int
    appeals: int
    call_forms: int
    drafts: int
    notes: int
    strays: int

    def __bool__(self) -> bool:
        return any(asdict(self).values())

    def __str__(self) -> str:
        return ", ".join(
            f"{count} {_COUNT_NAMES[field]}" for field, count in asdict(self).items() if count
        )


def remove_due(
    settings: Settings,
    may_continue: Callable[[], bool] = lambda: True,
    pause: Callable[[float], object] = time.sleep,
) -> RemovalCounts:
    """Remove what is older than the settings allow, while `may_continue` returns True.

    Raises clock_trust.ClockDoubted, and removes nothing, while the clock may be wrong.
    """
    clock_trust.require_trusted_clock(settings)
    batches = RemovalBatches(may_continue, pause)
    months, years = settings.retention.recordings_months, settings.retention.appeals_years
    recordings_before, texts_before = (
        rules.retention_cutoff(settings, months),
        rules.retention_cutoff(settings, years * 12),
    )
    months_rule, years_rule = f"recordings_months={months}", f"appeals_years={years}"
    refused_forms.delete_older_forms(clock.now() - refused_forms.RETENTION)
    earliest_before = rules.retention_cutoff(settings, MIN_RECORDING_MONTHS)
    counts = RemovalCounts(
        recordings=_remove_recordings(settings, batches, recordings_before, months_rule)
        + _remove_recordings(
            settings, batches, earliest_before, "data_request", rules.due_masked_recordings
        ),
        appeals=masking.mask_appeals(settings, batches, texts_before, years_rule),
        call_forms=masking.mask_call_forms(settings, batches, texts_before, years_rule),
        drafts=masking.delete_drafts(batches, recordings_before, months_rule),
        notes=masking.blank_notes(batches, texts_before, years_rule),
        strays=orphaned_files.remove_orphaned_files(
            settings, batches, recordings_before, months_rule
        ),
    )
    remasked = masking.remask_records(batches)
    issued_reports.remove_withdrawn_files(settings)
    if counts:
        audit.record_entry("jobs", "retention.remove", str(counts))
        live.publish_topics("retention")
    if remasked or rules.has_masked_since(clock.now() - _SCRUB_WINDOW):
        scrubbing.scrub_database(may_continue=may_continue)
    return counts


def _remove_recordings(
    settings: Settings,
    batches: RemovalBatches,
    before: dt.datetime,
    rule: str,
    due_query: Callable[[dt.datetime], Any] = rules.due_recordings,
) -> int:
    """Remove the recordings of a query; returns how many."""

    def remove_recording(recording: Recording) -> bool:
        return _remove_recording_files(settings.paths.recordings.resolve(), recording, before, rule)

    return batches.remove_rows(due_query(before), Recording.file, remove_recording)


def _remove_recording_files(
    folder: Path, recording: Recording, before: dt.datetime, rule: str
) -> bool:
    """Remove a recording's files and log the removal. Returns False if they must be kept."""
    names = {recording.file, recording.kept or recording.file}  # original and compressed
    paths = [(folder / name).resolve() for name in sorted(names)]
    if not all(path.is_relative_to(folder) for path in paths):
        return False
    sizes = [_removable_size(path, before) for path in paths]
    if None in sizes:
        return False
    removal_log.record_removal(
        "recording",
        recording.file,
        rule,
        call=recording.call_id,
        seconds=recording.seconds,
        sha256=recording.sha256,
        bytes=sum(size or 0 for size in sizes),
        was_there=any(path.exists() for path in paths),
    )
    recordings.set_file_name(recording, "", recording.sha256)
    for path in paths:
        path.unlink(missing_ok=True)
    return True


def _removable_size(path: Path, before: dt.datetime) -> int | None:
    """Return the file's size, 0 if it is missing, None if modified since `before` (to be kept)."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return 0
    return None if status.st_mtime >= before.timestamp() else status.st_size
