"""The database: whether it can be written, matches this version, and is undamaged."""

from collections.abc import Iterator

import peewee

from appliance.box.health.check import Check, local_time_text
from appliance.core import db, schema
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.models import JobRun


def is_writable() -> bool:
    """Whether the database can be written right now."""
    try:
        db.prove_writable()
    except peewee.OperationalError:
        return False
    return True


def check_database_writable(settings: Settings) -> Iterator[Check]:
    """Check that the database can be written."""
    code, name = "database", N_("Database")
    values = {"file": str(settings.paths.database)}
    try:
        db.prove_writable()
    except peewee.OperationalError as error:
        if db.is_busy(error):
            finding = N_("another program keeps it locked")
            advice = N_(
                "Stop the program that has {file} open besides the appliance: `fuser -v {file}`. "
                "Until then, text that people type stays in their browsers."
            )
        else:
            finding = N_("does not accept changes")
            advice = N_("Check whether the disk is full and whether the file {file} is writable.")
        yield Check(code, name, "fail", finding, advice, values)
    else:
        yield Check(code, name, "ok", N_("accepts changes"))


def check_schema(settings: Settings) -> Iterator[Check]:
    """Check that the schema of the database belongs to this version."""
    code, name = "database.schema", N_("Schema of the database")
    missing_migrations, unknown_migrations = schema.schema_differences()
    values = {"names": ", ".join((missing_migrations or unknown_migrations)[:3])}
    if missing_migrations:
        advice = N_("Run `appliance migrate`, then restart the processes.")
        yield Check(code, name, "fail", N_("is older than the program: {names}"), advice, values)
    elif unknown_migrations:
        advice = N_(
            "Install the release that this database was last used with; do not use the database "
            "with an older release: data written by the newer one would be lost."
        )
        yield Check(code, name, "fail", N_("is newer than the program: {names}"), advice, values)
    else:
        yield Check(code, name, "ok", N_("matches the program"))


def verify_integrity() -> None:
    """Read the whole database file. Raises Damaged if it is damaged."""
    if faults := db.integrity_errors():
        raise Damaged("; ".join(faults))


class Damaged(RuntimeError):
    """The database file is damaged; the message is SQLite's."""


def check_integrity(settings: Settings) -> Iterator[Check]:
    """Check that the database file was undamaged when the nightly job last read it."""
    code, name = "database.integrity", N_("Database file")
    finished_runs = JobRun.select().where(
        JobRun.name == "integrity", JobRun.state.in_(["done", "failed"])
    )
    last_run = finished_runs.order_by(JobRun.started_at.desc()).first()
    if not last_run:
        yield Check(code, name, "ok", N_("is read completely each night; not yet"))
    elif last_run.state == "failed":
        yield Check(
            code,
            name,
            "fail",
            N_("damaged: {error}"),
            N_(
                "Save a copy of the file, check the disk (`smartctl -a`, `dmesg`), and restore the "
                "newest good snapshot."
            ),
            {"error": last_run.result},
        )
    else:
        values = {"moment": local_time_text(last_run.started_at, settings)}
        yield Check(code, name, "ok", N_("intact, read completely {moment}"), values=values)
