"""`appliance backup`: snapshots made, listed, verified, restored; `appliance replicate`."""

import datetime as dt
import getpass
import json
import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import click
from peewee import DatabaseError

from appliance.box import snapshots
from appliance.box.snapshots import (
    SnapshotError,
    appeal_return,
    contents,
    continuous,
    histories,
    inventory,
    log,
    reading,
    records,
    rotating,
    sealing,
    sheet,
)
from appliance.box.snapshots.losses import Loss
from appliance.cli.context import Site, as_json, pass_site, show
from appliance.cli.periods import Moment
from appliance.core import audit, db
from appliance.core.i18n import LOCALES
from appliance.core.settings import Settings
from appliance.reports import pdf


class _When(Moment):
    """A moment, or `now`."""

    def convert(self, value: Any, param: Any, ctx: click.Context | None) -> dt.datetime:
        return snapshots.NOW if value == "now" else super().convert(value, param, ctx)


_repository = click.option("--repository", help="One of [[backups]] by its name.")


@click.group()
def backup() -> None:
    """Snapshots of the whole site, and restoring from them."""


@backup.command()
@pass_site
def prepare(site: Site) -> None:
    """Make the keys and repositories that are missing. Print the recovery sheet afterwards."""
    with _plainly():
        for made in snapshots.prepare(site.settings):
            click.echo(made)


@backup.command()
@_repository
@as_json
@pass_site
def create(site: Site, repository: str | None, as_json: bool) -> None:
    """Make a snapshot in each repository, and verify it."""
    settings = site.open()
    with _plainly(), _progress() as tell:
        made = snapshots.create(settings, repository, getpass.getuser(), tell)
    show(
        (
            {
                **reading.as_json(one.snapshot),
                "bytes": one.bytes_total,
                "added": one.bytes_added,
                "verified": True,
                "new_files": one.files_new,
                **one.manifest.counts,
            }
            for one in made
        ),
        as_json,
    )


@backup.command("list")
@_repository
@as_json
@pass_site
def list_(site: Site, repository: str | None, as_json: bool) -> None:
    """The snapshots of every repository, the newest first; those that are damaged or missing, too.

    Exit 1 when one that was made cannot be read.
    """
    settings = site.settings
    rows: list[dict[str, Any]] = []
    unreadable: list[inventory.UnreadableSnapshot] = []
    with _plainly():
        for name in [repository] if repository else contents.names(settings):
            restic = reading.repository(settings, name)
            lacking = inventory.unreadable_snapshots(restic, [settings.paths.database])
            rows += [snapshot.as_json() for snapshot in lacking]
            rows += [
                reading.as_json(snapshot) | {"status": inventory.OK}
                for snapshot in reading.snapshots(restic)
            ]
            unreadable += lacking
    show(rows, as_json)
    if unreadable:
        words = ", ".join(f"{one.repository} {one.words()}" for one in unreadable)
        raise click.ClickException(f"damaged or missing: {words}")


@backup.command()
@click.argument("id", default="latest")
@_repository
@as_json
@pass_site
def verify(site: Site, id: str, repository: str | None, as_json: bool) -> None:
    """Read every byte of a snapshot and compare it with its manifest."""
    settings = site.open()
    with _plainly(), _progress() as tell:
        found = snapshots.verify(settings, id, repository, getpass.getuser(), tell)
    show([reading.as_json(found) | {"verified": True}], as_json)


@backup.command()
@click.argument("id", default="latest")
@_repository
@click.option("--target", type=click.Path(path_type=Path, file_okay=False), help="A new folder.")
@click.option("--at", type=_When(), help="As it was at a moment; `now`: all that was copied.")
@click.option("--database-only", is_flag=True, help="Nothing but the database.")
@click.option("--recording", help="One recording, by its name in the ledger.")
@click.option(
    "--recovery-key",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="File with the key of the recovery sheet: opens the secrets.",
)
@click.option("--while-running", is_flag=True, help="Although the site is running.")
@click.option("--accept-loss", is_flag=True, help="Although what people entered will be missing.")
@as_json
@pass_site
def restore(
    site: Site,
    id: str,
    repository: str | None,
    target: Path | None,
    at: dt.datetime | None,
    database_only: bool,
    recording: str | None,
    recovery_key: Path | None,
    while_running: bool,
    accept_loss: bool,
    as_json: bool,
) -> None:
    """Restore into a new folder, or in the place of the site, which must not run then.

    What people entered and would be missing afterwards is listed first, and nothing is restored
    without --accept-loss.
    """
    settings, target = site.settings, target.resolve() if target else None
    with _plainly(), _progress() as tell:
        if recording:
            file = snapshots.recording(settings, recording, target, repository)
            restored: dict[str, Any] = {"recording": str(file)}
        else:
            wish = snapshots.Wish(
                id,
                repository,
                target,
                at,
                database_only,
                recovery_key,
                while_running,
                accept_loss=accept_loss,
            )
            restored = vars(snapshots.restore(settings, wish, tell, _announce))
    told = {"recording": recording} if recording else {"numbers": restored["numbers"]}
    told |= {"target": str(target)} if target else {}
    if restored.get("loss", {}).get("stops_restore"):
        told["loss"] = restored["loss"]  # it was accepted
    _note(settings, restored.get("snapshot", ""), told)
    if as_json:
        click.echo(json.dumps(restored, ensure_ascii=False, default=str))
    else:
        for key, value in restored.items():
            click.echo(f"{key}: {value}")


@backup.command()
@click.argument("what")
@click.argument("id", default="latest")
@_repository
@click.option("--for", "login", required=True, help="Who asks for it: with his rights.")
@click.option("--reason", required=True, help="Why, for the audit.")
@pass_site
def read(site: Site, what: str, id: str, repository: str | None, login: str, reason: str) -> None:
    """An appeal by its number, or a person's by phone or PINFL, as in a snapshot, as JSON."""
    settings = site.open()
    asked = records.Asked(what, login, reason, getpass.getuser())
    with _plainly(), _progress() as tell:
        try:
            found = records.read(settings, asked, snapshots.Wish(id, repository), tell)
        except (PermissionError, ValueError) as error:
            raise click.UsageError(str(error)) from error
    show(found, as_json=True)


@backup.command("restore-appeal")
@click.argument("number")
@click.option("--from", "id", default="latest", show_default=True, help="The snapshot's ID.")
@_repository
@click.option("--reason", default="", help="Why, for the audit.")
@as_json
@pass_site
def restore_appeal(
    site: Site, number: str, id: str, repository: str | None, reason: str, as_json: bool
) -> None:
    """Put one appeal back out of a snapshot, with its form, steps, messages and calls.

    What is there already is refused or stays. Messages that waited then are put on hold.
    """
    settings = site.open()
    wish = snapshots.Wish(id, repository)
    with _plainly(), _progress() as tell:
        report = vars(
            appeal_return.return_appeal(settings, number, wish, getpass.getuser(), reason, tell)
        )
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
    else:
        for key, value in report.items():
            click.echo(f"{key}: {value}")


@backup.command()
@_repository
@as_json
@pass_site
def drill(site: Site, repository: str | None, as_json: bool) -> None:
    """Restore the newest snapshot into a scratch folder, start the pages on it, compare; then the
    continuous copy."""
    settings, by = site.open(), getpass.getuser()
    columns = ("snapshot", "database_from", "counts", "expected", "files", "seconds")
    with _plainly(), _progress() as tell:
        done = [snapshots.drill(settings, repository, by, tell)]
        if settings.snapshots.replica:
            done.append(snapshots.drill_copy(settings, by, tell))
    show([{name: vars(one)[name] for name in columns} for one in done], as_json)


@backup.command("sheet")
@click.option("--lang", type=click.Choice(LOCALES), default="ru", show_default=True)
@click.option("--out", type=click.File("wb", atomic=True), default="-", help="Where to.")
@pass_site
def sheet_(site: Site, lang: str, out: BinaryIO) -> None:
    """The recovery sheet with the keys, as PDF: print it and lock it away."""
    settings = site.open()
    with _plainly():
        printed = pdf.write(sheet.page(settings, lang, log.bytes_to_restore()))
    audit.record(getpass.getuser(), sealing.PRINTED)
    out.write(printed)


@backup.command("rotate-keys")
@pass_site
def rotate_keys(site: Site) -> None:
    """Put new keys in place of the old ones. Print the recovery sheet afterwards."""
    settings = site.open()
    with _plainly():
        for file in rotating.rotate(settings, getpass.getuser()):
            click.echo(file)


@backup.command("remove-key")
@pass_site
def remove_key(site: Site) -> None:
    """Remove the keys of secrets and disk from the box, once the recovery sheet is locked away."""
    settings = site.open()
    with _plainly():
        if sealing.on_the_box(settings):
            sealing.remove(settings, getpass.getuser())


@click.command()
@pass_site
def replicate(site: Site) -> None:
    """Copy the database's changes and the event log to the second disk as they happen."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with _plainly():
        continuous.replica(site.settings)  # refuses a site that has none
        histories.remove_expired(site.settings)
        continuous.follow(site.settings, stop)


def _note(settings: Settings, snapshot: str, told: dict[str, Any]) -> None:
    """Write a restore into the audit; one into a folder may be because there is no database."""
    if not settings.paths.database.exists():
        return
    db.open_database(settings.paths.database)
    try:
        audit.record(getpass.getuser(), "snapshot.restore", snapshot, **told)
    except DatabaseError as error:
        if "target" not in told:
            raise
        click.echo(f"not in the audit: {error}", err=True)


def _announce(loss: Loss) -> None:
    click.echo(loss.words(), err=True)


@contextmanager
def _plainly() -> Iterator[None]:
    try:
        yield
    except (SnapshotError, pdf.PdfError) as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def _progress() -> Iterator[Callable[[str, float | None], None]]:
    """A line on the terminal that moves; nothing when nobody looks."""
    if not sys.stderr.isatty():
        yield contents.nothing
        return
    width = 30

    def show(what: str, share: float | None) -> None:
        full = int((share or 0) * width)
        bar = "" if share is None else f" [{'#' * full}{'.' * (width - full)}] {share:4.0%}"
        click.echo(f"\r\x1b[K{what}{bar}", err=True, nl=False)

    try:
        yield show
    finally:
        click.echo("\r\x1b[K", err=True, nl=False)
