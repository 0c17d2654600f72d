"""Real calls at once: what the callers did is, call by call, what the ledger says."""

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
from provisioning.local.plans import KINDS, Times
from tests.calls.agreement import differences
from tests.calls.hotline import Hotline
from tests.rig import comparison
from tests.rig.waiting import until

pytestmark = pytest.mark.calls
TWENTY = 20
TIMES = Times(talk=8.0)
_numbers = itertools.count()


def twenty() -> list[CallPlan]:
    """Twenty callers of every kind, each with a number of its own."""
    kinds = itertools.islice(itertools.cycle(KINDS.values()), TWENTY)
    return [kind(plans.number(next(_numbers)), TIMES) for kind in kinds]


def check(hotline: Hotline, reports: list[CallReport]) -> None:
    """Every call as its caller made it, the balance 0, every talk recorded in full."""
    rows = hotline.settled(reports)
    said = [
        text
        for report in reports
        for text in differences(report, rows[report.plan.number], hotline.recordings)
    ]
    assert not said, "\n".join(said)
    balance = hotline.balance(reports)
    assert balance["arrivals"] == len(reports)
    assert balance["difference"] == 0
    assert balance["open"] == 0
    assert sum(balance["outcomes"].values()) == len(reports)
    assert balance["recordings_found"] == balance["recordings_expected"]
    assert balance["recordings_short"] == 0


@dataclass(frozen=True)
class Undisturbed:
    """Twenty calls, and what there was when the ledger had told of the last."""

    reports: list[CallReport]
    log: bytes
    rows: dict[str, Any]


@pytest.fixture(scope="module")
def undisturbed(hotline: Hotline) -> Undisturbed:
    """Calls of every kind in which nothing of ours was killed."""
    reports = hotline.call(twenty()).wait(120)
    rows = hotline.settled(reports)
    return Undisturbed(reports, Path(hotline.facts["event_log"]).read_bytes(), rows)


def test_twenty_calls_of_every_kind(hotline: Hotline, undisturbed: Undisturbed) -> None:
    check(hotline, undisturbed.reports)


def test_reading_the_log_again_changes_nothing(hotline: Hotline, undisturbed: Undisturbed) -> None:
    log = hotline.facts["event_log"]
    told = hotline.appliance("ledger", "ingest", log, log)
    assert [line.rsplit(": ", 1)[1] for line in told.splitlines()] == ["0 new records"] * 2
    assert hotline.export(undisturbed.reports) == undisturbed.rows


@pytest.mark.parametrize(
    "victims",
    [
        pytest.param(("pbx",), id="follower-killed"),
        pytest.param(("web",), id="web-killed"),
        pytest.param(("pbx", "web"), id="both-killed"),
    ],
)
def test_twenty_calls_while_our_processes_are_killed(
    hotline: Hotline, victims: tuple[str, ...]
) -> None:
    calls = hotline.call(twenty())
    until(lambda: sum(bool(r.operator) for r in calls.reports()) >= 5, limit=30)
    for victim in victims:
        hotline.kill(victim)
    check(hotline, calls.wait(120))


def test_the_log_is_rotated_during_calls(hotline: Hotline) -> None:
    calls = hotline.call(twenty()[:6])
    until(lambda: sum(bool(r.operator) for r in calls.reports()) >= 1, limit=30)
    log = hotline.place.folder / "asterisk" / "log" / "cel-custom" / "events.csv"
    log.rename(log.with_name("events.csv.1"))
    check(hotline, calls.wait(120))


def _whole(log: bytes) -> list[bytes]:
    return [log]


def _twice(log: bytes) -> list[bytes]:
    return [log, log]


def _cut(log: bytes) -> list[bytes]:
    """Cut in the middle of a line, the second part first."""
    middle = log.index(b"\n", len(log) // 2) + 60
    return [log[middle:], log[:middle]]


def _shuffled(log: bytes) -> list[bytes]:
    """Every line somewhere in one of three files."""
    lines = log.splitlines(keepends=True)
    random.Random(1).shuffle(lines)  # noqa: S311
    return [b"".join(lines[part::3]) for part in range(3)]


@pytest.mark.parametrize("deliver", [_whole, _twice, _cut, _shuffled])
def test_an_old_log_read_into_an_empty_site_gives_the_same_calls(
    hotline: Hotline,
    undisturbed: Undisturbed,
    deliver: Callable[[bytes], list[bytes]],
    tmp_path: Path,
) -> None:
    config = _empty_site(hotline, tmp_path)
    files = []
    for number, part in enumerate(deliver(undisturbed.log)):
        files.append(tmp_path / f"events-{number}.csv")
        files[-1].write_bytes(part)
    hotline.appliance("--config", config, "ledger", "ingest", *map(str, files))
    told = hotline.appliance(
        *("--config", config, "ledger", "export", "--from", "2020-01-01", "--to", "2099-01-01")
    )
    again = {row["caller"]: row for row in map(json.loads, told.splitlines())}
    for number, row in undisturbed.rows.items():
        # The sound is not there to be measured: only the log is.
        assert again[number] | {"recordings": row["recordings"]} == row


def _empty_site(hotline: Hotline, folder: Path) -> str:
    """The settings file of a site like the running one, with an empty database of its own."""
    config = hotline.place.folder / f"{folder.name}.toml"
    text = hotline.place.config.read_text("utf-8")
    database = _relative(hotline, hotline.facts["database"])
    config.write_text(text.replace(database, str(folder / "empty.db")), "utf-8")
    hotline.appliance("--config", str(config), "migrate")
    return str(config)


def _relative(hotline: Hotline, path: str) -> str:
    """The path as the settings file has it: under the site's folder, or whole."""
    short = path.removeprefix(f"{hotline.place.folder}/")
    return short if f'"{short}"' in hotline.place.config.read_text("utf-8") else path


def test_asterisk_killed_during_a_talk(hotline: Hotline) -> None:
    planned = [plans.caller_hangs_up(plans.number(next(_numbers)), Times(talk=60.0))]
    planned += [plans.abandon_long(plans.number(next(_numbers)), Times(long=60.0))]
    calls = hotline.call(planned)
    until(lambda: calls.reports()[0].operator and calls.reports()[1].rings, limit=30)
    until(lambda: _spoken(calls.reports()[0]) > 5, limit=30)
    spoken = _spoken(calls.reports()[0])
    hotline.kill("asterisk")
    calls.stop()
    reports = calls.reports()
    rows = hotline.settled(reports, limit=60)
    talking, waiting = (rows[plan.number] for plan in planned)
    assert (talking["outcome"], talking["ended_by"]) == ("answered", "system")
    assert (waiting["outcome"], waiting["ended_by"]) == ("failed", "system")
    assert talking["talk_seconds"] == pytest.approx(spoken, abs=2)
    [recording] = talking["recordings"]
    assert recording["seconds"] == pytest.approx(talking["talk_seconds"], abs=1)
    assert comparison.sounds(hotline.recordings, recording)
    begin = talking["arrived_at"]
    balance = json.loads(
        hotline.appliance("ledger", "balance", "--from", begin, "--to", "2099-01-01", "--json")
    )
    assert balance["difference"] == 0
    assert len(balance["unobserved"]) == 1


def _spoken(report: CallReport) -> float:
    """Seconds for which the talk that goes on has lasted."""
    begun = [ring.answered_at for ring in report.rings if ring.answered_at]
    return time.time() - begun[-1] if begun else 0.0


def test_an_operators_phone_falls_silent(hotline: Hotline) -> None:
    """The caller is not lost: he goes back to the queue, speaks again, and gives his mark."""
    planned = [plans.rated(plans.number(next(_numbers)), Times(talk=20.0))]
    calls = hotline.call(planned)
    until(lambda: _spoken(calls.reports()[0]) > 2, limit=30)
    with hotline.phones.frozen():
        until(lambda: _visits(hotline, calls.reports()) == 2, limit=30, every=0.5)
    reports = calls.wait(90)
    row = hotline.settled(reports)[planned[0].number]
    assert [visit["result"] for visit in row["queue_visits"]] == ["answered", "answered"]
    assert (row["outcome"], row["ended_by"], row["rating"]) == ("answered", "operator", 5)
    first, second = (talk["who"] for talk in row["talks"])
    assert first != second
    recorded = sum(recording["seconds"] for recording in row["recordings"])
    # While a phone is dead Asterisk waits for its half of the sound: up to 2 s of it get lost.
    assert recorded == pytest.approx(row["talk_seconds"], abs=2)


def _visits(hotline: Hotline, reports: list[CallReport]) -> int:
    """How often the one caller has joined a queue."""
    [row] = hotline.export(reports).values()
    return len(row["queue_visits"])
