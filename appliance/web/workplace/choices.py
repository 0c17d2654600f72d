"""Type-ahead: the options of a field that match a typed text, in Latin or Cyrillic letters."""

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
    """Return the options of a list that match the text `q`, as JSON (catalogs.matching_options).

    `name` is the list's code, or "region", "district" or "mahalla"; the parameters `region` and
    `district` are the codes of the places in which districts and mahallas are looked for. Aborts
    with 404 if there is no such list.
    """
    argument = request.args.get
    region, district = argument("region") or None, argument("district") or None
    try:
        options = catalogs.matching_options(
            name, argument("q", ""), locale(), today(), region, district
        )
    except LookupError:
        abort(404)
    return jsonify(options)
