"""`appliance evidence`: evidence packs about a call or an appeal, for a complaint or a court."""

import os
import shutil
import sys
import time
from pathlib import Path

import click

from appliance.casework.appeals import queries
from appliance.cli.context import Site, as_json, audit_access, pass_site, print_rows
from appliance.core.settings import Settings
from appliance.models import Appeal, EvidencePack
from appliance.reports import evidence as packs
from appliance.telephony import calls

_MAX_WAIT_SECONDS = 120.0  # how long to wait until `appliance jobs` has made a pack
_POLL_SECONDS = 0.5


@click.group()
def evidence() -> None:
    """Evidence packs for a complaint or a court."""


@evidence.command()
@click.argument("about", metavar="CALL")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option(
    "--reason", default="", help="What the pack is for; its hash is recorded in the audit."
)
@pass_site
@audit_access("evidence.export")
def make(site: Site, about: str, out: Path, reason: str) -> None:
    """Make a pack about a call, by its id, or an appeal, by its number.

    If this account cannot read the key, `appliance jobs` makes the pack.
    """
    settings = site.open_database()
    appeal = Appeal.get_or_none(Appeal.number == about) if queries.is_appeal_number(about) else None
    call_id = appeal.call_id or "" if appeal else about
    if not appeal and not calls.find_call(about):
        raise click.ClickException(f"there is no call or appeal {about}")
    if not settings.audit.key or not settings.audit.public_key:
        raise click.ClickException("audit.key and audit.public_key are not set: nothing can sign")
    reason = reason or f"command line: {os.environ.get('SUDO_USER', 'root')}"
    pack = packs.queue_pack(call_id, appeal.number if appeal else "", "cli", reason)
    try:
        finished_pack = _make_pack(settings, pack)
    except (ValueError, OSError, RuntimeError) as error:
        raise click.ClickException(str(error)) from error
    file = packs.pack_file(settings, finished_pack)
    if not file:
        raise click.ClickException(finished_pack.error or "the pack was not made")
    shutil.copyfile(file, out)
    click.echo(f"{out}: {finished_pack.size} bytes, SHA-256 {finished_pack.sha256}")


@evidence.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_json
@pass_site
def verify(site: Site, file: Path, as_json: bool) -> None:
    """Compare every file of a pack with its signed manifest; needs no database."""
    try:
        result = packs.verify_pack(file, site.settings.audit.public_key)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    row = {
        "state": "holds" if result.is_valid else "broken",
        "files": result.files,
        "signed": result.is_signed,
        "ours": result.is_signed_by_site,
        "changed": ", ".join(result.changed),
        "missing": ", ".join(result.missing),
        "added": ", ".join(result.added),
        "strange": ", ".join(result.faults),
    }
    if as_json:
        print_rows([row], as_json)
    else:
        for name, value in row.items():
            click.echo(f"{name:<8} {value}")
    if not result.is_valid:
        sys.exit(1)


def _make_pack(settings: Settings, pack: EvidencePack) -> EvidencePack:
    if os.access(settings.audit.key, os.R_OK):
        return packs.make_pack(settings, pack)
    deadline = time.monotonic() + _MAX_WAIT_SECONDS
    while pack.state == "asked":
        if time.monotonic() > deadline:
            raise RuntimeError("`appliance jobs` has not made it: does it run?")
        time.sleep(_POLL_SECONDS)
        pack = EvidencePack.get_by_id(pack.id)
    return pack
