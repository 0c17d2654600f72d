"""The main loop of scheduled jobs, and the threads that wait for services outside the appliance.

The loop runs each job that is due in a thread, so that a job that hangs delays no other.
"""

import functools
import logging
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import schedule

from appliance.box import alarms, health, mask_journal, processes, retention, runs, timetable
from appliance.box.links import parties, rate
from appliance.box.snapshots.copy_check import keep_replicating
from appliance.casework import unusual_reading
from appliance.core import clock, db, live, memory
from appliance.core.db import database
from appliance.core.settings import Settings
from appliance.jobs import reports, selftests, snapshots
from appliance.jobs.due import Job, run_due
from appliance.jobs.links import LinkMonitor
from appliance.messaging.casework_hooks import connect_hooks
from appliance.messaging.notices import callers, changes, duty, summary
from appliance.messaging.sms import sender
from appliance.pbx.actions import reload_changed_files
from appliance.reports import evidence

log = logging.getLogger(__name__)

POLL_SECONDS = 1  # between two checks for due jobs
STOP_TIMEOUT_SECONDS = 20.0  # how long a message or job in progress may still take after the stop
SIGNAL_WAIT_SECONDS = 1.0  # a signal that ended a helper process arrives here within this time


def run_jobs(settings: Settings) -> None:
    """Run due jobs until SIGTERM or SIGINT.

    The failure of a job is recorded, and does not affect other jobs. If a service thread ends, the
    process exits with 1, so that it is started again.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    connect_hooks(settings)
    memory.freeze_loaded_objects()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    scheduler, runner = schedule.Scheduler(), JobRunner(stop)
    for job in scheduled_jobs(settings, lambda: not stop.is_set()):
        scheduler.every(POLL_SECONDS).seconds.do(runner.start_if_due, job)
    log.info("%d jobs on the timetable of %s", len(scheduler.jobs), settings.web.url)
    threads = _start_service_threads(settings, stop)
    pulse = db.retry_while_busy(
        functools.partial(db.run_with_connection, processes.register_process, settings, "jobs"),
        stop,
    )
    with database.connection_context():
        ended_thread = ""
        scheduler.run_all()
        while not stop.wait(POLL_SECONDS):
            pulse.write_if_due()
            dead = next((thread.name for thread in threads if not thread.is_alive()), "")
            if dead and not stop.is_set():
                log.error("%s has ended: everything is restarted", dead)
                ended_thread = dead
                stop.set()
            if (scheduler.idle_seconds or 0) > POLL_SECONDS:  # the clock was set back
                scheduler.run_all()
            scheduler.run_pending()
    deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
    for thread in (*threads, *runner.threads.values()):
        thread.join(max(0.0, deadline - time.monotonic()))
    pulse.remove_file()
    if ended_thread:
        raise SystemExit(1)


@dataclass
class JobRunner:
    """Runs each job in its own thread."""

    stop: threading.Event
    threads: dict[str, threading.Thread] = field(default_factory=dict)

    def start_if_due(self, job: Job) -> None:
        """Start a job if it is due and not running."""
        running = self.threads.get(job.name)
        if self.stop.is_set() or (running and running.is_alive()) or not _is_due(job):
            return
        is_stopping = functools.partial(self.stop.wait, SIGNAL_WAIT_SECONDS)
        self.threads[job.name] = threading.Thread(
            target=db.run_with_connection,
            args=(run_due, job, is_stopping),
            name=job.name,
            daemon=True,
        )
        self.threads[job.name].start()


def scheduled_jobs(settings: Settings, may_continue: Callable[[], bool]) -> list[Job]:
    """The scheduled jobs of a site."""
    actions = _job_actions(settings, may_continue)
    return [
        Job(job.name, job.slot(settings), actions[job.name], job.catches_up, job.start_window)
        for job in timetable.site_jobs(settings)
    ]


def _job_actions(
    settings: Settings, may_continue: Callable[[], bool]
) -> dict[str, Callable[[], object]]:
    """Return the action of each job, by its name in box.timetable."""
    return {
        "clear": live.clear_old_events,
        "reports": lambda: reports.build_due_reports(settings, may_continue),
        "asterisk": lambda: reload_changed_files(settings),
        "disks": lambda: retention.record_disk_usage(settings),
        "retention": lambda: retention.remove_due(settings, may_continue),
        "checks": lambda: _run_checks(settings),
        "integrity": health.database.verify_integrity,
        "audit": lambda: health.audit.verify_chain(settings),
        "audit_sign": lambda: health.audit.sign_head(settings),
        "masks": lambda: mask_journal.record_masks(settings),
        "readings": lambda: unusual_reading.record_unusual_reading(settings.tz),
        "evidence": lambda: evidence.make_requested_packs(settings, may_continue),
        "callers": lambda: callers.send_call_notices(settings),
        "duty": lambda: duty.escalate_alerts(settings),
        "changes": lambda: changes.send_reminders(settings),
        "summary": lambda: summary.queue_summary(
            settings, timetable.summary_slot(settings)(clock.now())
        ),
        "snapshot": lambda: snapshots.create_snapshots(settings),
        "drill": lambda: snapshots.run_restore_drill(settings),
        "snapshot_asked": lambda: snapshots.run_requested(settings),
        "replica": lambda: snapshots.verify_replica(settings),
        "replica_going": lambda: keep_replicating(settings),
        "self_test_call": lambda: selftests.run_test_call(settings),
        "self_test_carriers": lambda: selftests.run_carrier_calls(settings),
        "self_test_offline": lambda: selftests.run_offline_drill(settings),
        "rate": lambda: rate.measure_rate(settings),
    }


def _is_due(job: Job) -> bool:
    try:
        return runs.is_run_due(job.name, job.slot(clock.now()))
    except Exception:  # the boundary of a check: the next one is in a second
        log.exception("%s: nobody knows whether it is due", job.name)
        return False


def _run_checks(settings: Settings) -> str:
    """Run all self-checks and raise an alarm for each failure that has lasted long enough."""
    return ", ".join(alarms.update_alarms(settings, health.all_checks(settings)))


def _start_service_threads(settings: Settings, stop: threading.Event) -> list[threading.Thread]:
    """Start each loop that waits for an outside service in its own thread.

    A thread that a slow service still blocks STOP_TIMEOUT_SECONDS after the stop is abandoned: the
    messages that it has claimed are claimed again later, and marked as perhaps sent twice.
    """
    loops: dict[str, Callable[[threading.Event], None]] = {}
    if settings.sms:
        loops["sms"] = sender.build_sender(settings).send_until_stopped
    if settings.telegram:
        # Imported only on a site that uses them: they load the HTTP client.
        from appliance.messaging.telegram import courier as telegram
        from appliance.messaging.telegram.bot_api import BotApiClient

        bot = BotApiClient(settings.telegram.url, settings.telegram.token)
        loops["telegram"] = telegram.TelegramCourier(bot).send_until_stopped
        loops["telegram reader"] = telegram.UpdateReader(bot, settings).read_until_stopped
    if parties.watched_parties(settings):
        loops["links"] = LinkMonitor(settings).run_probes
    if settings.ministry and settings.ministry.url:
        from appliance.casework.ministry import courier as ministry

        system = ministry.ministry_system(settings.ministry)
        courier = ministry.Courier(system, settings, settings.ministry)
        loops["ministry"] = courier.run_until_stopped
    threads = [
        threading.Thread(target=_run_with_retries, args=(loop, stop), name=name, daemon=True)
        for name, loop in loops.items()
    ]
    for thread in threads:
        thread.start()
    return threads


def _run_with_retries(loop: Callable[[threading.Event], None], stop: threading.Event) -> None:
    """Run a loop, and restart it if it was aborted because the database was busy."""
    db.retry_while_busy(functools.partial(db.run_with_connection, loop, stop), stop)
