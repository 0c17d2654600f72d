"""The states of an appeal and the actions possible in each.

    registered → taken → answered → closed
         ↑          ↘ returned → (corrected) back to the user who returned it

A returned appeal can be taken back before it is corrected. An interim answer, an extension and a
forwarding leave an appeal open (law OʻRQ-445, article 34).
"""

from dataclasses import dataclass

from appliance.core.i18n import N_


@dataclass(frozen=True)
class State:
    """A state of an appeal; `code` is used in the database, in exports and in addresses."""

    code: str
    name: str  # a message id, for pages and messages
    prompt_word: str  # the word of prompts.numbers that is played to a caller
    tone: str = ""  # of its badge: accent | ok | warn | "" (neutral)
    icon: str = ""
    is_open: bool = True  # an answer is due
    in_work: bool = False  # by the ministry


APPEAL_STATES = (
    State("registered", N_("New"), "received", "accent", "inbox", in_work=True),
    State("taken", N_("In progress"), "considered", "accent", "hourglass", in_work=True),
    State("returned", N_("Returned for rework"), "returned", "warn", "undo-2"),
    State("answered", N_("Answer sent"), "answered", "ok", "circle-check", is_open=False),
    State("closed", N_("Closed"), "closed", icon="archive", is_open=False),
)
STATE_CODES = tuple(state.code for state in APPEAL_STATES)
OPEN_STATE_CODES = tuple(state.code for state in APPEAL_STATES if state.is_open)
IN_WORK_STATE_CODES = tuple(state.code for state in APPEAL_STATES if state.in_work)
STATE_NAMES = {state.code: state.name for state in APPEAL_STATES}


@dataclass(frozen=True)
class Transition:
    """An action on an appeal: its states before, and the state after (None: unchanged).

    `needs_text`: a text is required. `blocked_by_holder`: a colleague who holds the appeal must be
    relieved of it first.
    """

    from_states: tuple[str, ...]
    to_state: str | None
    needs_text: bool = False
    blocked_by_holder: bool = True


TRANSITIONS: dict[str, Transition] = {
    "take": Transition(OPEN_STATE_CODES, "taken", blocked_by_holder=False),
    "answer": Transition(IN_WORK_STATE_CODES, "answered", needs_text=True),
    "interim": Transition(IN_WORK_STATE_CODES, "taken", needs_text=True),
    "return": Transition(IN_WORK_STATE_CODES, "returned", needs_text=True),
    "forward": Transition(IN_WORK_STATE_CODES, "registered", needs_text=True),
    "extend": Transition(IN_WORK_STATE_CODES, None, needs_text=True),
    "dismiss": Transition(
        IN_WORK_STATE_CODES, "closed", needs_text=True
    ),  # articles 29 and 30: no answer is due
    "close": Transition(("answered",), "closed", blocked_by_holder=False),
    "undo": Transition(
        ("answered",), "taken", blocked_by_holder=False
    ),  # an answer that was not sent to anybody yet
    "reopen": Transition(("answered", "closed"), "taken", needs_text=True, blocked_by_holder=False),
    "consult": Transition(
        STATE_CODES, None, needs_text=True, blocked_by_holder=False
    ),  # a specialist was contacted
    "conclude": Transition(
        STATE_CODES, None, needs_text=True, blocked_by_holder=False
    ),  # the outcome of the consultation
    "add": Transition(
        OPEN_STATE_CODES, None, needs_text=True, blocked_by_holder=False
    ),  # the citizen called again about the same matter
    "correct": Transition(STATE_CODES, None, blocked_by_holder=False),
    "resend": Transition(("returned",), "registered", blocked_by_holder=False),
}


def allowed_transitions(state: str) -> tuple[str, ...]:
    """Return the actions possible for an appeal in this state, in the order of TRANSITIONS."""
    return tuple(
        action for action, transition in TRANSITIONS.items() if state in transition.from_states
    )
