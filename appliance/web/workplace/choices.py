"""Type-ahead: options for a field, by text typed in either script."""

from flask import Blueprint, abort, jsonify, request
from werkzeug.wrappers import Response

from appliance.casework import catalogs
from appliance.web.shell.access import may
from appliance.web.shell.context import today
from appliance.web.shell.language import locale

screen = Blueprint("choices", __name__, url_prefix="/choices")


@screen.get("/<name>")
@may("desk.work", "form.read")  # and users who correct or test a form
def list_choices(name: str) -> Response:
    """Return the matching options of a list as JSON (catalogs.matching_options); 404 without it."""
    argument = request.args.get
    region, district = argument("region") or None, argument("district") or None
    try:
        options = catalogs.matching_options(
            name, argument("q", ""), locale(), today(), region, district
        )
    except LookupError:
        abort(404)
    return jsonify(options)
