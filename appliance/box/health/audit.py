"""The audit chain: detects entries that were changed, removed or cut off."""

import logging
from collections.abc import Iterator

from appliance.box.health.check import Check, local_time_text
from appliance.box.snapshots import reading
from appliance.box.snapshots.errors import SnapshotError
from appliance.core import audit, clock
from appliance.core.audit import anchors, heads, verifying
from appliance.core.audit.heads import NotedHead
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.models import JobRun

log = logging.getLogger(__name__)

_OLD_ENTRIES_PER_DAY = 100_000  # older entries that are verified again each day
_SNAPSHOTS_PER_REPOSITORY = 5  # newest snapshots whose audit heads are compared


class Broken(RuntimeError):
    """The audit chain is broken; the message names the place."""


_BROKEN_PREFIX = f"{Broken.__name__}: "  # of the result of a run that found a broken chain


def verify_chain(settings: Settings) -> str:
    """Verify the new entries and a part of the old ones, and note the current head.

    Every head (newest entry) that was noted or signed before must be in the chain. Returns a text
    that names the current head. Raises Broken if an entry was changed, a head is missing or signed
    otherwise, or the triggers that protect the table are gone.
    """
    if not verifying.is_guarded():
        raise Broken("its triggers are gone: rows can be changed")
    if settings.audit.public_key:
        valid_anchors, forged_anchors = anchors.signed_heads(settings)
        if wrong_anchors := [
            *forged_anchors,
            *(anchor for anchor in valid_anchors if not audit.is_in_chain(anchor)),
        ]:
            raise Broken(f"entry {wrong_anchors[0].short} was signed otherwise")
    noted_heads = heads.read_noted_heads(settings)
    if missing_heads := heads.missing_heads([*noted_heads, *_snapshot_heads(settings)]):
        raise Broken(_missing_head_text(missing_heads[0]))
    last_id = noted_heads[-1].head.id if noted_heads else 0
    days_per_round = max(1, -(-last_id // _OLD_ENTRIES_PER_DAY))
    first_old_id = clock.now().date().toordinal() % days_per_round * _OLD_ENTRIES_PER_DAY
    for after, max_entries in ((last_id, None), (first_old_id, _OLD_ENTRIES_PER_DAY)):
        if (id := audit.first_broken_id(after, max_entries)) is not None:
            raise Broken(f"entry {id} is not as it was written")
    head = audit.chain_head()
    if head is None:
        return ""
    heads.note_head(settings, head)
    return f"holds up to entry {head}"


def sign_head(settings: Settings) -> str:
    """Sign the chain's head; returns a text that names it. Raises Broken or KeyTrouble."""
    try:
        return anchors.sign_head(settings)
    except anchors.BrokenChainError as error:
        raise Broken(str(error)) from error


def check_audit_chain(settings: Settings) -> Iterator[Check]:
    """Check that the chain was unbroken at the last run, and contains the newest noted head.

    A job run that failed for another reason than a broken chain is ignored.
    """
    code, name = "audit", N_("Audit")
    is_broken = (JobRun.state == "failed") & JobRun.result.startswith(_BROKEN_PREFIX)
    job_runs = (
        JobRun.select().where((JobRun.state == "done") | is_broken).order_by(JobRun.id.desc())
    )
    last_verification, last_signing = (
        job_runs.where(JobRun.name == job_name).first() for job_name in ("audit", "audit_sign")
    )
    try:
        missing_heads = heads.missing_heads(heads.read_noted_heads(settings)[-1:])
        error = _missing_head_text(missing_heads[0]) if missing_heads else ""
    except (OSError, ValueError) as unreadable:
        error = f"{heads.FILE_NAME}: {unreadable}"
    for job in (last_verification, last_signing):
        if job and job.state == "failed":
            error = error or job.result.removeprefix(_BROKEN_PREFIX)
    if not verifying.is_guarded():
        error = error or "its triggers are gone: rows can be changed"
    if error:
        yield Check(
            code,
            name,
            "fail",
            N_("was changed or truncated: {error}"),
            N_(
                "Save a copy of the database and compare its table `audit_entry` with an earlier "
                "snapshot; anybody who can write the file may have done this."
            ),
            {"error": error},
        )
    elif anchors.is_signing_late(settings):
        yield Check(
            code,
            name,
            "warn",
            N_("entries have been unsigned for hours"),
            N_(
                "Check on the page *Status* why the job *Sign the audit* fails, and whether "
                "`appliance jobs` can read its key, `audit.key`."
            ),
        )
    elif not last_verification:
        yield Check(code, name, "ok", N_("is verified each night; not yet"))
    else:
        values = {"moment": local_time_text(last_verification.started_at, settings)}
        yield Check(code, name, "ok", N_("unchanged, verified {moment}"), values=values)


def _snapshot_heads(settings: Settings) -> Iterator[NotedHead]:
    """Yield the audit heads in the newest snapshots; unreadable repositories are skipped."""
    for backup in settings.backups:
        try:
            restic = reading.open_repository(settings, backup.name)
            for snapshot in reading.list_snapshots(restic)[:_SNAPSHOTS_PER_REPOSITORY]:
                manifest = reading.read_manifest(restic, snapshot)
                if manifest.audit:
                    location = f"snapshot {snapshot.id} in {backup.name}"
                    yield NotedHead(
                        manifest.created_at, audit.Head.parse_text(manifest.audit), source=location
                    )
        except SnapshotError as error:  # reported by the self-check of the snapshots
            log.warning("the audit was not compared with %s: %s", backup.name, error)


def _missing_head_text(missing_head: NotedHead) -> str:
    return (
        f"entry {missing_head.head.short}, noted {missing_head.at:%Y-%m-%d %H:%M} in "
        f"{missing_head.source}, is not in it"
    )
