"""The lines of the command line, as a piece of whatever page is open."""

from flask import Blueprint, render_template, request

from appliance.web.commands.finding import Asked, find, number_missed
from appliance.web.shell.access import anyone

screen = Blueprint("commands", __name__, url_prefix="/commands")


@screen.get("")
@anyone
def found() -> str:
    """What `q` finds on the page of the endpoint `at`; without `q` what can be done there."""
    asked = Asked(request.args.get("q", "").strip(), request.args.get("at", ""))
    kinds = find(asked)
    return render_template("commands/found.html", kinds=kinds, missed=number_missed(asked, kinds))
