"""The database: whether it takes changes, and whether its file is sound."""

from collections.abc import Iterator

import peewee

from appliance.box.health.check import Check, moment_text
from appliance.core import db
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.models import JobRun


def writable() -> bool:
    """Whether the database takes a change at this moment."""
    try:
        db.prove_writable()
    except peewee.OperationalError:
        return False
    return True


def takes_changes(settings: Settings) -> Iterator[Check]:
    """The database takes changes."""
    code, name = "database", N_("Database")
    values = {"file": str(settings.paths.database)}
    try:
        db.prove_writable()
    except peewee.OperationalError as error:
        if db.is_busy(error):
            seen = N_("a program holds it locked")
            advice = N_(
                "End the program that has {file} open besides the appliance: `fuser -v {file}`. "
                "What people type stays in their browsers until then."
            )
        else:
            seen = N_("does not take changes")
            advice = N_("Look whether the disk is full and whether the file {file} may be written.")
        yield Check(code, name, "fail", seen, advice, values)
    else:
        yield Check(code, name, "ok", N_("takes changes"))


def schema(settings: Settings) -> Iterator[Check]:
    """The database is of this version."""
    code, name = "database.schema", N_("Schema of the database")
    lacks, strange = db.schema()
    values = {"names": ", ".join((lacks or strange)[:3])}
    if lacks:
        advice = N_("Run `appliance migrate`, then start the processes again.")
        yield Check(code, name, "fail", N_("is older than the program: {names}"), advice, values)
    elif strange:
        advice = N_(
            "Install the release that this database was used with last; do not go back with it: "
            "what the newer one wrote would be lost."
        )
        yield Check(code, name, "fail", N_("is newer than the program: {names}"), advice, values)
    else:
        yield Check(code, name, "ok", N_("is the program's"))


def look_through() -> None:
    """Read the whole file. Raises Damaged when it is not sound."""
    if found := db.faults():
        raise Damaged("; ".join(found))


class Damaged(RuntimeError):
    """The file of the database is damaged; the message is SQLite's."""


def sound(settings: Settings) -> Iterator[Check]:
    """The file was sound when the nightly job last read it."""
    code, name = "database.integrity", N_("File of the database")
    run = JobRun.select().where(JobRun.name == "integrity", JobRun.state.in_(["done", "failed"]))
    last = run.order_by(JobRun.started_at.desc()).first()
    if not last:
        yield Check(code, name, "ok", N_("is read whole each night; not yet"))
    elif last.state == "failed":
        yield Check(
            code,
            name,
            "fail",
            N_("damaged: {error}"),
            N_(
                "Save the file as it is, look at the disk (`smartctl -a`, `dmesg`), and restore "
                "the newest good snapshot."
            ),
            {"error": last.result},
        )
    else:
        values = {"moment": moment_text(last.started_at, settings)}
        yield Check(code, name, "ok", N_("sound, read whole {moment}"), values=values)
