"""The settings file on disk, compared with what the running processes use."""

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

from appliance.box import processes
from appliance.box.health.check import Check, local_time_text
from appliance.core import settings as site_settings
from appliance.core.i18n import N_
from appliance.core.settings import Settings

_TABLE_HEADER = re.compile(r"\s*\[\[?\s*([\w-]+)")  # of a TOML table: the first part of its name
_RESTART_ADVICE = N_(
    "Restart the processes to apply the change: `systemctl restart appliance-pbx appliance-web "
    "appliance-jobs`. Calls continue during the restart."
)


def check_settings_file(settings: Settings) -> Iterator[Check]:
    """Check that the settings file is readable, and every process started after its last change."""
    code, name, file = "settings", N_("Settings"), settings.file
    values = {"file": str(file)}
    try:
        site_settings.load_settings(file)
    except site_settings.SettingsError as error:
        yield Check(
            code,
            name,
            "fail",
            N_("cannot be read: {error}"),
            N_(
                "Correct {file}: processes of the appliance that stop will not start again with it."
            ),
            values | {"error": str(error)},
        )
        return
    changed_at = dt.datetime.fromtimestamp(file.stat().st_mtime, dt.UTC)
    heartbeats = [
        heartbeat
        for heartbeats in processes.running_processes(settings).values()
        for heartbeat in heartbeats
    ]
    outdated_processes = sorted(
        {heartbeat.name for heartbeat in heartbeats if heartbeat.since < changed_at}
    )
    if outdated_processes:
        values |= {
            "moment": local_time_text(changed_at, settings),
            "names": ", ".join(outdated_processes),
        }
        finding = N_("changed {moment}; {names} still use the previous ones")
        yield Check(code, name, "warn", finding, _RESTART_ADVICE, values)
    else:
        yield Check(code, name, "ok", N_("are in force"), values=values)


def settings_line(file: Path, key: str) -> int | None:
    """Return the line number of a key ("telegram.token") or a table ("links") in a settings file.

    If the key is missing, returns the line of its table; None if the table is missing as well, or
    the file cannot be read.
    """
    table, _, name = key.partition(".")
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return None
    current_table, table_line = "", None
    for number, line in enumerate(lines, 1):
        if header := _TABLE_HEADER.match(line):
            current_table = header[1]
            table_line = table_line or (number if current_table == table else None)
        elif current_table == (table if name else "") and re.match(
            rf"\s*{re.escape(name or table)}\s*=", line
        ):
            return number
    return table_line
