"""Compare two accounts of a call: the ledger's, and that of the people who took part in it.

The callers of SIPp, the people of a script and those of the load each supply theirs.
"""

import datetime as dt
import fnmatch
import wave
from array import array
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.sip import listening

type Row = dict[str, Any]  # a call of `appliance ledger export`

DURATION_PARTS = ("menu_seconds", "wait_seconds", "talk_seconds", "hold_seconds")
_COMPARED_FACTS = ("outcome", "ended_by", "language", "menu", "rating", "short", "hotline_number")
_LOUD_PEAK = 300  # of 32,767: the minimal peak of a second that holds sound
_MIN_CALLER_SHARE = (
    0.7  # of the seconds with a voice: the share in which the caller must be audible
)


@dataclass(frozen=True)
class CallAccount:
    """What one side knows of a call; facts it cannot know are left out.

    In what people saw, a text may be a pattern (`abandoned*`). `longest`: the limit in seconds for
    each part.
    """

    facts: Mapping[str, object] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    longest: float | None = None


def differences(ledger: CallAccount, people: CallAccount, tolerance: float) -> list[str]:
    """Where the ledger differs from what people saw; lengths may differ by `tolerance` seconds."""
    lines = [
        f"{name}: {ledger.facts[name]}, not {expected}"
        for name, expected in people.facts.items()
        if not _matches_expected(ledger.facts[name], expected)
    ]
    lines += [
        f"{name}: {ledger.seconds[name]:.2f} s, not {expected:.2f} s"
        for name, expected in people.seconds.items()
        if abs(ledger.seconds[name] - expected) > tolerance
    ]
    if people.longest is not None:
        lines += [
            f"{part}: {ledger.seconds[part]:.2f} s of a call of {people.longest:.2f} s"
            for part in DURATION_PARTS
            if not 0 <= ledger.seconds[part] <= people.longest + tolerance
        ]
    return lines


def _matches_expected(value: object, expected: object) -> bool:
    if isinstance(value, str) and isinstance(expected, str):
        return fnmatch.fnmatchcase(value, expected)
    return value == expected


def ledger_account(row: Row, extensions: Collection[str] | None = None) -> CallAccount:
    """The ledger's account; of the talks only those with these extensions, or all of them."""
    talks = [str(talk.get("extension") or talk["who"]) for talk in row["talks"]]
    visits = row["queue_visits"]
    facts = {
        **{fact: row[fact] for fact in (*_COMPARED_FACTS, "direction")},
        "ended": bool(row["ended_at"]),
        "talks": [party for party in talks if extensions is None or party in extensions],
        "queues": [visit["queue"] for visit in visits],
        "rings": [ring["extension"] for visit in visits for ring in visit["rings"]],
    }
    parts = {part: float(row[part] or 0) for part in DURATION_PARTS}
    return CallAccount(facts, parts | call_lengths(row))


def call_lengths(row: Row) -> dict[str, float]:
    """Seconds of the call, of its parts, of its talks, and of its recordings."""
    parts = (row["menu_seconds"], row["wait_seconds"], row["talk_seconds"])
    return {
        "lasted": _seconds_between(row["arrived_at"], row["ended_at"]),
        "whole call": float(sum(part or 0 for part in parts)),
        "talks together": sum(_seconds_between(talk["from"], talk["to"]) for talk in row["talks"])
        - sum(_seconds_between(begin, end) for begin, end in _gaps_in_talks(row)),
        "spoken": spoken_seconds(row),
        "recorded": sum(recording["seconds"] or 0.0 for recording in row["recordings"]),
    }


def _seconds_between(begin: str, end: str | None) -> float:
    since, until = map(dt.datetime.fromisoformat, (begin, end or begin))
    return (until - since).total_seconds()


def spoken_seconds(row: Row) -> float:
    """Seconds in which somebody spoke with the caller: with holds, overlaps once, without gaps."""
    total, until = 0.0, 0.0
    for talk in row["talks"]:
        begin, end = (
            dt.datetime.fromisoformat(talk[key] or talk["from"]) for key in ("from", "to")
        )
        total += max(0.0, end.timestamp() - max(begin.timestamp(), until))
        until = max(until, end.timestamp())
    return total - sum(_seconds_between(begin, end) for begin, end in _gaps_in_talks(row))


def _gaps_in_talks(row: Row) -> list[tuple[str, str]]:
    """The gaps of a call after which the talk continued."""
    spans = [(talk["from"], talk["to"]) for talk in row["talks"] if talk["to"]]
    return [
        (gap["from"], gap["to"])
        for gap in row["gaps"]
        if any(begin <= gap["from"] < end for begin, end in spans)
    ]


def endless_talks(row: Row) -> list[str]:
    """A line for each talk that has no end."""
    return [f"the talk with {talk['who']} has no end" for talk in row["talks"] if not talk["to"]]


def silent_recordings(row: Row, recordings: Path) -> list[str]:
    """A line for each recording that cannot be played or holds more than a second of silence."""
    return [f"{r['file']}: silence" for r in row["recordings"] if not has_sound(recordings, r)]


def has_sound(recordings: Path, recording: Mapping[str, Any]) -> bool:
    """Returns True if the file can be played and nearly every second of it holds sound."""
    with wave.open(str(recordings / recording["file"])) as file:
        rate = file.getframerate()
        samples = array("h", file.readframes(file.getnframes()))
    seconds = [samples[i : i + rate] for i in range(0, len(samples) - rate, rate)]
    loud = sum(max(map(abs, second)) > _LOUD_PEAK for second in seconds)
    return bool(samples) and loud >= len(seconds) - 1


def voices_by_second(file: Path) -> list[listening.VoiceSet]:
    """The voices in each second of a recording; empty when it cannot be played."""
    try:
        return listening.voices_by_second(file)
    except (OSError, EOFError, wave.Error):
        return []


def missing_caller(row: Row, recordings: Path, pitch: int) -> list[str]:
    """A line if the caller's voice `pitch` is missing in the recordings of their call."""
    seconds = [
        second_voices
        for r in row["recordings"]
        for second_voices in voices_by_second(recordings / r["file"])
    ]
    voiced_seconds = [
        second_voices for second_voices in seconds if any(voice > 0 for voice in second_voices)
    ]
    with_caller = sum(pitch in second_voices for second_voices in voiced_seconds)
    if with_caller < _MIN_CALLER_SHARE * len(voiced_seconds) - 1:
        return [f"the caller is heard in {with_caller} of {len(voiced_seconds)} s"]
    return []
