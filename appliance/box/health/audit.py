"""The audit's chain: nobody has changed, taken out or cut off what was written."""

import logging
from collections.abc import Iterator

from appliance.box.health.check import Check, moment_text
from appliance.box.snapshots import SnapshotError, reading
from appliance.core import audit, clock
from appliance.core.audit import heads
from appliance.core.audit.heads import Noted
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.models import JobRun

log = logging.getLogger(__name__)

_TURN = 100_000  # older entries that are read again each day
_SNAPSHOTS = 5  # whose heads are compared, in each repository


class Broken(RuntimeError):
    """The chain does not hold; the message says where."""


_BROKEN = f"{Broken.__name__}: "  # how a run that found it begins its result


def verify(settings: Settings) -> str:
    """Read what is new in the chain and a part of the rest, compare it with every head that was
    noted, and note the new one. Raises Broken; returns the head, in words."""
    known = heads.noted(settings)
    if gone := heads.missing([*known, *_carried(settings)]):
        raise Broken(_worded(gone[0]))
    last = known[-1].head.id if known else 0
    turns = max(1, -(-last // _TURN))
    old = clock.now().date().toordinal() % turns * _TURN
    for after, many in ((last, None), (old, _TURN)):
        if (id := audit.broken_at(after, many)) is not None:
            raise Broken(f"entry {id} is not as it was written")
    head = audit.head()
    if head is None:
        return ""
    heads.note(settings, head)
    return f"holds up to entry {head}"


def chain(settings: Settings) -> Iterator[Check]:
    """The chain held when it was last verified, and the newest head that was noted is in it."""
    code, name = "audit", N_("Audit")
    broken = (JobRun.state == "failed") & JobRun.result.startswith(_BROKEN)  # not: could not run
    run = JobRun.select().where(JobRun.name == "audit", (JobRun.state == "done") | broken)
    last = run.order_by(JobRun.started_at.desc()).first()
    try:
        newest = heads.missing(heads.noted(settings)[-1:])
        error = _worded(newest[0]) if newest else ""
    except (OSError, ValueError) as unreadable:
        error = f"{heads.FILE}: {unreadable}"
    if last and last.state == "failed":
        error = error or last.result.removeprefix(_BROKEN)
    if error:
        yield Check(
            code,
            name,
            "fail",
            N_("was changed or cut off: {error}"),
            N_(
                "Save the database as it is and compare its table `audit_entry` with a snapshot "
                "from before; whoever can write the file can have done it."
            ),
            {"error": error},
        )
    elif not last:
        yield Check(code, name, "ok", N_("is verified each night; not yet"))
    else:
        values = {"moment": moment_text(last.started_at, settings)}
        yield Check(code, name, "ok", N_("unchanged, verified {moment}"), values=values)


def _carried(settings: Settings) -> Iterator[Noted]:
    """The heads in the newest snapshots; of a repository that cannot be read, none."""
    for backup in settings.backups:
        try:
            restic = reading.repository(settings, backup.name)
            for snapshot in reading.snapshots(restic)[:_SNAPSHOTS]:
                made = reading.manifest(restic, snapshot)
                if made.audit:
                    where = f"snapshot {snapshot.id} in {backup.name}"
                    yield Noted(made.at, audit.Head.read(made.audit), where=where)
        except SnapshotError as error:  # told by the snapshots' own self-check
            log.warning("the audit was not compared with %s: %s", backup.name, error)


def _worded(gone: Noted) -> str:
    return f"entry {gone.head.short}, noted {gone.at:%Y-%m-%d %H:%M} in {gone.where}, is not in it"
