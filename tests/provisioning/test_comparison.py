"""Two accounts of a call: every difference between the ledger and its people is found."""

import copy
import wave
from pathlib import Path
from typing import Any

import pytest

from provisioning.local.callers import CallPlan, CallReport
from provisioning.local.phones import Ring
from tests.calls import agreement
from tests.rig import comparison
from tests.rig.comparison import CallAccount
from tests.rig.trials import load, verdict
from tests.rig.trials.load import LoadPlan, LoadRecord

BEGAN_AT = 1_795_995_200.0  # 2026-11-29 23:33:20 UTC
LEDGER_ROW: dict[str, Any] = {
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
FALSE_VALUES = {
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


def changed_row(path: str, value: object) -> dict[str, Any]:
    """Return the ledger row with the value at this path replaced."""
    row = copy.deepcopy(LEDGER_ROW)
    *parents, key = path.split(".")
    part: Any = row
    for step in parents:
        part = part[int(step)] if step.isdigit() else part[step]
    part[key] = value
    return row


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    write_sound(tmp_path / "a.wav", 10)
    return tmp_path


def write_sound(file: Path, seconds: int, silent: int = 0) -> None:
    with wave.open(str(file), "wb") as out:
        out.setparams((1, 2, 8000, 0, "NONE", ""))
        out.writeframes(b"\x00\x10" * 8000 * seconds + bytes(2 * 8000 * silent))


def caller_report() -> CallReport:
    ring = Ring("1001", "901112233", BEGAN_AT + 8, BEGAN_AT + 10, BEGAN_AT + 20)
    plan = CallPlan("caller_hangs_up", "+998901112233")
    return CallReport(plan, BEGAN_AT, BEGAN_AT, BEGAN_AT + 20, "caller", None, [ring])


def test_a_report_and_a_row_that_agree_have_no_differences(recordings: Path) -> None:
    assert agreement.row_differences(caller_report(), LEDGER_ROW, recordings) == []


@pytest.mark.parametrize(("path", "value"), FALSE_VALUES.values(), ids=FALSE_VALUES)
def test_every_false_value_of_a_row_is_found(recordings: Path, path: str, value: object) -> None:
    assert agreement.row_differences(caller_report(), changed_row(path, value), recordings)


def test_a_recording_of_silence_is_found(recordings: Path) -> None:
    write_sound(recordings / "a.wav", 7, silent=3)
    assert agreement.row_differences(caller_report(), LEDGER_ROW, recordings) == [
        "caller_hangs_up +998901112233 (1.1): a.wav: silence"
    ]


def load_record(kind: str = "caller", **facts: Any) -> LoadRecord:
    plan = LoadPlan(kind, "+998901112233", "+998712223344", 10, "1", 1, 60, 1, "5")
    facts.setdefault("spoken_with", ["1001"])
    return LoadRecord(plan, BEGAN_AT, BEGAN_AT + 20, **facts)


def load_differences(load_call: LoadRecord, row: dict[str, Any]) -> list[str]:
    return load.compare_with_ledger([load_call], {"1.1": row}, {"1001", "1002"}).wrong


def test_a_load_record_and_a_row_that_agree_have_no_differences() -> None:
    trouble = "talk cut"  # the phones' own talk lengths are missing here
    assert load_differences(load_record(trouble=trouble), LEDGER_ROW) == []
    abandoned_row = changed_row("outcome", "abandoned_queue") | {"talks": []}
    assert load_differences(load_record("queue", spoken_with=[]), abandoned_row) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("outcome", "abandoned_queue"),
        ("outcome", None),
        ("talks.0.extension", "1002"),
        ("talks", []),
        ("ended_at", None),
        ("ended_at", "2026-11-29T23:33:46+00:00"),
        *((part, 26.0) for part in comparison.DURATION_PARTS),
        *((part, -6.0) for part in comparison.DURATION_PARTS),
    ],
)
def test_every_difference_from_the_load_record_is_found(path: str, value: object) -> None:
    assert load_differences(load_record(trouble="talk cut"), changed_row(path, value))


def test_a_call_without_a_talk_was_not_answered() -> None:
    assert load_differences(load_record("queue", spoken_with=[]), changed_row("talks", []))
    assert (
        load_differences(
            load_record("queue", spoken_with=[], trouble="dropped"), changed_row("talks", [])
        )
        == []
    )


def test_talk_lengths_must_agree_with_the_phones() -> None:
    assert load_differences(load_record(), LEDGER_ROW)  # no phone was connected
    assert load_differences(load_record("blind"), LEDGER_ROW) == []


def test_lengths_are_not_compared_when_the_trunk_was_dead() -> None:
    assert (
        load_differences(load_record(trunk_was_dead=True), changed_row("menu_seconds", 99.0)) == []
    )


@pytest.mark.parametrize(
    ("ledger_value", "expected", "lines"),
    [
        ("uz:answered", "uz:answered", []),
        ("blind:E:busy", "blind:*", []),
        ("blind:E:busy", "attended:*", ["cell: blind:E:busy, not attended:*"]),
        (None, "answered", ["cell: None, not answered"]),
        (["1"], ["1", "2"], ["cell: ['1'], not ['1', '2']"]),
    ],
)
def test_an_expected_text_may_be_a_pattern(
    ledger_value: object, expected: object, lines: list[str]
) -> None:
    assert (
        comparison.differences(
            CallAccount({"cell": ledger_value}), CallAccount({"cell": expected}), 0
        )
        == lines
    )


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
def test_a_scripted_talk_must_be_recorded(
    seconds: float, direction: str, is_judged: bool, right: bool
) -> None:
    row = changed_row("recordings.0.seconds", seconds) | {"direction": direction}
    people = verdict.script_account(row, {}, is_judged)
    ledger_account = CallAccount({}, comparison.call_lengths(row))
    assert (
        comparison.differences(ledger_account, people, verdict.TOLERANCE_SECONDS) == []
    ) is right


def test_overlapping_talks_count_once_as_spoken() -> None:
    second = {
        "who": "op02",
        "from": "2026-11-29T23:33:35+00:00",
        "to": "2026-11-29T23:33:45+00:00",
    }
    row = changed_row("talks", [*LEDGER_ROW["talks"], second])
    assert comparison.spoken_seconds(row) == 15
    assert comparison.call_lengths(row)["talks together"] == 20


def test_a_gap_does_not_count_as_spoken() -> None:
    inside = {"from": "2026-11-29T23:33:32+00:00", "to": "2026-11-29T23:33:35+00:00"}
    after = {"from": "2026-11-29T23:33:40+00:00", "to": "2026-11-29T23:33:50+00:00"}
    row = changed_row("gaps", [inside, after])
    assert comparison.spoken_seconds(row) == comparison.call_lengths(row)["talks together"] == 7


def test_a_talk_without_an_end_is_found() -> None:
    assert comparison.endless_talks(LEDGER_ROW) == []
    assert comparison.endless_talks(changed_row("talks.0.to", None)) == [
        "the talk with op01 has no end"
    ]
