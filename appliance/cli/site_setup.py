"""`appliance setup`: runs the set-up program of the bundle on the box, which writes site.ini."""

import os
from pathlib import Path

import click

SETUP_PROGRAM = Path("/opt/appliance/bundle/setup")


@click.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def setup(words: tuple[str, ...]) -> None:
    """Write site.ini interactively, or check it; as root."""
    if not SETUP_PROGRAM.exists():
        raise click.ClickException(f"there is no {SETUP_PROGRAM}: run ./run setup from the sources")
    os.execv("/bin/sh", ["sh", str(SETUP_PROGRAM), *words])  # noqa: S606
