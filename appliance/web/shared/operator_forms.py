"""The forms of an operator: only their own ones can be opened."""

from flask import abort

from appliance.casework.appeals import desk
from appliance.web.shell.context import me


def own_desk(token: str) -> desk.DeskForm:
    """Return the desk of the operator's own form, also if just registered; 404 for any other."""
    return (
        desk.desk_for_form(me(), token) or desk.desk_for_registered_form(me(), token) or abort(404)
    )
