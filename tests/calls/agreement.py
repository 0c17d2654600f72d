"""Compares a call's ledger row with the reports of its caller and of the phones."""

from pathlib import Path
from typing import Any

from provisioning.local.callers import CallReport
from tests.rig import comparison
from tests.rig.comparison import CallAccount

# kind of caller → (outcome, who ended the call, language, menu keys pressed, rating)
_EXPECTED_FACTS: dict[str, tuple[str, str, str | None, list[str], int | None]] = {
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
_TOLERANCE_SECONDS = 1.0  # how far the clocks at the two ends of a line may differ


def row_differences(report: CallReport, row: dict[str, Any], recordings: Path) -> list[str]:
    """List differences between the ledger's row and the caller's report, and silent recordings."""
    lines = comparison.differences(
        comparison.ledger_account(row), reported_account(report, row), _TOLERANCE_SECONDS
    )
    lines += comparison.silent_recordings(row, recordings)
    return [f"{report.plan.kind} {report.plan.number} ({row['id']}): {text}" for text in lines]


def reported_account(report: CallReport, row: dict[str, Any]) -> CallAccount:
    """Return the call as the caller and the phones saw it.

    Every talk second of the row must be recorded.
    """
    outcome, ended_by, language, menu, rating = _EXPECTED_FACTS[report.plan.kind]
    assert report.sent_at
    assert report.ended_at
    facts = {
        "outcome": outcome,
        "ended_by": ended_by,
        "language": language,
        "menu": menu,
        "rating": rating,
        "short": report.plan.kind == "abandon_short",
        "hotline_number": "1006",
        "direction": "inbound",
        "talks": [ring.extension for ring in report.rings if ring.answered_at],
        "queues": [language] if language else [],
        "rings": [ring.extension for ring in report.rings],
    }
    seconds = {"talk_seconds": report.talk_seconds, "recorded": row["talk_seconds"]}
    if ended_by == "caller":
        seconds["whole call"] = report.ended_at - report.sent_at
    return CallAccount(facts, seconds)
