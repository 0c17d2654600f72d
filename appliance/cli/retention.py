"""`appliance retention`: masks after a restore, and what the files still hold of them."""

import getpass
from pathlib import Path

import click

from appliance.box import mask_journal
from appliance.box import retention as keeping
from appliance.cli.context import Site, pass_site


@click.group()
def retention() -> None:
    """What is removed, and that nothing of it stays."""


@retention.command("mask-again")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@pass_site
def mask_again(site: Site, file: Path) -> None:
    """Mask the records that FILE (masked.jsonl) names; a restore does it by itself."""
    settings = site.open()
    result = keeping.replay(settings, mask_journal.read(file), getpass.getuser())
    if result.count:
        keeping.scrub()
    line = f"{result.count} records masked again"
    if result.open_appeals:
        line += f"; open again, so not masked: {', '.join(result.open_appeals)}"
    click.echo(line)


@retention.command()
@pass_site
def scrub(site: Site) -> None:
    """Rewrite the database, so that its files hold nothing of what was masked or removed.

    Nobody can write while it runs: some ten seconds for each gigabyte.
    """
    settings = site.open()
    size = settings.paths.database.stat().st_size
    if not keeping.scrub(most=max(size * 2, 1)):
        raise click.ClickException(
            "the write-ahead log is in use: stop what reads it, or try again"
        )
    click.echo("done")
