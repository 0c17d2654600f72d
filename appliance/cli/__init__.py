"""The `appliance` command. Exit status: 0 success, 1 failure, 2 wrong usage."""

import sys
from importlib import import_module
from pathlib import Path

import click

from appliance.cli.context import Site
from appliance.core import settings

# The module in this package that defines each command, and the command's short help.
COMMANDS = {
    "audit": ("audit", "The log of who did and viewed what."),
    "backup": ("backup", "Snapshots of the whole site, and restoring from them."),
    "calendar": ("calendar", "The ministry's working calendar."),
    "catalog": ("catalog", "Lists that the forms choose from, as CSV files."),
    "changes": ("changes", "The ministry's change requests."),
    "demo": ("demo", "A synthetic history; never on a site that serves citizens."),
    "doctor": ("doctor", "Check the site and recommend what to do."),
    "evidence": ("evidence", "Evidence packs for a complaint or a court."),
    "form": (
        "form",
        "The forms that operators fill in: 1, registration of appeals; 2, registration of calls.",
    ),
    "jobs": ("processes", "Run the scheduled jobs."),
    "knowledge": ("knowledge", "The knowledge base."),
    "ledger": ("ledger", "Calls, as recorded by Asterisk's event log."),
    "migrate": (
        "migrate",
        "Bring the database to the newest schema, after an online copy, and fill empty lists.",
    ),
    "ministry": (
        "ministry",
        "The ministry's system: signed files, and appeals registered before it was connected.",
    ),
    "operator": ("telephony", "Operators' states: ready, pause, back office or off."),
    "outbox": ("outbox", "Messages waiting to leave the box."),
    "pbx": (
        "telephony",
        "Import Asterisk's event log into the ledger, and set its queues to the operators' states.",
    ),
    "phone": ("phones", "Desk phones, which configure themselves."),
    "prompts": ("telephony", "Prompts played to callers."),
    "registration": ("registration", "Registered appeals (form №1) and calls (form №2)."),
    "release": ("release", "Events of releases on this box, for the audit."),
    "render": (
        "telephony",
        "Write Asterisk's configuration, after a test by a second Asterisk.",
    ),
    "replicate": (
        "backup",
        "Copy the database's changes and the event log to the second disk as they happen.",
    ),
    "report": ("report", "Reports, as files or to standard output."),
    "retention": ("retention", "Masking, and removal of its leftovers from the files."),
    "script": ("script", "Conversation scripts for operators."),
    "search": ("search", "The index of the search on all pages."),
    "selftest": ("selftest", "Self-tests of the site."),
    "setup": ("site_setup", "Write site.ini interactively, or check it; as root."),
    "trunk": ("telephony", "Lines to the carriers."),
    "user": ("users", "Accounts; disabled, never deleted."),
    "web": ("processes", "Serve the pages."),
}


class LazyCommandGroup(click.Group):
    """Imports the module of a command only when the command is called, not to list commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name, if any."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"appliance.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write every command with its short help."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, short_help) for name, (_module, short_help) in COMMANDS.items()]
            )


@click.group(cls=LazyCommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
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
        site = settings.load_settings(config)
    except settings.SettingsError as error:
        raise click.ClickException(str(error)) from error
    if site.paths.restore_journal_file.exists():
        # takes a second to import, so only an unfinished restore imports it
        from appliance.box.snapshots import swapping

        swapping.undo_unfinished_restore(site)
    context.obj = Site(site)


def main() -> None:
    """Run the command and set the exit status; the entry point of the console script."""
    try:
        appliance(standalone_mode=False)
    except click.exceptions.Exit as exit_request:
        sys.exit(exit_request.exit_code)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(1)
    except click.Abort:
        sys.exit(1)
