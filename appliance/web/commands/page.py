"""The results of the command line, as a fragment of any open page."""

from flask import Blueprint, render_template, request

from appliance.web.commands.command_search import CommandQuery, find_commands, unmatched_number
from appliance.web.shell.access import anyone

screen = Blueprint("commands", __name__, url_prefix="/commands")


@screen.get("")
@anyone
def show_commands() -> str:
    """Show the results for the text `q`, typed on the page with the endpoint `at`."""
    query = CommandQuery(request.args.get("q", "").strip(), request.args.get("at", ""))
    groups = find_commands(query)
    return render_template(
        "commands/found.html", kinds=groups, missed=unmatched_number(query, groups)
    )
