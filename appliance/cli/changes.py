"""`appliance changes`: the ministry's change requests."""

import click

from appliance.casework import changes as register
from appliance.cli.context import Site, as_json, pass_site, show


@click.group()
def changes() -> None:
    """The ministry's change requests."""


@changes.command("list")
@click.option("--all", "every", is_flag=True, help="Those that are done as well.")
@as_json
@pass_site
def list_(site: Site, every: bool, as_json: bool) -> None:
    """Change requests that are not done yet, the most urgent first."""
    site.open()
    found = register.listed() if every else register.opened()
    done = register.finished(found)
    show(
        (
            {
                "number": one.id,
                "kind": one.kind,
                "state": one.state,
                "asked": one.asked_at.isoformat(timespec="seconds"),
                "due": one.due_at.isoformat(timespec="seconds"),
                "done": done[one.id].isoformat(timespec="seconds") if one.id in done else None,
                "responsible": one.responsible or None,
                "what": one.what if as_json else one.what.splitlines()[0][:60],
            }
            for one in found
        ),
        as_json,
    )
