"""The `appliance` command. Exit status: 0 done, 1 failed, 2 wrong use."""

import sys
from pathlib import Path

import click

from appliance import db, settings
from appliance.cli import (
    catalog,
    demo,
    doctor,
    ledger,
    ministry,
    outbox,
    processes,
    report,
    selftest,
    telephony,
    users,
)
from appliance.cli.context import Site


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
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
    context.obj = Site(site)
    context.call_on_close(_close)


def _close() -> None:
    if not db.database.is_closed():
        db.database.close()


for command in (
    *processes.COMMANDS,
    *telephony.COMMANDS,
    users.user,
    catalog.catalog,
    ledger.ledger,
    outbox.outbox,
    selftest.selftest,
    ministry.ministry,
    report.report,
    doctor.doctor,
    demo.demo,
):
    appliance.add_command(command)


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
