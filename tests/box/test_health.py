"""The self-checks: the result of each when all is well and when it is not."""

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


def check_of(settings, code: str) -> health.Check:
    looked = (check for look in health.CHECK_FUNCTIONS for check in look(settings))
    return next(check for check in looked if check.code == code)


def record_asterisk_seen(ago: float) -> None:
    moment = clock.now() - dt.timedelta(seconds=ago)
    AsteriskWatch.replace(started_at=moment, seen_at=moment).execute()


def test_a_writable_database_is_ok(settings) -> None:
    assert health.is_writable()
    assert check_of(settings, "database").state == "ok"


def test_a_read_only_database_is_a_fault(settings) -> None:
    db.database.execute_sql("PRAGMA query_only = 1")
    check_found = check_of(settings, "database")
    assert (check_found.state, check_found.values["file"]) == ("fail", str(settings.paths.database))
    assert not health.is_writable()


def test_a_database_locked_beyond_the_write_timeout_is_not_writable(settings, monkeypatch) -> None:
    monkeypatch.setattr(db, "WRITE_LOCK_TIMEOUT_SECONDS", 0.01)
    other_connection = sqlite.connect(settings.paths.database, isolation_level=None)
    other_connection.execute("BEGIN IMMEDIATE")
    assert not health.is_writable()
    other_connection.execute("ROLLBACK")
    assert health.is_writable()
    other_connection.close()


@pytest.mark.usefixtures("at_noon")
@pytest.mark.parametrize(("ago", "state"), [(0, "ok"), (9, "ok"), (11, "fail"), (3600, "fail")])
def test_the_exchange_must_have_answered_recently(settings, ago, state) -> None:
    record_asterisk_seen(ago)
    assert check_of(settings, "asterisk").state == state
    assert health.is_exchange_alive() is (state == "ok")


def test_an_exchange_never_seen_is_reported(settings) -> None:
    assert check_of(settings, "asterisk").seen == "never seen"
    assert health.is_exchange_alive() is None


@pytest.mark.parametrize(
    ("written_ago", "read", "state"),
    [
        (None, None, "ok"),  # nothing logged yet
        (3, None, "ok"),  # just now: the follower still has time
        (60, None, "fail"),
        (60, 61, "fail"),
        (60, 60, "ok"),
    ],
)
def test_the_event_log_must_be_followed(settings, at_noon, written_ago, read, state) -> None:
    now = at_noon.timestamp()
    if written_ago is not None:
        old = "".join(RECORD.format(seconds=now - 7200 + n) for n in range(3000))
        settings.paths.event_log.write_text(old + RECORD.format(seconds=now - written_ago))
    if read is not None:
        read_at = dt.datetime.fromtimestamp(float(f"{now - read:.6f}"), dt.UTC)
        EventRow.create(hash="1", linkedid="1", at=read_at, event="CHAN_START", fields={})
    assert check_of(settings, "event_log").state == state


@pytest.mark.parametrize(("free", "state"), [(0.2, "ok"), (0.1, "warn"), (0.01, "fail")])
def test_free_disk_space_is_checked(settings, monkeypatch, free, state) -> None:
    class Usage:
        total, free = 100 * disks.BYTES_PER_GB, 0

    Usage.free = int(free * Usage.total)
    monkeypatch.setattr(disks.shutil, "disk_usage", lambda folder: Usage)
    check_found = check_of(settings, "disk.recordings")
    assert check_found.state == state
    assert check_found.seen.format(**check_found.values) == f"{free * 100:.0f} of 100 GB free"
    assert bool(check_found.advice) == (state != "ok")


def test_a_call_missing_from_the_ledger_is_a_fault(settings) -> None:
    fields = {"LinkedID": "1.1", "UniqueID": "1.1", "Context": "from-trunk"}
    arrived_at = clock.now() - dt.timedelta(hours=2)
    EventRow.create(
        hash="1",
        linkedid="1.1",
        at=arrived_at,
        event="CHAN_START",
        begins="from-trunk",
        fields=fields,
    )
    check_found = check_of(settings, "balance")
    assert check_found.state == "fail"
    assert check_found.seen.format(**check_found.values) == "1 arrived, 0 in the ledger"


@pytest.mark.parametrize(
    ("today", "state", "text"),
    [
        ("2027-10-31", "ok", "its list goes to {date}"),
        ("2027-11-01", "warn", "its list ends on {date}"),
        ("2027-12-31", "warn", "its list ends on {date}"),
        ("2028-01-01", "fail", "its list ended on {date}"),
    ],
)
def test_the_end_of_the_working_calendar_is_reported(
    settings, monkeypatch, today, state, text
) -> None:
    noon = dt.datetime.fromisoformat(f"{today}T12:00").replace(tzinfo=settings.tz)
    monkeypatch.setattr(clock, "now", lambda: noon.astimezone(dt.UTC))
    check_found = check_of(settings, "calendar")
    assert (check_found.state, check_found.seen, check_found.values["date"]) == (
        state,
        text,
        "31.12.2027",
    )
    CalendarDay.create(**HOLIDAY | {"date": dt.date(2028, 1, 1)})
    # a New Year alone does not extend the calendar
    assert check_of(settings, "calendar").state == state
    CalendarDay.create(**HOLIDAY | {"date": dt.date(2028, 9, 1)})
    assert check_of(settings, "calendar").state == "ok"
    CalendarDay.delete().execute()
    assert (check_of(settings, "calendar").state, check_of(settings, "calendar").values) == (
        "fail",
        {},
    )


def test_the_daily_limit_of_machine_calls_is_checked(settings) -> None:
    assert check_of(settings, "callbacks").state == "ok"
    few = dataclasses.replace(settings, outgoing=Outgoing(machine_calls=1))
    facts = {"direction": "outbound", "stage": "ended", "reason": "callback", "callee": "+998"}
    now = clock.now()
    Call.create(id="hotline-1.1", arrived_at=now, ended_at=now, **facts)
    assert check_of(settings, "callbacks").state == "ok"
    check_found = check_of(few, "callbacks")
    assert check_found.state == "fail"
    assert check_found.seen.format(**check_found.values) == "1 of 1 calls, 0 of 1000 minutes"
    assert check_found.advice


def test_faults_are_listed_first(settings) -> None:
    states = [health.STATES.index(check_row.state) for check_row in health.all_checks(settings)]
    assert states == sorted(states, reverse=True)
    assert states[0] == health.STATES.index("fail")


def test_the_doctor_command_prints_checks_in_the_selected_language(settings) -> None:
    command = ["--config", str(settings.file), "doctor", "--json"]
    result = CliRunner().invoke(appliance, command)
    assert result.exit_code == 1  # the exchange was never seen
    looked = {row["check"]: row for row in json.loads(result.output)}
    assert looked["asterisk"]["state"] == "fail"
    assert "appliance pbx" in looked["asterisk"]["advice"]
    db.open_database(settings.paths.database)
    record_asterisk_seen(0)
    result = CliRunner().invoke(appliance, [*command, "--lang", "ru"])
    looked = {row["check"]: row for row in json.loads(result.output)}
    assert (looked["asterisk"]["state"], looked["asterisk"]["seen"]) == ("ok", "отвечает")


@pytest.mark.parametrize(
    ("used", "all_there_is", "state"),
    [
        ([20] * 15 + [120] * 5, 250, None),  # a restore, then as before
        ([20] * 10 + [120] * 10, 250, None),
        ([20] * 14 + [70] + [120] * 15, 250, None),  # one reading covers two days
        ([100] * 28 + [140, 180], 250, None),
        ([5, 20, 20.1], 100, None),  # a new box
        ([5, 20, 20.1, 20.2, 20.3, 20.4, 20.5], 100, None),
        ([60 + 5 * (day % 7) + day / 10 for day in range(30)], 100, None),  # cleaned up once a week
        ([50 + day for day in range(30)], 100, "warn"),
        ([40 + 2 * day for day in range(28)], 100, "fail"),
        ([10] * 9 + [40 + 2 * day for day in range(21)], 100, "fail"),  # a restore, and growth
    ],
)
def test_a_disk_growing_steadily_is_forecast_to_be_full(
    settings, used, all_there_is, state
) -> None:
    today = clock.now().astimezone(settings.tz).date()
    ahead = [(-1, 99), (-2, 99.5)]  # readings by a clock that was ahead
    for ago, gigabytes in [*enumerate(reversed(used)), *ahead]:
        DiskReading.create(
            disk="recordings",
            day=today - dt.timedelta(days=ago),
            used=int(gigabytes * 1e9),
            total=int(all_there_is * 1e9),
        )
    states = [c.state for c in disks.check_disk_forecasts(settings)]
    assert states == [state][: bool(state)]
    assert retention.disk_forecast(settings, "recordings").is_known == (len(used) >= 7)
