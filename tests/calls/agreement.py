"""Does the ledger say of a call what the caller and the phone saw?"""

import wave
from array import array
from pathlib import Path
from typing import Any

from provisioning.local.callers import CallReport

# kind → outcome, who ended it, language, keys of the menu, mark
_EXPECTED: dict[str, tuple[str, str, str | None, list[str], int | None]] = {
    "rated": ("answered", "operator", "uz", ["1"], 5),
    "not_rated": ("answered", "operator", "uz", ["1"], None),
    "abandon_menu": ("abandoned_menu", "caller", None, [], None),
    "abandon_short": ("abandoned_queue", "caller", "uz", ["1"], None),
    "abandon_long": ("abandoned_queue", "caller", "uz", ["1"], None),
    "caller_hangs_up": ("answered", "caller", "uz", ["1"], None),
    "operator_hangs_up": ("answered", "operator", "uz", ["1"], None),
    "no_key": ("answered", "operator", "uz", [], None),
    "wrong_key": ("answered", "operator", "uz", ["9", "1"], None),
    "russian": ("answered", "operator", "ru", ["2"], 3),
    "g711_only": ("answered", "operator", "ru", ["2"], 4),
    "silent": ("answered", "operator", "uz", [], None),
}
_NEAR = 1.0  # seconds by which two clocks at the two ends of a wire may differ


def differences(report: CallReport, row: dict[str, Any], recordings: Path) -> list[str]:
    """What the ledger's row tells otherwise than the caller's report."""
    outcome, ended_by, language, menu, rating = _EXPECTED[report.plan.kind]
    spoke = [ring for ring in report.rings if ring.answered_at]
    found = {
        "outcome": (row["outcome"], outcome),
        "ended_by": (row["ended_by"], ended_by),
        "language": (row["language"], language),
        "menu": (row["menu"], menu),
        "rating": (row["rating"], rating),
        "short": (row["short"], report.plan.kind == "abandon_short"),
        "hotline_number": (row["hotline_number"], "1006"),
        "direction": (row["direction"], "inbound"),
        "talks": (
            [talk["extension"] for talk in row["talks"]],
            [ring.extension for ring in spoke],
        ),
        "queues": ([v["queue"] for v in row["queue_visits"]], [language] if language else []),
        "rings": (
            [ring["extension"] for visit in row["queue_visits"] for ring in visit["rings"]],
            [ring.extension for ring in report.rings],
        ),
    }
    said = [f"{key}: {a!r}, not {b!r}" for key, (a, b) in found.items() if a != b]
    assert report.sent_at
    assert report.ended_at
    whole = sum((row["menu_seconds"], row["wait_seconds"] or 0, row["talk_seconds"]))
    lengths = {
        "talk_seconds": (row["talk_seconds"], report.talk_seconds),
        "recorded": (sum(r["seconds"] for r in row["recordings"]), row["talk_seconds"]),
    }
    if ended_by == "caller":
        lengths["whole call"] = (whole, report.ended_at - report.sent_at)
    said += [
        f"{key}: {a:.2f} s, not {b:.2f} s" for key, (a, b) in lengths.items() if abs(a - b) > _NEAR
    ]
    said += [f"{r['file']}: silence" for r in row["recordings"] if not sounds(recordings, r)]
    return [f"{report.plan.kind} {report.plan.number} ({row['id']}): {text}" for text in said]


def sounds(recordings: Path, recording: dict[str, Any]) -> bool:
    """Whether the file can be played and nearly every second of it holds sound."""
    with wave.open(str(recordings / recording["file"])) as file:
        rate = file.getframerate()
        samples = array("h", file.readframes(file.getnframes()))
    seconds = [samples[i : i + rate] for i in range(0, len(samples) - rate, rate)]
    loud = sum(max(map(abs, second)) > 300 for second in seconds)
    return bool(samples) and loud >= len(seconds) - 1
