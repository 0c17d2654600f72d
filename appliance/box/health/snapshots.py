"""The snapshots: how old, tried out or not, and the continuous copy."""

import datetime as dt
from collections.abc import Iterator

from appliance.box.health.check import Check, moment_text
from appliance.box.snapshots import continuous, copy_check, replicator, sealing, verifying
from appliance.box.snapshots import log as snapshot_log
from appliance.core import clock
from appliance.core.i18n import N_
from appliance.core.settings import Settings

NIGHT, NIGHTS = dt.timedelta(hours=26), dt.timedelta(hours=50)  # since the last snapshot
MONTH = dt.timedelta(days=35)  # since the last restore drill
TRIED = dt.timedelta(hours=3)  # since the copy was last restored for trial
RECENT, MANY = dt.timedelta(hours=1), 3  # restarts of the replicator in that time are too many
LIVES = dt.timedelta(seconds=40)  # a living copy writes every 20 s at least


def snapshots(settings: Settings) -> Iterator[Check]:
    name = N_("Snapshots")
    if not settings.backups:
        yield Check(
            "snapshot",
            name,
            "warn",
            N_("none are made"),
            N_("Name a disk or a server for them under `[[backups]]` in the settings."),
        )
        return
    for one in verifying.standing(settings):
        code, values = f"snapshot.{one['backup'].name}", {"name": one["backup"].name}
        if one["failed"]:
            yield Check(
                code,
                name,
                "fail" if one["age"] is None or one["age"] > NIGHT else "warn",
                N_("{name}: the last one failed: {error}"),
                N_("Look at the disk or the link that it goes to, then make one on Backups."),
                values | {"error": one["failed"].said},
            )
        elif one["age"] is None:
            yield Check(
                code,
                name,
                "warn",
                N_("{name}: none yet"),
                N_("Make one on the page Backups, or wait for the night."),
                values,
            )
        else:
            late = one["age"] > NIGHT
            yield Check(
                code,
                name,
                "ok" if not late else "fail" if one["age"] > NIGHTS else "warn",
                N_("{name}: the last one is {hours} h old, verified"),
                N_("Look whether `appliance jobs` runs; make one on the page Backups.")
                if late
                else "",
                values | {"hours": f"{one['age'].total_seconds() / 3600:.0f}"},
            )
    yield from _drill(settings, "drill", N_("Restore drill"))
    yield _recovery_key(settings)
    if settings.snapshots.replica:
        yield from _replica(settings)
        yield from _drill(settings, snapshot_log.COPY, N_("Drill of the continuous copy"))


def _recovery_key(settings: Settings) -> Check:
    code, name = "recovery_key", N_("Keys of the recovery sheet")
    if not sealing.on_the_box(settings):
        return Check(code, name, "ok", N_("only on paper"))
    return Check(
        code,
        name,
        "warn",
        N_("they lie on this box"),
        N_("Print the recovery sheet on Backups, lock it away, then remove the keys there."),
    )


def _drill(settings: Settings, kind: str, name: str) -> Iterator[Check]:
    code = "drill" if kind == "drill" else f"drill.{kind}"
    last = snapshot_log.latest(kind)
    if last is None:
        made = snapshot_log.latest("create", state="done")
        waits = made is None or clock.now() - made.started_at < MONTH
        yield Check(
            code,
            name,
            "ok" if waits else "warn",
            N_("none yet"),
            "" if waits else N_("Start one on the page Backups."),
        )
    elif last.state == "failed":
        yield Check(
            code,
            name,
            "fail",
            N_("failed: {error}"),
            N_("Make a new snapshot, start a drill again; if it fails too, call for help.")
            if kind == "drill"
            else N_(
                "Look at the second disk and at the log of `appliance replicate`, then start a "
                "drill again on the page Backups."
            ),
            {"error": last.said},
        )
    else:
        late = clock.now() - last.started_at > MONTH
        yield Check(
            code,
            name,
            "warn" if late else "ok",
            N_("succeeded on {date}"),
            N_("Start one on the page Backups.") if late else "",
            {"date": f"{last.started_at.astimezone(settings.tz):%d.%m.%Y}"},
        )


def _replica(settings: Settings) -> Iterator[Check]:
    """Whether changes are copied, and whether the copy could be restored when it was tried last."""
    code, name = "replica", N_("Continuous copy")
    last, check = continuous.last_change(settings), copy_check.latest()
    values = {"moment": moment_text(last, settings)} if last else {}
    if not last or clock.now() - last >= LIVES:
        yield Check(
            code,
            name,
            "fail",
            N_("stands since {moment}") if last else N_("has not begun"),
            N_(
                "It is restarted by itself. If it stays so, look whether the second disk is "
                "mounted and what the log of `appliance replicate` says."
            ),
            values,
        )
    elif check is None:
        yield Check(code, name, "ok", N_("changes are copied; no restore was tried yet"))
    elif check.state == "failed":
        yield Check(
            code,
            name,
            "fail",
            N_("it cannot be restored, tried {moment}: {error}"),
            N_(
                "It is restarted and tried again by itself, and makes a new base after the second "
                "failure. If it stays so, look at the second disk; until then a restore goes "
                "back to the last snapshot."
            ),
            {"moment": moment_text(check.started_at, settings), "error": check.said},
        )
    else:
        late = clock.now() - check.started_at > TRIED
        yield Check(
            code,
            name,
            "fail" if late else "ok",
            N_("restored for trial and compared {moment}: calls {calls}, appeals {appeals}"),
            N_("No restore was tried since: look whether `appliance jobs` runs.") if late else "",
            {
                "moment": moment_text(check.started_at, settings),
                "calls": str(check.counts["calls"]),
                "appeals": str(check.counts["appeals"]),
            },
        )
    yield _restarts(settings)


def _restarts(settings: Settings) -> Check:
    """Restarts of the replicator in the last hour."""
    code, name = "replica.restarts", N_("Restarts of the continuous copy")
    recent = [
        r
        for r in replicator.restarts(continuous.replica(settings))
        if clock.now() - r.moment < RECENT
    ]
    if not recent:
        return Check(code, name, "ok", N_("none in the last hour"))
    return Check(
        code,
        name,
        "fail" if len(recent) >= MANY else "warn",
        N_("restarted by itself: {count} in the last hour, last {moment}"),
        N_("Look at the second disk and at the log of `appliance replicate`."),
        {"count": str(len(recent)), "moment": moment_text(recent[-1].moment, settings)},
    )
