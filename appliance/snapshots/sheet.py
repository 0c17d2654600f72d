"""The recovery sheet: what is needed to restore when the box is gone, on one sheet of paper."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import segno

from appliance import clock
from appliance.settings import Settings
from appliance.snapshots.creating import ROOM
from appliance.snapshots.errors import SnapshotError


def page(settings: Settings, locale: str) -> str:
    """The sheet as HTML, for reports.pdf.write. Raises SnapshotError when a key is missing."""
    words = _words()[locale]
    keys = [
        {"title": backup.name, "where": backup.url, "key": _key(backup.password_file)}
        for backup in settings.backups
    ]
    recovery = _secret_of(Path(settings.snapshots.recovery_file))
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOM), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("sheet.html").render(
        words=words,
        language=words["language"],
        site=settings.web.url,
        made=clock.now().astimezone(settings.tz),
        keys=[one | {"code": _code(one["key"], words)} for one in keys],
        recovery=recovery,
        recovery_code=_code(recovery, words),
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


def _code(text: str, words: dict[str, Any]) -> str:
    """A QR code as an inline drawing."""
    code = segno.make(text, error="q", micro=False)
    return code.svg_inline(scale=3, border=2, title=words["code"], omitsize=False)
