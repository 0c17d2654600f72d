"""Restoring: everything is fetched apart, compared and tried before anything is put in place."""

import datetime as dt
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.box.snapshots import (
    contents,
    inventory,
    losses,
    numbers,
    reading,
    sealing,
    sources,
)
from appliance.box.snapshots.catching_up import bring_up_to_date
from appliance.box.snapshots.contents import Manifest, Tell, nothing
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.losses import Loss
from appliance.box.snapshots.placing import (
    apart,
    bed,
    live_folders,
    plain_errors,
    put_in_place,
    users_of,
)
from appliance.box.snapshots.reading import Snapshot
from appliance.box.snapshots.requests import LAYOUT, Restored, Wish
from appliance.box.snapshots.restic import Restic
from appliance.box.snapshots.sources import Source
from appliance.core import db_files
from appliance.core.audit import Head, heads
from appliance.core.settings import Settings

_SPARE = 64 << 20  # bytes of a disk that a restore leaves free
LOSS_ADVICE = "nothing was changed: to restore nevertheless, repeat it with --accept-loss"

# Receives what will be missing, before anything is replaced.
type Announce = Callable[[Loss], None]


@dataclass(frozen=True)
class _SnapshotContext:
    """The snapshot that files come from, and the database unless a copy gave it."""

    restic: Restic
    snapshot: Snapshot
    made: Manifest
    newest_at: dt.datetime  # when the newest one of its repository was made


def _keep_silent(_loss: Loss) -> None:
    """For restores that replace nothing."""


def restore(
    settings: Settings, wish: Wish, tell: Tell = nothing, announce: Announce = _keep_silent
) -> Restored:
    """Restore into a new folder, or in the place of the site. Raises SnapshotError.

    Before anything is replaced, what will be missing is compared with all that can be read:
    without `wish.accept_loss` nothing is restored then (code "loss"), else `announce` receives it.

    In place the database is exchanged; recordings, prompts, issued reports and event logs that are
    missing come back, and those that are there stay. A newer event log is read into the database
    before it is put in place, so calls since the snapshot are in the ledger again.
    """
    begun = time.monotonic()
    with contents.alone(settings), plain_errors():
        if wish.target and wish.target.exists() and any(wish.target.iterdir()):
            raise SnapshotError("there", f"{wish.target} is not empty")
        if not wish.target and not wish.while_running and (who := users_of(settings)):
            raise SnapshotError("running", f"the site is running ({who}): stop it first")
        with apart(settings, wish) as place:
            restored = _fetch(settings, wish, place, tell, announce)
            tell("putting in place", None)
            if wish.target:
                if wish.target.exists():
                    wish.target.rmdir()
                place.rename(wish.target)
            else:
                restored.kept = put_in_place(settings, wish, place)
                _note_the_end(settings)
            restored.target = str(wish.target or settings.paths.database.parent)
    restored.seconds = round(time.monotonic() - begun, 1)
    return restored


def recording(
    settings: Settings, file: str, target: Path | None = None, repository: str | None = None
) -> Path:
    """Bring back one recording by its name in the ledger; returns where it is now.

    From the newest snapshot that has it, as it was written or compressed. One that is there is
    never replaced. Raises SnapshotError.
    """
    root = (target or settings.paths.recordings).resolve()
    wanted = (root / file).resolve()
    if not wanted.is_relative_to(root):
        raise SnapshotError("unknown", f"not a recording: {file}")
    restic = reading.repository(settings, repository)
    for snapshot in reading.snapshots(restic):
        made = reading.manifest(restic, snapshot)
        same = contents.stem(file)
        names = reading.listed(restic, snapshot)["recordings"]
        name = next((one for one in (file, f"{same}.ogg", f"{same}.wav") if one in names), None)
        if name is None:
            continue
        final = root / name
        if final.exists():
            raise SnapshotError("there", f"{final} is there already")
        final.parent.mkdir(parents=True, exist_ok=True)
        fresh = final.with_name(f".restore-{os.getpid()}-{final.name}")
        try:
            with plain_errors(), fresh.open("wb") as out:
                folder = made.parts["recordings"][0]
                with restic.reading("dump", snapshot.id, f"{folder}/{name}") as stream:
                    shutil.copyfileobj(stream, out)
            if fresh.stat().st_size != names[name]:
                raise SnapshotError("damaged", f"{name} has another length than it had")
            fresh.rename(final)
        finally:
            fresh.unlink(missing_ok=True)
        return final
    unreadable = inventory.unreadable_snapshots(restic, [settings.paths.database])
    perhaps = f"; {inventory.list_words(unreadable)}" if unreadable else ""
    raise SnapshotError("unknown", f"no snapshot in {restic.backup.name} has {file}{perhaps}")


def _fetch(settings: Settings, wish: Wish, place: Path, tell: Tell, announce: Announce) -> Restored:
    database = place / LAYOUT["database"]
    database.parent.mkdir(parents=True)
    source = sources.fetch(settings, wish, database, tell)
    context = None
    if source and wish.database_only:
        restored = Restored("", source.moment.isoformat(timespec="seconds"), "")
    else:
        context = _open_snapshot(settings, wish, database, None if source else wish.at)
        restored = Restored(
            context.snapshot.id, context.made.made_at, "", expected=context.made.counts
        )
        if not source:
            _database(context, database, tell)
            made_at = context.made.at
            source = Source("snapshot", context.snapshot.id, made_at, made_at)
    restored.database_from = source.kind
    tell("looking at the database", None)
    _check_database(database, restored)
    newest = context.newest_at if context else None
    loss = losses.weigh(settings, wish, database, source, newest, place)
    restored.loss = loss.as_json()
    if loss.stops_restore and not wish.accept_loss:
        raise SnapshotError("loss", f"{loss.words()}\n{LOSS_ADVICE}")
    announce(loss)
    if context and not wish.database_only:
        _files(settings, wish, context, place, restored, tell)
    bring_up_to_date(settings, wish, place, restored, tell)
    return restored


def _open_snapshot(
    settings: Settings, wish: Wish, database: Path, before: dt.datetime | None
) -> _SnapshotContext:
    """The wished snapshot, which there must be room for; `database`: the restored one, if any."""
    restic = reading.repository(settings, wish.repository)
    if wish.id == "latest":
        runs = (settings.paths.database, database)
        snapshot = inventory.newest_snapshot(restic, runs, before, accept_loss=wish.accept_loss)
    else:
        snapshot = reading.find(restic, wish.id, before)
    made = reading.manifest(restic, snapshot)
    _require_room(settings, wish, made)
    newest = max(one.at for one in reading.snapshots(restic))
    return _SnapshotContext(restic, snapshot, made, newest)


def _check_database(database: Path, restored: Restored) -> None:
    """Count the restored database. Raises SnapshotError when it is not what was saved."""
    if fault := db_files.faults_of(database):
        raise SnapshotError("damaged", f"the restored database has a fault: {fault}")
    counts = db_files.count_rows(database, contents.COUNTED.values())
    restored.counts = {name: counts[table] for name, table in contents.COUNTED.items()}
    if restored.database_from == "snapshot" and restored.counts != restored.expected:
        raise SnapshotError(
            "damaged", f"the database holds {restored.counts}, it held {restored.expected}"
        )


def _note_the_end(settings: Settings) -> None:
    """Where the audit now ends; what was noted of the former one does not count any more."""
    if end := numbers.mark(settings.paths.database):
        try:
            heads.note(settings, Head(end.id, end.hash), restored=True)
        except OSError as error:
            raise SnapshotError("failed", f"restored, but {heads.FILE}: {error}") from error


def _database(context: _SnapshotContext, database: Path, tell: Tell) -> None:
    restic, snapshot, made = context.restic, context.snapshot, context.made
    tell("restoring the database", 0.0)
    read = 0
    with (
        database.open("wb") as out,
        restic.reading("dump", snapshot.id, f"{snapshot.stage}/{contents.DATABASE}") as stream,
    ):
        while piece := stream.read(1 << 20):
            out.write(piece)
            read += len(piece)
            tell("restoring the database", read / (made.database_bytes or 1))
        out.flush()
        os.fsync(out.fileno())
    if contents.sha256(database) != made.database_sha256:
        raise SnapshotError("damaged", "the database in it is not the one that was put in")


def _files(
    settings: Settings,
    wish: Wish,
    context: _SnapshotContext,
    place: Path,
    restored: Restored,
    tell: Tell,
) -> None:
    """Everything but the database, into the place apart; in place only what is missing."""
    restic, snapshot, made = context.restic, context.snapshot, context.made
    wanted = reading.listed(restic, snapshot)
    folders = [p for part in contents.LISTED for p in made.parts.get(part, ())]
    found = reading.present(restic, snapshot, folders)
    if missing := reading.lacking(made, wanted, found):
        raise SnapshotError("damaged", f"{len(missing)} files are missing in it, as {missing[0]}")
    live = live_folders(settings)
    for part in contents.LISTED:
        for folder in made.parts.get(part, ())[:1]:
            whole = [p.removeprefix(f"{folder}/") for p in found if p.startswith(f"{folder}/")]
            here = [n for n in whole if wish.target or not _is_there(live[part], n)]
            if part == "recordings" and wish.recordings is not None:
                here = sorted(here)[:: max(1, len(here) // max(1, wish.recordings))]
            target = bed(settings, wish, place, part)
            _tree(restic, f"{snapshot.id}:{folder}", target, here, whole, part, tell)
            restored.files[part] = len(here)
    for folder in made.parts.get("asterisk", ())[:1] if wish.target else ():
        etc = place / LAYOUT["asterisk"]
        _tree(restic, f"{snapshot.id}:{folder}", etc, None, (), "asterisk", tell)
    events = (
        made.parts.get("events", []) if wish.target or not settings.paths.event_log.exists() else []
    )
    for file in events:
        name = Path(file).name.replace(Path(events[0]).name, "events.csv", 1)
        target = place / "events" / name
        target.parent.mkdir(exist_ok=True)
        with (
            target.open("wb") as out,
            restic.reading("dump", snapshot.id, file) as stream,
        ):
            shutil.copyfileobj(stream, out)
    _settings_and_secrets(settings, wish, restic, snapshot, place, restored)


def _tree(
    restic: Restic,
    source: str,
    target: Path,
    names: Sequence[str] | None,
    whole: Sequence[str],
    part: str,
    tell: Tell,
) -> None:
    """Restore a folder, or of the whole of it some files by their names."""
    target.mkdir(parents=True, exist_ok=True)
    if names is not None and not names:
        return

    def hear(message: dict[str, Any]) -> None:
        if message.get("message_type") == "status":
            tell(f"restoring {part}", message.get("percent_done"))

    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as listing:
        listing.writelines(f"/{_plain(name)}\n" for name in covering(names or (), whole))
        listing.flush()
        only = ["--include-file", listing.name] if names else []
        restic.run("restore", source, "--target", target, *only, then=hear)
    if names is not None and (gone := next((n for n in names if not (target / n).exists()), None)):
        raise SnapshotError("damaged", f"{gone} did not come out of the snapshot")


def _settings_and_secrets(
    settings: Settings,
    wish: Wish,
    restic: Restic,
    snapshot: Snapshot,
    place: Path,
    restored: Restored,
) -> None:
    (place / "settings").mkdir(mode=0o700)
    text = reading.dump(restic, snapshot, contents.SETTINGS)
    (place / "settings" / contents.SETTINGS).write_bytes(text)
    if wish.recovery_key:
        sealed = reading.dump(restic, snapshot, contents.SECRETS)
        folder = place / "secrets"
        folder.mkdir(mode=0o700)
        sealing.unseal(sealed, wish.recovery_key, folder)
        restored.secrets = "secrets"


def _require_room(settings: Settings, wish: Wish, made: Manifest) -> None:
    folder = wish.target.parent if wish.target else settings.paths.database.parent
    needed = made.database_bytes
    if wish.target and not wish.database_only and wish.recordings is None:
        needed += made.bytes
    free = shutil.disk_usage(folder).free
    if free < needed + _SPARE:
        raise SnapshotError(
            "full", f"{folder} has {free >> 20} MB free, {(needed + _SPARE) >> 20} are needed"
        )


def _is_there(folder: Path, name: str) -> bool:
    stem = contents.stem(name)
    return any((folder / one).exists() for one in (name, f"{stem}.ogg", f"{stem}.wav"))


def covering(names: Sequence[str], whole: Sequence[str]) -> set[str]:
    """The fewest files and folders that hold these names and no other file of the whole.

    restic compares every file with every pattern: ten thousand of each take minutes.
    """
    wanted, there = (
        Counter(one for name in list_ for one in _above(name)) for list_ in (names, whole)
    )
    return {
        next((one for one in _above(name) if wanted[one] == there[one]), name) for name in names
    }


def _above(name: str) -> list[str]:
    """The folders that a file lies in, the outermost first, and itself."""
    parts = name.split("/")
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]


def _plain(name: str) -> str:
    """A name in restic's list of patterns."""
    return "".join(f"\\{letter}" if letter in "*?[\\" else letter for letter in name)
