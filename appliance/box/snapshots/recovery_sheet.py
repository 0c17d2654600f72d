"""The recovery sheet: one sheet of paper with what is needed to restore without the box."""

import contextlib
import sys
import tomllib
from functools import cache
from importlib.metadata import version
from math import ceil
from pathlib import Path
from typing import Any

import jinja2
import segno

from appliance.box.snapshots import sealing, volumes
from appliance.box.snapshots.creating import BACKUPS_PACKAGE_FOLDER
from appliance.box.snapshots.errors import SnapshotError
from appliance.core import clock
from appliance.core.settings import Settings
from backups import paper_keys

LETTERS_PER_LINE = 48  # of a key
INSTALL_MINUTES = 20  # for a new box, installation and playbook, without the restored data
RESTORE_BYTES_PER_MINUTE = 1 << 30  # of a slow disk, such as a USB 2 disk


def render_sheet(settings: Settings, locale: str, bytes_total: int = 0) -> str:
    """Render the sheet as HTML for reports.pdf.write. Raises SnapshotError if a key is missing.

    `bytes_total`: what the last snapshot would restore. The keys of the secrets and of the
    encrypted disk are printed while they are on the box; afterwards only older sheets have them.
    """
    wording = _sheet_wording()[locale]
    keys = [
        {"title": backup.name, "where": backup.url}
        | _key_block(_read_key_file(backup.password_file), wording)
        for backup in settings.backups
    ]
    has_key = sealing.has_recovery_key(settings)
    disk_key = _read_key_file(file) if (file := sealing.disk_key_file(settings)).exists() else ""
    recovery_key = _read_secret_key(Path(settings.snapshots.recovery_file)) if has_key else ""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(BACKUPS_PACKAGE_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("sheet.html").render(
        words=wording,
        language=wording["language"],
        site=settings.web.url,
        made=clock.now().astimezone(settings.tz),
        release=release_name(),
        keys=keys,
        encrypted=settings.encrypted_disk or bool(disk_key),
        disk=_key_block(disk_key, wording),
        recovery=_key_block(recovery_key, wording),
        mounts=volumes.copy_mounts(settings),
        answers=_setup_answers(settings, wording),
        minutes=INSTALL_MINUTES + ceil(bytes_total / RESTORE_BYTES_PER_MINUTE),
        size=ceil(bytes_total / 1e9),
        contacts=settings.snapshots.contacts,
    )


def release_name() -> str:
    """Return the name of the active release, as on the stick that installed it."""
    folder = Path(sys.prefix)
    return folder.name if folder.parent.name == "releases" else version("appliance")


def _key_block(key: str, wording: dict[str, Any]) -> dict[str, Any]:
    """Return a key in its printed form: groups with their check letters, lines, a QR code."""
    text = _key_text_for_typing(key) if key else ""
    return {
        "groups": paper_keys.groups(key),
        "key": _split_key_lines(text),
        "code": _qr_code(text, wording) if text else "",
    }


def _key_text_for_typing(key: str) -> str:
    """Return the text to type for a key, marked as literal if it could be read as groups."""
    kind = "recovery" if key.startswith("AGE-SECRET-KEY-") else "repository"
    with contextlib.suppress(paper_keys.PaperKeyError):
        if paper_keys.read_key(key, kind) == key:
            return key
    return f"{paper_keys.LITERAL}{key}"


def _setup_answers(settings: Settings, wording: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what `setup` asks if site.ini is lost, with the answers."""
    asterisk, titles = settings.asterisk, wording["answers"]
    carriers = [
        f"{trunk.name} {trunk.address}:{trunk.port}" for trunk in settings.trunks if trunk.address
    ]
    inside_networks = [
        network
        for network in settings.sign_in.inside
        if not network.startswith("127.") and ":" not in network
    ]
    folders = volumes.copy_folders(settings)
    second_disk = Path(folders[0]).parent if folders else ""
    answer_texts = {
        "site_address": asterisk.address,
        "site_name": settings.web.url.removeprefix("https://"),
        "site_hotline_number": settings.calls.hotline_number,
        "site_carriers": ", ".join(carriers),
        "site_operators": ", ".join(inside_networks),
        "backup_places": str(second_disk),
    }
    return [(titles[name], text) for name, text in answer_texts.items() if text]


@cache
def _sheet_wording() -> dict[str, dict[str, Any]]:
    """Return the texts of the sheet, by language."""
    return tomllib.loads((BACKUPS_PACKAGE_FOLDER / "sheet.toml").read_text("utf-8"))


def _read_key_file(file: Path) -> str:
    """Read a key file. Raises SnapshotError if it cannot be read."""
    try:
        return file.read_text("utf-8").strip()
    except OSError as error:
        raise SnapshotError("key", f"{file}: run `appliance backup prepare`") from error


def _read_secret_key(file: Path) -> str:
    """Return the secret key in a file of age-keygen; "" if there is no key line."""
    lines = _read_key_file(file).splitlines()
    return next((line for line in lines if line.startswith("AGE-SECRET-KEY-")), "")


def _split_key_lines(key: str) -> list[str]:
    """Split a key into few lines of about equal length, so that no short rest is overlooked."""
    length = ceil(len(key) / max(1, ceil(len(key) / LETTERS_PER_LINE)))
    return [key[start : start + length] for start in range(0, len(key), length or 1)]


def _qr_code(text: str, wording: dict[str, Any]) -> str:
    """Return a QR code as an inline SVG drawing."""
    code = segno.make(text, error="q", micro=False)
    return code.svg_inline(scale=3, border=2, title=wording["code"], omitsize=False)
