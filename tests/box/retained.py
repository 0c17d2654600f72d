"""What retention is tried on: recordings with real files, closed appeals, nights of the job."""

import datetime as dt
import os
from pathlib import Path

from appliance.casework import appeals, catalogs
from appliance.casework.appeals import handling
from appliance.core import clock
from appliance.core.settings import Settings
from appliance.models import Appeal, Call, Handling, JobRun, Recording, User
from tests.casework.test_appeals import FULL

MINUTE = dt.timedelta(minutes=1)
DAY = dt.timedelta(days=1)


def night(at: dt.datetime, state: str = "done", result: str = "") -> None:
    """A run of the job that began at a moment."""
    JobRun.create(
        name="retention",
        due_at=at,
        started_at=at,
        ended_at=at,
        state=state,
        result=result,
        holder="",
    )


def limit(site: Settings) -> dt.datetime:
    """The moment that is just two of the longest months ago."""
    now = clock.now().astimezone(site.tz)
    day = now.date() - dt.timedelta(days=62)
    return dt.datetime.combine(day, now.time(), site.tz).astimezone(dt.UTC)


def years(site: Settings, count: int) -> dt.datetime:
    """The midnight that is so many of the longest years ago."""
    day = clock.now().astimezone(site.tz).date() - count * dt.timedelta(days=12 * 31)
    return dt.datetime.combine(day, dt.time(), site.tz).astimezone(dt.UTC)


def put(site: Settings, name: str, at: dt.datetime, content: bytes = b"RIFF") -> Path:
    """A file in the recordings' folder that was written at a moment."""
    path = site.paths.recordings / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (at.timestamp(),) * 2)
    return path


def record(
    site: Settings,
    id: str,
    moment: dt.datetime,
    written: dt.datetime | None = None,
    touched: dt.datetime | None = None,
    **call: str,
) -> Path:
    """A call with its recording, a real file, that ended at a moment."""
    told = {"direction": "inbound", "stage": "ended"} | call
    Call.create(id=id, arrived_at=moment - MINUTE, ended_at=moment, **told)
    file = f"{moment.astimezone(site.tz):%Y/%m/%d}/{id}.wav"
    at = written or moment
    Recording.create(file=file, call_id=id, seconds=9.0, sha256="abc", written_at=at)
    return put(site, file, touched or moment)


def register(site: Settings, operator: User, call_id: str | None = None, **values: str) -> Appeal:
    """An appeal on the full form, that came with a call."""
    made = appeals.register(
        FULL | values,
        operator=operator,
        token=appeals.token_for(operator, None),
        tz=site.tz,
        calendar=catalogs.working_calendar(site),
    )
    Appeal.update(call_id=call_id).where(Appeal.id == made.id).execute()
    return made


def close(appeal: Appeal, at: dt.datetime) -> None:
    """Answer and close an appeal, with everything dated to a moment."""
    today = clock.now().date()
    for version, (action, text) in enumerate(
        (("take", ""), ("answer", "Siz haqingizda"), ("close", "")), start=1
    ):
        handling.do(action, appeal, "bahodir", version, today, text)
    Handling.update(changed_at=at).where(Handling.appeal == appeal).execute()
    Appeal.update(registered_at=at, received_at=at).where(Appeal.id == appeal.id).execute()
