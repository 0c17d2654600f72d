"""Do two accounts of a call agree: the ledger's, and that of the people who were there?

The callers of SIPp, the people of a script and those of the load each give theirs.
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

type Row = dict[str, Any]  # of `appliance ledger export`

PARTS = ("menu_seconds", "wait_seconds", "talk_seconds", "hold_seconds")
_FACTS = ("outcome", "ended_by", "language", "menu", "rating", "short", "hotline_number")
_LOUD = 300  # of 32,767: the peak of a second that holds sound
_SHARE = 0.7  # of the seconds with a voice in which the caller must be heard too


@dataclass(frozen=True)
class Account:
    """What somebody knows of a call; of what he cannot know he says nothing.

    In what people saw a text may be a pattern (`abandoned*`). `longest`: no part lasted longer.
    """

    facts: Mapping[str, object] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    longest: float | None = None


def differences(ledger: Account, people: Account, near: float) -> list[str]:
    """Where the ledger says otherwise than people saw; lengths may differ by `near` seconds."""
    found = [
        f"{what}: {ledger.facts[what]}, not {seen}"
        for what, seen in people.facts.items()
        if not _is_like(ledger.facts[what], seen)
    ]
    found += [
        f"{what}: {ledger.seconds[what]:.2f} s, not {seen:.2f} s"
        for what, seen in people.seconds.items()
        if abs(ledger.seconds[what] - seen) > near
    ]
    if people.longest is not None:
        found += [
            f"{part}: {ledger.seconds[part]:.2f} s of a call of {people.longest:.2f} s"
            for part in PARTS
            if not 0 <= ledger.seconds[part] <= people.longest + near
        ]
    return found


def _is_like(said: object, seen: object) -> bool:
    if isinstance(said, str) and isinstance(seen, str):
        return fnmatch.fnmatchcase(said, seen)
    return said == seen


def of_ledger(row: Row, extensions: Collection[str] | None = None) -> Account:
    """The ledger's account; of the talks only those with these extensions, or all of them."""
    talks = [str(talk.get("extension") or talk["who"]) for talk in row["talks"]]
    visits = row["queue_visits"]
    facts = {
        **{fact: row[fact] for fact in (*_FACTS, "direction")},
        "ended": bool(row["ended_at"]),
        "talks": [who for who in talks if extensions is None or who in extensions],
        "queues": [visit["queue"] for visit in visits],
        "rings": [ring["extension"] for visit in visits for ring in visit["rings"]],
    }
    parts = {part: float(row[part] or 0) for part in PARTS}
    return Account(facts, parts | lengths(row))


def lengths(row: Row) -> dict[str, float]:
    """Seconds: of the call, its parts together, its talks together, what is recorded of them."""
    parts = (row["menu_seconds"], row["wait_seconds"], row["talk_seconds"])
    return {
        "lasted": _seconds(row["arrived_at"], row["ended_at"]),
        "whole call": float(sum(part or 0 for part in parts)),
        "talks together": sum(_seconds(talk["from"], talk["to"]) for talk in row["talks"])
        - sum(_seconds(begin, end) for begin, end in _gaps(row)),
        "spoken": spoken(row),
        "recorded": sum(recording["seconds"] or 0.0 for recording in row["recordings"]),
    }


def _seconds(begin: str, end: str | None) -> float:
    since, until = map(dt.datetime.fromisoformat, (begin, end or begin))
    return (until - since).total_seconds()


def spoken(row: Row) -> float:
    """Seconds in which somebody spoke with the caller: with holds, shared ones once, no gaps."""
    total, until = 0.0, 0.0
    for talk in row["talks"]:
        begin, end = (dt.datetime.fromisoformat(talk[k] or talk["from"]) for k in ("from", "to"))
        total += max(0.0, end.timestamp() - max(begin.timestamp(), until))
        until = max(until, end.timestamp())
    return total - sum(_seconds(begin, end) for begin, end in _gaps(row))


def _gaps(row: Row) -> list[tuple[str, str]]:
    """The gaps of a call after which the talk went on."""
    spans = [(talk["from"], talk["to"]) for talk in row["talks"] if talk["to"]]
    return [
        (gap["from"], gap["to"])
        for gap in row["gaps"]
        if any(begin <= gap["from"] < end for begin, end in spans)
    ]


def endless(row: Row) -> list[str]:
    """Talks that have no end."""
    return [f"the talk with {talk['who']} has no end" for talk in row["talks"] if not talk["to"]]


def silent(row: Row, recordings: Path) -> list[str]:
    """Recordings that cannot be played or hold more than a second of silence."""
    return [f"{r['file']}: silence" for r in row["recordings"] if not sounds(recordings, r)]


def sounds(recordings: Path, recording: Mapping[str, Any]) -> bool:
    """Whether the file can be played and nearly every second of it holds sound."""
    with wave.open(str(recordings / recording["file"])) as file:
        rate = file.getframerate()
        samples = array("h", file.readframes(file.getnframes()))
    seconds = [samples[i : i + rate] for i in range(0, len(samples) - rate, rate)]
    loud = sum(max(map(abs, second)) > _LOUD for second in seconds)
    return bool(samples) and loud >= len(seconds) - 1


def voices(file: Path) -> list[listening.Heard]:
    """Who is heard in each second of a recording; nothing when it cannot be played."""
    try:
        return listening.by_second(file)
    except (OSError, EOFError, wave.Error):
        return []


def unheard(row: Row, recordings: Path, pitch: int) -> list[str]:
    """Whether the caller, who has this voice, is missing in his call's recordings."""
    seconds = [heard for r in row["recordings"] for heard in voices(recordings / r["file"])]
    together = [heard for heard in seconds if any(voice > 0 for voice in heard)]
    with_caller = sum(pitch in heard for heard in together)
    if with_caller < _SHARE * len(together) - 1:
        return [f"the caller is heard in {with_caller} of {len(together)} s"]
    return []
