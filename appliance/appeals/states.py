"""The states of an appeal, and what may be done in each.

    registered → taken → answered → closed
         ↑          ↘ returned → (corrected) back to who returned it

A returned appeal may be taken back before it is corrected. An interim answer, an extension and a
forwarding leave an appeal open (law OʻRQ-445, article 34).
"""

from dataclasses import dataclass

STATES = ("registered", "taken", "returned", "answered", "closed")
OPEN = ("registered", "taken", "returned")
IN_WORK = ("registered", "taken")


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
    "reopen": Move(("answered", "closed"), "taken", words=True, held=False),
    "consult": Move(STATES, None, words=True, held=False),  # a specialist was contacted
    "correct": Move(STATES, None, held=False),
    "resend": Move(("returned",), "registered", held=False),
}


def possible(state: str) -> tuple[str, ...]:
    """What may be done with an appeal in this state, in the order of MOVES."""
    return tuple(action for action, move in MOVES.items() if state in move.before)
