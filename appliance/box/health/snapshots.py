"""The snapshots: their age, the restore drills, and the continuous copy."""

import datetime as dt
from collections.abc import Iterator

from appliance.box.health.check import Check, local_time_text
from appliance.box.snapshots import continuous, copy_check, replicator, sealing, verifying
from appliance.box.snapshots import log as snapshot_log
from appliance.core import clock
from appliance.core.i18n import N_
from appliance.core.settings import Settings

SNAPSHOT_WARNING_AGE, SNAPSHOT_FAILURE_AGE = dt.timedelta(hours=26), dt.timedelta(hours=50)
MAX_DRILL_AGE = dt.timedelta(days=35)  # age of the last restore drill
MAX_COPY_CHECK_AGE = dt.timedelta(hours=3)  # age of the last trial restore of the copy
RESTART_WINDOW, RESTARTS_LIMIT = dt.timedelta(hours=1), 3  # of the replicator
MAX_COPY_SILENCE = dt.timedelta(seconds=40)  # a working copy writes at least every 20 s


def check_snapshots(settings: Settings) -> Iterator[Check]:
    """Check that snapshots are recent, restore drills succeed and the continuous copy works."""
    name = N_("Snapshots")
    if not settings.backups:
        yield Check(
            "snapshot",
            name,
            "warn",
            N_("are not made"),
            N_("Specify a disk or a server for them under `[[backups]]` in the settings."),
        )
        return
    for standing in verifying.repository_standings(settings):
        code, values = f"snapshot.{standing['backup'].name}", {"name": standing["backup"].name}
        if standing["failed"]:
            yield Check(
                code,
                name,
                "fail"
                if standing["age"] is None or standing["age"] > SNAPSHOT_WARNING_AGE
                else "warn",
                N_("{name}: the last snapshot failed: {error}"),
                N_(
                    "Check the disk or the link that snapshots are written to, then make one on "
                    "the page Backups."
                ),
                values | {"error": standing["failed"].said},
            )
        elif standing["age"] is None:
            yield Check(
                code,
                name,
                "warn",
                N_("{name}: not yet"),
                N_("Make one on the page Backups, or wait until the night."),
                values,
            )
        else:
            is_late = standing["age"] > SNAPSHOT_WARNING_AGE
            yield Check(
                code,
                name,
                "ok"
                if not is_late
                else "fail"
                if standing["age"] > SNAPSHOT_FAILURE_AGE
                else "warn",
                N_("{name}: the last snapshot is {hours} h old, verified"),
                N_("Check that `appliance jobs` is running; make a snapshot on the page Backups.")
                if is_late
                else "",
                values | {"hours": f"{standing['age'].total_seconds() / 3600:.0f}"},
            )
    yield from _drill_check(settings, "drill", N_("Restore test"))
    yield _recovery_key_check(settings)
    if settings.snapshots.replica:
        yield from _replica_checks(settings)
        yield from _drill_check(
            settings, snapshot_log.COPY_DRILL_KIND, N_("Restore test of the continuous copy")
        )


def _recovery_key_check(settings: Settings) -> Check:
    """Return the check that the keys of the recovery sheet are no longer on the box."""
    code, name = "recovery_key", N_("Keys of the recovery sheet")
    if not sealing.keys_on_box(settings):
        return Check(code, name, "ok", N_("only on paper"))
    return Check(
        code,
        name,
        "warn",
        N_("they are stored on this server"),
        N_(
            "Print the recovery sheet on the page Backups, lock it away, then remove the keys "
            "there."
        ),
    )


def _drill_check(settings: Settings, kind: str, name: str) -> Iterator[Check]:
    """Yield the check that the last drill of a kind succeeded and is recent."""
    code = "drill" if kind == "drill" else f"drill.{kind}"
    last_drill = snapshot_log.latest_snapshot_run(kind)
    if last_drill is None:
        last_snapshot = snapshot_log.latest_snapshot_run("create", state="done")
        is_too_early = (
            last_snapshot is None or clock.now() - last_snapshot.started_at < MAX_DRILL_AGE
        )
        yield Check(
            code,
            name,
            "ok" if is_too_early else "warn",
            N_("not yet"),
            "" if is_too_early else N_("Start one on the page Backups."),
        )
    elif last_drill.state == "failed":
        yield Check(
            code,
            name,
            "fail",
            N_("failed: {error}"),
            N_(
                "Make a new snapshot and start a restore test again; if it fails too, call for "
                "help."
            )
            if kind == "drill"
            else N_(
                "Check the second disk and the log of `appliance replicate`, then start a restore "
                "test again on the page Backups."
            ),
            {"error": last_drill.said},
        )
    else:
        is_late = clock.now() - last_drill.started_at > MAX_DRILL_AGE
        yield Check(
            code,
            name,
            "warn" if is_late else "ok",
            N_("succeeded on {date}"),
            N_("Start one on the page Backups.") if is_late else "",
            {"date": f"{last_drill.started_at.astimezone(settings.tz):%d.%m.%Y}"},
        )


def _replica_checks(settings: Settings) -> Iterator[Check]:
    """Yield the checks that changes are copied continuously and the copy can be restored."""
    code, name = "replica", N_("Continuous copy")
    last_change, check = continuous.last_change_at(settings), copy_check.latest_check()
    values = {"moment": local_time_text(last_change, settings)} if last_change else {}
    if not last_change or clock.now() - last_change >= MAX_COPY_SILENCE:
        yield Check(
            code,
            name,
            "fail",
            N_("stopped since {moment}") if last_change else N_("has not started"),
            N_(
                "It is restarted automatically. If that does not help, check whether the second "
                "disk is mounted, and the log of `appliance replicate`."
            ),
            values,
        )
    elif check is None:
        yield Check(code, name, "ok", N_("changes are copied; no restore has been tested yet"))
    elif check.state == "failed":
        yield Check(
            code,
            name,
            "fail",
            N_("it cannot be restored, tested {moment}: {error}"),
            N_(
                "The copy is restarted and checked again automatically, and starts from a new base "
                "after the second failure. If that does not help, check the second disk; until "
                "then a restore goes back to the last snapshot."
            ),
            {"moment": local_time_text(check.started_at, settings), "error": check.said},
        )
    else:
        is_late = clock.now() - check.started_at > MAX_COPY_CHECK_AGE
        yield Check(
            code,
            name,
            "fail" if is_late else "ok",
            N_("restored as a trial and compared {moment}: calls {calls}, appeals {appeals}"),
            N_("No restore has been tested since then: check that `appliance jobs` is running.")
            if is_late
            else "",
            {
                "moment": local_time_text(check.started_at, settings),
                "calls": str(check.counts["calls"]),
                "appeals": str(check.counts["appeals"]),
            },
        )
    yield _restarts_check(settings)


def _restarts_check(settings: Settings) -> Check:
    """Return the check of the replicator's restarts in the last hour."""
    code, name = "replica.restarts", N_("Restarts of the continuous copy")
    recent_restarts = [
        restart
        for restart in replicator.recorded_restarts(continuous.replica_folder(settings))
        if clock.now() - restart.restarted_at < RESTART_WINDOW
    ]
    if not recent_restarts:
        return Check(code, name, "ok", N_("nothing in the last hour"))
    return Check(
        code,
        name,
        "fail" if len(recent_restarts) >= RESTARTS_LIMIT else "warn",
        N_("restarted automatically: {count} in the last hour, last {moment}"),
        N_("Check the second disk and the log of `appliance replicate`."),
        {
            "count": str(len(recent_restarts)),
            "moment": local_time_text(recent_restarts[-1].restarted_at, settings),
        },
    )
