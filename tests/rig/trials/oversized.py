"""Calls with facts of any length: Asterisk cuts what its log cannot hold; none may hide so."""

import asyncio
from collections.abc import Callable

from appliance.sip.call import Call
from appliance.sip.message import Headers
from tests.rig.trials.forked import until
from tests.rig.trials.world import World

LONG = 900  # digits; a record of the log holds 1,023 bytes
_LIMIT = 30.0  # seconds for each step of a call
_DIGITS = "9" * LONG
_QUOTES = "%22" * LONG  # each stands twice in a record


def _diversion(_call: Call) -> Headers:
    return [("Diversion", f"<sip:{_DIGITS}@x>;reason=unconditional")]


def _diversions(_call: Call) -> Headers:
    return [("Diversion", f"<sip:+{_DIGITS}{n}@x>;reason=no-answer") for n in range(30)]


def _history(_call: Call) -> Headers:
    return [("History-Info", f"<sip:{_DIGITS}@x>;index=1, <sip:{_QUOTES}@x>;index=1.1")]


def _called_party(_call: Call) -> Headers:
    return [("P-Called-Party-ID", f"<sip:{_DIGITS}@x>")]


def _asserted(_call: Call) -> Headers:
    return [("P-Asserted-Identity", f'"{_DIGITS}" <sip:{_QUOTES}@x>')]


def _number(call: Call) -> Headers:
    call.ours = call.ours.replace("<sip:", f"<sip:{_DIGITS}")
    return []


def _quoted_number(call: Call) -> Headers:
    call.ours = call.ours.replace("<sip:", f"<sip:{_QUOTES}")
    return []


def _name(call: Call) -> Headers:
    call.ours = '"' + r"\"" * LONG + f'" {call.ours}'
    return []


def _dialled(call: Call) -> Headers:
    call.target = call.target.replace("sip:", f"sip:{_QUOTES}", 1)
    return []


def _plus_dialled(call: Call) -> Headers:
    call.target = call.target.replace("sip:", f"sip:{'+' * LONG}", 1)
    return []


def _call_id(call: Call) -> Headers:
    del call.agent.calls[call.call_id]  # type: ignore[attr-defined]  # it is an Agent
    call.call_id = f"{call.call_id[:20]}{'~' * LONG}"
    call.agent.calls[call.call_id] = call  # type: ignore[attr-defined]
    return []


def _programs(_call: Call) -> Headers:
    return [("User-Agent", _DIGITS), ("X-Any", _QUOTES), ("Subject", _DIGITS)]


def _everything(call: Call) -> Headers:
    facts = [kind(call) for name, kind in KINDS.items() if name != "everything"]
    return [header for more in facts for header in more]


KINDS: dict[str, Callable[[Call], Headers]] = {
    "diversion": _diversion,
    "thirty diversions": _diversions,
    "history": _history,
    "called party": _called_party,
    "asserted identity": _asserted,
    "number": _number,
    "quotes for a number": _quoted_number,
    "name": _name,
    "quotes dialled": _dialled,
    "pluses dialled": _plus_dialled,
    "call-id": _call_id,
    "program": _programs,
    "everything": _everything,
}


async def play(world: World, begin: Callable[[], Call]) -> tuple[int, list[str]]:
    """One call of each kind, all at once: answered, then hung up; how many, and which are hidden.

    `begin` makes a call that is not sent yet. Hidden is one that the ledger tells otherwise.
    """
    calls = {name: begin() for name in KINDS}
    await asyncio.gather(*(_speak(kind, calls[name]) for name, kind in KINDS.items()))
    hidden: list[str] = []

    async def told() -> bool:
        rows = (await world.export()).values()
        outcomes = {str(row["sip"])[:20]: row["outcome"] for row in rows}
        hidden[:] = [n for n, c in calls.items() if outcomes.get(c.call_id[:20]) != "answered"]
        return not hidden

    for _ in range(20):
        if await told():
            break
        await asyncio.sleep(0.5)
    return len(calls), hidden


async def _speak(kind: Callable[[Call], Headers], call: Call) -> None:
    call.start(kind(call))
    await until(lambda: call.up_at or call.over_at, _LIMIT)
    call.media.press("1")
    await until(lambda: call.over_at, _LIMIT)  # after the operator, and the question for a mark
    call.hang_up()
