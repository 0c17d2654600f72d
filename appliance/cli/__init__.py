"""The `appliance` command. Exit status: 0 done, 1 failed, 2 wrong use."""

import sys
from importlib import import_module
from pathlib import Path

import click

from appliance.cli.context import Site
from appliance.core import db, settings

# command → the module here that has it
COMMANDS = {
    "audit": "audit",
    "backup": "backup",
    "calendar": "calendar",
    "catalog": "catalog",
    "changes": "changes",
    "demo": "demo",
    "doctor": "doctor",
    "form": "form",
    "jobs": "processes",
    "ledger": "ledger",
    "migrate": "processes",
    "ministry": "ministry",
    "operator": "telephony",
    "outbox": "outbox",
    "phone": "phones",
    "pbx": "telephony",
    "prompts": "telephony",
    "registration": "registration",
    "render": "telephony",
    "replicate": "backup",
    "report": "report",
    "search": "search",
    "selftest": "selftest",
    "user": "users",
    "web": "processes",
}


class Commands(click.Group):
    """Imports a command's module when it is asked for: a command starts in half the time."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command's name, in order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, if there is one."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"appliance.cli.{COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="APPLIANCE_CONFIG",
    default="/etc/appliance/appliance.toml",
    show_default=True,
    help="The site's settings file.",
)
@click.pass_context
def appliance(context: click.Context, config: Path) -> None:
    """Run and look after the hotline."""
    try:
        site = settings.load(config)
    except settings.SettingsError as error:
        raise click.ClickException(str(error)) from error
    if site.paths.unfinished_restore.exists():
        from appliance.box import snapshots  # a second to load: only such a command waits for it

        snapshots.mend(site)
    context.obj = Site(site)
    context.call_on_close(_close)


def _close() -> None:
    if not db.database.is_closed():
        db.database.close()


def main() -> None:
    """The console script."""
    try:
        appliance(standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(1)
    except click.Abort:
        sys.exit(1)
