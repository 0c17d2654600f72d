"""The one loop of scheduled work, and the threads that wait for others outside the box.

The loop looks what is due and hands it to a thread: a job that hangs holds up no other.
"""

import functools
import logging
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import schedule

from appliance.box import alarms, health, links, mask_journal, processes, retention, runs, timetable
from appliance.box.snapshots import keep_replicating
from appliance.casework import unusual
from appliance.core import clock, db, live, memory
from appliance.core.db import database
from appliance.core.settings import Settings
from appliance.jobs import reports, selftests, snapshots
from appliance.jobs.due import Job, run_due
from appliance.jobs.links import Watcher
from appliance.messaging import notices
from appliance.messaging.notices import callers, changes, duty, summary
from appliance.messaging.sms import sender
from appliance.pbx.actions import keep_up
from appliance.reports import evidence

log = logging.getLogger(__name__)

LOOK = 1  # seconds between two looks at what is due
LAST = 20.0  # seconds that a message or a job on its way may still take after the stop
HEARD = 1.0  # seconds in which the signal that ended a helper reaches this process too


def run(settings: Settings) -> None:
    """Do what is due until SIGTERM or SIGINT; a job that fails is written down, and goes on."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    memory.settle()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    scheduler, hands = schedule.Scheduler(), Hands(stop)
    for job in jobs(settings, lambda: not stop.is_set()):
        scheduler.every(LOOK).seconds.do(hands.look, job)
    log.info("%d jobs on the timetable of %s", len(scheduler.jobs), settings.web.url)
    threads = _start(settings, stop)
    pulse = db.insist(functools.partial(db.connected, processes.begin, settings, "jobs"), stop)
    with database.connection_context():
        ended = ""
        scheduler.run_all()
        while not stop.wait(LOOK):
            pulse.give()
            dead = next((thread.name for thread in threads if not thread.is_alive()), "")
            if dead and not stop.is_set():
                log.error("%s has ended: all is started anew", dead)
                ended = dead
                stop.set()
            if (scheduler.idle_seconds or 0) > LOOK:  # the clock was set back
                scheduler.run_all()
            scheduler.run_pending()
    end = time.monotonic() + LAST
    for thread in (*threads, *hands.busy.values()):
        thread.join(max(0.0, end - time.monotonic()))
    pulse.end()
    if ended:
        raise SystemExit(1)


@dataclass
class Hands:
    """A thread for each job that runs."""

    stop: threading.Event
    busy: dict[str, threading.Thread] = field(default_factory=dict)

    def look(self, job: Job) -> None:
        """Have a job run if it is due and does not run."""
        running = self.busy.get(job.name)
        if self.stop.is_set() or (running and running.is_alive()) or not _is_due(job):
            return
        stopped = functools.partial(self.stop.wait, HEARD)
        self.busy[job.name] = threading.Thread(
            target=db.connected, args=(run_due, job, stopped), name=job.name, daemon=True
        )
        self.busy[job.name].start()


def jobs(settings: Settings, goes_on: Callable[[], bool]) -> list[Job]:
    """The timetable of a site."""
    do = _work(settings, goes_on)
    return [
        Job(job.name, job.slot(settings), do[job.name], job.catches_up, job.within)
        for job in timetable.of(settings)
    ]


def _work(settings: Settings, goes_on: Callable[[], bool]) -> dict[str, Callable[[], object]]:
    """Name of a job in box.timetable → what it does."""
    return {
        "clear": live.clear,
        "reports": lambda: reports.make(settings, goes_on),
        "asterisk": lambda: keep_up(settings),
        "disks": lambda: retention.read_disks(settings),
        "retention": lambda: retention.remove_due(settings, goes_on),
        "checks": lambda: _check(settings),
        "integrity": health.database.look_through,
        "audit": lambda: health.audit.verify(settings),
        "audit_sign": lambda: health.audit.sign(settings),
        "masks": lambda: mask_journal.note(settings),
        "readings": lambda: unusual.look(settings.tz),
        "evidence": lambda: evidence.make_asked(settings, goes_on),
        "callers": lambda: callers.notify_due(settings),
        "duty": lambda: duty.escalate(settings),
        "changes": lambda: changes.remind(settings),
        "summary": lambda: summary.put(settings, timetable.summary_slot(settings)(clock.now())),
        "snapshot": lambda: snapshots.create(settings),
        "drill": lambda: snapshots.drill(settings),
        "snapshot_asked": lambda: snapshots.do_asked(settings),
        "replica": lambda: snapshots.check_copy(settings),
        "replica_going": lambda: keep_replicating(settings),
        "self_test_call": lambda: selftests.call(settings),
        "self_test_carriers": lambda: selftests.carriers(settings),
        "self_test_offline": lambda: selftests.offline(settings),
        "rate": lambda: links.measure(settings),
    }


def _is_due(job: Job) -> bool:
    try:
        return runs.is_due(job.name, job.slot(clock.now()))
    except Exception:  # the boundary of a look: the next one is in a second
        log.exception("%s: nobody knows whether it is due", job.name)
        return False


def _check(settings: Settings) -> str:
    """Look at everything; what has failed for long enough is told."""
    return ", ".join(alarms.watch(settings, health.checks(settings)))


def _start(settings: Settings, stop: threading.Event) -> list[threading.Thread]:
    """What waits for others outside the box, each in a thread, so that nothing waits for it.

    A thread that a slow service holds for longer than LAST after the stop is left behind: what it
    had claimed is taken up again, and said to be perhaps sent twice.
    """
    loops: dict[str, Callable[[threading.Event], None]] = {}
    if settings.sms:
        loops["sms"] = sender.senders(settings).follow
    if settings.telegram:
        # As below: what speaks HTTP is loaded on a site that has somebody to speak to.
        from appliance.messaging.telegram import courier as telegram
        from appliance.messaging.telegram.bot_api import Telegram

        bot = Telegram(settings.telegram.url, settings.telegram.token)
        loops["telegram"] = telegram.Courier(bot).follow
        loops["telegram reader"] = telegram.Reader(bot, settings).follow
    if links.watched(settings):
        loops["links"] = Watcher(settings).follow
    if settings.ministry and settings.ministry.url:
        from appliance.casework.ministry import courier as ministry

        system = ministry.gateway(settings.ministry)
        loops["ministry"] = ministry.Courier(
            system, settings, settings.ministry, notices.answered
        ).follow
    started = [
        threading.Thread(target=_insisting, args=(loop, stop), name=name, daemon=True)
        for name, loop in loops.items()
    ]
    for thread in started:
        thread.start()
    return started


def _insisting(loop: Callable[[threading.Event], None], stop: threading.Event) -> None:
    """A loop that a busy database broke off begins anew: that is no fault of its own."""
    db.insist(functools.partial(db.connected, loop, stop), stop)
