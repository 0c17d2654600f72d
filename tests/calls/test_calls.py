"""Concurrent real calls: the ledger agrees, call by call, with what the callers did."""

import itertools
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from provisioning.local import plans
from provisioning.local.callers import CallPlan, CallReport
from provisioning.local.plans import CALLER_KINDS, Times
from tests.calls.agreement import row_differences
from tests.calls.hotline import Hotline
from tests.rig import comparison
from tests.rig.waiting import wait_until

pytestmark = pytest.mark.calls
CALL_COUNT = 20
CALL_TIMES = Times(talk=8.0)
_numbers = itertools.count()


def twenty_plans() -> list[CallPlan]:
    """Return plans for twenty callers of every kind, each with a number of its own."""
    kinds = itertools.islice(itertools.cycle(CALLER_KINDS.values()), CALL_COUNT)
    return [kind(plans.caller_number(next(_numbers)), CALL_TIMES) for kind in kinds]


def check_calls(hotline: Hotline, reports: list[CallReport]) -> None:
    """Check that calls agree with their callers, the balance is 0, and talks are fully recorded."""
    rows = hotline.settled_rows(reports)
    lines = [
        text
        for report in reports
        for text in row_differences(report, rows[report.plan.number], hotline.recordings)
    ]
    assert not lines, "\n".join(lines)
    balance = hotline.ledger_balance(reports)
    assert balance["arrivals"] == len(reports)
    assert balance["difference"] == 0
    assert balance["open"] == 0
    assert sum(balance["outcomes"].values()) == len(reports)
    assert balance["recordings_found"] == balance["recordings_expected"]
    assert balance["recordings_short"] == 0


@dataclass(frozen=True)
class UndisturbedCalls:
    """Twenty calls, with the event log and the ledger's rows after the last one."""

    reports: list[CallReport]
    log: bytes
    rows: dict[str, Any]


@pytest.fixture(scope="module")
def undisturbed(hotline: Hotline) -> UndisturbedCalls:
    """Calls of every kind during which our processes ran undisturbed."""
    reports = hotline.place_calls(twenty_plans()).wait_for_end(120)
    rows = hotline.settled_rows(reports)
    return UndisturbedCalls(reports, Path(hotline.description["event_log"]).read_bytes(), rows)


def test_twenty_calls_of_every_kind_agree_with_the_ledger(
    hotline: Hotline, undisturbed: UndisturbedCalls
) -> None:
    check_calls(hotline, undisturbed.reports)


def test_reading_the_log_again_changes_nothing(
    hotline: Hotline, undisturbed: UndisturbedCalls
) -> None:
    log = hotline.description["event_log"]
    output = hotline.appliance("ledger", "ingest", log, log)
    assert [line.rsplit(": ", 1)[1] for line in output.splitlines()] == ["0 new records"] * 2
    assert hotline.export_rows(undisturbed.reports) == undisturbed.rows


@pytest.mark.parametrize(
    "victims",
    [
        pytest.param(("pbx",), id="follower-killed"),
        pytest.param(("web",), id="web-killed"),
        pytest.param(("pbx", "web"), id="both-killed"),
    ],
)
def test_twenty_calls_agree_with_the_ledger_while_our_processes_are_killed(
    hotline: Hotline, victims: tuple[str, ...]
) -> None:
    calls = hotline.place_calls(twenty_plans())
    wait_until(
        lambda: sum(bool(r.operator_extension) for r in calls.current_reports()) >= 5, limit=30
    )
    for victim in victims:
        hotline.kill_service(victim)
    check_calls(hotline, calls.wait_for_end(120))


def test_calls_agree_with_the_ledger_when_the_log_is_rotated(hotline: Hotline) -> None:
    calls = hotline.place_calls(twenty_plans()[:6])
    wait_until(
        lambda: sum(bool(r.operator_extension) for r in calls.current_reports()) >= 1, limit=30
    )
    log = hotline.place.folder / "asterisk" / "log" / "cel-custom" / "events.csv"
    log.rename(log.with_name("events.csv.1"))
    check_calls(hotline, calls.wait_for_end(120))


def _in_one_file(log: bytes) -> list[bytes]:
    return [log]


def _in_two_copies(log: bytes) -> list[bytes]:
    return [log, log]


def _cut_in_half(log: bytes) -> list[bytes]:
    """Cut the log in the middle of a line; the second part comes first."""
    middle = log.index(b"\n", len(log) // 2) + 60
    return [log[middle:], log[:middle]]


def _in_random_order(log: bytes) -> list[bytes]:
    """Distribute the lines over three files at random."""
    lines = log.splitlines(keepends=True)
    random.Random(1).shuffle(lines)  # noqa: S311
    return [b"".join(lines[part::3]) for part in range(3)]


@pytest.mark.parametrize("deliver", [_in_one_file, _in_two_copies, _cut_in_half, _in_random_order])
def test_ingesting_an_old_log_into_an_empty_site_gives_the_same_calls(
    hotline: Hotline,
    undisturbed: UndisturbedCalls,
    deliver: Callable[[bytes], list[bytes]],
    tmp_path: Path,
) -> None:
    config = _empty_site(hotline, tmp_path)
    files = []
    for number, part in enumerate(deliver(undisturbed.log)):
        files.append(tmp_path / f"events-{number}.csv")
        files[-1].write_bytes(part)
    hotline.appliance("--config", config, "ledger", "ingest", *map(str, files))
    output = hotline.appliance(
        *("--config", config, "ledger", "export", "--from", "2020-01-01", "--to", "2099-01-01")
    )
    rows = {row["caller"]: row for row in map(json.loads, output.splitlines())}
    for number, row in undisturbed.rows.items():
        # The sound files are missing and cannot be measured: only the log is there.
        assert rows[number] | {"recordings": row["recordings"]} == row


def _empty_site(hotline: Hotline, folder: Path) -> str:
    """Write settings like the running site's but with an empty database; return the file."""
    config = hotline.place.folder / f"{folder.name}.toml"
    text = hotline.place.config_file.read_text("utf-8")
    database = _path_in_settings(hotline, hotline.description["database"])
    config.write_text(text.replace(database, str(folder / "empty.db")), "utf-8")
    hotline.appliance("--config", str(config), "migrate")
    return str(config)


def _path_in_settings(hotline: Hotline, path: str) -> str:
    """Return the path as the settings file has it: relative to the site's folder, or in full."""
    short = path.removeprefix(f"{hotline.place.folder}/")
    return short if f'"{short}"' in hotline.place.config_file.read_text("utf-8") else path


def test_calls_end_by_the_system_when_asterisk_is_killed_during_a_talk(hotline: Hotline) -> None:
    call_plans = [plans.caller_hangs_up(plans.caller_number(next(_numbers)), Times(talk=60.0))]
    call_plans += [plans.abandon_long(plans.caller_number(next(_numbers)), Times(long=60.0))]
    calls = hotline.place_calls(call_plans)
    wait_until(
        lambda: calls.current_reports()[0].operator_extension and calls.current_reports()[1].rings,
        limit=30,
    )
    wait_until(lambda: _spoken_seconds(calls.current_reports()[0]) > 5, limit=30)
    spoken_seconds = _spoken_seconds(calls.current_reports()[0])
    hotline.kill_service("asterisk")
    calls.stop()
    reports = calls.current_reports()
    rows = hotline.settled_rows(reports, limit=60)
    talking, waiting = (rows[plan.number] for plan in call_plans)
    assert (talking["outcome"], talking["ended_by"]) == ("answered", "system")
    assert (waiting["outcome"], waiting["ended_by"]) == ("failed", "system")
    assert talking["talk_seconds"] == pytest.approx(spoken_seconds, abs=2)
    [recording] = talking["recordings"]
    assert recording["seconds"] == pytest.approx(talking["talk_seconds"], abs=1)
    assert comparison.has_sound(hotline.recordings, recording)
    begin = talking["arrived_at"]
    balance = json.loads(
        hotline.appliance("ledger", "balance", "--from", begin, "--to", "2099-01-01", "--json")
    )
    assert balance["difference"] == 0
    assert len(balance["unobserved"]) == 1


def _spoken_seconds(report: CallReport) -> float:
    """Return for how many seconds the open talk has lasted."""
    answer_times = [ring.answered_at for ring in report.rings if ring.answered_at]
    return time.time() - answer_times[-1] if answer_times else 0.0


def test_a_caller_returns_to_the_queue_when_the_operators_phone_goes_silent(
    hotline: Hotline,
) -> None:
    """The caller is not lost: they return to the queue, talk again, and give a rating."""
    call_plans = [plans.rated(plans.caller_number(next(_numbers)), Times(talk=20.0))]
    calls = hotline.place_calls(call_plans)
    wait_until(lambda: _spoken_seconds(calls.current_reports()[0]) > 2, limit=30)
    with hotline.phones.freeze_phones():
        wait_until(
            lambda: _queue_visit_count(hotline, calls.current_reports()) == 2, limit=30, every=0.5
        )
    reports = calls.wait_for_end(90)
    row = hotline.settled_rows(reports)[call_plans[0].number]
    assert [visit["result"] for visit in row["queue_visits"]] == ["answered", "answered"]
    assert (row["outcome"], row["ended_by"], row["rating"]) == ("answered", "operator", 5)
    first, second = (talk["who"] for talk in row["talks"])
    assert first != second
    recorded = sum(recording["seconds"] for recording in row["recordings"])
    # While a phone is dead Asterisk waits for its half of the sound: up to 2 s of it get lost.
    assert recorded == pytest.approx(row["talk_seconds"], abs=2)


def _queue_visit_count(hotline: Hotline, reports: list[CallReport]) -> int:
    """Return how often the only caller has joined a queue."""
    [row] = hotline.export_rows(reports).values()
    return len(row["queue_visits"])
