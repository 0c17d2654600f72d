"""The states of a change request and the actions possible in each, by role.

    asked → accepted → doing → done → approved
      ↖ returned ↙        ↖ sent back ↙

The term keeps running in every state until the change is done.
"""

from dataclasses import dataclass

from appliance.core.i18n import N_
from appliance.people import rights

REQUESTER_ROLES = rights.allowed_roles("change.ask")
IMPLEMENTER_ROLES = rights.allowed_roles("change.do")  # the roles that carry out requests
READER_ROLES = rights.allowed_roles("change.read")


@dataclass(frozen=True)
class State:
    """A state of a request; `code` is used in the database, in exports and in addresses."""

    code: str
    name: str  # a message id
    tone: str = ""  # of its badge: accent | ok | warn | "" (neutral)
    icon: str = ""
    is_open: bool = True  # the change is still to be made


REQUEST_STATES = (
    State("asked", N_("New"), "accent", "inbox"),
    State("returned", N_("Returned with a question"), "warn", "circle-help"),
    State("accepted", N_("Accepted as a change request"), "accent", "check"),
    State("doing", N_("Being carried out"), "accent", "hourglass"),
    State("done", N_("Change completed"), "ok", "circle-check", is_open=False),
    State("approved", N_("Accepted by the ministry"), "ok", "archive", is_open=False),
)
REQUEST_STATE_CODES = tuple(state.code for state in REQUEST_STATES)
OPEN_REQUEST_STATE_CODES = tuple(state.code for state in REQUEST_STATES if state.is_open)


@dataclass(frozen=True)
class RequestTransition:
    """An action on a request: by which roles, from which states, to which state.

    `needs_text`: a text is required.
    """

    roles: tuple[str, ...]
    from_states: tuple[str, ...]
    to_state: str
    needs_text: bool = False


TRANSITIONS: dict[str, RequestTransition] = {
    "ask": RequestTransition(REQUESTER_ROLES, (), "asked"),
    "accept": RequestTransition(IMPLEMENTER_ROLES, ("asked",), "accepted"),
    "begin": RequestTransition(IMPLEMENTER_ROLES, ("asked", "accepted"), "doing"),
    "finish": RequestTransition(IMPLEMENTER_ROLES, ("accepted", "doing"), "done", needs_text=True),
    "question": RequestTransition(
        IMPLEMENTER_ROLES, ("asked", "accepted", "doing"), "returned", needs_text=True
    ),
    "answer": RequestTransition(REQUESTER_ROLES, ("returned",), "asked", needs_text=True),
    "approve": RequestTransition(REQUESTER_ROLES, ("done",), "approved"),
    "send_back": RequestTransition(REQUESTER_ROLES, ("done",), "doing", needs_text=True),
}


def allowed_request_actions(state: str, role: str) -> tuple[str, ...]:
    """Return a role's possible actions on a request in this state, in order of TRANSITIONS."""
    return tuple(
        action
        for action, transition in TRANSITIONS.items()
        if state in transition.from_states and role in transition.roles
    )
