"""The recovery sheet: what is needed to restore when the box is gone, on one sheet of paper."""

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
from appliance.box.snapshots.creating import ROOM
from appliance.box.snapshots.errors import SnapshotError
from appliance.core import clock
from appliance.core.settings import Settings
from backups import paper_keys

LINE = 48  # letters of a key on one line
INSTALL_MINUTES = 20  # of a plain box, installation and playbook, without what is restored
BYTES_A_MINUTE = 1 << 30  # of a slow disk, as a USB 2 one


def page(settings: Settings, locale: str, bytes_total: int = 0) -> str:
    """The sheet as HTML, for reports.pdf.write. Raises SnapshotError when a key is missing.

    `bytes_total`: what the last snapshot would restore. The keys of the secrets and of the
    encrypted disk are printed while they are on the box; afterwards only older sheets have them.
    """
    words = _words()[locale]
    keys = [
        {"title": backup.name, "where": backup.url} | _key_block(_key(backup.password_file), words)
        for backup in settings.backups
    ]
    here = sealing.is_here(settings)
    disk = _key(file) if (file := sealing.disk_file(settings)).exists() else ""
    recovery = _secret_of(Path(settings.snapshots.recovery_file)) if here else ""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOM), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("sheet.html").render(
        words=words,
        language=words["language"],
        site=settings.web.url,
        made=clock.now().astimezone(settings.tz),
        release=release(),
        keys=keys,
        encrypted=settings.encrypted_disk or bool(disk),
        disk=_key_block(disk, words),
        recovery=_key_block(recovery, words),
        mounts=volumes.mounts(settings),
        answers=_answers(settings, words),
        minutes=INSTALL_MINUTES + ceil(bytes_total / BYTES_A_MINUTE),
        size=ceil(bytes_total / 1e9),
        contacts=settings.snapshots.contacts,
    )


def release() -> str:
    """The name of the release in force, as the stick that installed it."""
    folder = Path(sys.prefix)
    return folder.name if folder.parent.name == "releases" else version("appliance")


def _key_block(key: str, words: dict[str, Any]) -> dict[str, Any]:
    """A key in its printed form: groups with their check letters, lines, a QR code."""
    text = _text_to_type(key) if key else ""
    return {
        "groups": paper_keys.groups(key),
        "key": _lines(text),
        "code": _code(text, words) if text else "",
    }


def _text_to_type(key: str) -> str:
    """A key with the mark of one that is taken verbatim, where it would be read as groups."""
    kind = "recovery" if key.startswith("AGE-SECRET-KEY-") else "repository"
    with contextlib.suppress(paper_keys.PaperKeyError):
        if paper_keys.read_key(key, kind) == key:
            return key
    return f"{paper_keys.LITERAL}{key}"


def _answers(settings: Settings, words: dict[str, Any]) -> list[tuple[str, str]]:
    """What `setup` asks when site.ini is lost, and what to answer."""
    place, titles = settings.asterisk, words["answers"]
    carriers = [f"{t.name} {t.address}:{t.port}" for t in settings.trunks if t.address]
    inside = [n for n in settings.sign_in.inside if not n.startswith("127.") and ":" not in n]
    folders = volumes.folders(settings)
    second = Path(folders[0]).parent if folders else ""
    answer_texts = {
        "site_address": place.address,
        "site_name": settings.web.url.removeprefix("https://"),
        "site_hotline_number": settings.calls.hotline_number,
        "site_carriers": ", ".join(carriers),
        "site_operators": ", ".join(inside),
        "backup_places": str(second),
    }
    return [(titles[name], text) for name, text in answer_texts.items() if text]


@cache
def _words() -> dict[str, dict[str, Any]]:
    return tomllib.loads((ROOM / "sheet.toml").read_text("utf-8"))


def _key(file: Path) -> str:
    try:
        return file.read_text("utf-8").strip()
    except OSError as error:
        raise SnapshotError("key", f"{file}: run `appliance backup prepare`") from error


def _secret_of(file: Path) -> str:
    lines = _key(file).splitlines()
    return next((line for line in lines if line.startswith("AGE-SECRET-KEY-")), "")


def _lines(key: str) -> list[str]:
    """A key in as few lines as it needs, all of about one length: no orphan is overlooked."""
    length = ceil(len(key) / max(1, ceil(len(key) / LINE)))
    return [key[at : at + length] for at in range(0, len(key), length or 1)]


def _code(text: str, words: dict[str, Any]) -> str:
    """A QR code as an inline drawing."""
    code = segno.make(text, error="q", micro=False)
    return code.svg_inline(scale=3, border=2, title=words["code"], omitsize=False)
