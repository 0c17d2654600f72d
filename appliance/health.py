"""Named self-checks of the site: what was looked at, what was seen, and what to do about it.

The texts are message ids with {placeholders}; whoever shows a check translates and fills them.
"""

import datetime as dt
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import peewee

from appliance import calls, clock, db, outbox, retention, runs
from appliance.models import AsteriskWatch, EventRow, ReportRun, TelegramBot, User
from appliance.settings import Settings
from appliance.snapshots import continuous, verifying
from appliance.snapshots import log as snapshot_log

STATES = ("ok", "warn", "fail")
ALIVE = dt.timedelta(seconds=10)  # Asterisk answers every second
BEHIND = dt.timedelta(seconds=10)  # how late the ledger may be
SETTLED = dt.timedelta(hours=1)  # calls that came before have ended and are measured
LATE = dt.timedelta(hours=6)  # after which a report that was due is missing
WAITED, WAITED_LONG = dt.timedelta(minutes=15), dt.timedelta(hours=1)  # of the oldest message
SILENT = dt.timedelta(minutes=5)  # after which the bot's reader counts as dead
FULL_SOON, FULL_NOW = dt.timedelta(days=60), dt.timedelta(days=14)  # until a disk is full
STANDS = dt.timedelta(minutes=5)  # without a run of any job
NIGHT, NIGHTS = dt.timedelta(hours=26), dt.timedelta(hours=50)  # since the last snapshot
MONTH = dt.timedelta(days=35)  # since the last restore drill
LOSS = dt.timedelta(minutes=5)  # what may be lost between snapshots
GIGABYTE = 1024**3
LOW, VERY_LOW = 0.15, 0.05  # shares of a disk that are free
_TAIL = 64 * 1024
_RECORD = re.compile(rb'^"(\d{9,10}\.\d{6})","[A-Z_]+","', re.MULTILINE)


def N_(text: str) -> str:  # gettext's own name for "a message, translated later"
    """Mark a message id for the catalogues."""
    return text


@dataclass(frozen=True)
class Check:
    """One look. `seen` and `advice` are message ids, filled with `values`; no advice when ok."""

    code: str
    name: str
    state: str  # one of STATES
    seen: str
    advice: str = ""
    values: dict[str, str] = field(default_factory=dict)


def checks(settings: Settings) -> list[Check]:
    """Every check, those that need something done first."""
    looked = [check for look in _LOOKS for check in look(settings)]
    return sorted(looked, key=lambda check: -STATES.index(check.state))


def writable() -> bool:
    """Whether the database takes a change at this moment."""
    try:
        db.prove_writable()
    except peewee.OperationalError:
        return False
    return True


def line_answers() -> bool | None:
    """Whether Asterisk was seen alive just now; None: it never was, on this site."""
    seen = _asterisk_seen()
    return None if seen is None else clock.now() - seen < ALIVE


def _database(settings: Settings) -> Iterator[Check]:
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


def _disks(settings: Settings) -> Iterator[Check]:
    folders = {
        "disk.database": (N_("Disk of the database"), settings.paths.database.parent),
        "disk.recordings": (N_("Disk of the recordings"), settings.paths.recordings),
    }
    for code, (name, folder) in folders.items():
        usage = shutil.disk_usage(_existing(folder))
        free = usage.free / usage.total
        state = "fail" if free < VERY_LOW else "warn" if free < LOW else "ok"
        yield Check(
            code,
            name,
            state,
            N_("{free} of {total} GB free"),
            ""
            if state == "ok"
            else N_("Make room or add a disk: when it is full, nothing is kept."),
            {"free": f"{usage.free / GIGABYTE:.0f}", "total": f"{usage.total / GIGABYTE:.0f}"},
        )


def _forecasts(settings: Settings) -> Iterator[Check]:
    today = clock.now().astimezone(settings.tz).date()
    names = {"database": N_("Disk of the database"), "recordings": N_("Disk of the recordings")}
    for disk, name in names.items():
        full_on = retention.forecast(settings, disk).full_on
        if not full_on or full_on - today > FULL_SOON:
            continue
        yield Check(
            f"disk.{disk}.full",
            name,
            "fail" if full_on - today <= FULL_NOW else "warn",
            N_("full on {date} if it goes on like that"),
            N_("Add a disk, or keep recordings for less long: see the page Retention."),
            {"date": f"{full_on:%d.%m.%Y}"},
        )


def _asterisk(settings: Settings) -> Iterator[Check]:
    code, name = "asterisk", N_("Telephone exchange")
    seen = _asterisk_seen()
    if seen and clock.now() - seen < ALIVE:
        yield Check(code, name, "ok", N_("answers"))
        return
    yield Check(
        code,
        name,
        "fail",
        N_("last seen {moment}") if seen else N_("never seen"),
        N_(
            "Look whether `asterisk` and `appliance pbx` run; start the one that does not. "
            "When only `appliance pbx` is down, calls are still taken."
        ),
        {"moment": f"{seen.astimezone(settings.tz):%d.%m.%Y %H:%M:%S}"} if seen else {},
    )


def _event_log(settings: Settings) -> Iterator[Check]:
    code, name = "event_log", N_("Ledger of calls")
    written = _last_record(settings.paths.event_log)
    if written is None:
        yield Check(code, name, "ok", N_("no call has been logged yet"))
        return
    read = EventRow.select(EventRow.at).order_by(EventRow.at.desc()).limit(1).scalar()
    if (read and read >= written) or clock.now() - written < BEHIND:
        yield Check(code, name, "ok", N_("up to date with the exchange"))
        return
    yield Check(
        code,
        name,
        "fail",
        N_("behind the exchange since {moment}"),
        N_("Look whether `appliance pbx` runs and start it; it catches up by itself."),
        {"moment": f"{written.astimezone(settings.tz):%d.%m.%Y %H:%M:%S}"},
    )


def _balance(settings: Settings) -> Iterator[Check]:
    until = clock.now() - SETTLED
    day = calls.balance(until - dt.timedelta(days=1), until)
    even = not day.difference
    yield Check(
        "balance",
        N_("Balance of calls, last day"),
        "ok" if even else "fail",
        N_("{arrived} arrived, {held} in the ledger"),
        "" if even else N_("Run `appliance ledger ingest` over the event logs, rotated ones too."),
        {"arrived": str(day.arrivals), "held": str(day.arrivals - day.difference)},
    )
    whole = day.recordings_found == day.recordings_expected and not day.recordings_short
    yield Check(
        "recordings",
        N_("Recordings, last day"),
        "ok" if whole else "warn",
        N_("{found} of {expected} there, {short} too short"),
        "" if whole else N_("Look whether the disk was full and whether the exchange was stopped."),
        {
            "found": str(day.recordings_found),
            "expected": str(day.recordings_expected),
            "short": str(day.recordings_short),
        },
    )


def _reports(settings: Settings) -> Iterator[Check]:
    code, name = "reports", N_("Reports on schedule")
    failed = (
        ReportRun.select().where(ReportRun.state == "failed").order_by(ReportRun.due_at).first()
    )
    if failed:
        yield Check(
            code,
            name,
            "fail",
            N_("{report} was not made: {error}"),
            N_("It is tried again by itself; see the log of `appliance jobs` for why it failed."),
            {"report": f"{failed.name} {failed.period}", "error": failed.error},
        )
    elif overdue := _overdue(settings):
        yield Check(
            code,
            name,
            "fail",
            N_("{report} is not made yet"),
            N_("Look whether `appliance jobs` runs. A report waits while calls of its days go on."),
            {"report": overdue},
        )
    else:
        yield Check(code, name, "ok", N_("none is missing"))


def _jobs(settings: Settings) -> Iterator[Check]:
    code, name = "jobs", N_("Scheduled work")
    latest = runs.latest()
    newest = max((run.started_at for run in latest), default=None)
    failed = next((run for run in latest if run.state == "failed"), None)
    if newest is None:
        yield Check(
            code, name, "warn", N_("has not run yet"), N_("Look whether `appliance jobs` runs.")
        )
    elif clock.now() - newest > STANDS and not any(run.state == "running" for run in latest):
        yield Check(
            code,
            name,
            "fail",
            N_("stands since {moment}"),
            N_("Look whether `appliance jobs` runs."),
            {"moment": f"{newest.astimezone(settings.tz):%d.%m.%Y %H:%M:%S}"},
        )
    elif failed:
        yield Check(
            code,
            name,
            "warn",
            N_("the last run failed: {error}"),
            N_("It runs again when it is due; see the log of `appliance jobs` for why it failed."),
            {"error": failed.result},
        )
    else:
        yield Check(code, name, "ok", N_("runs as it is due"))


def _outbox(settings: Settings) -> Iterator[Check]:
    code, name = "outbox", N_("Messages that leave the box")
    ages = outbox.ages()
    oldest = max((age.oldest for age in ages), default=dt.timedelta())
    if oldest < WAITED:
        yield Check(code, name, "ok", N_("none waits for long"))
        return
    yield Check(
        code,
        name,
        "fail" if oldest >= WAITED_LONG else "warn",
        N_("{waiting} wait, the oldest for {minutes} min"),
        N_("See the page Messages for what went wrong, and whether `appliance jobs` runs."),
        {
            "waiting": str(sum(age.waiting for age in ages)),
            "minutes": str(int(oldest.total_seconds() // 60)),
        },
    )


def _telegram(settings: Settings) -> Iterator[Check]:
    if not settings.telegram:
        return
    code, name = "telegram", N_("Telegram bot")
    bot = TelegramBot.get_or_none(TelegramBot.name == "bot")
    if bot and bot.trouble:
        seen, advice = _BOT_TROUBLES.get(bot.trouble, _BOT_TROUBLES["unreachable"])
        yield Check(code, name, "fail", seen, advice)
    elif not bot or not bot.seen_at or clock.now() - bot.seen_at > SILENT:
        yield Check(
            code, name, "warn", N_("does not ask"), N_("Look whether `appliance jobs` runs.")
        )
    else:
        yield Check(code, name, "ok", N_("is heard"))


_BOT_TROUBLES = {
    "unreachable": (
        N_("Telegram cannot be reached"),
        N_("Look at the internet link. The duty list is still asked by SMS."),
    ),
    "log_in": (
        N_("Telegram refuses the bot's token"),
        N_("Check `telegram.token` in the settings."),
    ),
    "second_reader": (
        N_("another program reads the bot's messages"),
        N_("Stop the other program or remove its webhook: a bot has one reader."),
    ),
    "kicked": (N_("the bot is not in the group"), N_("Add the bot to the group again.")),
}


def _snapshots(settings: Settings) -> Iterator[Check]:
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
    yield from _drill(settings)
    if settings.snapshots.replica:
        yield from _replica(settings)


def _drill(settings: Settings) -> Iterator[Check]:
    code, name = "drill", N_("Restore drill")
    last = snapshot_log.latest("drill")
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
            N_("Make a new snapshot, start a drill again; if it fails too, call for help."),
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
    code, name = "replica", N_("Continuous copy")
    last = continuous.last_change(settings)
    if last and clock.now() - last < LOSS:
        yield Check(code, name, "ok", N_("goes on"))
        return
    yield Check(
        code,
        name,
        "fail",
        N_("stands since {moment}") if last else N_("has not begun"),
        N_("Look whether `appliance replicate` runs and whether the second disk is mounted."),
        {"moment": f"{last.astimezone(settings.tz):%d.%m.%Y %H:%M:%S}"} if last else {},
    )


def _overdue(settings: Settings) -> str:
    """A report that should be there by now; also one that nobody has even planned; "" for none."""
    late = clock.now() - LATE
    waiting = ReportRun.select().where(ReportRun.state != "done", ReportRun.due_at < late)
    if run := waiting.order_by(ReportRun.due_at).first():
        return f"{run.name} {run.period}"
    day = late.astimezone(settings.tz).date() - dt.timedelta(days=1)
    first = User.select(User.created_at).order_by(User.created_at).first()
    if first is None or first.created_at.astimezone(settings.tz).date() > day:
        return ""
    planned = ReportRun.select().where(ReportRun.name == "daily", ReportRun.period == str(day))
    return "" if planned.exists() else f"daily {day}"


_LOOKS: tuple[Callable[[Settings], Iterator[Check]], ...] = (
    _database,
    _asterisk,
    _event_log,
    _balance,
    _reports,
    _jobs,
    _outbox,
    _snapshots,
    _telegram,
    _disks,
    _forecasts,
)


def _asterisk_seen() -> dt.datetime | None:
    newest = AsteriskWatch.select(AsteriskWatch.seen_at).order_by(AsteriskWatch.seen_at.desc())
    return newest.limit(1).scalar()


def _last_record(log: Path) -> dt.datetime | None:
    """When the last record of Asterisk's event log was written."""
    if not log.is_file():
        return None
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL))
        found = _RECORD.findall(file.read())
    return dt.datetime.fromtimestamp(float(found[-1]), dt.UTC) if found else None


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that there is."""
    return next(path for path in (folder, *folder.parents) if path.exists())
