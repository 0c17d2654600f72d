"""The states of a change request, and what may be done in each by whom.

    asked → accepted → doing → done → approved
      ↖ returned ↙        ↖ sent back ↙

The term runs on whatever the state, until the change is done.
"""

from dataclasses import dataclass

from appliance.core.i18n import N_
from appliance.people import rights

ASKS = rights.roles("change.ask")
DOES = rights.roles("change.do")  # the roles that see to it
READERS = rights.roles("change.read")


@dataclass(frozen=True)
class State:
    """Where a request stands; `code` stands in the database, in exports and in addresses."""

    code: str
    name: str  # a message id
    tone: str = ""  # of its badge: accent | ok | warn | "" (neutral)
    icon: str = ""
    is_open: bool = True  # the change is owed


ALL = (
    State("asked", N_("New"), "accent", "inbox"),
    State("returned", N_("Returned with a question"), "warn", "circle-help"),
    State("accepted", N_("Accepted for work"), "accent", "check"),
    State("doing", N_("Being done"), "accent", "hourglass"),
    State("done", N_("Change done"), "ok", "circle-check", is_open=False),
    State("approved", N_("Accepted by the ministry"), "ok", "archive", is_open=False),
)
STATES = tuple(state.code for state in ALL)
OPEN = tuple(state.code for state in ALL if state.is_open)


@dataclass(frozen=True)
class Move:
    """What may be done: by which roles, from which states, to which.

    `words` tells whether a text must come along.
    """

    roles: tuple[str, ...]
    before: tuple[str, ...]
    after: str
    words: bool = False


MOVES: dict[str, Move] = {
    "ask": Move(ASKS, (), "asked"),
    "accept": Move(DOES, ("asked",), "accepted"),
    "begin": Move(DOES, ("asked", "accepted"), "doing"),
    "finish": Move(DOES, ("accepted", "doing"), "done", words=True),
    "question": Move(DOES, ("asked", "accepted", "doing"), "returned", words=True),
    "answer": Move(ASKS, ("returned",), "asked", words=True),
    "approve": Move(ASKS, ("done",), "approved"),
    "send_back": Move(ASKS, ("done",), "doing", words=True),
}


def possible(state: str, role: str) -> tuple[str, ...]:
    """What somebody of a role may do with a request in this state, in the order of MOVES."""
    return tuple(
        action for action, move in MOVES.items() if state in move.before and role in move.roles
    )
