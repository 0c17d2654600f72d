"""The audit's chain: nobody has changed, taken out or cut off what was written."""

import logging
from collections.abc import Iterator

from appliance.box.health.check import Check, moment_text
from appliance.box.snapshots import SnapshotError, reading
from appliance.core import audit, clock
from appliance.core.audit import anchors, heads, verifying
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
    noted or signed, and note the new one. Raises Broken; returns the head, in words."""
    if not verifying.guarded():
        raise Broken("its triggers are gone: rows can be changed")
    if settings.audit.public_key:
        good, forged = anchors.signed(settings)
        if wrong := [*forged, *(one for one in good if not audit.holds(one))]:
            raise Broken(f"entry {wrong[0].short} was signed otherwise")
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


def sign(settings: Settings) -> str:
    """Have the chain's head signed. Raises Broken, KeyTrouble; returns it, in words."""
    try:
        return anchors.sign(settings)
    except anchors.Unsound as error:
        raise Broken(str(error)) from error


def chain(settings: Settings) -> Iterator[Check]:
    """The chain held when it was last verified or signed, and the newest noted head is in it."""
    code, name = "audit", N_("Audit")
    broken = (JobRun.state == "failed") & JobRun.result.startswith(_BROKEN)  # not: could not run
    run = JobRun.select().where((JobRun.state == "done") | broken).order_by(JobRun.id.desc())
    last, signing = (run.where(JobRun.name == one).first() for one in ("audit", "audit_sign"))
    try:
        newest = heads.missing(heads.noted(settings)[-1:])
        error = _worded(newest[0]) if newest else ""
    except (OSError, ValueError) as unreadable:
        error = f"{heads.FILE}: {unreadable}"
    for job in (last, signing):
        if job and job.state == "failed":
            error = error or job.result.removeprefix(_BROKEN)
    if not verifying.guarded():
        error = error or "its triggers are gone: rows can be changed"
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
    elif anchors.late(settings):
        yield Check(
            code,
            name,
            "warn",
            N_("entries have stood for hours without a signed head"),
            N_(
                "Look on the page *Status* why the work *Sign the audit* fails, and whether its "
                "key, `audit.key`, can be read by `appliance jobs`."
            ),
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
