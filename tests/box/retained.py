"""Data for the retention tests: recordings with real files, closed appeals, runs of the job."""

import datetime as dt
import os
from pathlib import Path

from appliance.casework.appeals import handling
from appliance.core import clock
from appliance.core.settings import Settings
from appliance.models import Appeal, Call, Handling, JobRun, Recording, User
from tests.rig.appeals import FULL_FORM, create_appeal

MINUTE = dt.timedelta(minutes=1)
DAY = dt.timedelta(days=1)


def create_run(at: dt.datetime, state: str = "done", result: str = "") -> None:
    """A run of the retention job that began at `at`."""
    JobRun.create(
        name="retention",
        due_at=at,
        started_at=at,
        ended_at=at,
        state=state,
        result=result,
        holder="",
    )


def time_two_months_ago(site: Settings) -> dt.datetime:
    """The time exactly two of the longest months ago."""
    now = clock.now().astimezone(site.tz)
    day = now.date() - dt.timedelta(days=62)
    return dt.datetime.combine(day, now.time(), site.tz).astimezone(dt.UTC)


def midnight_years_ago(site: Settings, count: int) -> dt.datetime:
    """The midnight `count` of the longest years ago."""
    day = clock.now().astimezone(site.tz).date() - count * dt.timedelta(days=12 * 31)
    return dt.datetime.combine(day, dt.time(), site.tz).astimezone(dt.UTC)


def write_file(site: Settings, name: str, at: dt.datetime, content: bytes = b"RIFF") -> Path:
    """A file in the recordings folder, last modified at `at`."""
    path = site.paths.recordings / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (at.timestamp(),) * 2)
    return path


def create_recording(
    site: Settings,
    id: str,
    moment: dt.datetime,
    written_at: dt.datetime | None = None,
    touched: dt.datetime | None = None,
    **call_values: str,
) -> Path:
    """A call that ended at `moment`, with its recording, a real file. Returns the file's path."""
    values = {"direction": "inbound", "stage": "ended"} | call_values
    Call.create(id=id, arrived_at=moment - MINUTE, ended_at=moment, **values)
    file = f"{moment.astimezone(site.tz):%Y/%m/%d}/{id}.wav"
    at = written_at or moment
    Recording.create(file=file, call_id=id, seconds=9.0, sha256="abc", written_at=at)
    return write_file(site, file, touched or moment)


def register_appeal(
    site: Settings, operator: User, call_id: str | None = None, **values: str
) -> Appeal:
    """An appeal on the full form, linked to the given call."""
    appeal = create_appeal(site, operator, FULL_FORM | values)
    Appeal.update(call_id=call_id).where(Appeal.id == appeal.id).execute()
    return appeal


def close_appeal(appeal: Appeal, at: dt.datetime) -> None:
    """Answer and close an appeal, with all its times set to `at`."""
    today = clock.now().date()
    for version, (action, text) in enumerate(
        (("take", ""), ("answer", "Siz haqingizda"), ("close", "")), start=1
    ):
        handling.perform_step(
            appeal, action, actor="bahodir", expected_version=version, today=today, text=text
        )
    Handling.update(changed_at=at).where(Handling.appeal == appeal).execute()
    Appeal.update(registered_at=at, received_at=at).where(Appeal.id == appeal.id).execute()
