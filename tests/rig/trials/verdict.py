"""The ledger's rows in a script's words, and what else a script's people know of a call."""

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from appliance.sip import listening
from provisioning.local.phones import tail
from tests.rig import comparison
from tests.rig.comparison import Account
from tests.rig.trials.cast import Cast
from tests.rig.trials.stage import OPERATORS, Person

NEAR = 1.5  # seconds by which two clocks at the two ends of a wire may differ
_ENDS = ("caller", "callee")


def row(cast: Cast, told: dict[str, Any], recordings: Path) -> tuple[str, ...]:
    """The ledger's row in a scenario's words."""
    direction = "" if told["direction"] == "inbound" else f"{told['direction']} "
    return (
        f"{direction}{told['outcome'] or '-'}",
        told["ended_by"] or "-",
        _joined(_visit(cast, visit) for visit in told["queue_visits"]),
        _joined(_who(cast, talk) for talk in told["talks"]),
        _joined(_transfer(cast, transfer) for transfer in told["transfers"]),
        str(told["rating"] or "-"),
        _joined(who for who, _ in heard(cast, told, recordings)),
    )


def heard(cast: Cast, told: dict[str, Any], recordings: Path) -> list[tuple[str, int]]:
    """Who is heard beside the caller in the call's recordings, in order, for how many seconds."""
    names = {person.pitch: person.name for person in cast.people.values()}
    runs: list[tuple[str, int]] = []
    for recording in told["recordings"]:
        for voices, seconds in listening.stretches(
            comparison.voices(recordings / recording["file"])
        ):
            who = "+".join(sorted(names.get(v, f"?{v}") for v in voices if v > 0))
            who = who.removeprefix("C").removeprefix("+").replace("+C", "")
            if not who:
                continue
            if runs and runs[-1][0] == who:
                runs[-1] = (who, runs[-1][1] + seconds)
            else:
                runs.append((who, seconds))
    return [run for run in runs if run[1] > 1 or run[0].startswith("?")]


def account(told: dict[str, Any], cells: Mapping[str, str], is_judged: bool) -> Account:
    """What the script says of the call, by column; what was spoken is recorded, if judged."""
    if told["direction"] == "internal" or not is_judged:
        return Account(cells)
    return Account(cells, {"recorded": comparison.spoken(told)})


def faults(cast: Cast, told: dict[str, Any], recordings: Path) -> list[str]:
    """What is wrong within the row: a caller not heard, a talk without an end."""
    said = comparison.endless(told)
    caller = cast.caller
    is_there = caller.calls and any(not call.mute for call in caller.calls)
    if is_there and told["recordings"] and _concerns(caller, told):
        said += comparison.unheard(told, recordings, caller.pitch)
    return said


def rows_of(
    cast: Cast, told: dict[str, dict[str, Any]], linkedids: set[str], until: float
) -> list[dict[str, Any]]:
    """The ledger's rows that this script's people have part in, oldest first."""
    numbers = {tail(p.number) for p in cast.people.values() if p.name not in OPERATORS}
    numbers.discard("")

    def between_phones(row: dict[str, Any]) -> bool:
        # Only within the house: elsewhere "1006" is the hotline's number and no phone.
        since = [cast.since[row[end]] for end in _ENDS if row[end] in cast.since]
        if row["direction"] != "internal" or not since:
            return False
        return min(since) <= _moment(row) <= until

    return [
        row
        for row in told.values()
        if row["id"] in linkedids
        or (_moment(row) <= until and {tail(row[end] or "") for end in _ENDS} & numbers)
        or between_phones(row)
    ]


def _moment(told: dict[str, Any]) -> float:
    return dt.datetime.fromisoformat(told["arrived_at"]).timestamp()


def _concerns(person: Person, told: dict[str, Any]) -> bool:
    return any(tail(told[end] or "") == tail(person.number) for end in _ENDS)


def _visit(cast: Cast, visit: dict[str, Any]) -> str:
    """An operator's own queue bears his letter: op-A."""
    extension = str(visit["queue"]).removeprefix("op-")
    people = (p for p in cast.people.values() if p.phone and p.phone.extension == extension)
    whose = next((p.name for p in people if extension != visit["queue"]), "")
    return f"{'op-' + whose if whose else visit['queue']}:{visit['result']}"


def _who(cast: Cast, talk: dict[str, Any]) -> str:
    names = (str(talk["who"]), str(talk.get("extension") or ""))
    found = (p.name for name in names for p in cast.people.values() if _is(p, name))
    return next(found, names[0])


def _transfer(cast: Cast, transfer: dict[str, Any]) -> str:
    to = next((p.name for p in cast.people.values() if _is(p, transfer["to"])), transfer["to"])
    end = ":returned" if transfer["returned"] else ""
    return f"{transfer['kind']}:{to}:{transfer['result']}{end}"


def _is(person: Person, name: str) -> bool:
    if not name:
        return False
    if person.phone and name in (person.phone.login, person.phone.extension):
        return True
    return len(name) >= 9 and tail(person.number) == tail(name)


def _joined(words: Iterable[str]) -> str:
    return " ".join(words) or "-"
