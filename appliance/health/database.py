"""The database: whether it takes changes."""

from collections.abc import Iterator

import peewee

from appliance import db
from appliance.health.looking import N_, Check
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
