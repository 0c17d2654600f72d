"""Removing what is due: files of recordings, personal data of appeals. Each removal is a row."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from appliance import audit, clock, live, recordings
from appliance.appeals import searching
from appliance.db import writing
from appliance.models import (
    Appeal,
    AppealStep,
    AppealWording,
    Applicant,
    Message,
    MinistryEvent,
    Recording,
    Removal,
)
from appliance.retention import rules
from appliance.settings import Settings

_BATCH = 200
_PERSONAL = (
    *("first_name", "surname", "entity_name", "stir", "address", "passport", "pinfl"),
    *("born_text", "phone", "phone_at_hand", "gist", "consultation_issue"),
)
_APPLICANT = (
    *("first_name", "surname", "entity_name", "stir", "passport", "pinfl", "phone", "search_key"),
)


@dataclass(frozen=True)
class Removed:
    """What one run removed."""

    recordings: int
    appeals: int

    def __bool__(self) -> bool:
        return bool(self.recordings or self.appeals)

    def __str__(self) -> str:
        return f"{self.recordings} recordings, {self.appeals} appeals' personal data"


def remove_due(settings: Settings, goes_on: Callable[[], bool] = lambda: True) -> Removed:
    """Remove what is older than the settings say, until `goes_on` says no."""
    removed = Removed(_recordings(settings, goes_on), _appeals(settings, goes_on))
    if removed:
        audit.record("jobs", "retention.remove", str(removed))
        live.publish("retention")
    return removed


def removals(limit: int = 100) -> list[Removal]:
    """What was removed, the newest first."""
    return list(Removal.select().order_by(Removal.id.desc()).limit(limit))


def _recordings(settings: Settings, goes_on: Callable[[], bool]) -> int:
    months = settings.retention.recordings_months
    before, last, count = rules.cutoff(settings, months), "", 0
    while True:
        due = rules.recordings(before).where(Recording.file > last)
        batch = list(due.order_by(Recording.file).limit(_BATCH))
        if not batch:
            return count
        for recording in batch:
            if not goes_on():
                return count
            last = recording.file
            count += _remove_file(settings, recording, before, f"recordings_months={months}")


def _remove_file(settings: Settings, recording: Recording, before: dt.datetime, rule: str) -> bool:
    folder = settings.paths.recordings.resolve()
    names = {recording.file, recording.kept or recording.file}  # as written, and as compressed
    paths = [(folder / name).resolve() for name in sorted(names)]
    if not all(path.is_relative_to(folder) for path in paths):
        return False
    with writing():
        # Looked at again under the lock: a hold may have come since.
        if not rules.recordings(before).where(Recording.file == recording.file).exists():
            return False
        sizes = [_size(path, before) for path in paths]
        if None in sizes:
            return False
        Removal.create(
            kind="recording",
            subject=recording.file,
            at=clock.now(),
            rule=rule,
            detail={
                "call": recording.call_id,
                "seconds": recording.seconds,
                "sha256": recording.sha256,
                "bytes": sum(size or 0 for size in sizes),
                "was_there": any(path.exists() for path in paths),
            },
        )
        recordings.keep(recording, "", recording.sha256)
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


def _appeals(settings: Settings, goes_on: Callable[[], bool]) -> int:
    years = settings.retention.appeals_years
    before, count = rules.cutoff(settings, years * 12), 0
    while goes_on():
        with writing():
            appeal = rules.appeals(before).order_by(Appeal.id).first()
            if not appeal:
                break
            _mask(appeal, f"appeals_years={years}")
        count += 1
    return count


def _mask(appeal: Appeal, rule: str) -> None:
    """Take a person's data out of an appeal and all that hangs on it; what is counted stays."""
    for name in _PERSONAL:
        setattr(appeal, name, "")
    appeal.born_on, appeal.mahalla, appeal.consultation_contact = None, None, ""
    appeal.save()
    for step in AppealStep.select().where(AppealStep.appeal == appeal):
        if "changes" in step.detail:
            step.detail = {"changes": dict.fromkeys(step.detail["changes"], ["", ""])}
        step.text = ""
        step.save()
    for wording in AppealWording.select().where(AppealWording.appeal == appeal):
        wording.values = dict.fromkeys(wording.values, "")
        wording.save()
    Message.update(text="", recipient="", payload={}).where(
        Message.cause == appeal.number, Message.state.not_in(["pending", "claimed"])
    ).execute()
    MinistryEvent.update(text="").where(MinistryEvent.number == appeal.number).execute()
    searching.remember(appeal)
    Removal.create(
        kind="appeal",
        subject=appeal.number,
        at=clock.now(),
        rule=rule,
        detail={"registered": appeal.registered_at.isoformat(), "fields": list(_PERSONAL)},
    )
    masked = Removal.select(Removal.subject).where(Removal.kind == "appeal")
    others = Appeal.select().where(
        Appeal.applicant == appeal.applicant_id, Appeal.number.not_in(masked)
    )
    if not others.exists():
        blank = dict.fromkeys(_APPLICANT, "") | {"born_on": None}
        Applicant.update(blank).where(Applicant.id == appeal.applicant_id).execute()
