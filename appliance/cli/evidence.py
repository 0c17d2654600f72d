"""`appliance evidence`: packs for a complaint or a court."""

import os
import shutil
import sys
import time
from pathlib import Path

import click

from appliance.casework import appeals
from appliance.cli.context import Site, as_json, pass_site, reads, show
from appliance.core.settings import Settings
from appliance.models import Appeal, EvidencePack
from appliance.reports import evidence as packs
from appliance.telephony import calls

_PATIENCE = 120.0  # seconds for `appliance jobs` to make one
_LOOK = 0.5


@click.group()
def evidence() -> None:
    """Evidence packs for a complaint or a court."""


@evidence.command()
@click.argument("about", metavar="CALL")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("--reason", default="", help="What the pack is for; its hash stands in the audit.")
@pass_site
@reads("evidence.export")
def make(site: Site, about: str, out: Path, reason: str) -> None:
    """Make a pack about a call's id or an appeal's number.

    Where this account cannot read the key, `appliance jobs` makes it.
    """
    settings = site.open()
    appeal = Appeal.get_or_none(Appeal.number == about) if appeals.is_number(about) else None
    call_id = appeal.call_id or "" if appeal else about
    if not appeal and not calls.call(about):
        raise click.ClickException(f"there is no call or appeal {about}")
    if not settings.audit.key or not settings.audit.public_key:
        raise click.ClickException("audit.key and audit.public_key are not set: nothing can sign")
    reason = reason or f"command line: {os.environ.get('SUDO_USER', 'root')}"
    pack = packs.put(call_id, appeal.number if appeal else "", "cli", reason)
    try:
        made = _made(settings, pack)
    except (ValueError, OSError, RuntimeError) as error:
        raise click.ClickException(str(error)) from error
    file = packs.content(settings, made)
    if not file:
        raise click.ClickException(made.error or "the pack was not made")
    shutil.copyfile(file, out)
    click.echo(f"{out}: {made.size} bytes, SHA-256 {made.sha256}")


@evidence.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_json
@pass_site
def verify(site: Site, file: Path, as_json: bool) -> None:
    """Compare every file of a pack with its signed manifest; needs no database."""
    try:
        found = packs.verify(file, site.settings.audit.public_key)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    row = {
        "state": "holds" if found.holds else "broken",
        "files": found.files,
        "signed": found.signed,
        "ours": found.ours,
        "changed": ", ".join(found.changed),
        "missing": ", ".join(found.missing),
        "added": ", ".join(found.added),
        "strange": ", ".join(found.strange),
    }
    if as_json:
        show([row], as_json)
    else:
        for name, value in row.items():
            click.echo(f"{name:<8} {value}")
    if not found.holds:
        sys.exit(1)


def _made(settings: Settings, pack: EvidencePack) -> EvidencePack:
    if os.access(settings.audit.key, os.R_OK):
        return packs.make(settings, pack)
    end = time.monotonic() + _PATIENCE
    while pack.state == "asked":
        if time.monotonic() > end:
            raise RuntimeError("`appliance jobs` has not made it: does it run?")
        time.sleep(_LOOK)
        pack = EvidencePack.get_by_id(pack.id)
    return pack
