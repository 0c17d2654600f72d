"""Two accounts of a call: whatever the ledger says otherwise than its people is found."""

import copy
import wave
from pathlib import Path
from typing import Any

import pytest

from provisioning.local.callers import CallPlan, CallReport
from provisioning.local.phones import Ring
from tests.calls import agreement
from tests.rig import comparison
from tests.rig.comparison import Account
from tests.rig.trials import load, verdict
from tests.rig.trials.load import Plan, Record

BEGAN = 1_795_995_200.0  # 2026-11-29 23:33:20 UTC
ROW: dict[str, Any] = {
    "id": "1.1",
    "caller": "+998901112233",
    "callee": None,
    "direction": "inbound",
    "outcome": "answered",
    "ended_by": "caller",
    "language": "uz",
    "menu": ["1"],
    "rating": None,
    "short": False,
    "hotline_number": "1006",
    "arrived_at": "2026-11-29T23:33:20+00:00",
    "ended_at": "2026-11-29T23:33:40+00:00",
    "menu_seconds": 4.0,
    "wait_seconds": 6.0,
    "talk_seconds": 10.0,
    "hold_seconds": 0.0,
    "talks": [
        {
            "who": "op01",
            "extension": "1001",
            "from": "2026-11-29T23:33:30+00:00",
            "to": "2026-11-29T23:33:40+00:00",
        }
    ],
    "queue_visits": [{"queue": "uz", "result": "answered", "rings": [{"extension": "1001"}]}],
    "recordings": [{"file": "a.wav", "seconds": 10.0}],
    "transfers": [],
    "gaps": [],
}
LIES = {
    "outcome": ("outcome", "abandoned_queue"),
    "ended_by": ("ended_by", "operator"),
    "language": ("language", "ru"),
    "menu": ("menu", ["2"]),
    "rating": ("rating", 5),
    "short": ("short", True),
    "number": ("hotline_number", "1007"),
    "direction": ("direction", "outbound"),
    "another talked": ("talks.0.extension", "1002"),
    "another queue": ("queue_visits.0.queue", "ru"),
    "another rang": ("queue_visits.0.rings.0.extension", "1002"),
    "longer talk": ("talk_seconds", 11.5),
    "shorter recording": ("recordings.0.seconds", 8.5),
    "longer menu": ("menu_seconds", 5.5),
    "longer wait": ("wait_seconds", 7.5),
}


def lie(path: str, value: object) -> dict[str, Any]:
    """The row, one thing in it otherwise."""
    told = copy.deepcopy(ROW)
    *way, last = path.split(".")
    at: Any = told
    for step in way:
        at = at[int(step)] if step.isdigit() else at[step]
    at[last] = value
    return told


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    sound(tmp_path / "a.wav", 10)
    return tmp_path


def sound(file: Path, seconds: int, silent: int = 0) -> None:
    with wave.open(str(file), "wb") as out:
        out.setparams((1, 2, 8000, 0, "NONE", ""))
        out.writeframes(b"\x00\x10" * 8000 * seconds + bytes(2 * 8000 * silent))


def report() -> CallReport:
    ring = Ring("1001", "901112233", BEGAN + 8, BEGAN + 10, BEGAN + 20)
    plan = CallPlan("caller_hangs_up", "+998901112233")
    return CallReport(plan, BEGAN, BEGAN, BEGAN + 20, "caller", None, [ring])


def test_a_report_and_a_row_that_agree(recordings: Path) -> None:
    assert agreement.differences(report(), ROW, recordings) == []


@pytest.mark.parametrize(("path", "value"), LIES.values(), ids=LIES)
def test_whatever_a_row_says_otherwise_is_found(recordings: Path, path: str, value: object) -> None:
    assert agreement.differences(report(), lie(path, value), recordings)


def test_a_recording_of_silence_is_found(recordings: Path) -> None:
    sound(recordings / "a.wav", 7, silent=3)
    assert agreement.differences(report(), ROW, recordings) == [
        "caller_hangs_up +998901112233 (1.1): a.wav: silence"
    ]


def record(kind: str = "caller", **facts: Any) -> Record:
    plan = Plan(kind, "+998901112233", "+998712223344", 10, "1", 1, 60, 1, "5")
    facts.setdefault("spoke", ["1001"])
    return Record(plan, BEGAN, BEGAN + 20, **facts)


def wrong(one: Record, row: dict[str, Any]) -> list[str]:
    return load.compare([one], {"1.1": row}, {"1001", "1002"}).wrong


def test_a_record_of_the_load_and_a_row_that_agree() -> None:
    trouble = "talk cut"  # its phones' own lengths are not known here
    assert wrong(record(trouble=trouble), ROW) == []
    gone = lie("outcome", "abandoned_queue") | {"talks": []}
    assert wrong(record("queue", spoke=[]), gone) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("outcome", "abandoned_queue"),
        ("outcome", None),
        ("talks.0.extension", "1002"),
        ("talks", []),
        ("ended_at", None),
        ("ended_at", "2026-11-29T23:33:46+00:00"),
        *((part, 26.0) for part in comparison.PARTS),
        *((part, -6.0) for part in comparison.PARTS),
    ],
)
def test_whatever_a_row_says_otherwise_than_the_load_is_found(path: str, value: object) -> None:
    assert wrong(record(trouble="talk cut"), lie(path, value))


def test_who_spoke_with_nobody_was_not_answered() -> None:
    assert wrong(record("queue", spoke=[]), lie("talks", []))
    assert wrong(record("queue", spoke=[], trouble="dropped"), lie("talks", [])) == []


def test_talks_are_as_long_as_at_the_phones() -> None:
    assert wrong(record(), ROW)  # no phone was up
    assert wrong(record("blind"), ROW) == []


def test_lengths_are_not_compared_when_the_trunk_was_dead() -> None:
    assert wrong(record(unheard=True), lie("menu_seconds", 99.0)) == []


@pytest.mark.parametrize(
    ("said", "seen", "found"),
    [
        ("uz:answered", "uz:answered", []),
        ("blind:E:busy", "blind:*", []),
        ("blind:E:busy", "attended:*", ["cell: blind:E:busy, not attended:*"]),
        (None, "answered", ["cell: None, not answered"]),
        (["1"], ["1", "2"], ["cell: ['1'], not ['1', '2']"]),
    ],
)
def test_a_text_may_be_a_pattern(said: object, seen: object, found: list[str]) -> None:
    assert comparison.differences(Account({"cell": said}), Account({"cell": seen}), 0) == found


@pytest.mark.parametrize(
    ("seconds", "direction", "is_judged", "right"),
    [
        (10.0, "inbound", True, True),
        (8.6, "inbound", True, True),
        (8.4, "inbound", True, False),
        (8.4, "inbound", False, True),
        (0.0, "internal", True, True),
    ],
)
def test_what_a_script_spoke_is_recorded(
    seconds: float, direction: str, is_judged: bool, right: bool
) -> None:
    row = lie("recordings.0.seconds", seconds) | {"direction": direction}
    people = verdict.account(row, {}, is_judged)
    said = Account({}, comparison.lengths(row))
    assert (comparison.differences(said, people, verdict.NEAR) == []) is right


def test_shared_seconds_are_spoken_once() -> None:
    second = {
        "who": "op02",
        "from": "2026-11-29T23:33:35+00:00",
        "to": "2026-11-29T23:33:45+00:00",
    }
    row = lie("talks", [*ROW["talks"], second])
    assert comparison.spoken(row) == 15
    assert comparison.lengths(row)["talks together"] == 20


def test_a_gap_is_not_spoken() -> None:
    inside = {"from": "2026-11-29T23:33:32+00:00", "to": "2026-11-29T23:33:35+00:00"}
    after = {"from": "2026-11-29T23:33:40+00:00", "to": "2026-11-29T23:33:50+00:00"}
    row = lie("gaps", [inside, after])
    assert comparison.spoken(row) == comparison.lengths(row)["talks together"] == 7


def test_a_talk_without_an_end_is_found() -> None:
    assert comparison.endless(ROW) == []
    assert comparison.endless(lie("talks.0.to", None)) == ["the talk with op01 has no end"]
