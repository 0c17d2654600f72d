"""`appliance changes`: the ministry's change requests."""

import click

from appliance.casework.changes.requests import (
    completion_times,
    list_change_requests,
    open_requests,
)
from appliance.cli.context import Site, as_json, pass_site, print_rows


@click.group()
def changes() -> None:
    """The ministry's change requests."""


@changes.command("list")
@click.option("--all", "every", is_flag=True, help="Include those that are done.")
@as_json
@pass_site
def list_changes(site: Site, every: bool, as_json: bool) -> None:
    """List the change requests that are not done yet, the most urgent first."""
    site.open_database()
    requests = list_change_requests() if every else open_requests()
    done_at = completion_times(requests)
    print_rows(
        (
            {
                "number": change.id,
                "kind": change.kind,
                "state": change.state,
                "asked": change.asked_at.isoformat(timespec="seconds"),
                "due": change.due_at.isoformat(timespec="seconds"),
                "done": done_at[change.id].isoformat(timespec="seconds")
                if change.id in done_at
                else None,
                "responsible": change.responsible or None,
                "what": change.what if as_json else change.what.splitlines()[0][:60],
            }
            for change in requests
        ),
        as_json,
    )
