"""The recovery sheet: what is needed to restore when the box is gone, on one sheet of paper."""

import tomllib
from functools import cache
from math import ceil
from pathlib import Path
from typing import Any

import jinja2
import segno

from appliance.box.snapshots import sealing
from appliance.box.snapshots.creating import ROOM
from appliance.box.snapshots.errors import SnapshotError
from appliance.core import clock
from appliance.core.settings import Settings

LINE = 48  # letters of a key on one line


def page(settings: Settings, locale: str) -> str:
    """The sheet as HTML, for reports.pdf.write. Raises SnapshotError when a key is missing.

    The keys of the secrets and of the encrypted disk stand on it while they are on the box;
    afterwards only on those of before.
    """
    words = _words()[locale]
    keys = [
        {"title": backup.name, "where": backup.url, "key": _key(backup.password_file)}
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
        keys=[one | {"code": _code(one["key"], words), "key": _lines(one["key"])} for one in keys],
        encrypted=settings.encrypted_disk or bool(disk),
        disk=_lines(disk),
        disk_code=_code(disk, words) if disk else "",
        recovery=_lines(recovery),
        recovery_code=_code(recovery, words) if here else "",
    )


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
