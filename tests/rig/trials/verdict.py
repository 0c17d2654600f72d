"""The ledger's rows in the notation of scripts, and what else a script's people know of a call."""

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from appliance.sip import listening
from provisioning.local.phones import number_tail
from tests.rig import comparison
from tests.rig.comparison import CallAccount
from tests.rig.trials.cast import Cast
from tests.rig.trials.stage import OPERATOR_LETTERS, Person

TOLERANCE_SECONDS = 1.5  # by which the clocks at the two ends of a line may differ
_PARTY_FIELDS = ("caller", "callee")


def scenario_row(cast: Cast, ledger_row: dict[str, Any], recordings: Path) -> tuple[str, ...]:
    """The ledger's row in the notation of a scenario."""
    direction = "" if ledger_row["direction"] == "inbound" else f"{ledger_row['direction']} "
    return (
        f"{direction}{ledger_row['outcome'] or '-'}",
        ledger_row["ended_by"] or "-",
        _joined_cells(_visit_cell(cast, visit) for visit in ledger_row["queue_visits"]),
        _joined_cells(_talk_cell(cast, talk) for talk in ledger_row["talks"]),
        _joined_cells(_transfer_cell(cast, transfer) for transfer in ledger_row["transfers"]),
        str(ledger_row["rating"] or "-"),
        _joined_cells(name for name, _ in voices_in_recordings(cast, ledger_row, recordings)),
    )


def voices_in_recordings(
    cast: Cast, ledger_row: dict[str, Any], recordings: Path
) -> list[tuple[str, int]]:
    """The voices in the call's recordings besides the caller's, in order, with their seconds."""
    names = {person.pitch: person.name for person in cast.people.values()}
    runs: list[tuple[str, int]] = []
    for recording in ledger_row["recordings"]:
        for voices, seconds in listening.merge_equal_seconds(
            comparison.voices_by_second(recordings / recording["file"])
        ):
            name = "+".join(sorted(names.get(v, f"?{v}") for v in voices if v > 0))
            name = name.removeprefix("C").removeprefix("+").replace("+C", "")
            if not name:
                continue
            if runs and runs[-1][0] == name:
                runs[-1] = (name, runs[-1][1] + seconds)
            else:
                runs.append((name, seconds))
    return [run for run in runs if run[1] > 1 or run[0].startswith("?")]


def script_account(
    ledger_row: dict[str, Any], cells: Mapping[str, str], is_judged: bool
) -> CallAccount:
    """The script's account of the call, by column.

    If the sound is judged, it has the seconds of talk that must be recorded.
    """
    if ledger_row["direction"] == "internal" or not is_judged:
        return CallAccount(cells)
    return CallAccount(cells, {"recorded": comparison.spoken_seconds(ledger_row)})


def row_faults(cast: Cast, ledger_row: dict[str, Any], recordings: Path) -> list[str]:
    """Faults within the row: a caller whose voice is missing, a talk without an end."""
    lines = comparison.endless_talks(ledger_row)
    caller = cast.caller
    is_there = caller.calls and any(not call.mute for call in caller.calls)
    if is_there and ledger_row["recordings"] and _concerns_person(caller, ledger_row):
        lines += comparison.missing_caller(ledger_row, recordings, caller.pitch)
    return lines


def rows_of_script(
    cast: Cast, ledger_rows: dict[str, dict[str, Any]], linkedids: set[str], until: float
) -> list[dict[str, Any]]:
    """The ledger's rows in which this script's people take part."""
    numbers = {
        number_tail(p.number) for p in cast.people.values() if p.name not in OPERATOR_LETTERS
    }
    numbers.discard("")

    def is_between_phones(row: dict[str, Any]) -> bool:
        # Only within the site: elsewhere "1006" is the hotline's number and no phone.
        reserved_at = [
            cast.phone_since[row[end]] for end in _PARTY_FIELDS if row[end] in cast.phone_since
        ]
        if row["direction"] != "internal" or not reserved_at:
            return False
        return min(reserved_at) <= _arrival_time(row) <= until

    return [
        row
        for row in ledger_rows.values()
        if row["id"] in linkedids
        or (
            _arrival_time(row) <= until
            and {number_tail(row[end] or "") for end in _PARTY_FIELDS} & numbers
        )
        or is_between_phones(row)
    ]


def _arrival_time(ledger_row: dict[str, Any]) -> float:
    return dt.datetime.fromisoformat(ledger_row["arrived_at"]).timestamp()


def _concerns_person(person: Person, ledger_row: dict[str, Any]) -> bool:
    return any(
        number_tail(ledger_row[end] or "") == number_tail(person.number) for end in _PARTY_FIELDS
    )


def _visit_cell(cast: Cast, visit: dict[str, Any]) -> str:
    """A queue and its result; an operator's own queue has the operator's letter: op-A."""
    extension = str(visit["queue"]).removeprefix("op-")
    people = (p for p in cast.people.values() if p.phone and p.phone.extension == extension)
    letter = next((p.name for p in people if extension != visit["queue"]), "")
    return f"{'op-' + letter if letter else visit['queue']}:{visit['result']}"


def _talk_cell(cast: Cast, talk: dict[str, Any]) -> str:
    names = (str(talk["who"]), str(talk.get("extension") or ""))
    letters = (p.name for name in names for p in cast.people.values() if _is_named(p, name))
    return next(letters, names[0])


def _transfer_cell(cast: Cast, transfer: dict[str, Any]) -> str:
    target = next(
        (p.name for p in cast.people.values() if _is_named(p, transfer["to"])), transfer["to"]
    )
    end = ":returned" if transfer["returned"] else ""
    return f"{transfer['kind']}:{target}:{transfer['result']}{end}"


def _is_named(person: Person, name: str) -> bool:
    if not name:
        return False
    if person.phone and name in (person.phone.login, person.phone.extension):
        return True
    return len(name) >= 9 and number_tail(person.number) == number_tail(name)


def _joined_cells(cells: Iterable[str]) -> str:
    return " ".join(cells) or "-"
