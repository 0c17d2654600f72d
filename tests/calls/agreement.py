"""Does the ledger say of a call what the caller and the phone saw?"""

from pathlib import Path
from typing import Any

from provisioning.local.callers import CallReport
from tests.rig import comparison
from tests.rig.comparison import Account

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
    found = comparison.differences(comparison.of_ledger(row), account(report, row), _NEAR)
    found += comparison.silent(row, recordings)
    return [f"{report.plan.kind} {report.plan.number} ({row['id']}): {text}" for text in found]


def account(report: CallReport, row: dict[str, Any]) -> Account:
    """What the caller and the phones saw; all that was spoken by the row must be recorded."""
    outcome, ended_by, language, menu, rating = _EXPECTED[report.plan.kind]
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
    return Account(facts, seconds)
