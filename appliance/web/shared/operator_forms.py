"""Access to an operator's form, together with its call (a desk)."""

from flask import abort

from appliance.casework.appeals import desk
from appliance.web.shell.context import me


def own_desk(token: str) -> desk.OperatorDesk:
    """Return the signed-in operator's form with this token, together with its call (a desk).

    The form may be new, a draft or registered. Aborts with 404 if it is not their own form.
    """
    return (
        desk.desk_for_unregistered_form(me(), token)
        or desk.desk_for_registered_form(me(), token)
        or abort(404)
    )
