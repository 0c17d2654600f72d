"""The event log is read into the ledger: twice, shuffled, truncated, rotated, after a crash."""

import datetime as dt
import json
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.box import health
from appliance.core import clock, db
from appliance.core import settings as site_settings
from appliance.core.settings import Calls, Settings
from appliance.models import AsteriskWatch, Call, EventFragment, EventRow, Recording
from appliance.pbx import clock_watch, hold, ledger, orphaned_calls
from appliance.pbx.eventlog import parse_record
from appliance.pbx.ledger import chunks
from appliance.pbx.log_follower import LogFollower
from appliance.telephony import calls
from appliance.telephony.calls import exporting
from provisioning.local.settings_file import scratch_settings
from tests.pbx.stories import (
    ABANDONED_IN_MENU,
    ABANDONED_IN_QUEUE,
    BOOT_RECORDS,
    DEAD_PHONE,
    LEFT_BY_CALLER,
    RATED_CALL,
    TIMED_OUT,
    TO_QUEUE,
    TO_TALK,
)
from tests.pbx.story import log_records, step_table_clock, table_events, table_time
from tests.pbx.transfer_stories import (
    BLIND_TRANSFER,
    CALLBACK_ANSWERED,
    CALLER_DROPPED,
    CONFERENCE,
    INTERNAL_CALL,
    LISTENING_IN,
    OUTBOUND_ANSWERED,
    PHONE_BUSY,
    PHONE_JOINED,
    TRANSFER_CHAIN,
)
from tests.rig.rules import RULES

CONCURRENT_TABLES = (
    RATED_CALL,
    LEFT_BY_CALLER,
    ABANDONED_IN_MENU,
    ABANDONED_IN_QUEUE,
    TIMED_OUT,
    DEAD_PHONE,
)
# One after the other, since a phone cannot take part in two of them at once. A phone's second call
# is not a separate call unless the operator stays in it; nor is a supervisor's listening.
SEQUENTIAL_TABLES = (
    BLIND_TRANSFER,
    TRANSFER_CHAIN,
    CONFERENCE,
    PHONE_JOINED,
    PHONE_BUSY,
    OUTBOUND_ANSWERED,
    INTERNAL_CALL,
    CALLBACK_ANSWERED,
    CALLER_DROPPED,
    LISTENING_IN,
)
CALL_COUNT = len(CONCURRENT_TABLES) + len(SEQUENTIAL_TABLES)


@pytest.fixture(autouse=True)
def database(tmp_path: Path, migrated: Path) -> Iterator[None]:
    (tmp_path / "site").mkdir()
    shutil.copy(migrated, tmp_path / "site" / "appliance.db")
    with db.open_database(tmp_path / "site" / "appliance.db"):
        yield


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    described = tmp_path / "site.toml"
    described.write_text(scratch_settings())
    return site_settings.load_settings(described)


def complete_log() -> list[bytes]:
    """Return every kind of call at once, in the order in which Asterisk would have written it."""
    lines = [
        line
        for number, table in enumerate(CONCURRENT_TABLES)
        for line in log_records(table, f"hotline-{number + 1}.0")
    ]
    for number, table in enumerate(SEQUENTIAL_TABLES, len(CONCURRENT_TABLES)):
        lines += _shifted_records(100 * number, table, f"hotline-{number + 1}.0")
    return sorted(lines, key=lambda line: line[: line.index(b",")])


def export_text() -> str:
    return "\n".join(
        json.dumps(call) for call in calls.export_calls(table_time(-3600), table_time(3600))
    )


def read_log(path: Path, *, growing: bool = False) -> int:
    return ledger.read_log(path, RULES, growing=growing)


@pytest.fixture
def expected(tmp_path: Path) -> str:
    """The export after one ordinary reading; the database is emptied afterwards."""
    plain = tmp_path / "plain.csv"
    plain.write_bytes(b"".join(complete_log()))
    assert read_log(plain) == len(complete_log())
    export = export_text()
    assert export.count("\n") == CALL_COUNT - 1
    with db.write_transaction():
        for table in reversed(db.database.get_tables()):
            # the full-text index is emptied with its own table, not file by file
            if table != "schema_migration" and not table.startswith("search_"):
                db.database.execute_sql(f'DELETE FROM "{table}"')  # noqa: S608
    assert not export_text()
    return export


def test_a_second_call_is_part_of_the_first(tmp_path: Path, expected: str) -> None:
    rows = [json.loads(line) for line in expected.splitlines()]
    handed = {row["id"]: row["transfers"] for row in rows if row["transfers"]}
    assert [t[0]["result"] for t in handed.values()] == [
        *("answered", "answered", "answered", "answered", "busy")
    ]
    assert [row["outcome"] for row in rows if row["id"].endswith(".500")] == ["answered"]
    assert Counter(row["direction"] for row in rows) == {
        "inbound": 12,
        "outbound": 3,
        "internal": 1,
    }


def test_reading_the_same_log_twice_changes_nothing(tmp_path: Path, expected: str) -> None:
    first, copy = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_bytes(b"".join(complete_log()))
    copy.write_bytes(first.read_bytes())
    assert read_log(first) == len(complete_log())
    assert read_log(first) == 0
    assert read_log(copy) == 0
    assert export_text() == expected


@pytest.mark.parametrize("by", [3600.0, -3600.0])
@pytest.mark.parametrize("after", [19.0, 21.0, 23.0, 29.0])
@pytest.mark.parametrize("late", [False, True])
def test_a_step_of_the_clock_in_a_call_and_its_second_call_is_corrected(
    tmp_path: Path, by: float, after: float, late: bool
) -> None:
    plain, stepped = tmp_path / "plain.csv", tmp_path / "stepped.csv"
    plain.write_bytes(b"".join(log_records(PHONE_JOINED, "hotline-1.0")))
    read_log(plain)
    expected = json.loads(export_text().replace("hotline-1", "hotline-2"))
    stepped.write_bytes(
        b"".join(log_records(step_table_clock(PHONE_JOINED, after, by), "hotline-2.0"))
    )
    step = [clock_watch.step_event(table_time(after + by + 0.2), by)]
    if not late:
        ledger.store_events(step, RULES)
    read_log(stepped)
    if late:  # then the calls with records around that time are interpreted again
        ledger.store_events(step, RULES)
    rows = [json.loads(line) for line in export_text().splitlines()]
    assert [row for row in rows if row["id"].startswith("hotline-2")] == [expected]


def test_a_call_is_open_after_the_clock_is_set_back_before_the_start_of_asterisk() -> None:
    ledger.store_events(table_events("-100 | BOOT | boot", "hotline-0.0"), RULES)
    ledger.store_events([clock_watch.step_event(table_time(-1000), -1000.0)], RULES)
    ledger.store_events(table_events(step_table_clock(TO_TALK, -1.0, -900.0), "hotline-7.0"), RULES)
    assert Call.get_by_id("hotline-7.0").ended_at is None


@pytest.mark.parametrize("seed", range(5))
def test_records_shuffled_over_files_give_the_same_export(
    tmp_path: Path, expected: str, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311
    lines = complete_log()
    chance.shuffle(lines)
    lines += chance.sample(lines, 20)
    files = []
    for number in range(4):
        files.append(tmp_path / f"{number}.csv")
        files[-1].write_bytes(b"".join(lines[number::4]))
    for file in chance.sample(files, 4):
        read_log(file)
    assert export_text() == expected


@pytest.mark.parametrize("seed", range(8))
def test_a_log_split_in_the_middle_of_a_line_gives_the_same_export(
    tmp_path: Path, expected: str, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311
    log = b"".join(complete_log())
    place = chance.randrange(1, len(log) - 1)
    parts = [tmp_path / "x1.csv", tmp_path / "x2.csv"]
    parts[0].write_bytes(log[:place])
    parts[1].write_bytes(log[place:])
    for part in chance.sample(parts, 2):
        read_log(part)
    assert export_text() == expected
    assert EventFragment.select().count() == 0


def test_a_log_that_grows_by_bytes_gives_the_same_export(tmp_path: Path, expected: str) -> None:
    log = b"".join(complete_log())
    growing = tmp_path / "events.csv"
    growing.write_bytes(b"")
    for start in range(0, len(log), 997):
        with growing.open("ab") as stream:
            stream.write(log[start : start + 997])
        read_log(growing, growing=True)
    assert export_text() == expected


def test_a_log_longer_than_one_transaction_gives_the_same_export(
    tmp_path: Path, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "_CHUNK_BYTES", 1500)
    file = tmp_path / "long.csv"
    file.write_bytes(b"".join(complete_log()))
    assert read_log(file) == len(complete_log())
    assert export_text() == expected
    assert ledger.count_record_fragments() == 0


def test_a_missing_half_of_a_record_is_counted(tmp_path: Path) -> None:
    cut = tmp_path / "cut.csv"
    cut.write_bytes(b"".join(complete_log())[:-30])
    read_log(cut)
    assert ledger.count_record_fragments() == 1


def test_a_record_half_written_before_a_crash_damages_no_other(tmp_path: Path) -> None:
    lines = log_records(RATED_CALL)
    log = tmp_path / "events.csv"
    log.write_bytes(b"".join(lines[:-1]) + lines[-1][:40])
    read_log(log, growing=True)
    with log.open("ab") as stream:
        stream.write(b"".join(log_records(ABANDONED_IN_MENU, "hotline-2.0")))
    read_log(log, growing=True)
    assert {call.outcome for call in Call.select()} == {"answered", "abandoned_menu"}


def crash_log() -> list[bytes]:
    """Return two calls cut by a crash, two ended ones, a start of Asterisk and a new call."""
    later = [
        *_shifted_records(600, BOOT_RECORDS, "hotline-600.0"),
        *_shifted_records(602, ABANDONED_IN_MENU, "hotline-602.0"),
    ]
    return [
        *log_records(ABANDONED_IN_MENU, "hotline-1.0"),
        *log_records(TO_TALK, "hotline-2.0"),
        *log_records(TO_QUEUE, "hotline-3.0"),
        *log_records(RATED_CALL, "hotline-4.0"),
        *later,
    ]


def _shifted_records(by: float, table: str, call: str) -> list[bytes]:
    """Return the records of a table, `by` seconds later."""
    rows = [line.split("|", 1) for line in table.splitlines() if line.strip()]
    later = "\n".join(f"{float(second) + by}|{rest}" for second, rest in rows)
    return log_records(later, call)


@pytest.mark.parametrize("seed", range(4))
def test_calls_cut_by_a_crash_end_at_the_last_record(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: table_time(610))
    lines = crash_log()
    if seed:
        random.Random(seed).shuffle(lines)  # noqa: S311
    for number, part in enumerate((lines[:20], lines[20:])):
        file = tmp_path / f"{number}.csv"
        file.write_bytes(b"".join(part))
        read_log(file)
    calls_by_id = {call.id: call for call in Call.select()}
    cut = calls_by_id["hotline-2.0"]
    assert (cut.outcome, cut.ended_by) == ("answered", "system")
    assert cut.ended_at == table_time(74)  # the last record of any call before the start
    assert cut.talk_seconds == pytest.approx(74 - 8.2)
    waiting = calls_by_id["hotline-3.0"]
    assert (waiting.outcome, waiting.ended_by) == ("failed", "system")
    assert calls_by_id["hotline-4.0"].outcome == "answered"
    assert calls_by_id["hotline-602.0"].outcome == "abandoned_menu"
    balance = calls.ledger_balance(table_time(-3600), table_time(3600))
    assert (balance.arrivals, balance.difference, balance.open) == (5, 0, 0)
    assert balance.unobserved == [(table_time(74), table_time(600.1))]
    assert calls.ledger_balance(table_time(100), table_time(500)).unobserved == [
        (table_time(100), table_time(500))
    ]


def test_an_ongoing_outage_is_unobserved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: table_time(1000))
    # there is no record yet
    assert calls.ledger_balance(table_time(-500), table_time(500)).unobserved == []
    file = tmp_path / "events.csv"
    file.write_bytes(b"".join(log_records(ABANDONED_IN_MENU)))
    read_log(file)
    assert calls.ledger_balance(table_time(-500), table_time(500)).unobserved == [
        (table_time(3), table_time(500))
    ]
    assert calls.ledger_balance(table_time(-500), table_time(5000)).unobserved == [
        (table_time(3), table_time(1000))
    ]
    AsteriskWatch.create(started_at=table_time(3), seen_at=table_time(999))
    assert calls.ledger_balance(table_time(-500), table_time(5000)).unobserved == []


def test_a_recording_longer_than_the_records_extends_the_talk(tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_bytes(b"".join(crash_log()))
    read_log(file)
    Recording.update(seconds=191.8, written_at=table_time(200)).where(
        Recording.call_id == "hotline-2.0"
    ).execute()
    ledger.project_call("hotline-2.0", RULES)
    call = Call.get_by_id("hotline-2.0")
    assert (call.ended_at, call.talk_seconds) == (table_time(200), pytest.approx(191.8))


def test_a_log_rotated_while_it_is_read_is_read_under_its_new_name(
    settings: Settings, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = settings.paths.event_log
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"".join(complete_log()))
    log.with_name(f"{log.name}.9").symlink_to("gone")  # listed, and missing when it is opened
    read = ledger.read_log

    def rotate_and_read(path: Path, *args: float, **options: bool) -> int:
        if path == log and log.exists():
            log.rename(log.with_name(f"{log.name}.1"))
        return read(path, *args, **options)

    monkeypatch.setattr(ledger, "read_log", rotate_and_read)
    follower = LogFollower(settings)
    assert follower.read_new_records() == 0
    assert follower.read_new_records() == len(complete_log())
    assert export_text() == expected


@pytest.mark.parametrize("growing", [True, False])
def test_reading_a_growing_log_does_not_wait_for_the_disk(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, growing: bool
) -> None:
    began, file, unhurried = [], tmp_path / "events.csv", db.lazy_disk_sync
    file.write_bytes(b"".join(log_records(TO_TALK)))
    monkeypatch.setattr(db, "lazy_disk_sync", lambda: began.append(1) or unhurried())
    assert ledger.read_log(file, RULES, growing=growing)
    assert began == [1] * growing


def test_hold_events_are_stored_with_the_log(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_bytes(b"".join(log_records(TO_TALK)))
    read_log(file)
    phone = next(e for e in table_events(TO_TALK) if e.type == "CHAN_START" and e.is_phone)
    for second, name in ((10, "Hold"), (17, "Unhold"), (20, "Hangup")):
        moment = {"Timestamp": f"{table_time(second).timestamp():.6f}", "Channel": phone.channel}
        channel_ids = {"Uniqueid": phone.uniqueid, "Linkedid": phone.linkedid}
        hold.record_hold(settings, {"Event": name, **moment, **channel_ids})
    assert Call.get().hold_seconds == 7
    assert EventRow.select().where(EventRow.event.in_(["HOLD", "UNHOLD"])).count() == 2


def test_an_export_in_chunks_is_the_same(
    expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "_CHUNK_CALLS", 2)
    file = tmp_path / "a.csv"
    file.write_bytes(b"".join(complete_log()))
    read_log(file)
    assert export_text() == expected


def test_a_short_abandoned_call_is_marked(tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_bytes(b"".join(log_records(ABANDONED_IN_QUEUE)))
    ledger.read_log(file, Calls("", short_abandon=20.0), growing=False)
    assert Call.get().short
    ledger.project_call("hotline-1.0", Calls("", short_abandon=19.9))
    assert not Call.get().short


def test_the_balance_reports_a_call_that_the_ledger_lacks(tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_bytes(b"".join(complete_log()))
    read_log(file)
    assert calls.ledger_balance(table_time(-1), table_time(1)).difference == 0
    Call.delete().where(Call.id == "hotline-1.0").execute()
    assert calls.ledger_balance(table_time(-1), table_time(1)).difference == 1
    assert EventRow.select().count() == len(complete_log())


class Channels:
    """An Asterisk with these channels."""

    def __init__(self, *uniqueids: str) -> None:
        self.uniqueids = uniqueids

    def list_events(self, _action: str, _until: str) -> list[dict[str, str]]:
        return [{"Event": "CoreShowChannel", "Uniqueid": uniqueid} for uniqueid in self.uniqueids]


def test_a_call_without_an_end_in_the_log_ends_when_its_channel_is_gone(
    monkeypatch, settings: Settings
) -> None:
    ledger.store_events(table_events(TO_TALK, "hotline-1.0"), RULES)
    ledger.store_events(table_events(TO_TALK, "hotline-2.0"), RULES)
    phone = next(e.uniqueid for e in table_events(TO_TALK, "hotline-2.0") if e.is_phone)
    looks = orphaned_calls.OrphanedCalls(poll_seconds=0)

    def look_at(second: float, *uniqueids: str) -> list[str]:
        monkeypatch.setattr(clock, "now", lambda: table_time(second))
        return looks.end_orphaned_calls(settings, Channels(*uniqueids))

    assert look_at(90, "hotline-1.0", phone) == []
    assert look_at(100, phone) == []
    assert look_at(110, "hotline-1.0", phone) == []  # its record was still on the way
    assert [look_at(second, phone) for second in (120, 130, 140)] == [[], [], ["hotline-1.0"]]
    ended_call, open_call = Call.get_by_id("hotline-1.0"), Call.get_by_id("hotline-2.0")
    assert (ended_call.outcome, ended_call.ended_by, ended_call.ended_at) == (
        "answered",
        "system",
        table_time(120),
    )
    assert open_call.ended_at is None
    assert [look_at(second) for second in (150, 160, 170)] == [[], [], ["hotline-2.0"]]
    # The rest of the log, found later, corrects the call.
    ledger.store_events(table_events(RATED_CALL, "hotline-1.0"), RULES)
    rated = Call.get_by_id("hotline-1.0")
    assert (rated.ended_by, rated.ended_at, rated.rating) == ("operator", table_time(74), 4)


@pytest.mark.parametrize(
    ("seen_seconds", "end_without_sound"),
    [((100,), 100), ((-9000, 100), 100), ((-60,), 8.2), ((100, 9e6), 36_000)],
)
def test_a_call_that_vanished_unobserved_is_as_long_as_its_recording(
    monkeypatch, settings: Settings, seen_seconds, end_without_sound
) -> None:
    for second in seen_seconds:
        AsteriskWatch.create(started_at=table_time(second - 60), seen_at=table_time(second))
    ledger.store_events(table_events(TO_TALK, "hotline-1.0"), RULES)
    looks = orphaned_calls.OrphanedCalls(poll_seconds=0)
    for second in (36_000, 36_010, 36_020):  # pbx could not run for hours
        monkeypatch.setattr(clock, "now", lambda second=second: table_time(second))
        looks.end_orphaned_calls(settings, Channels())
    assert Call.get().ended_at == table_time(end_without_sound)
    Recording.update(seconds=65, written_at=table_time(70)).execute()
    ledger.project_call("hotline-1.0", RULES)
    assert Call.get().ended_at == table_time(70)


def test_a_call_that_vanished_while_observed_ends_then_whatever_was_recorded(
    monkeypatch, settings: Settings
) -> None:
    AsteriskWatch.create(started_at=table_time(-60), seen_at=table_time(-10))
    ledger.store_events(table_events(TO_TALK, "hotline-1.0"), RULES)
    looks = orphaned_calls.OrphanedCalls(poll_seconds=0)
    for second in (600, 610, 620, 630):
        monkeypatch.setattr(clock, "now", lambda second=second: table_time(second))
        looks.end_orphaned_calls(settings, Channels(*["hotline-1.0"] * (second == 600)))
    Recording.update(seconds=65, written_at=table_time(70)).execute()  # the rest was not recorded
    ledger.project_call("hotline-1.0", RULES)
    assert Call.get().ended_at == table_time(610)


def test_records_are_read_only_for_calls_whose_own_channel_is_missing(
    monkeypatch, settings: Settings
) -> None:
    ledger.store_events(
        [*table_events(TO_TALK, "hotline-1.0"), *table_events(TO_TALK, "hotline-2.0")], RULES
    )
    read: list[str] = []
    monkeypatch.setattr(ledger, "channel_ids", lambda id: read.append(id) or {id})
    orphaned_calls.OrphanedCalls(poll_seconds=0).end_orphaned_calls(
        settings, Channels("hotline-1.0")
    )
    assert read == ["hotline-2.0"]


def test_a_vanished_call_ends_even_with_a_wrong_clock(monkeypatch, settings: Settings) -> None:
    ledger.store_events(table_events(TO_TALK, "hotline-1.0"), RULES)
    monkeypatch.setattr(clock, "now", lambda: table_time(-3600))
    looks = orphaned_calls.OrphanedCalls(poll_seconds=0)
    assert [looks.end_orphaned_calls(settings, Channels()) for _ in range(4)] == [
        [],
        [],
        ["hotline-1.0"],
        [],
    ]
    assert Call.get().ended_at == table_time(8.2)


def inbound_first_records(lines: list[bytes]) -> list[bytes]:
    """Return the record with which each call from a trunk begins."""
    parsed = [(line, parse_record(line)) for line in lines]
    return [line for line, event in parsed if event and event.begins == "from-trunk"]


@pytest.mark.parametrize("log", ["of every kind", "of a real exchange"])
def test_the_balance_reports_a_call_whose_first_record_is_lost(tmp_path: Path, log: str) -> None:
    if log == "of every kind":
        lines = complete_log()
    else:
        lines = (Path(__file__).parent / "e1-calls.csv").read_bytes().splitlines(keepends=True)
    firsts = inbound_first_records(lines)
    assert firsts
    complete_file = tmp_path / "whole.csv"
    complete_file.write_bytes(b"".join(lines))
    with db.database.atomic() as transaction:
        read_log(complete_file)
        moments = [row.at for row in EventRow.select(EventRow.at)]
        begin, end = min(moments), max(moments) + dt.timedelta(seconds=1)
        before = calls.ledger_balance(begin, end)
        transaction.rollback()
    assert before.difference == 0
    for number, first in enumerate(firsts):
        file = tmp_path / f"{number}.csv"
        file.write_bytes(b"".join(line for line in lines if line != first))
        with db.database.atomic() as transaction:
            read_log(file)
            balance = calls.ledger_balance(begin, end)
            late = tmp_path / f"{number}-late.csv"
            late.write_bytes(first)
            read_log(late)  # as `appliance ledger ingest` reads a rotated log
            mended = calls.ledger_balance(begin, end)
            transaction.rollback()
        assert (balance.difference, balance.arrivals) == (1, before.arrivals), first
        assert (mended.difference, mended.arrivals) == (0, before.arrivals), first


def test_the_doctor_reports_a_call_whose_first_record_is_lost(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: table_time(7200))
    lines = complete_log()
    [first, *_] = inbound_first_records(lines)
    file = tmp_path / "cut.csv"
    file.write_bytes(b"".join(line for line in lines if line != first))
    read_log(file)
    [check] = (c for c in health.ledger.check_call_balance(settings) if c.code == "balance")
    assert check.state == "fail"
    calls.clear_logged_seen_calls()  # the other records of the call do not replace its first
    assert calls.ledger_balance(table_time(-1), table_time(7000)).difference == 1
