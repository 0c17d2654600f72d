"""`appliance setup`: site.ini by question and answer, by the copy of the bundle on the box."""

import os
from pathlib import Path

import click

PROGRAM = Path("/opt/appliance/bundle/setup")


@click.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def setup(words: tuple[str, ...]) -> None:
    """Write site.ini by question and answer, or check it; as root."""
    if not PROGRAM.exists():
        raise click.ClickException(f"there is no {PROGRAM}: run ./run setup from the sources")
    os.execv("/bin/sh", ["sh", str(PROGRAM), *words])  # noqa: S606
