"""The self-checks: what each sees when all is well and when it is not."""

import dataclasses
import datetime as dt
import json

import pytest
from click.testing import CliRunner

from appliance.box import health, retention
from appliance.box.health import disks
from appliance.cli import appliance
from appliance.core import clock, db, sqlite
from appliance.core.settings import Outgoing
from appliance.models import AsteriskWatch, CalendarDay, Call, DiskReading, EventRow

HOLIDAY = {"kind": "holiday", "working": False, "name_uz_latn": "x", "name_uz_cyrl": "х"}
RECORD = '"{seconds:.6f}","CHAN_START","1"\n'


def check(settings, code: str) -> health.Check:
    looked = (check for look in health.LOOKS for check in look(settings))
    return next(check for check in looked if check.code == code)


def asterisk_was_seen(ago: float) -> None:
    moment = clock.now() - dt.timedelta(seconds=ago)
    AsteriskWatch.replace(started_at=moment, seen_at=moment).execute()


def test_the_database_takes_changes(settings) -> None:
    assert health.writable()
    assert check(settings, "database").state == "ok"


def test_a_database_that_may_not_be_written(settings) -> None:
    db.database.execute_sql("PRAGMA query_only = 1")
    found = check(settings, "database")
    assert (found.state, found.values["file"]) == ("fail", str(settings.paths.database))
    assert not health.writable()


def test_a_database_locked_for_longer_than_writers_wait(settings, monkeypatch) -> None:
    monkeypatch.setattr(db, "PATIENCE", 0.01)
    other = sqlite.connect(settings.paths.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert not health.writable()
    other.execute("ROLLBACK")
    assert health.writable()
    other.close()


@pytest.mark.usefixtures("at_noon")
@pytest.mark.parametrize(("ago", "state"), [(0, "ok"), (9, "ok"), (11, "fail"), (3600, "fail")])
def test_the_exchange_answers(settings, ago, state) -> None:
    asterisk_was_seen(ago)
    assert check(settings, "asterisk").state == state
    assert health.line_answers() is (state == "ok")


def test_the_exchange_was_never_seen(settings) -> None:
    assert check(settings, "asterisk").seen == "never seen"
    assert health.line_answers() is None


@pytest.mark.parametrize(
    ("written", "read", "state"),
    [
        (None, None, "ok"),  # nothing logged yet
        (3, None, "ok"),  # just now: the follower has a moment
        (60, None, "fail"),
        (60, 61, "fail"),
        (60, 60, "ok"),
    ],
)
def test_the_log_is_followed(settings, at_noon, written, read, state) -> None:
    now = at_noon.timestamp()
    if written is not None:
        old = "".join(RECORD.format(seconds=now - 7200 + n) for n in range(3000))
        settings.paths.event_log.write_text(old + RECORD.format(seconds=now - written))
    if read is not None:
        at = dt.datetime.fromtimestamp(float(f"{now - read:.6f}"), dt.UTC)
        EventRow.create(hash="1", linkedid="1", at=at, event="CHAN_START", fields={})
    assert check(settings, "event_log").state == state


@pytest.mark.parametrize(("free", "state"), [(0.2, "ok"), (0.1, "warn"), (0.01, "fail")])
def test_disks(settings, monkeypatch, free, state) -> None:
    class Usage:
        total, free = 100 * disks.GIGABYTE, 0

    Usage.free = int(free * Usage.total)
    monkeypatch.setattr(disks.shutil, "disk_usage", lambda folder: Usage)
    found = check(settings, "disk.recordings")
    assert found.state == state
    assert found.seen.format(**found.values) == f"{free * 100:.0f} of 100 GB free"
    assert bool(found.advice) == (state != "ok")


def test_a_call_that_the_ledger_lacks(settings) -> None:
    fields = {"LinkedID": "1.1", "UniqueID": "1.1", "Context": "from-trunk"}
    at = clock.now() - dt.timedelta(hours=2)
    EventRow.create(
        hash="1", linkedid="1.1", at=at, event="CHAN_START", begins="from-trunk", fields=fields
    )
    found = check(settings, "balance")
    assert found.state == "fail"
    assert found.seen.format(**found.values) == "1 arrived, 0 in the ledger"


@pytest.mark.parametrize(
    ("today", "state", "seen"),
    [
        ("2027-10-31", "ok", "its list goes to {date}"),
        ("2027-11-01", "warn", "its list ends on {date}"),
        ("2027-12-31", "warn", "its list ends on {date}"),
        ("2028-01-01", "fail", "its list ended on {date}"),
    ],
)
def test_the_working_calendar_ends(settings, monkeypatch, today, state, seen) -> None:
    noon = dt.datetime.fromisoformat(f"{today}T12:00").replace(tzinfo=settings.tz)
    monkeypatch.setattr(clock, "now", lambda: noon.astimezone(dt.UTC))
    found = check(settings, "calendar")
    assert (found.state, found.seen, found.values["date"]) == (state, seen, "31.12.2027")
    CalendarDay.create(**HOLIDAY | {"date": dt.date(2028, 1, 1)})
    assert check(settings, "calendar").state == state  # a New Year is no calendar
    CalendarDay.create(**HOLIDAY | {"date": dt.date(2028, 9, 1)})
    assert check(settings, "calendar").state == "ok"
    CalendarDay.delete().execute()
    assert (check(settings, "calendar").state, check(settings, "calendar").values) == ("fail", {})


def test_the_machines_calls_of_a_day_have_a_limit(settings) -> None:
    assert check(settings, "callbacks").state == "ok"
    few = dataclasses.replace(settings, outgoing=Outgoing(machine_calls=1))
    facts = {"direction": "outbound", "stage": "ended", "reason": "callback", "callee": "+998"}
    now = clock.now()
    Call.create(id="hotline-1.1", arrived_at=now, ended_at=now, **facts)
    assert check(settings, "callbacks").state == "ok"
    found = check(few, "callbacks")
    assert found.state == "fail"
    assert found.seen.format(**found.values) == "1 of 1 calls, 0 of 1000 minutes"
    assert found.advice


def test_what_needs_doing_comes_first(settings) -> None:
    states = [health.STATES.index(found.state) for found in health.checks(settings)]
    assert states == sorted(states, reverse=True)
    assert states[0] == health.STATES.index("fail")


def test_doctor(settings) -> None:
    command = ["--config", str(settings.file), "doctor", "--json"]
    told = CliRunner().invoke(appliance, command)
    assert told.exit_code == 1  # the exchange was never seen
    looked = {row["check"]: row for row in json.loads(told.output)}
    assert looked["asterisk"]["state"] == "fail"
    assert "appliance pbx" in looked["asterisk"]["advice"]
    db.open_database(settings.paths.database)
    asterisk_was_seen(0)
    told = CliRunner().invoke(appliance, [*command, "--lang", "ru"])
    looked = {row["check"]: row for row in json.loads(told.output)}
    assert (looked["asterisk"]["state"], looked["asterisk"]["seen"]) == ("ok", "отвечает")


@pytest.mark.parametrize(
    ("used", "all_there_is", "state"),
    [
        ([20] * 15 + [120] * 5, 250, None),  # a restore, then as before
        ([20] * 10 + [120] * 10, 250, None),
        ([20] * 14 + [70] + [120] * 15, 250, None),  # one of two days
        ([100] * 28 + [140, 180], 250, None),
        ([5, 20, 20.1], 100, None),  # a new box
        ([5, 20, 20.1, 20.2, 20.3, 20.4, 20.5], 100, None),
        ([60 + 5 * (day % 7) + day / 10 for day in range(30)], 100, None),  # swept once a week
        ([50 + day for day in range(30)], 100, "warn"),
        ([40 + 2 * day for day in range(28)], 100, "fail"),
        ([10] * 9 + [40 + 2 * day for day in range(21)], 100, "fail"),  # a restore, and growth
    ],
)
def test_a_disk_is_full_soon_when_it_grows_day_by_day(settings, used, all_there_is, state) -> None:
    today = clock.now().astimezone(settings.tz).date()
    ahead = [(-1, 99), (-2, 99.5)]  # by a clock that was ahead
    for ago, gigabytes in [*enumerate(reversed(used)), *ahead]:
        DiskReading.create(
            disk="recordings",
            day=today - dt.timedelta(days=ago),
            used=int(gigabytes * 1e9),
            total=int(all_there_is * 1e9),
        )
    found = [c.state for c in disks.forecasts(settings)]
    assert found == [state][: bool(state)]
    assert retention.forecast(settings, "recordings").is_known == (len(used) >= 7)
