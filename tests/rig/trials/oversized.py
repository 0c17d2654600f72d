"""Calls with overlong facts: Asterisk truncates them for its log, but no call may hide that way."""

import asyncio
from collections.abc import Callable

from appliance.sip.call import Call
from appliance.sip.message import Headers
from tests.rig.trials.world import World
from tests.rig.waiting import wait_within

LONG_DIGITS = 900  # a record of the log holds 1,023 bytes
_LIMIT_SECONDS = 30.0  # for each step of a call
_MANY_DIGITS = "9" * LONG_DIGITS
_MANY_QUOTES = "%22" * LONG_DIGITS  # each is doubled in a record


def _long_diversion(_call: Call) -> Headers:
    return [("Diversion", f"<sip:{_MANY_DIGITS}@x>;reason=unconditional")]


def _thirty_diversions(_call: Call) -> Headers:
    return [("Diversion", f"<sip:+{_MANY_DIGITS}{n}@x>;reason=no-answer") for n in range(30)]


def _long_history(_call: Call) -> Headers:
    return [("History-Info", f"<sip:{_MANY_DIGITS}@x>;index=1, <sip:{_MANY_QUOTES}@x>;index=1.1")]


def _long_called_party(_call: Call) -> Headers:
    return [("P-Called-Party-ID", f"<sip:{_MANY_DIGITS}@x>")]


def _long_asserted_identity(_call: Call) -> Headers:
    return [("P-Asserted-Identity", f'"{_MANY_DIGITS}" <sip:{_MANY_QUOTES}@x>')]


def _long_number(call: Call) -> Headers:
    call.local_party = call.local_party.replace("<sip:", f"<sip:{_MANY_DIGITS}")
    return []


def _quoted_number(call: Call) -> Headers:
    call.local_party = call.local_party.replace("<sip:", f"<sip:{_MANY_QUOTES}")
    return []


def _quoted_name(call: Call) -> Headers:
    call.local_party = '"' + r"\"" * LONG_DIGITS + f'" {call.local_party}'
    return []


def _quotes_dialled(call: Call) -> Headers:
    call.target = call.target.replace("sip:", f"sip:{_MANY_QUOTES}", 1)
    return []


def _pluses_dialled(call: Call) -> Headers:
    call.target = call.target.replace("sip:", f"sip:{'+' * LONG_DIGITS}", 1)
    return []


def _long_call_id(call: Call) -> Headers:
    del call.agent.calls[call.call_id]  # type: ignore[attr-defined]  # it is an Agent
    call.call_id = f"{call.call_id[:20]}{'~' * LONG_DIGITS}"
    call.agent.calls[call.call_id] = call  # type: ignore[attr-defined]
    return []


def _long_programs(_call: Call) -> Headers:
    return [("User-Agent", _MANY_DIGITS), ("X-Any", _MANY_QUOTES), ("Subject", _MANY_DIGITS)]


def _all_oversized(call: Call) -> Headers:
    header_lists = [kind(call) for name, kind in OVERSIZED_KINDS.items() if name != "everything"]
    return [header for headers in header_lists for header in headers]


OVERSIZED_KINDS: dict[str, Callable[[Call], Headers]] = {
    "diversion": _long_diversion,
    "thirty diversions": _thirty_diversions,
    "history": _long_history,
    "called party": _long_called_party,
    "asserted identity": _long_asserted_identity,
    "number": _long_number,
    "quotes for a number": _quoted_number,
    "name": _quoted_name,
    "quotes dialled": _quotes_dialled,
    "pluses dialled": _pluses_dialled,
    "call-id": _long_call_id,
    "program": _long_programs,
    "everything": _all_oversized,
}


async def place_oversized_calls(
    world: World, make_call: Callable[[], Call]
) -> tuple[int, list[str]]:
    """One call of each kind, all at once, answered and hung up; the number, and the hidden ones.

    `make_call` creates a call that is not sent yet. A call is hidden if the ledger has another
    outcome.
    """
    calls = {name: make_call() for name in OVERSIZED_KINDS}
    await asyncio.gather(*(_play_call(kind, calls[name]) for name, kind in OVERSIZED_KINDS.items()))
    hidden: list[str] = []

    async def is_ledger_right() -> bool:
        rows = (await world.export_rows()).values()
        outcomes = {str(row["sip"])[:20]: row["outcome"] for row in rows}
        hidden[:] = [n for n, c in calls.items() if outcomes.get(c.call_id[:20]) != "answered"]
        return not hidden

    for _ in range(20):
        if await is_ledger_right():
            break
        await asyncio.sleep(0.5)
    return len(calls), hidden


async def _play_call(kind: Callable[[Call], Headers], call: Call) -> None:
    call.send_invite(kind(call))
    await wait_within(lambda: call.up_at or call.over_at, _LIMIT_SECONDS)
    call.media.press_keys("1")
    # after the operator, and the request for a rating
    await wait_within(lambda: call.over_at, _LIMIT_SECONDS)
    call.hang_up()
