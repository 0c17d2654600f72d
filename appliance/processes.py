"""The processes of the site: which version began when, and whether it still runs."""

import datetime as dt
import logging
from importlib import metadata

import peewee

from appliance import clock, live, runs
from appliance.db import writing
from appliance.models import ProcessState

log = logging.getLogger(__name__)

OURS = ("web", "pbx", "jobs")
TOPIC = "checks"


def begin(name: str) -> None:
    """This process is the one of that name from now on; a database that is full stops no start."""
    version = metadata.version("appliance")
    try:
        _write(name, runs.this_process(), version, clock.now())
    except peewee.OperationalError:
        log.exception("the start cannot be written down")


def see_asterisk(version: str, began: dt.datetime) -> None:
    """Asterisk tells its version, and when it began."""
    known = ProcessState.get_or_none(ProcessState.name == "asterisk")
    if not known or (known.version, known.since) != (version, began):
        _write("asterisk", "", version, began)


def states() -> dict[str, ProcessState]:
    """Name → process as it began last."""
    return {row.name: row for row in ProcessState.select()}


def lives(process: ProcessState) -> bool:
    """Whether one of ours still runs; of Asterisk its answers tell, not this."""
    return runs.lives(process.holder)


def _write(name: str, holder: str, version: str, since: dt.datetime) -> None:
    with writing():
        ProcessState.replace(name=name, holder=holder, version=version, since=since).execute()
        live.publish(TOPIC)
