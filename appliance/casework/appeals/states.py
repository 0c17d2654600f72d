"""The states of an appeal, and what may be done in each.

    registered → taken → answered → closed
         ↑          ↘ returned → (corrected) back to who returned it

A returned appeal may be taken back before it is corrected. An interim answer, an extension and a
forwarding leave an appeal open (law OʻRQ-445, article 34).
"""

from dataclasses import dataclass

from appliance.core.i18n import N_


@dataclass(frozen=True)
class State:
    """Where an appeal stands; `code` stands in the database, in exports and in addresses."""

    code: str
    name: str  # a message id, for pages and messages
    spoken: str  # the word of prompts.numbers that tells it to a caller
    tone: str = ""  # of its badge: accent | ok | warn | "" (neutral)
    icon: str = ""
    is_open: bool = True  # an answer is owed
    in_work: bool = False  # by the ministry


ALL = (
    State("registered", N_("New"), "received", "accent", "inbox", in_work=True),
    State("taken", N_("In work"), "considered", "accent", "hourglass", in_work=True),
    State("returned", N_("Returned for rework"), "returned", "warn", "undo-2"),
    State("answered", N_("Answer given"), "answered", "ok", "circle-check", is_open=False),
    State("closed", N_("Closed"), "closed", icon="archive", is_open=False),
)
STATES = tuple(state.code for state in ALL)
OPEN = tuple(state.code for state in ALL if state.is_open)
IN_WORK = tuple(state.code for state in ALL if state.in_work)
NAMES = {state.code: state.name for state in ALL}


@dataclass(frozen=True)
class Move:
    """What may be done: from which states, to which; None leaves the state as it is.

    `words` tells whether a text must come along, `held` whether a colleague who holds the appeal
    must first be relieved of it.
    """

    before: tuple[str, ...]
    after: str | None
    words: bool = False
    held: bool = True


MOVES: dict[str, Move] = {
    "take": Move(OPEN, "taken", held=False),
    "answer": Move(IN_WORK, "answered", words=True),
    "interim": Move(IN_WORK, "taken", words=True),
    "return": Move(IN_WORK, "returned", words=True),
    "forward": Move(IN_WORK, "registered", words=True),
    "extend": Move(IN_WORK, None, words=True),
    "dismiss": Move(IN_WORK, "closed", words=True),  # articles 29 and 30: no answer is owed
    "close": Move(("answered",), "closed", held=False),
    "undo": Move(("answered",), "taken", held=False),  # an answer that nobody was told of yet
    "reopen": Move(("answered", "closed"), "taken", words=True, held=False),
    "consult": Move(STATES, None, words=True, held=False),  # a specialist was contacted
    "conclude": Move(STATES, None, words=True, held=False),  # what came of it
    "add": Move(OPEN, None, words=True, held=False),  # the citizen called again of the same matter
    "correct": Move(STATES, None, held=False),
    "resend": Move(("returned",), "registered", held=False),
}


def possible(state: str) -> tuple[str, ...]:
    """What may be done with an appeal in this state, in the order of MOVES."""
    return tuple(action for action, move in MOVES.items() if state in move.before)
