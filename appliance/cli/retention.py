"""`appliance retention`: masking after a restore, and removal of leftovers from the files."""

import getpass
from pathlib import Path

import click

from appliance.box import mask_journal
from appliance.box import retention as keeping
from appliance.cli.context import Site, pass_site


@click.group()
def retention() -> None:
    """Masking, and removal of its leftovers from the files."""


@retention.command("mask-again")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@pass_site
def mask_again(site: Site, file: Path) -> None:
    """Mask the records that FILE (masked.jsonl) lists; a restore does this automatically."""
    settings = site.open_database()
    result = keeping.replay_masks(settings, mask_journal.read_journal(file), getpass.getuser())
    if result.count:
        keeping.scrub_database()
    line = f"{result.count} records masked again"
    if result.open_appeals:
        line += f"; open again, so not masked: {', '.join(result.open_appeals)}"
    click.echo(line)


@retention.command()
@pass_site
def scrub(site: Site) -> None:
    """Rewrite the database, so that its files contain no remains of masked or removed data.

    Nothing can be written while it runs: about ten seconds for each gigabyte.
    """
    settings = site.open_database()
    size = settings.paths.database.stat().st_size
    if not keeping.scrub_database(max_bytes=max(size * 2, 1)):
        raise click.ClickException(
            "the write-ahead log is in use: stop what reads it, or try again"
        )
    click.echo("done")
