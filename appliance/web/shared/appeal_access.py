"""Appeals as the user may see them: functions that load them, and the user's rights to them.

A veiled appeal is a personal appeal whose content is hidden from a user who may not read it.
"""

from typing import TYPE_CHECKING

from flask import abort, session

from appliance.casework.appeals import queries
from appliance.people import rights
from appliance.web.shell.context import me

if TYPE_CHECKING:
    from appliance.models import Appeal

# Key, in the user's session, of the numbers of the appeals that an operator looked up.
LOOKED_UP_SESSION_KEY = "looked_up"
MAX_LOOKED_UP_APPEALS = 20  # newest ones; only these can be opened by the operator


def readable_appeal(number: str) -> "Appeal":
    """Return the appeal with this number.

    Aborts with 404 if the user may not see it, and with 403 if it is veiled for them.
    """
    appeal = visible_appeal(number)
    if appeal.veiled:
        abort(403)
    return appeal


def visible_appeal(number: str) -> "Appeal":
    """Return the appeal with this number as the user sees it, possibly veiled.

    Aborts with 404 if the user may not see it. Operators may also see appeals that they looked up.
    """
    return queries.find_appeal(number, me(), session.get(LOOKED_UP_SESSION_KEY, ())) or abort(404)


def remember_looked_up(numbers: list[str]) -> None:
    """Store in the session that the operator looked up these appeals and may open them.

    `numbers` are the appeals' numbers. Of earlier ones, only the newest stay, so that there are at
    most MAX_LOOKED_UP_APPEALS.
    """
    previous = list(session.get(LOOKED_UP_SESSION_KEY, ()))
    updated = [*numbers, *(number for number in previous if number not in numbers)][
        :MAX_LOOKED_UP_APPEALS
    ]
    if updated != previous:
        session[LOOKED_UP_SESSION_KEY] = updated


def can_correct(appeal: "Appeal") -> bool:
    """Return True if the user may correct the appeal's form.

    The operator who registered it may, and users with the right to correct all appeals.
    """
    return rights.has_full_scope(me(), "appeal.correct") or appeal.operator_id == me().id


def can_write_message(appeal: "Appeal") -> bool:
    """Return True if the user may write an SMS about the appeal.

    The operator who registered it may, and users with the right to write about all appeals.
    """
    return rights.has_full_scope(me(), "sms.write") or appeal.operator_id == me().id


def can_record_contact(appeal: "Appeal") -> bool:
    """Return True if the user may record in the appeal that a specialist was contacted.

    Users with the right to consult about their department's appeals may, and those who may correct
    the appeal.
    """
    return rights.scope_of(me(), "appeal.consult") == rights.DEPARTMENT_RECORDS or can_correct(
        appeal
    )
