"""The settings as they lie on the disk, against what the processes work with."""

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

from appliance.box import processes
from appliance.box.health.check import Check, moment_text
from appliance.core import settings as site_settings
from appliance.core.i18n import N_
from appliance.core.settings import Settings

_HEAD = re.compile(r"\s*\[\[?\s*([\w-]+)")  # of a table in TOML, the first of its names
_RESTART = N_(
    "Start the processes again for it to be in force: `systemctl restart appliance-pbx "
    "appliance-web appliance-jobs`. Calls go on meanwhile."
)


def settings_file(settings: Settings) -> Iterator[Check]:
    """The file can be read, and every process began after its last change."""
    code, name, file = "settings", N_("Settings"), settings.file
    values = {"file": str(file)}
    try:
        site_settings.load(file)
    except site_settings.SettingsError as error:
        yield Check(
            code,
            name,
            "fail",
            N_("cannot be read: {error}"),
            N_("Mend {file}: no process of ours that ends will start again with it."),
            values | {"error": str(error)},
        )
        return
    changed = dt.datetime.fromtimestamp(file.stat().st_mtime, dt.UTC)
    signs = [sign for signs in processes.living(settings).values() for sign in signs]
    old = sorted({sign.name for sign in signs if sign.since < changed})
    if old:
        values |= {"moment": moment_text(changed, settings), "names": ", ".join(old)}
        seen = N_("changed {moment}; {names} work with the former ones")
        yield Check(code, name, "warn", seen, _RESTART, values)
    else:
        yield Check(code, name, "ok", N_("are in force"), values=values)


def line_of(file: Path, key: str) -> int | None:
    """The line of a settings file on which a key ("telegram.token") or a table ("links") stands.

    The line of its table for a key that is not there; None when that is not there either, or the
    file cannot be read.
    """
    table, _, name = key.partition(".")
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return None
    here, found = "", None
    for number, line in enumerate(lines, 1):
        if head := _HEAD.match(line):
            here = head[1]
            found = found or (number if here == table else None)
        elif here == (table if name else "") and re.match(
            rf"\s*{re.escape(name or table)}\s*=", line
        ):
            return number
    return found
