"""Appeals as the user may see them: loaders that check the right, and what they may do there."""

from typing import TYPE_CHECKING

from flask import abort, session

from appliance.casework.appeals import queries
from appliance.people import rights
from appliance.web.shell.context import me

if TYPE_CHECKING:
    from appliance.models import Appeal

# session key of the numbers of appeals that an operator looked up
LOOKED_UP_SESSION_KEY = "looked_up"
MAX_LOOKED_UP_APPEALS = 20  # cards of looked-up appeals that stay open to the operator


def readable_appeal(number: str) -> "Appeal":
    """Return the appeal of this number; 404 if the user may not see it, 403 if it is veiled."""
    appeal = visible_appeal(number)
    if appeal.veiled:
        abort(403)
    return appeal


def visible_appeal(number: str) -> "Appeal":
    """Return the appeal of this number as the user sees it, possibly veiled; else 404."""
    return queries.find_appeal(number, me(), session.get(LOOKED_UP_SESSION_KEY, ())) or abort(404)


def remember_looked_up(numbers: list[str]) -> None:
    """Add appeals to the session, so that the operator on the call may open their cards."""
    previous = list(session.get(LOOKED_UP_SESSION_KEY, ()))
    updated = [*numbers, *(number for number in previous if number not in numbers)][
        :MAX_LOOKED_UP_APPEALS
    ]
    if updated != previous:
        session[LOOKED_UP_SESSION_KEY] = updated


def can_correct(appeal: "Appeal") -> bool:
    """Return True if the user may correct the appeal's form: its operator, or any supervisor."""
    return rights.has_full_scope(me(), "appeal.correct") or appeal.operator_id == me().id


def can_write_message(appeal: "Appeal") -> bool:
    """Return True if the user may write an SMS about the appeal: its operator, or any lead."""
    return rights.has_full_scope(me(), "sms.write") or appeal.operator_id == me().id


def can_record_contact(appeal: "Appeal") -> bool:
    """Return True if the user may record which specialist was contacted."""
    return rights.scope_of(me(), "appeal.consult") == rights.DEPARTMENT_RECORDS or can_correct(
        appeal
    )
