"""The database: whether it takes changes, and whether its file is sound."""

from collections.abc import Iterator

import peewee

from appliance import db
from appliance.health.looking import N_, Check, told
from appliance.models import JobRun
from appliance.settings import Settings


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
    if writable():
        yield Check(code, name, "ok", N_("takes changes"))
        return
    yield Check(
        code,
        name,
        "fail",
        N_("does not take changes"),
        N_("Look whether the disk is full and whether the file {file} may be written."),
        {"file": str(settings.paths.database)},
    )


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
        values = {"moment": told(last.started_at, settings)}
        yield Check(code, name, "ok", N_("sound, read whole {moment}"), values=values)
