"""A restored database brought up to date: the newest schema, the calls since the snapshot, and
numbers that nobody outside has seen."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from appliance.box import mask_journal
from appliance.box.snapshots import contents, continuous, numbers, pending_messages, toml
from appliance.box.snapshots.contents import Tell
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.requests import LAYOUT, Restored, Wish
from appliance.core import db_files
from appliance.core.settings import Settings

_RECORD = re.compile(rb'^"(\d{9,10}\.\d{6})","[A-Z_]+","', re.MULTILINE)
_OVERLAP = 3600.0  # seconds before the newest record that the database has


def bring_up_to_date(
    settings: Settings, wish: Wish, place: Path, restored: Restored, tell: Tell
) -> None:
    """The newest schema, and the calls of every event log there is, by our own commands; then
    the numbers that were given out since are left out."""
    tell("bringing the database up to date", None)
    config = _write_settings(settings, wish, place)
    database = place / LAYOUT["database"]
    end = numbers.mark(database)
    call(config, "migrate")
    for copy in database.parent.glob(f"{database.name}.before-*"):
        copy.unlink()
    restored.held = pending_messages.hold(database, settings.paths.database)
    newest = db_files.highest(database, "event_row", "at")
    since = newest / 1e6 - _OVERLAP if newest else 0.0
    logs = [*sorted((place / "events").glob("*")), *continuous.events(settings)]
    logs += contents.event_logs(settings)
    tail = place / "newer-events.csv"
    for log in logs:
        if _cut(log, since, tail):
            told = call(config, "ledger", "ingest", tail)
            restored.new_records += int(told.rpartition(": ")[2].split()[0])
            tail.unlink()
    restored.masked = _mask_again(settings, config, place)
    goes_on = wish.while_running or wish.target is not None
    restored.numbers = numbers.leave_out(settings, database, end, goes_on=goes_on)
    db_files.fold_in(database)


def _mask_again(settings: Settings, config: Path, place: Path) -> str:
    """Mask again who was masked since; what was done, in words."""
    if not (masks := mask_journal.collect(settings)):
        return ""
    journal = place / mask_journal.FILE
    mask_journal.write(journal, masks)
    output = call(config, "retention", "mask-again", journal)
    journal.unlink()
    return output.strip()


def call(config: Path, *words: str | Path) -> str:
    """Run one of our own commands on another site's settings; returns what it printed."""
    program = Path(sys.executable).with_name("appliance")
    command = ["nice", "-n", "10", str(program), "--config", str(config), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "failed").splitlines()[-1]
        raise SnapshotError("failed", f"appliance {words[0]}: {said.removeprefix('Error: ')}")
    return done.stdout


def _write_settings(settings: Settings, wish: Wish, place: Path) -> Path:
    """Settings for what was restored; with their secrets where they could be opened."""
    made = toml.read(settings.file)
    if wish.target and (place / "settings").exists():
        made = _richest(place)
    made["paths"] = dict(LAYOUT)
    config = place / contents.SETTINGS
    config.touch(mode=0o600)
    toml.write(config, made)
    return config


def _richest(place: Path) -> dict[str, Any]:
    found = sorted((place / "secrets").rglob("*.toml"))
    for file in [*found, place / "settings" / contents.SETTINGS]:
        made = toml.read(file)
        if "paths" in made and "web" in made:
            return made
    raise SnapshotError("damaged", "the snapshot holds no settings")


def _cut(log: Path, since: float, tail: Path) -> bool:
    """Write a log's whole records from a moment on into a file; whether there are any."""
    try:
        text = log.read_bytes()
    except FileNotFoundError:  # rotated away just now
        return False
    begin = next((f.start() for f in _RECORD.finditer(text) if float(f[1]) >= since), None)
    if begin is None:
        return False
    tail.write_bytes(text[begin : text.rfind(b"\n") + 1])
    return tail.stat().st_size > 0
