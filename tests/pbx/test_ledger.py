"""The event log on disk into the ledger: twice, shuffled, cut, rotated, after a crash."""

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
from appliance.pbx import clock_watch, hold, ledger, orphaned_calls, projection
from appliance.pbx.eventlog import parse
from appliance.pbx.follow import Follower
from appliance.telephony import calls
from appliance.telephony.calls import exporting
from provisioning.local.settings_file import scratch
from tests.pbx.handed import (
    BLIND,
    CALLED_BACK,
    CHAIN,
    INTERNAL,
    LET_GO,
    OUT,
    PHONE_BUSY,
    PHONE_JOINED,
    SPY,
    THREE,
)
from tests.pbx.stories import (
    BOOT,
    DEAD_PHONE,
    GONE_IN_MENU,
    GONE_IN_QUEUE,
    LEFT_BY_CALLER,
    RATED,
    TIMED_OUT,
    TO_QUEUE,
    TO_TALK,
)
from tests.pbx.story import at, events, jumped, records
from tests.rig.rules import RULES

KINDS = (RATED, LEFT_BY_CALLER, GONE_IN_MENU, GONE_IN_QUEUE, TIMED_OUT, DEAD_PHONE)
# One after the other, since one phone cannot be in two of them at once. A phone's second call is
# no call of its own, unless he stays in it; neither is a supervisor's listening.
LATER = (BLIND, CHAIN, THREE, PHONE_JOINED, PHONE_BUSY, OUT, INTERNAL, CALLED_BACK, LET_GO, SPY)
CALLS = len(KINDS) + len(LATER)


@pytest.fixture(autouse=True)
def database(tmp_path: Path, migrated: Path) -> Iterator[None]:
    (tmp_path / "site").mkdir()
    shutil.copy(migrated, tmp_path / "site" / "appliance.db")
    with db.open_database(tmp_path / "site" / "appliance.db"):
        yield


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    described = tmp_path / "site.toml"
    described.write_text(scratch())
    return site_settings.load(described)


def whole_log() -> list[bytes]:
    """Every kind of call at once, in the order in which Asterisk would have written it."""
    lines = [
        line
        for number, table in enumerate(KINDS)
        for line in records(table, f"hotline-{number + 1}.0")
    ]
    for number, table in enumerate(LATER, len(KINDS)):
        lines += _shifted(100 * number, table, f"hotline-{number + 1}.0")
    return sorted(lines, key=lambda line: line[: line.index(b",")])


def exported() -> str:
    return "\n".join(json.dumps(call) for call in calls.export(at(-3600), at(3600)))


def take(path: Path, *, growing: bool = False) -> int:
    return ledger.read(path, RULES, growing=growing)


@pytest.fixture
def expected(tmp_path: Path) -> str:
    """The export after one plain reading; the database is emptied again."""
    plain = tmp_path / "plain.csv"
    plain.write_bytes(b"".join(whole_log()))
    assert take(plain) == len(whole_log())
    told = exported()
    assert told.count("\n") == CALLS - 1
    with db.writing():
        for table in reversed(db.database.get_tables()):
            # the full-text index is emptied with its own table, not file by file
            if table != "schema_migration" and not table.startswith("search_"):
                db.database.execute_sql(f'DELETE FROM "{table}"')  # noqa: S608
    assert not exported()
    return told


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


def test_the_same_log_twice(tmp_path: Path, expected: str) -> None:
    first, copy = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_bytes(b"".join(whole_log()))
    copy.write_bytes(first.read_bytes())
    assert take(first) == len(whole_log())
    assert take(first) == 0
    assert take(copy) == 0
    assert exported() == expected


@pytest.mark.parametrize("by", [3600.0, -3600.0])
@pytest.mark.parametrize("after", [19.0, 21.0, 23.0, 29.0])
@pytest.mark.parametrize("late", [False, True])
def test_a_step_of_the_clock_within_a_call_and_its_second_call(
    tmp_path: Path, by: float, after: float, late: bool
) -> None:
    plain, stepped = tmp_path / "plain.csv", tmp_path / "stepped.csv"
    plain.write_bytes(b"".join(records(PHONE_JOINED, "hotline-1.0")))
    take(plain)
    expected = json.loads(exported().replace("hotline-1", "hotline-2"))
    stepped.write_bytes(b"".join(records(jumped(PHONE_JOINED, after, by), "hotline-2.0")))
    step = [clock_watch.record(at(after + by + 0.2), by)]
    if not late:
        ledger.take_in(step, RULES)
    take(stepped)
    if late:  # then calls are told anew that had records about that moment
        ledger.take_in(step, RULES)
    rows = [json.loads(line) for line in exported().splitlines()]
    assert [row for row in rows if row["id"].startswith("hotline-2")] == [expected]


def test_a_call_after_the_clock_was_set_back_behind_the_start_of_asterisk() -> None:
    ledger.take_in(events("-100 | BOOT | boot", "hotline-0.0"), RULES)
    ledger.take_in([clock_watch.record(at(-1000), -1000.0)], RULES)
    ledger.take_in(events(jumped(TO_TALK, -1.0, -900.0), "hotline-7.0"), RULES)
    assert Call.get_by_id("hotline-7.0").ended_at is None


@pytest.mark.parametrize("seed", range(5))
def test_records_shuffled_over_files(tmp_path: Path, expected: str, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    lines = whole_log()
    chance.shuffle(lines)
    lines += chance.sample(lines, 20)
    files = []
    for number in range(4):
        files.append(tmp_path / f"{number}.csv")
        files[-1].write_bytes(b"".join(lines[number::4]))
    for file in chance.sample(files, 4):
        take(file)
    assert exported() == expected


@pytest.mark.parametrize("seed", range(8))
def test_a_log_cut_in_the_middle_of_a_line(tmp_path: Path, expected: str, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    log = b"".join(whole_log())
    place = chance.randrange(1, len(log) - 1)
    parts = [tmp_path / "x1.csv", tmp_path / "x2.csv"]
    parts[0].write_bytes(log[:place])
    parts[1].write_bytes(log[place:])
    for part in chance.sample(parts, 2):
        take(part)
    assert exported() == expected
    assert EventFragment.select().count() == 0


def test_a_log_that_grows_by_bytes(tmp_path: Path, expected: str) -> None:
    log = b"".join(whole_log())
    growing = tmp_path / "events.csv"
    growing.write_bytes(b"")
    for start in range(0, len(log), 997):
        with growing.open("ab") as stream:
            stream.write(log[start : start + 997])
        take(growing, growing=True)
    assert exported() == expected


def test_a_log_longer_than_one_transaction(
    tmp_path: Path, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "_CHUNK", 1500)
    file = tmp_path / "long.csv"
    file.write_bytes(b"".join(whole_log()))
    assert take(file) == len(whole_log())
    assert exported() == expected
    assert ledger.fragments() == 0


def test_a_half_that_is_missing_is_told(tmp_path: Path) -> None:
    cut = tmp_path / "cut.csv"
    cut.write_bytes(b"".join(whole_log())[:-30])
    take(cut)
    assert ledger.fragments() == 1


def test_a_record_written_half_before_a_crash_spoils_no_other(tmp_path: Path) -> None:
    lines = records(RATED)
    log = tmp_path / "events.csv"
    log.write_bytes(b"".join(lines[:-1]) + lines[-1][:40])
    take(log, growing=True)
    with log.open("ab") as stream:
        stream.write(b"".join(records(GONE_IN_MENU, "hotline-2.0")))
    take(log, growing=True)
    assert {call.outcome for call in Call.select()} == {"answered", "abandoned_menu"}


def crash() -> list[bytes]:
    """Two calls cut by a crash, one ended before, then the start of Asterisk and a new call."""
    later = [
        *_shifted(600, BOOT, "hotline-600.0"),
        *_shifted(602, GONE_IN_MENU, "hotline-602.0"),
    ]
    return [
        *records(GONE_IN_MENU, "hotline-1.0"),
        *records(TO_TALK, "hotline-2.0"),
        *records(TO_QUEUE, "hotline-3.0"),
        *records(RATED, "hotline-4.0"),
        *later,
    ]


def _shifted(by: float, table: str, call: str) -> list[bytes]:
    """The records of a table, later."""
    rows = [line.split("|", 1) for line in table.splitlines() if line.strip()]
    later = "\n".join(f"{float(second) + by}|{rest}" for second, rest in rows)
    return records(later, call)


@pytest.mark.parametrize("seed", range(4))
def test_calls_cut_by_a_crash_end_with_the_last_sign_of_life(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: at(610))
    lines = crash()
    if seed:
        random.Random(seed).shuffle(lines)  # noqa: S311
    for number, part in enumerate((lines[:20], lines[20:])):
        file = tmp_path / f"{number}.csv"
        file.write_bytes(b"".join(part))
        take(file)
    found = {call.id: call for call in Call.select()}
    cut = found["hotline-2.0"]
    assert (cut.outcome, cut.ended_by) == ("answered", "system")
    assert cut.ended_at == at(74)  # the last record of any call before the start
    assert cut.talk_seconds == pytest.approx(74 - 8.2)
    waiting = found["hotline-3.0"]
    assert (waiting.outcome, waiting.ended_by) == ("failed", "system")
    assert found["hotline-4.0"].outcome == "answered"
    assert found["hotline-602.0"].outcome == "abandoned_menu"
    balance = calls.balance(at(-3600), at(3600))
    assert (balance.arrivals, balance.difference, balance.open) == (5, 0, 0)
    assert balance.unobserved == [(at(74), at(600.1))]
    assert calls.balance(at(100), at(500)).unobserved == [(at(100), at(500))]


def test_an_outage_that_goes_on_is_unobserved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: at(1000))
    assert calls.balance(at(-500), at(500)).unobserved == []  # nothing was ever seen
    file = tmp_path / "events.csv"
    file.write_bytes(b"".join(records(GONE_IN_MENU)))
    take(file)
    assert calls.balance(at(-500), at(500)).unobserved == [(at(3), at(500))]
    assert calls.balance(at(-500), at(5000)).unobserved == [(at(3), at(1000))]
    AsteriskWatch.create(started_at=at(3), seen_at=at(999))
    assert calls.balance(at(-500), at(5000)).unobserved == []


def test_sound_written_after_the_last_record_proves_a_longer_talk(tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_bytes(b"".join(crash()))
    take(file)
    Recording.update(seconds=191.8, written_at=at(200)).where(
        Recording.call_id == "hotline-2.0"
    ).execute()
    projection.project("hotline-2.0", RULES)
    call = Call.get_by_id("hotline-2.0")
    assert (call.ended_at, call.talk_seconds) == (at(200), pytest.approx(191.8))


def test_a_log_that_is_rotated_while_one_looks_is_read_by_its_new_name(
    settings: Settings, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = settings.paths.event_log
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"".join(whole_log()))
    log.with_name(f"{log.name}.9").symlink_to("gone")  # listed, and not there when it is asked for
    read = ledger.read

    def rotated(path: Path, *args: float, **how: bool) -> int:
        if path == log and log.exists():
            log.rename(log.with_name(f"{log.name}.1"))
        return read(path, *args, **how)

    monkeypatch.setattr(ledger, "read", rotated)
    follower = Follower(settings)
    assert follower.step() == 0
    assert follower.step() == len(whole_log())
    assert exported() == expected


@pytest.mark.parametrize("growing", [True, False])
def test_nobody_waits_for_the_disk_because_of_a_log_that_grows(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, growing: bool
) -> None:
    began, file, unhurried = [], tmp_path / "events.csv", db.unhurried
    file.write_bytes(b"".join(records(TO_TALK)))
    monkeypatch.setattr(db, "unhurried", lambda: began.append(1) or unhurried())
    assert ledger.read(file, RULES, growing=growing)
    assert began == [1] * growing


def test_holding_is_heard_and_kept_with_the_log(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_bytes(b"".join(records(TO_TALK)))
    take(file)
    phone = next(e for e in events(TO_TALK) if e.type == "CHAN_START" and e.is_phone)
    for second, name in ((10, "Hold"), (17, "Unhold"), (20, "Hangup")):
        moment = {"Timestamp": f"{at(second).timestamp():.6f}", "Channel": phone.channel}
        known = {"Uniqueid": phone.uniqueid, "Linkedid": phone.linkedid}
        hold.handle(settings, {"Event": name, **moment, **known})
    assert Call.get().hold_seconds == 7
    assert EventRow.select().where(EventRow.event.in_(["HOLD", "UNHOLD"])).count() == 2


def test_an_export_in_pieces_is_the_same(
    expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "_CHUNK", 2)
    file = tmp_path / "a.csv"
    file.write_bytes(b"".join(whole_log()))
    take(file)
    assert exported() == expected


def test_short_abandon_is_marked(tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_bytes(b"".join(records(GONE_IN_QUEUE)))
    ledger.read(file, Calls("", short_abandon=20.0), growing=False)
    assert Call.get().short
    projection.project("hotline-1.0", Calls("", short_abandon=19.9))
    assert not Call.get().short


def test_balance_tells_a_call_that_the_ledger_lacks(tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_bytes(b"".join(whole_log()))
    take(file)
    assert calls.balance(at(-1), at(1)).difference == 0
    Call.delete().where(Call.id == "hotline-1.0").execute()
    assert calls.balance(at(-1), at(1)).difference == 1
    assert EventRow.select().count() == len(whole_log())


class Channels:
    """An Asterisk that knows these channels."""

    def __init__(self, *uniqueids: str) -> None:
        self.uniqueids = uniqueids

    def listed(self, _action: str, _until: str) -> list[dict[str, str]]:
        return [{"Event": "CoreShowChannel", "Uniqueid": one} for one in self.uniqueids]


def test_a_call_whose_end_the_log_lost_ends_when_asterisk_knows_it_no_more(
    monkeypatch, settings: Settings
) -> None:
    ledger.take_in(events(TO_TALK, "hotline-1.0"), RULES)
    ledger.take_in(events(TO_TALK, "hotline-2.0"), RULES)
    phone = next(e.uniqueid for e in events(TO_TALK, "hotline-2.0") if e.is_phone)
    looks = orphaned_calls.OrphanedCalls(every=0)

    def look(second: float, *there: str) -> list[str]:
        monkeypatch.setattr(clock, "now", lambda: at(second))
        return looks.look(settings, Channels(*there))

    assert look(90, "hotline-1.0", phone) == []
    assert look(100, phone) == []
    assert look(110, "hotline-1.0", phone) == []  # it was on its way
    assert [look(second, phone) for second in (120, 130, 140)] == [[], [], ["hotline-1.0"]]
    lost, lives = Call.get_by_id("hotline-1.0"), Call.get_by_id("hotline-2.0")
    assert (lost.outcome, lost.ended_by, lost.ended_at) == ("answered", "system", at(120))
    assert lives.ended_at is None
    assert [look(second) for second in (150, 160, 170)] == [[], [], ["hotline-2.0"]]
    # The rest of the log, found later, knows better.
    ledger.take_in(events(RATED, "hotline-1.0"), RULES)
    rated = Call.get_by_id("hotline-1.0")
    assert (rated.ended_by, rated.ended_at, rated.rating) == ("operator", at(74), 4)


@pytest.mark.parametrize(
    ("seen", "without"), [((100,), 100), ((-9000, 100), 100), ((-60,), 8.2), ((100, 9e6), 36_000)]
)
def test_a_call_that_vanished_while_nobody_looked_is_as_long_as_its_sound(
    monkeypatch, settings: Settings, seen, without
) -> None:
    for second in seen:
        AsteriskWatch.create(started_at=at(second - 60), seen_at=at(second))
    ledger.take_in(events(TO_TALK, "hotline-1.0"), RULES)
    looks = orphaned_calls.OrphanedCalls(every=0)
    for second in (36_000, 36_010, 36_020):  # pbx could not run for hours
        monkeypatch.setattr(clock, "now", lambda second=second: at(second))
        looks.look(settings, Channels())
    assert Call.get().ended_at == at(without)
    Recording.update(seconds=65, written_at=at(70)).execute()
    projection.project("hotline-1.0", RULES)
    assert Call.get().ended_at == at(70)


def test_a_call_that_vanished_under_our_eyes_ends_then_whatever_was_recorded(
    monkeypatch, settings: Settings
) -> None:
    AsteriskWatch.create(started_at=at(-60), seen_at=at(-10))
    ledger.take_in(events(TO_TALK, "hotline-1.0"), RULES)
    looks = orphaned_calls.OrphanedCalls(every=0)
    for second in (600, 610, 620, 630):
        monkeypatch.setattr(clock, "now", lambda second=second: at(second))
        looks.look(settings, Channels(*["hotline-1.0"] * (second == 600)))
    Recording.update(seconds=65, written_at=at(70)).execute()  # the rest was not recorded
    projection.project("hotline-1.0", RULES)
    assert Call.get().ended_at == at(610)


def test_records_are_read_only_of_calls_whose_own_channel_is_not_there(
    monkeypatch, settings: Settings
) -> None:
    ledger.take_in([*events(TO_TALK, "hotline-1.0"), *events(TO_TALK, "hotline-2.0")], RULES)
    read: list[str] = []
    monkeypatch.setattr(projection, "channels", lambda id: read.append(id) or {id})
    orphaned_calls.OrphanedCalls(every=0).look(settings, Channels("hotline-1.0"))
    assert read == ["hotline-2.0"]


def test_a_vanished_call_ends_by_whatever_clock(monkeypatch, settings: Settings) -> None:
    ledger.take_in(events(TO_TALK, "hotline-1.0"), RULES)
    monkeypatch.setattr(clock, "now", lambda: at(-3600))
    looks = orphaned_calls.OrphanedCalls(every=0)
    assert [looks.look(settings, Channels()) for _ in range(4)] == [[], [], ["hotline-1.0"], []]
    assert Call.get().ended_at == at(8.2)


def inbound_first_records(lines: list[bytes]) -> list[bytes]:
    """The record by which each call from a trunk begins."""
    parsed = [(line, parse(line)) for line in lines]
    return [line for line, event in parsed if event and event.begins == "from-trunk"]


@pytest.mark.parametrize("log", ["of every kind", "of a real exchange"])
def test_the_balance_tells_a_call_whose_first_record_is_lost(tmp_path: Path, log: str) -> None:
    if log == "of every kind":
        lines = whole_log()
    else:
        lines = (Path(__file__).parent / "e1-calls.csv").read_bytes().splitlines(keepends=True)
    firsts = inbound_first_records(lines)
    assert firsts
    whole = tmp_path / "whole.csv"
    whole.write_bytes(b"".join(lines))
    with db.database.atomic() as transaction:
        take(whole)
        moments = [row.at for row in EventRow.select(EventRow.at)]
        begin, end = min(moments), max(moments) + dt.timedelta(seconds=1)
        before = calls.balance(begin, end)
        transaction.rollback()
    assert before.difference == 0
    for number, first in enumerate(firsts):
        file = tmp_path / f"{number}.csv"
        file.write_bytes(b"".join(line for line in lines if line != first))
        with db.database.atomic() as transaction:
            take(file)
            found = calls.balance(begin, end)
            late = tmp_path / f"{number}-late.csv"
            late.write_bytes(first)
            take(late)  # as `appliance ledger ingest` takes a rotated log
            mended = calls.balance(begin, end)
            transaction.rollback()
        assert (found.difference, found.arrivals) == (1, before.arrivals), first
        assert (mended.difference, mended.arrivals) == (0, before.arrivals), first


def test_the_doctor_tells_a_call_whose_first_record_is_lost(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: at(7200))
    lines = whole_log()
    [first, *_] = inbound_first_records(lines)
    file = tmp_path / "cut.csv"
    file.write_bytes(b"".join(line for line in lines if line != first))
    take(file)
    [check] = (c for c in health.ledger.balance(settings) if c.code == "balance")
    assert check.state == "fail"
    calls.settle()  # the other records of the call are not its first
    assert calls.balance(at(-1), at(7000)).difference == 1
