"""The direction of a call (list call_direction), derived from the ledger to prefill the call form.

The ledger is the record of calls, queues and talks that is derived from the telephone exchange.
"""

from peewee import Case, Node, fn

from appliance.models import Call, Talk

# Reasons of an outgoing call that is a callback.
CALLBACK_REASONS = ("callback", "follow_up")


def direction_from_ledger() -> Node:
    """Return the direction's code as an SQL expression over Call; it always has a value.

    The codes are "incoming", "outgoing", "callback" and "transferred": an incoming call in which an
    employee of the ministry talked.
    """
    talk = Talk.alias()
    to_employee = talk.select(talk.id).where(talk.call == Call.id, talk.party == "employee")
    is_outgoing = Call.direction == "outbound"
    return Case(
        None,
        [
            (is_outgoing & Call.reason.in_(CALLBACK_REASONS), "callback"),
            (is_outgoing, "outgoing"),
            (fn.EXISTS(to_employee), "transferred"),
        ],
        "incoming",
    )
