"""Damage in the event log: set aside and told of, while every call around it is whole."""

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
from appliance.pbx import ledger, plain_calls, projection
from appliance.pbx.eventlog import FIELDS, Event
from appliance.pbx.follow import Follower
from appliance.pbx.interpret import interpret
from appliance.telephony import calls
from appliance.telephony.calls import CallFacts
from appliance.telephony.recordings import postprocessing
from tests.pbx.stories import BOOT, DEAD_PHONE, GONE_IN_MENU, RATED, TO_QUEUE, TO_TALK
from tests.pbx.story import at, events, records
from tests.rig.rules import RULES

BEFORE, AFTER, LATER = "hotline-1.0", "hotline-2.0", "hotline-3.0"
WORLD = [
    *records(RATED, BEFORE),
    *records(GONE_IN_MENU, AFTER),
    *records(DEAD_PHONE, LATER),
]


@pytest.fixture(autouse=True)
def folder(settings: Settings) -> None:
    settings.paths.event_log.parent.mkdir(parents=True, exist_ok=True)
    db.database.execute_sql("PRAGMA synchronous = off")


def told(*linkedids: str) -> list[dict]:
    rows = {row["id"]: row for row in calls.export(at(-3600), at(3600))}
    return [rows[linkedid] for linkedid in linkedids]


def emptied() -> None:
    with db.writing():
        for table in (Call, Recording, EventRow, EventFile, Quarantined):
            table.delete().execute()


@pytest.fixture
def expected(settings: Settings, tmp_path: Path) -> list[dict]:
    """The three calls as a sound log tells them; the database is empty again."""
    plain = tmp_path / "plain.csv"
    plain.write_bytes(b"".join(WORLD))
    ledger.read(plain, RULES, growing=False)
    rows = told(BEFORE, AFTER, LATER)
    emptied()
    return rows


def record(kind: str, extra: str = "", **fields: str) -> bytes:
    row = dict.fromkeys(FIELDS, "") | {"EventType": kind, "EventExtra": extra}
    row |= {"EventTime": f"{at(2).timestamp():.6f}", "LinkedID": BEFORE, "UniqueID": BEFORE}
    stream = io.StringIO(newline="")
    csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow((row | fields).values())
    return stream.getvalue().encode()


def own(kind: str, said: str) -> bytes:
    return record(kind, json.dumps({"extra": said}))


DAMAGES = {
    "a line of 130 KiB without a record": (b"x" * (130 << 10) + b"\n", "long"),
    "1 MiB of NUL": (b"\0" * (1 << 20), "long"),
    "a record of 200 kB": (record("KEY", Num="9" * 200_000), "long"),
    "garbage that ends like a record": (b'lost, "and found"\n', "garbage"),
    "what begins like a record and ends with the next one's quote": (
        b'"1795512600.000000","KEY",',
        "garbage",
    ),
    "a record cut at 1,023 bytes": (record("ARRIVED", "d" * 2000)[:1022] + b"\n", "cut"),
    "a mark without a mark": (own("RATING", "operator=op01"), "facts"),
    "a mark that is none": (own("RATING", "mark=1" + "0" * 40), "facts"),
    "a recording without a file": (own("RECORDING", ""), "facts"),
    "a recording elsewhere": (own("RECORDING", "file=a/../../b.wav"), "facts"),
    "an extra that is a list": (record("HOLD", "[1]"), "facts"),
    "an extra that is null": (record("HOLD", "null"), "facts"),
    "an extra that is endless": (record("HOLD", "[" * 60_000), "facts"),
    "a step of the clock that we did not write": (own("CLOCK", "by=x"), "facts"),
    "an end that we did not write": (own("GONE", "before=x"), "facts"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_set_aside_and_the_calls_around_it_are_whole(
    settings: Settings, expected: list[dict], damage: str
) -> None:
    bad, kind = DAMAGES[damage]
    log = settings.paths.event_log
    log.write_bytes(b"".join(records(RATED, BEFORE)) + bad)
    follower = Follower(settings)
    follower.step()
    with log.open("ab") as stream:
        stream.write(b"".join(records(GONE_IN_MENU, AFTER)))
    follower.step()
    with log.open("ab") as stream:
        stream.write(b"".join(records(DEAD_PHONE, LATER)))
    follower.step()
    assert told(BEFORE, AFTER, LATER) == expected
    found = calls.quarantined()
    assert kind in {row.kind for row in found}
    assert {row.kind for row in found} <= {kind, "garbage"}  # of a long one the end comes later
    first = found[-1]
    assert (first.file, first.position) == (log.name, len(b"".join(records(RATED, BEFORE))))
    assert bytes(first.beginning) == bad[: len(first.beginning)]
    assert sum(row.size for row in found) == len(bad)
    assert ledger.read(log, RULES, growing=True) == 0
    assert len(calls.quarantined()) == len(found)  # and counted once


def test_the_balance_tells_of_records_that_asterisk_cut(settings: Settings) -> None:
    cut = [record("ARRIVED", f"{n}{'9' * 2000}")[:1022] + b"\n" for n in range(3)]
    settings.paths.event_log.write_bytes(
        b"".join([*records(RATED, BEFORE), *cut, *records(GONE_IN_MENU, AFTER)])
    )
    Follower(settings).step()
    begin, end = at(0).isoformat(), at(3600).isoformat()
    command = ["--config", str(settings.file), "ledger", "balance", "--json"]
    found = CliRunner().invoke(appliance, [*command, "--from", begin, "--to", end])
    assert json.loads(found.output)["damaged"] == 3
    assert calls.balance(at(3600), at(7200)).damaged == 0


@pytest.mark.parametrize(
    "extra", [r'{"extra": 5}', r'{"extra": "caller=\ud800"}', r'{"a": "\ud800"}']
)
def test_facts_that_nobody_foresaw_stop_nothing(settings: Settings, extra: str) -> None:
    log = settings.paths.event_log
    odd = records(RATED, BEFORE) + [record(kind, extra) for kind in ("ARRIVED", "HANGUP", "QUEUE")]
    log.write_bytes(b"".join([*odd, *records(GONE_IN_MENU, AFTER)]))
    Follower(settings).step()
    assert {call.id for call in Call.select()} == {BEFORE, AFTER}
    assert calls.quarantined(kind="untold") == []


def test_a_call_of_which_nothing_can_be_made_holds_up_no_other(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(events: list[Event], *args: object) -> CallFacts | None:
        if any(event.linkedid == BEFORE for event in events):
            raise ZeroDivisionError
        return interpret(events, *args)

    for teller in (plain_calls, projection):
        monkeypatch.setattr(teller, "interpret", fails)
    log = settings.paths.event_log
    log.write_bytes(b"".join(records(RATED, BEFORE) + records(GONE_IN_MENU, AFTER)))
    Follower(settings).step()
    assert [call.id for call in Call.select()] == [AFTER]
    assert [row.linkedid for row in calls.quarantined(kind="untold")] == [BEFORE]
    [check] = health.ledger.quarantine(settings)
    assert (check.state, check.values["calls"]) == ("fail", "1")
    assert calls.balance(at(-1), at(1)).difference == 1
    for teller in (plain_calls, projection):  # a release that knows how
        monkeypatch.setattr(teller, "interpret", interpret)
    ledger.project_set_aside(RULES)
    assert {call.id for call in Call.select()} == {BEFORE, AFTER}
    assert calls.quarantined() == []


def test_what_cannot_be_read_beside_the_log_is_told_until_it_is_gone(settings: Settings) -> None:
    log = settings.paths.event_log
    log.write_bytes(b"".join(records(RATED, BEFORE)))
    folder, pipe, loop = (log.with_name(f"{log.name}.{end}") for end in ("old", "pipe", "loop"))
    folder.mkdir()
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    follower = Follower(settings)
    assert follower.step() == len(records(RATED, BEFORE))
    [check] = health.ledger.quarantine(settings)
    assert (check.state, check.values["files"]) == ("fail", "3")
    folder.rmdir()
    pipe.unlink()
    loop.unlink()
    Follower(settings).step()  # also by a new process
    [check] = health.ledger.quarantine(settings)
    assert check.state == "ok"


def test_a_file_that_fails_while_it_is_read_holds_up_no_other(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = settings.paths.event_log
    log.write_bytes(b"".join(records(RATED, BEFORE)))
    rotated = log.with_name(f"{log.name}.1")
    rotated.write_bytes(b"".join(records(GONE_IN_MENU, AFTER)))
    read = ledger.read

    def broken(path: Path, *args: float, **how: bool) -> int:
        if path == rotated:
            raise OSError(5, "Input/output error")
        return read(path, *args, **how)

    monkeypatch.setattr(ledger, "read", broken)
    follower = Follower(settings)
    follower.step()
    assert [call.id for call in Call.select()] == [BEFORE]
    assert [row.file for row in calls.quarantined()] == [rotated.name]
    monkeypatch.setattr(ledger, "read", read)
    follower.step()
    assert {call.id for call in Call.select()} == {BEFORE, AFTER}
    assert calls.quarantined() == []


def test_rows_that_no_log_wrote_tell_nothing(settings: Settings) -> None:
    """Those of a site of show hold no record: a start of Asterisk after them stops nothing."""
    facts = calls.CallFacts("demo-1", "inbound", at(-500), ended_at=at(-400), outcome="answered")
    with db.writing():
        calls.store(facts, RULES)
        EventRow.create(
            hash="demo-1",
            linkedid="demo-1",
            at=at(-500),
            event="CHAN_START",
            uniqueid="demo-1",
            begins="from-trunk",
            fields={"LinkedID": "demo-1", "UniqueID": "demo-1", "Context": "from-trunk"},
        )
    log = settings.paths.event_log
    log.write_bytes(b"".join(records(GONE_IN_MENU, BEFORE) + records(BOOT, AFTER)))
    Follower(settings).step()
    assert Call.get_by_id("demo-1").outcome == "answered"
    assert Call.get_by_id(BEFORE).outcome == "abandoned_menu"
    assert calls.quarantined() == []


def test_a_start_of_asterisk_still_to_come_ends_no_call(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: at(60))
    far = record("BOOT", EventTime=f"{at(365 * 86_400).timestamp():.6f}", LinkedID="far-1.0")
    log = settings.paths.event_log
    log.write_bytes(far + b"".join(records(TO_TALK, BEFORE)))
    Follower(settings).step()
    sound = settings.paths.recordings / "2026/11/24" / f"{BEFORE}.wav"
    sound.parent.mkdir(parents=True)
    sound.write_bytes(b"\0" * 44)  # Asterisk has begun
    postprocessing.measure(settings, projection.projector(settings))
    assert (Call.get().ended_at, sound.exists()) == (None, True)


def test_a_recording_that_cannot_be_read_is_given_up_in_the_end(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = settings.paths.event_log
    log.write_bytes(b"".join(records(RATED, BEFORE)))
    Follower(settings).step()
    (settings.paths.recordings / "2026/11/24" / f"{BEFORE}.wav").mkdir(parents=True)
    monkeypatch.setattr(clock, "now", lambda: at(120))
    assert postprocessing.measure(settings, projection.projector(settings)) == 0
    assert Recording.get().seconds is None
    monkeypatch.setattr(clock, "now", lambda: at(800))
    postprocessing.measure(settings, projection.projector(settings))
    assert Recording.get().seconds == 0
    assert calls.balance(at(-1), at(1)).lacking[0].call == BEFORE


def test_the_command_lists_what_was_set_aside(settings: Settings, tmp_path: Path) -> None:
    log = settings.paths.event_log
    log.write_bytes(b"\0garbage\n" + b"".join(records(RATED, BEFORE)))
    Follower(settings).step()
    site = ["--config", str(tmp_path / "site.toml")]
    shown = CliRunner().invoke(appliance, [*site, "ledger", "quarantine", "--json"])
    [row] = json.loads(shown.output)
    assert (row["file"], row["position"], row["size"]) == (log.name, 0, 9)
    assert (row["kind"], row["beginning"]) == ("garbage", r"\x00garbage\n")
    [check] = health.ledger.quarantine(settings)
    assert (check.state, check.values["count"]) == ("warn", "1")


# Pieces that are damage by themselves or together: bytes, records that no Asterisk writes, records
# of another call cut, doubled, their bytes changed.
FOREIGN = b"".join(records(TO_QUEUE, "zz-777.0") + records(BOOT, "zz-778.0"))
PARTS = st.one_of(
    st.binary(max_size=200),
    st.builds(
        lambda byte, times: byte * times, st.binary(min_size=1, max_size=2), st.integers(1, 9000)
    ),
    st.sampled_from([bad for bad, _ in DAMAGES.values() if len(bad) < 5000]),
    st.tuples(st.integers(0, len(FOREIGN)), st.integers(0, len(FOREIGN))).map(
        lambda ends: FOREIGN[min(ends) : max(ends)]
    ),
    st.tuples(st.integers(0, len(FOREIGN) - 1), st.integers(0, 255)).map(
        lambda put: FOREIGN[: put[0]] + bytes([put[1]]) + FOREIGN[put[0] + 1 :]
    ),
    st.builds(
        lambda kind, extra, linkedid: record(kind, extra, LinkedID=linkedid, UniqueID=linkedid),
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
            st.text(max_size=40).map(lambda said: json.dumps({"extra": said})),
        ),
        st.text(max_size=20).map(lambda text: f"zz-{text}"),
    ),
)


@trying(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(PARTS, min_size=1, max_size=6),
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
    """Whatever stands between two calls, both are whole; however the file grows."""
    log = settings.paths.event_log
    whole = b"".join([*records(RATED, BEFORE), *parts, *records(GONE_IN_MENU, AFTER)])
    whole += b"".join(records(DEAD_PHONE, LATER))
    log.unlink(missing_ok=True)
    emptied()
    follower = Follower(settings)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ledger, "_CHUNK", chunk)
        for end in [*sorted(int(cut * len(whole)) for cut in cuts), len(whole)]:
            log.write_bytes(whole[:end])
            follower.step()
    assert told(BEFORE, AFTER, LATER) == expected


@trying(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(max_size=300), facts=st.dictionaries(st.sampled_from(FIELDS), st.text()))
def test_no_record_stops_the_ledger(settings: Settings, name: str, facts: dict[str, str]) -> None:
    """A whole record of whatever kind, with whatever in it."""
    fields = dict.fromkeys(FIELDS, name) | facts | {"EventTime": f"{at(2).timestamp():.6f}"}
    stream = io.StringIO(newline="")
    row = {**fields, "EventType": "CHAN_START", "Context": "from-trunk", "LinkedID": name}
    csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(row.values())
    log = settings.paths.event_log
    emptied()
    log.write_bytes(stream.getvalue().encode("utf-8", "replace") + b"".join(WORLD))
    Follower(settings).step()
    assert {BEFORE, AFTER, LATER} <= {call.id for call in Call.select()}
    assert calls.quarantined(kind="untold") == []


def test_events_of_a_table_are_all_sound() -> None:
    assert not any(event.faulty or event.unreadable for event in events(RATED))
