"""The forms of an operator: only their own ones can be opened."""

from flask import abort

from appliance.casework import appeals
from appliance.web.shell.context import me


def own_desk(token: str) -> appeals.DeskForm:
    """Return the desk of the operator's own form, also if just registered; 404 for any other."""
    return (
        appeals.desk_for_form(me(), token)
        or appeals.desk_for_registered_form(me(), token)
        or abort(404)
    )
