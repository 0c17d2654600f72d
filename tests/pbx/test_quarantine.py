"""Damage in the event log is quarantined and reported; every call around it is complete."""

import csv
import io
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from appliance.box import health
from appliance.cli import appliance
from appliance.core import clock, db
from appliance.core.settings import Settings
from appliance.models import Call, EventFile, EventRow, Quarantined, Recording
from appliance.pbx import ledger
from appliance.pbx.eventlog import CEL_FIELDS, Event
from appliance.pbx.interpret import interpret_call, interpreter
from appliance.pbx.ledger import chunks
from appliance.pbx.log_follower import LogFollower
from appliance.telephony import calls
from appliance.telephony.calls import CallFacts
from appliance.telephony.recordings import postprocessing
from tests.pbx.stories import (
    ABANDONED_IN_MENU,
    BOOT_RECORDS,
    DEAD_PHONE,
    RATED_CALL,
    TO_QUEUE,
    TO_TALK,
)
from tests.pbx.story import log_records, table_events, table_time
from tests.rig.rules import RULES

FIRST_CALL, SECOND_CALL, THIRD_CALL = "hotline-1.0", "hotline-2.0", "hotline-3.0"
COMPLETE_LOG = [
    *log_records(RATED_CALL, FIRST_CALL),
    *log_records(ABANDONED_IN_MENU, SECOND_CALL),
    *log_records(DEAD_PHONE, THIRD_CALL),
]


@pytest.fixture(autouse=True)
def folder(settings: Settings) -> None:
    settings.paths.event_log.parent.mkdir(parents=True, exist_ok=True)
    db.database.execute_sql("PRAGMA synchronous = off")


def exported_calls(*linkedids: str) -> list[dict]:
    rows = {row["id"]: row for row in calls.export_calls(table_time(-3600), table_time(3600))}
    return [rows[linkedid] for linkedid in linkedids]


def empty_tables() -> None:
    with db.write_transaction():
        for table in (Call, Recording, EventRow, EventFile, Quarantined):
            table.delete().execute()


@pytest.fixture
def expected(settings: Settings, tmp_path: Path) -> list[dict]:
    """The three calls as an undamaged log yields them; the database is empty again."""
    plain = tmp_path / "plain.csv"
    plain.write_bytes(b"".join(COMPLETE_LOG))
    ledger.read_log(plain, RULES, growing=False)
    rows = exported_calls(FIRST_CALL, SECOND_CALL, THIRD_CALL)
    empty_tables()
    return rows


def event_record(kind: str, extra: str = "", **fields: str) -> bytes:
    row = dict.fromkeys(CEL_FIELDS, "") | {"EventType": kind, "EventExtra": extra}
    row |= {
        "EventTime": f"{table_time(2).timestamp():.6f}",
        "LinkedID": FIRST_CALL,
        "UniqueID": FIRST_CALL,
    }
    stream = io.StringIO(newline="")
    csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow((row | fields).values())
    return stream.getvalue().encode()


def user_event(kind: str, facts: str) -> bytes:
    return event_record(kind, json.dumps({"extra": facts}))


DAMAGES = {
    "a line of 130 KiB without a record": (b"x" * (130 << 10) + b"\n", "long"),
    "1 MiB of NUL": (b"\0" * (1 << 20), "long"),
    "a record of 200 kB": (event_record("KEY", Num="9" * 200_000), "long"),
    "garbage that ends like a record": (b'lost, "and found"\n', "garbage"),
    "what begins like a record and ends with the next one's quote": (
        b'"1795512600.000000","KEY",',
        "garbage",
    ),
    "a record cut at 1,023 bytes": (event_record("ARRIVED", "d" * 2000)[:1022] + b"\n", "cut"),
    "a mark without a mark": (user_event("RATING", "operator=op01"), "facts"),
    "a mark that is none": (user_event("RATING", "mark=1" + "0" * 40), "facts"),
    "a recording without a file": (user_event("RECORDING", ""), "facts"),
    "a recording elsewhere": (user_event("RECORDING", "file=a/../../b.wav"), "facts"),
    "an extra that is a list": (event_record("HOLD", "[1]"), "facts"),
    "an extra that is null": (event_record("HOLD", "null"), "facts"),
    "an extra that is endless": (event_record("HOLD", "[" * 60_000), "facts"),
    "a step of the clock that we did not write": (user_event("CLOCK", "by=x"), "facts"),
    "an end that we did not write": (user_event("GONE", "before=x"), "facts"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_quarantined_and_the_calls_around_it_are_complete(
    settings: Settings, expected: list[dict], damage: str
) -> None:
    bad, kind = DAMAGES[damage]
    log = settings.paths.event_log
    log.write_bytes(b"".join(log_records(RATED_CALL, FIRST_CALL)) + bad)
    follower = LogFollower(settings)
    follower.read_new_records()
    with log.open("ab") as stream:
        stream.write(b"".join(log_records(ABANDONED_IN_MENU, SECOND_CALL)))
    follower.read_new_records()
    with log.open("ab") as stream:
        stream.write(b"".join(log_records(DEAD_PHONE, THIRD_CALL)))
    follower.read_new_records()
    assert exported_calls(FIRST_CALL, SECOND_CALL, THIRD_CALL) == expected
    quarantined = calls.quarantined_pieces()
    assert kind in {row.kind for row in quarantined}
    # the end of a long one is found later
    assert {row.kind for row in quarantined} <= {
        kind,
        "garbage",
    }
    first = quarantined[-1]
    assert (first.file, first.position) == (
        log.name,
        len(b"".join(log_records(RATED_CALL, FIRST_CALL))),
    )
    assert bytes(first.beginning) == bad[: len(first.beginning)]
    assert sum(row.size for row in quarantined) == len(bad)
    assert ledger.read_log(log, RULES, growing=True) == 0
    assert len(calls.quarantined_pieces()) == len(quarantined)  # and is counted once


def test_the_balance_counts_records_that_asterisk_truncated(settings: Settings) -> None:
    cut = [event_record("ARRIVED", f"{n}{'9' * 2000}")[:1022] + b"\n" for n in range(3)]
    settings.paths.event_log.write_bytes(
        b"".join(
            [
                *log_records(RATED_CALL, FIRST_CALL),
                *cut,
                *log_records(ABANDONED_IN_MENU, SECOND_CALL),
            ]
        )
    )
    LogFollower(settings).read_new_records()
    begin, end = table_time(0).isoformat(), table_time(3600).isoformat()
    command = ["--config", str(settings.file), "ledger", "balance", "--json"]
    result = CliRunner().invoke(appliance, [*command, "--from", begin, "--to", end])
    assert json.loads(result.output)["damaged"] == 3
    assert calls.ledger_balance(table_time(3600), table_time(7200)).damaged == 0


@pytest.mark.parametrize(
    "extra", [r'{"extra": 5}', r'{"extra": "caller=\ud800"}', r'{"a": "\ud800"}']
)
def test_unforeseen_facts_do_not_stop_the_ledger(settings: Settings, extra: str) -> None:
    log = settings.paths.event_log
    odd = log_records(RATED_CALL, FIRST_CALL) + [
        event_record(kind, extra) for kind in ("ARRIVED", "HANGUP", "QUEUE")
    ]
    log.write_bytes(b"".join([*odd, *log_records(ABANDONED_IN_MENU, SECOND_CALL)]))
    LogFollower(settings).read_new_records()
    assert {call.id for call in Call.select()} == {FIRST_CALL, SECOND_CALL}
    assert calls.quarantined_pieces(kind="untold") == []


def test_a_call_that_cannot_be_interpreted_does_not_block_others(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_for_first_call(events: list[Event], *args: object) -> CallFacts | None:
        if any(event.linkedid == FIRST_CALL for event in events):
            raise ZeroDivisionError
        return interpret_call(events, *args)

    monkeypatch.setattr(interpreter, "interpret_call", fail_for_first_call)
    log = settings.paths.event_log
    log.write_bytes(
        b"".join(log_records(RATED_CALL, FIRST_CALL) + log_records(ABANDONED_IN_MENU, SECOND_CALL))
    )
    LogFollower(settings).read_new_records()
    assert [call.id for call in Call.select()] == [SECOND_CALL]
    assert [row.linkedid for row in calls.quarantined_pieces(kind="untold")] == [FIRST_CALL]
    [check] = health.ledger.check_quarantine(settings)
    assert (check.state, check.values["calls"]) == ("fail", "1")
    assert calls.ledger_balance(table_time(-1), table_time(1)).difference == 1
    # a later release that can interpret the call
    monkeypatch.setattr(interpreter, "interpret_call", interpret_call)
    ledger.retry_quarantined_calls(RULES)
    assert {call.id for call in Call.select()} == {FIRST_CALL, SECOND_CALL}
    assert calls.quarantined_pieces() == []


def test_unreadable_files_next_to_the_log_are_reported_until_they_are_removed(
    settings: Settings,
) -> None:
    log = settings.paths.event_log
    log.write_bytes(b"".join(log_records(RATED_CALL, FIRST_CALL)))
    folder, pipe, loop = (log.with_name(f"{log.name}.{end}") for end in ("old", "pipe", "loop"))
    folder.mkdir()
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    follower = LogFollower(settings)
    assert follower.read_new_records() == len(log_records(RATED_CALL, FIRST_CALL))
    [check] = health.ledger.check_quarantine(settings)
    assert (check.state, check.values["files"]) == ("fail", "3")
    folder.rmdir()
    pipe.unlink()
    loop.unlink()
    LogFollower(settings).read_new_records()  # also in a new process
    [check] = health.ledger.check_quarantine(settings)
    assert check.state == "ok"


def test_a_file_that_cannot_be_read_does_not_block_others(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = settings.paths.event_log
    log.write_bytes(b"".join(log_records(RATED_CALL, FIRST_CALL)))
    rotated = log.with_name(f"{log.name}.1")
    rotated.write_bytes(b"".join(log_records(ABANDONED_IN_MENU, SECOND_CALL)))
    read = ledger.read_log

    def fail_for_rotated_file(path: Path, *args: float, **options: bool) -> int:
        if path == rotated:
            raise OSError(5, "Input/output error")
        return read(path, *args, **options)

    monkeypatch.setattr(ledger, "read_log", fail_for_rotated_file)
    follower = LogFollower(settings)
    follower.read_new_records()
    assert [call.id for call in Call.select()] == [FIRST_CALL]
    assert [row.file for row in calls.quarantined_pieces()] == [rotated.name]
    monkeypatch.setattr(ledger, "read_log", read)
    follower.read_new_records()
    assert {call.id for call in Call.select()} == {FIRST_CALL, SECOND_CALL}
    assert calls.quarantined_pieces() == []


def test_rows_without_a_log_record_change_nothing(settings: Settings) -> None:
    """A demonstration site has no records: a later start of Asterisk does not end its calls."""
    facts = calls.CallFacts(
        "demo-1", "inbound", table_time(-500), ended_at=table_time(-400), outcome="answered"
    )
    with db.write_transaction():
        calls.store_call(facts, RULES)
        EventRow.create(
            hash="demo-1",
            linkedid="demo-1",
            at=table_time(-500),
            event="CHAN_START",
            uniqueid="demo-1",
            begins="from-trunk",
            fields={"LinkedID": "demo-1", "UniqueID": "demo-1", "Context": "from-trunk"},
        )
    log = settings.paths.event_log
    log.write_bytes(
        b"".join(
            log_records(ABANDONED_IN_MENU, FIRST_CALL) + log_records(BOOT_RECORDS, SECOND_CALL)
        )
    )
    LogFollower(settings).read_new_records()
    assert Call.get_by_id("demo-1").outcome == "answered"
    assert Call.get_by_id(FIRST_CALL).outcome == "abandoned_menu"
    assert calls.quarantined_pieces() == []


def test_a_start_of_asterisk_in_the_future_does_not_end_a_call(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: table_time(60))
    far = event_record(
        "BOOT", EventTime=f"{table_time(365 * 86_400).timestamp():.6f}", LinkedID="far-1.0"
    )
    log = settings.paths.event_log
    log.write_bytes(far + b"".join(log_records(TO_TALK, FIRST_CALL)))
    LogFollower(settings).read_new_records()
    sound = settings.paths.recordings / "2026/11/24" / f"{FIRST_CALL}.wav"
    sound.parent.mkdir(parents=True)
    sound.write_bytes(b"\0" * 44)  # Asterisk has created the file
    postprocessing.measure_recordings(settings, ledger.call_projector(settings))
    assert (Call.get().ended_at, sound.exists()) == (None, True)


def test_an_unreadable_recording_is_eventually_given_up(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = settings.paths.event_log
    log.write_bytes(b"".join(log_records(RATED_CALL, FIRST_CALL)))
    LogFollower(settings).read_new_records()
    (settings.paths.recordings / "2026/11/24" / f"{FIRST_CALL}.wav").mkdir(parents=True)
    monkeypatch.setattr(clock, "now", lambda: table_time(120))
    assert postprocessing.measure_recordings(settings, ledger.call_projector(settings)) == 0
    assert Recording.get().seconds is None
    monkeypatch.setattr(clock, "now", lambda: table_time(800))
    postprocessing.measure_recordings(settings, ledger.call_projector(settings))
    assert Recording.get().seconds == 0
    assert calls.ledger_balance(table_time(-1), table_time(1)).lacking[0].call == FIRST_CALL


def test_the_command_lists_the_quarantined_pieces(settings: Settings, tmp_path: Path) -> None:
    log = settings.paths.event_log
    log.write_bytes(b"\0garbage\n" + b"".join(log_records(RATED_CALL, FIRST_CALL)))
    LogFollower(settings).read_new_records()
    site = ["--config", str(tmp_path / "site.toml")]
    result = CliRunner().invoke(appliance, [*site, "ledger", "quarantine", "--json"])
    [row] = json.loads(result.output)
    assert (row["file"], row["position"], row["size"]) == (log.name, 0, 9)
    assert (row["kind"], row["beginning"]) == ("garbage", r"\x00garbage\n")
    [check] = health.ledger.check_quarantine(settings)
    assert (check.state, check.values["count"]) == ("warn", "1")


# Pieces that are damage by themselves or in combination: bytes, records that no Asterisk writes,
# and records of another call that are truncated, doubled, or have changed bytes.
FOREIGN_RECORDS = b"".join(
    log_records(TO_QUEUE, "zz-777.0") + log_records(BOOT_RECORDS, "zz-778.0")
)
LOG_PARTS = st.one_of(
    st.binary(max_size=200),
    st.builds(
        lambda byte, times: byte * times, st.binary(min_size=1, max_size=2), st.integers(1, 9000)
    ),
    st.sampled_from([bad for bad, _ in DAMAGES.values() if len(bad) < 5000]),
    st.tuples(st.integers(0, len(FOREIGN_RECORDS)), st.integers(0, len(FOREIGN_RECORDS))).map(
        lambda ends: FOREIGN_RECORDS[min(ends) : max(ends)]
    ),
    st.tuples(st.integers(0, len(FOREIGN_RECORDS) - 1), st.integers(0, 255)).map(
        lambda place_and_byte: (
            FOREIGN_RECORDS[: place_and_byte[0]]
            + bytes([place_and_byte[1]])
            + FOREIGN_RECORDS[place_and_byte[0] + 1 :]
        )
    ),
    st.builds(
        lambda kind, extra, linkedid: event_record(
            kind, extra, LinkedID=linkedid, UniqueID=linkedid
        ),
        st.sampled_from(
            [
                "CHAN_START",
                "HANGUP",
                "RATING",
                "RECORDING",
                "CLOCK",
                "GONE",
                "QUEUE",
                "TRANSFER_END",
            ]
        ),
        st.one_of(
            st.text(max_size=40),
            st.recursive(
                st.none() | st.booleans() | st.floats() | st.text(max_size=10),
                lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
            ).map(json.dumps),
            st.text(max_size=40).map(lambda text: json.dumps({"extra": text})),
        ),
        st.text(max_size=20).map(lambda text: f"zz-{text}"),
    ),
)


@trying(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(LOG_PARTS, min_size=1, max_size=6),
    cuts=st.lists(st.floats(0, 1), max_size=3),
    chunk=st.sampled_from([1500, 5000, 128 << 10]),
)
def test_no_bytes_stop_the_ledger(
    settings: Settings,
    expected: list[dict],
    parts: list[bytes],
    cuts: list[float],
    chunk: int,
) -> None:
    """Whatever lies between two calls, both are complete, however the file grows."""
    log = settings.paths.event_log
    content = b"".join(
        [*log_records(RATED_CALL, FIRST_CALL), *parts, *log_records(ABANDONED_IN_MENU, SECOND_CALL)]
    )
    content += b"".join(log_records(DEAD_PHONE, THIRD_CALL))
    log.unlink(missing_ok=True)
    empty_tables()
    follower = LogFollower(settings)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(chunks, "_CHUNK_BYTES", chunk)
        for end in [*sorted(int(cut * len(content)) for cut in cuts), len(content)]:
            log.write_bytes(content[:end])
            follower.read_new_records()
    assert exported_calls(FIRST_CALL, SECOND_CALL, THIRD_CALL) == expected


@trying(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(max_size=300), facts=st.dictionaries(st.sampled_from(CEL_FIELDS), st.text()))
def test_no_record_stops_the_ledger(settings: Settings, name: str, facts: dict[str, str]) -> None:
    """A complete record of any kind, with any content."""
    fields = (
        dict.fromkeys(CEL_FIELDS, name) | facts | {"EventTime": f"{table_time(2).timestamp():.6f}"}
    )
    stream = io.StringIO(newline="")
    row = {**fields, "EventType": "CHAN_START", "Context": "from-trunk", "LinkedID": name}
    csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(row.values())
    log = settings.paths.event_log
    empty_tables()
    log.write_bytes(stream.getvalue().encode("utf-8", "replace") + b"".join(COMPLETE_LOG))
    LogFollower(settings).read_new_records()
    assert {FIRST_CALL, SECOND_CALL, THIRD_CALL} <= {call.id for call in Call.select()}
    assert calls.quarantined_pieces(kind="untold") == []


def test_events_of_a_table_are_all_valid() -> None:
    assert not any(
        event.is_faulty or event.has_unreadable_facts for event in table_events(RATED_CALL)
    )
