"""The states of an appeal and the actions possible in each.

    registered → taken → answered → closed
         ↑          ↘ returned → (corrected) back to the user who returned it

A returned appeal can be taken back before it is corrected. An interim answer, an extension and a
forwarding leave an appeal open (law OʻRQ-445, article 34).
"""

from dataclasses import dataclass

from appliance.casework.workflow import Move, State, Workflow
from appliance.core.i18n import N_


@dataclass(frozen=True, kw_only=True)
class AppealState(State):
    """A state of an appeal."""

    prompt_word: str  # the prompt appeal-WORD says the state to a caller
    in_work: bool = False  # the ministry is expected to work on the appeal


@dataclass(frozen=True, kw_only=True)
class AppealMove(Move):
    """An action on an appeal.

    `blocked_by_holder`: if a colleague holds the appeal, the user must take it over first.
    """

    blocked_by_holder: bool = True


_STATES = (
    AppealState("registered", N_("New"), "accent", "inbox", prompt_word="received", in_work=True),
    AppealState(
        "taken", N_("In progress"), "accent", "hourglass", prompt_word="considered", in_work=True
    ),
    AppealState("returned", N_("Returned for rework"), "warn", "undo-2", prompt_word="returned"),
    AppealState(
        "answered", N_("Answer sent"), "ok", "circle-check", is_open=False, prompt_word="answered"
    ),
    AppealState("closed", N_("Closed"), "", "archive", is_open=False, prompt_word="closed"),
)
_ALL = tuple(state.code for state in _STATES)
_OPEN = tuple(state.code for state in _STATES if state.is_open)
IN_WORK_STATE_CODES = tuple(state.code for state in _STATES if state.in_work)

WORKFLOW = Workflow(
    _STATES,
    {
        "take": AppealMove(_OPEN, "taken", blocked_by_holder=False),
        "answer": AppealMove(IN_WORK_STATE_CODES, "answered", needs_text=True),
        "interim": AppealMove(IN_WORK_STATE_CODES, "taken", needs_text=True),
        "return": AppealMove(IN_WORK_STATE_CODES, "returned", needs_text=True),
        "forward": AppealMove(IN_WORK_STATE_CODES, "registered", needs_text=True),
        "extend": AppealMove(IN_WORK_STATE_CODES, None, needs_text=True),
        # articles 29 and 30: no answer is due
        "dismiss": AppealMove(IN_WORK_STATE_CODES, "closed", needs_text=True),
        "close": AppealMove(("answered",), "closed", blocked_by_holder=False),
        # an answer that was not sent to anybody yet
        "undo": AppealMove(("answered",), "taken", blocked_by_holder=False),
        "reopen": AppealMove(
            ("answered", "closed"), "taken", needs_text=True, blocked_by_holder=False
        ),
        # a specialist was contacted
        "consult": AppealMove(_ALL, None, needs_text=True, blocked_by_holder=False),
        # the outcome of the consultation
        "conclude": AppealMove(_ALL, None, needs_text=True, blocked_by_holder=False),
        # the citizen called again about the same matter
        "add": AppealMove(_OPEN, None, needs_text=True, blocked_by_holder=False),
        "correct": AppealMove(_ALL, None, blocked_by_holder=False),
        "resend": AppealMove(("returned",), "registered", blocked_by_holder=False),
    },
)
