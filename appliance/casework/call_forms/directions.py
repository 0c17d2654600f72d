"""The direction of a call (list call_direction) as the ledger tells it, before anybody types."""

from peewee import Case, Node, fn

from appliance.models import Call, Talk

# Reasons of an outgoing call that calls somebody back.
CALLED_BACK = ("callback", "follow_up")


def by_ledger() -> Node:
    """The code, as an expression over Call; there always is one.

    An incoming call is a transferred one when an employee of the ministry spoke in it.
    """
    talk = Talk.alias()
    to_employee = talk.select(talk.id).where(talk.call == Call.id, talk.party == "employee")
    outgoing = Call.direction == "outbound"
    return Case(
        None,
        [
            (outgoing & Call.reason.in_(CALLED_BACK), "callback"),
            (outgoing, "outgoing"),
            (fn.EXISTS(to_employee), "transferred"),
        ],
        "incoming",
    )
