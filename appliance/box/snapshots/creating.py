"""Making a snapshot: staged, saved, read back, and only then the old ones removed."""

import contextlib
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import backups
from appliance.box.snapshots import contents, log, reading, sealing, toml
from appliance.box.snapshots.contents import Manifest, Tell, nothing
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.inventory import KEEP_AT_LEAST
from appliance.box.snapshots.reading import Snapshot
from appliance.box.snapshots.restic import PARTLY, TAG, Restic
from appliance.core.settings import Settings

ROOM = Path(backups.__file__).parent
_TRIES = 3  # while files come and go under it


@dataclass(frozen=True)
class Made:
    """A snapshot, just made and verified."""

    snapshot: Snapshot
    manifest: Manifest
    bytes_added: int
    bytes_total: int
    files_new: int


def prepare(settings: Settings) -> list[str]:
    """Make the keys and the repositories that are missing; returns what was made, in words."""
    contents.names(settings)
    with contents.alone(settings, wait=60):
        made = [f"key {file}" for file in sealing.make_keys(settings)]
        for backup in settings.backups:
            restic = reading.repository(settings, backup.name)
            try:
                restic.ask("cat", "config")
            except SnapshotError as error:
                if error.code != "absent":
                    raise
                restic.run("init")
                made.append(f"repository {backup.url}")
    return made


def create(
    settings: Settings, name: str | None = None, by: str = "", tell: Tell = nothing
) -> list[Made]:
    """Make a snapshot in one repository or in all of them; each is verified.

    Raises SnapshotError when one failed; the others are made nevertheless.
    """
    chosen = [name] if name else contents.names(settings)
    made, troubles = [], []
    with contents.alone(settings):
        runs = {one: log.begin("create", one, by) for one in chosen[:1]}
        try:
            restics = [reading.repository(settings, one) for one in chosen]
            with contents.staged(settings, tell) as stage:
                for one, restic in zip(chosen, restics, strict=True):
                    run = runs.get(one) or log.begin("create", one, by)
                    try:
                        done = _save(settings, restic, stage, tell)
                    except SnapshotError as error:
                        log.failed(run, error)
                        troubles.append((one, error))
                    else:
                        made.append(done)
                        log.done(run, **_outcome(done))
        except SnapshotError as error:
            for run in runs.values():
                log.failed(run, error)
            raise
    if troubles:
        one, first = troubles[0]
        raise SnapshotError(first.code, f"{one}: {first}") from first
    return made


def _save(settings: Settings, restic: Restic, stage: Path, tell: Tell) -> Made:
    restic.run("unlock")  # of a process that was killed; a lock that is held stays
    for attempt in range(_TRIES):
        manifest = contents.describe(settings, stage)
        summary = _backup(restic, stage, manifest, tell)
        snapshot = reading.find(restic, summary["snapshot_id"])
        tell("verifying", None)
        wanted = contents.listed((stage / contents.LIST).read_text("utf-8"))
        folders = [p for part in contents.LISTED for p in manifest.parts[part]]
        found = reading.present(restic, snapshot, folders)
        missing = reading.lacking(manifest, wanted, found)
        if missing and not any(Path(one).exists() for one in missing) and attempt < _TRIES - 1:
            restic.run("forget", snapshot.id)  # they went while it was made: once more
            continue
        reading.compare(
            reading.manifest(restic, snapshot),
            wanted,
            found,
            reading.database_sum(restic, snapshot) if restic.folder else None,
        )
        if reading.settings_in(restic, snapshot) != toml.read(stage / contents.SETTINGS):
            raise SnapshotError("damaged", "the settings in it are not those that were put in")
        # By chance: a fault that comes back at a certain time of the month is found too.
        part = random.randint(1, reading.NIGHTLY_PARTS)  # noqa: S311  no secret
        reading.check(restic, part)
        break
    tell("removing old ones", None)
    backup = restic.backup
    restic.run(
        *("forget", "--prune", "--tag", TAG, "--group-by", "tags"),
        *("--keep-last", f"{KEEP_AT_LEAST}"),
        *("--keep-daily", f"{backup.keep_daily}", "--keep-weekly", f"{backup.keep_weekly}"),
        *("--keep-monthly", f"{backup.keep_monthly}"),
    )
    return Made(
        snapshot,
        manifest,
        summary.get("data_added_packed", 0),
        summary.get("total_bytes_processed", 0),
        summary.get("files_new", 0),
    )


def _backup(restic: Restic, stage: Path, manifest: Manifest, tell: Tell) -> dict[str, Any]:
    summary: dict[str, Any] = {}
    unread: list[dict[str, Any]] = []

    def hear(message: dict[str, Any]) -> None:
        kind = message.get("message_type")
        if kind == "status":
            tell(f"saving to {restic.backup.name}", message.get("percent_done"))
        elif kind == "summary":
            summary.update(message)
        elif kind == "error":
            unread.append(message)

    places: list[str | Path] = [place for found in manifest.parts.values() for place in found]
    status = restic.run(
        *("backup", "--tag", TAG, "--group-by", "tags"),
        *("--exclude-file", ROOM / "excludes.txt", stage, *places),
        then=hear,
    )
    if status == PARTLY and (lost := [m for m in unread if Path(m.get("item", "")).exists()]):
        with contextlib.suppress(SnapshotError):
            restic.run("forget", summary.get("snapshot_id", ""))
        raise restic.trouble(1, lost)
    if "snapshot_id" not in summary:
        raise SnapshotError("failed", "restic made no snapshot")
    return summary


def _outcome(made: Made) -> dict[str, Any]:
    return {
        "snapshot": made.snapshot.id,
        "bytes_added": made.bytes_added,
        "bytes_total": made.bytes_total,
        "detail": {"counts": made.manifest.counts, "files": made.manifest.files},
    }
