"""The states of a change request and the actions possible in each, by role.

    asked → accepted → doing → done → approved
      ↖ returned ↙        ↖ sent back ↙

The term keeps running in every state until the change is done.
"""

from appliance.casework.workflow import Move, State, Workflow
from appliance.core.i18n import N_
from appliance.people import rights

REQUESTER_ROLES = rights.allowed_roles("change.ask")
IMPLEMENTER_ROLES = rights.allowed_roles("change.do")  # the roles that carry out requests
READER_ROLES = rights.allowed_roles("change.read")

FIRST_STATE = "asked"
WORKFLOW = Workflow(
    (
        State(FIRST_STATE, N_("New"), "accent", "inbox"),
        State("returned", N_("Returned with a question"), "warn", "circle-help"),
        State("accepted", N_("Accepted as a change request"), "accent", "check"),
        State("doing", N_("Being carried out"), "accent", "hourglass"),
        State("done", N_("Change completed"), "ok", "circle-check", is_open=False),
        State("approved", N_("Accepted by the ministry"), "ok", "archive", is_open=False),
    ),
    {
        "accept": Move(("asked",), "accepted", IMPLEMENTER_ROLES),
        "begin": Move(("asked", "accepted"), "doing", IMPLEMENTER_ROLES),
        "finish": Move(("accepted", "doing"), "done", IMPLEMENTER_ROLES, needs_text=True),
        "question": Move(
            ("asked", "accepted", "doing"), "returned", IMPLEMENTER_ROLES, needs_text=True
        ),
        "answer": Move(("returned",), "asked", REQUESTER_ROLES, needs_text=True),
        "approve": Move(("done",), "approved", REQUESTER_ROLES),
        "send_back": Move(("done",), "doing", REQUESTER_ROLES, needs_text=True),
    },
)
