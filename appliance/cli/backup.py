"""`appliance backup`: create, list, verify and restore snapshots; `appliance replicate`."""

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

from appliance.box.snapshots import (
    appeal_restoring,
    contents,
    continuous,
    creating,
    file_restoring,
    histories,
    inventory,
    log,
    reading,
    records,
    recovery_sheet,
    requests,
    restoring,
    rotating,
    sealing,
    verifying,
)
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.losses import Loss
from appliance.cli.context import Site, as_json, pass_site, print_rows
from appliance.cli.periods import Moment
from appliance.core import audit, db
from appliance.core.i18n import LOCALES
from appliance.core.settings import Settings
from appliance.reports import pdf


class _MomentOrNow(Moment):
    """A parameter that is a datetime or "now"."""

    def convert(self, value: Any, param: Any, ctx: click.Context | None) -> dt.datetime:
        return requests.NEWEST_TIME if value == "now" else super().convert(value, param, ctx)


_repository = click.option("--repository", help="One of [[backups]] by its name.")


@click.group()
def backup() -> None:
    """Snapshots of the whole site, and restoring from them."""


@backup.command()
@pass_site
def prepare(site: Site) -> None:
    """Create the missing keys and repositories. Print the recovery sheet afterwards."""
    with _translate_errors():
        for item in creating.prepare_repositories(site.settings):
            click.echo(item)


@backup.command()
@_repository
@as_json
@pass_site
def create(site: Site, repository: str | None, as_json: bool) -> None:
    """Create a snapshot in each repository, and verify it."""
    settings = site.open_database()
    with _translate_errors(), _progress_line() as report_progress:
        snapshots_created = creating.create_snapshots(
            settings, repository, getpass.getuser(), report_progress
        )
    print_rows(
        (
            {
                **reading.snapshot_json(result.snapshot),
                "bytes": result.bytes_total,
                "added": result.bytes_added,
                "verified": True,
                "new_files": result.files_new,
                **result.manifest.counts,
            }
            for result in snapshots_created
        ),
        as_json,
    )


@backup.command("list")
@_repository
@as_json
@pass_site
def list_snapshots(site: Site, repository: str | None, as_json: bool) -> None:
    """List the snapshots of every repository, newest first, including damaged and missing ones.

    Exit status 1 when a snapshot that was created cannot be read.
    """
    settings = site.settings
    rows: list[dict[str, Any]] = []
    unreadable: list[inventory.UnreadableSnapshot] = []
    with _translate_errors():
        for name in [repository] if repository else contents.repository_names(settings):
            restic = reading.open_repository(settings, name)
            missing = inventory.unreadable_snapshots(restic, [settings.paths.database])
            rows += [snapshot.as_json() for snapshot in missing]
            rows += [
                reading.snapshot_json(snapshot) | {"status": inventory.STATUS_OK}
                for snapshot in reading.list_snapshots(restic)
            ]
            unreadable += missing
    print_rows(rows, as_json)
    if unreadable:
        descriptions = ", ".join(
            f"{unreadable_snapshot.repository} {unreadable_snapshot.description()}"
            for unreadable_snapshot in unreadable
        )
        raise click.ClickException(f"damaged or missing: {descriptions}")


@backup.command()
@click.argument("id", default="latest")
@_repository
@as_json
@pass_site
def verify(site: Site, id: str, repository: str | None, as_json: bool) -> None:
    """Read every byte of a snapshot and compare it with its manifest."""
    settings = site.open_database()
    with _translate_errors(), _progress_line() as report_progress:
        snapshot = verifying.verify_snapshot(
            settings, id, repository, getpass.getuser(), report_progress
        )
    print_rows([reading.snapshot_json(snapshot) | {"verified": True}], as_json)


@backup.command()
@click.argument("id", default="latest")
@_repository
@click.option("--target", type=click.Path(path_type=Path, file_okay=False), help="A new folder.")
@click.option(
    "--at", type=_MomentOrNow(), help="State at a point in time; `now`: everything that was copied."
)
@click.option("--database-only", is_flag=True, help="Nothing but the database.")
@click.option("--recording", help="One recording, by its name in the ledger.")
@click.option(
    "--recovery-key",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="File with the key of the recovery sheet: opens the secrets.",
)
@click.option("--while-running", is_flag=True, help="Restore even while the site is running.")
@click.option(
    "--accept-loss", is_flag=True, help="Restore even if data that people entered will be missing."
)
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
    """Restore into a new folder, or over the site itself, which must not be running then.

    Data that people entered and that would be missing afterwards is listed first; without
    --accept-loss the command then restores nothing.
    """
    settings, target = site.settings, target.resolve() if target else None
    with _translate_errors(), _progress_line() as report_progress:
        if recording:
            file = file_restoring.restore_recording(settings, recording, target, repository)
            result: dict[str, Any] = {"recording": str(file)}
        else:
            wish = requests.RestoreRequest(
                id,
                repository,
                target,
                at,
                database_only,
                recovery_key,
                while_running,
                accept_loss=accept_loss,
            )
            result = vars(restoring.restore_site(settings, wish, report_progress, _print_loss))
    details = {"recording": recording} if recording else {"numbers": result["numbers"]}
    details |= {"target": str(target)} if target else {}
    if result.get("loss", {}).get("stops_restore"):
        details["loss"] = result["loss"]  # it was accepted
    _record_restore(settings, result.get("snapshot", ""), details)
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False, default=str))
    else:
        for key, value in result.items():
            click.echo(f"{key}: {value}")


@backup.command()
@click.argument("what")
@click.argument("id", default="latest")
@_repository
@click.option(
    "--for", "login", required=True, help="Login of the user who requests it; their rights apply."
)
@click.option("--reason", required=True, help="Why, for the audit.")
@pass_site
def read(site: Site, what: str, id: str, repository: str | None, login: str, reason: str) -> None:
    """Print an appeal (by number) or a person's (by phone or PINFL) from a snapshot, as JSON."""
    settings = site.open_database()
    query = records.RecordQuery(what, login, reason, getpass.getuser())
    with _translate_errors(), _progress_line() as report_progress:
        try:
            rows = records.read_records(
                settings, query, requests.RestoreRequest(id, repository), report_progress
            )
        except (PermissionError, ValueError) as error:
            raise click.UsageError(str(error)) from error
    print_rows(rows, as_json=True)


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
    """Restore one appeal from a snapshot, with its form, steps, messages and calls.

    Data that exists already is refused or kept. Messages that were waiting then are put on hold.
    """
    settings = site.open_database()
    wish = requests.RestoreRequest(id, repository)
    with _translate_errors(), _progress_line() as report_progress:
        report = vars(
            appeal_restoring.restore_appeal(
                settings, number, wish, getpass.getuser(), reason, report_progress
            )
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
    """Restore the newest snapshot into a scratch folder, start the pages on it and compare.

    Then do the same with the continuous copy.
    """
    settings, account = site.open_database(), getpass.getuser()
    columns = ("snapshot", "database_from", "counts", "expected", "files", "seconds")
    with _translate_errors(), _progress_line() as report_progress:
        results = [verifying.run_restore_drill(settings, repository, account, report_progress)]
        if settings.snapshots.replica:
            results.append(verifying.run_copy_drill(settings, account, report_progress))
    print_rows([{name: vars(result)[name] for name in columns} for result in results], as_json)


@backup.command("sheet")
@click.option("--lang", type=click.Choice(LOCALES), default="ru", show_default=True)
@click.option("--out", type=click.File("wb", atomic=True), default="-", help="Output file.")
@pass_site
def print_recovery_sheet(site: Site, lang: str, out: BinaryIO) -> None:
    """Write the recovery sheet with the keys as PDF: print it and lock it away."""
    settings = site.open_database()
    with _translate_errors():
        document = pdf.write_pdf(
            recovery_sheet.render_sheet(settings, lang, log.bytes_to_restore())
        )
    audit.record_entry(getpass.getuser(), sealing.SHEET_PRINTED_ACTION)
    out.write(document)


@backup.command("rotate-keys")
@pass_site
def rotate_keys(site: Site) -> None:
    """Replace the keys with new ones. Print the recovery sheet afterwards."""
    settings = site.open_database()
    with _translate_errors():
        for file in rotating.rotate_keys(settings, getpass.getuser()):
            click.echo(file)


@backup.command("remove-key")
@pass_site
def remove_key(site: Site) -> None:
    """Remove the keys of secrets and disk from the box, once the recovery sheet is locked away."""
    settings = site.open_database()
    with _translate_errors():
        if sealing.keys_on_box(settings):
            sealing.remove_paper_keys(settings, getpass.getuser())


@click.command()
@pass_site
def replicate(site: Site) -> None:
    """Copy the database's changes and the event log to the second disk as they happen."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with _translate_errors():
        continuous.replica_folder(site.settings)  # raises an error on a site without a replica
        histories.remove_expired_copies(site.settings)
        continuous.replicate_changes(site.settings, stop)


def _record_restore(settings: Settings, snapshot: str, details: dict[str, Any]) -> None:
    """Record a restore in the audit log.

    If that fails on a restore into a folder (`target`), it is only reported: the loss of the
    database may be the reason for the restore.
    """
    if not settings.paths.database.exists():
        return
    db.open_database(settings.paths.database)
    try:
        audit.record_entry(getpass.getuser(), "snapshot.restore", snapshot, **details)
    except DatabaseError as error:
        if "target" not in details:
            raise
        click.echo(f"not in the audit: {error}", err=True)


def _print_loss(loss: Loss) -> None:
    click.echo(loss.description(), err=True)


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        yield
    except (SnapshotError, pdf.PdfError) as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def _progress_line() -> Iterator[Callable[[str, float | None], None]]:
    """Yield a function that draws a progress line; it does nothing if there is no terminal."""
    if not sys.stderr.isatty():
        yield contents.ignore_progress
        return
    width = 30

    def draw_progress(what: str, share: float | None) -> None:
        filled = int((share or 0) * width)
        bar = "" if share is None else f" [{'#' * filled}{'.' * (width - filled)}] {share:4.0%}"
        click.echo(f"\r\x1b[K{what}{bar}", err=True, nl=False)

    try:
        yield draw_progress
    finally:
        click.echo("\r\x1b[K", err=True, nl=False)
