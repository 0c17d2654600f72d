"""`appliance outbox`: messages waiting to leave the box."""

import getpass

import click

from appliance.cli.context import Site, as_json, audit_access, pass_site, print_rows
from appliance.core import outbox as messages


@click.group()
def outbox() -> None:
    """Messages waiting to leave the box."""


@outbox.command("list")
@click.option("--state", type=click.Choice(messages.STATES), help="Only messages in this state.")
@click.option("--limit", type=int, default=50, show_default=True)
@as_json
@pass_site
@audit_access("message.list")
def list_messages(site: Site, state: str | None, limit: int, as_json: bool) -> None:
    """List messages, newest first."""
    site.open_database()
    print_rows(
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
            for m in messages.list_messages(state, limit)
        ),
        as_json,
    )


@outbox.command()
@click.argument("ids", nargs=-1, type=int, required=True)
@pass_site
def retry(site: Site, ids: tuple[int, ...]) -> None:
    """Retry messages that were refused, have expired or are waiting."""
    site.open_database()
    for id in ids:
        message = messages.find_message(id)
        if not message or not messages.requeue_message(message, by=getpass.getuser()):
            raise click.ClickException(f"no message {id} that could be tried again")
        click.echo(f"{id} will be tried again")
