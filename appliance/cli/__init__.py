"""The `appliance` command. Exit status: 0 done, 1 failed, 2 wrong use."""

import sys
from importlib import import_module
from pathlib import Path

import click

from appliance.cli.context import Site
from appliance.core import settings

# command → the module here that has it, and what it says of itself
COMMANDS = {
    "audit": ("audit", "Who did and saw what."),
    "backup": ("backup", "Snapshots of the whole site, and restoring from them."),
    "calendar": ("calendar", "The ministry's working calendar."),
    "catalog": ("catalog", "Lists that the forms choose from, as CSV files."),
    "changes": ("changes", "The ministry's change requests."),
    "demo": ("demo", "A synthetic history; never on a site that serves citizens."),
    "doctor": ("doctor", "Look at the site and say what to do."),
    "evidence": ("evidence", "Evidence packs for a complaint or a court."),
    "form": (
        "form",
        "The forms that operators fill in: 1, registration of appeals; 2, registration of calls.",
    ),
    "jobs": ("processes", "Do the scheduled work."),
    "knowledge": ("knowledge", "The knowledge base."),
    "ledger": ("ledger", "Calls as Asterisk's event log tells them."),
    "migrate": (
        "migrate",
        "Bring the database to the newest schema, after an online copy, and fill empty lists.",
    ),
    "ministry": (
        "ministry",
        "The ministry's system: signed files, and appeals of the time before it was connected.",
    ),
    "operator": ("telephony", "Operators' states: ready, pause, back office or off."),
    "outbox": ("outbox", "What must leave the box."),
    "pbx": (
        "telephony",
        "Follow Asterisk's event log into the ledger, and keep its queues as operators chose.",
    ),
    "phone": ("phones", "Phones on desks, which set themselves up."),
    "prompts": ("telephony", "What callers hear."),
    "registration": ("registration", "Registered appeals (form №1) and calls (form №2)."),
    "release": ("release", "What became of releases on this box, for the audit."),
    "render": (
        "telephony",
        "Write Asterisk's configuration, tried out by a second Asterisk first.",
    ),
    "replicate": (
        "backup",
        "Copy the database's changes and the event log to the second disk as they happen.",
    ),
    "report": ("report", "Reports, as files or to standard output."),
    "retention": ("retention", "What is removed, and that nothing of it stays."),
    "script": ("script", "Conversation scripts: what operators say."),
    "search": ("search", "What the search of all pages finds."),
    "selftest": ("selftest", "Tests of the site by itself."),
    "setup": ("site_setup", "Write site.ini by question and answer, or check it; as root."),
    "trunk": ("telephony", "Lines to the carriers."),
    "user": ("users", "Accounts; disabled, never deleted."),
    "web": ("processes", "Serve the pages."),
}


class Commands(click.Group):
    """Imports a command's module when it is asked for, and none to list what there is."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command's name, in order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, if there is one."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"appliance.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Every command with what it does."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, told) for name, (_module, told) in COMMANDS.items()])


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
