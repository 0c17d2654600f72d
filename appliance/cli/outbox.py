"""`appliance outbox`: what waits to leave the box."""

import getpass

import click

from appliance.cli.context import Site, as_json, pass_site, reads, show
from appliance.core import outbox as messages


@click.group()
def outbox() -> None:
    """What must leave the box."""


@outbox.command("list")
@click.option("--state", type=click.Choice(messages.STATES), help="Only these.")
@click.option("--limit", type=int, default=50, show_default=True)
@as_json
@pass_site
@reads("message.list")
def list_(site: Site, state: str | None, limit: int, as_json: bool) -> None:
    """Messages, newest first."""
    site.open()
    show(
        (
            {
                "id": m.id,
                "state": m.state,
                "channel": m.channel,
                "purpose": m.purpose,
                "recipient": m.recipient,
                "created": m.created_at.isoformat(timespec="seconds"),
                "attempts": m.attempts,
                "gateway": m.gateway or None,
                "trouble": m.trouble or None,
                "perhaps_twice": m.perhaps_twice,
            }
            for m in messages.listed(state, limit)
        ),
        as_json,
    )


@outbox.command()
@click.argument("ids", nargs=-1, type=int, required=True)
@pass_site
def retry(site: Site, ids: tuple[int, ...]) -> None:
    """Have messages tried again that were refused, expired or wait."""
    site.open()
    for id in ids:
        message = messages.message(id)
        if not message or not messages.try_again(message, by=getpass.getuser()):
            raise click.ClickException(f"no message {id} that could be tried again")
        click.echo(f"{id} will be tried again")
