"""The site's figures for Prometheus: what the checks said, and what goes on at this moment.

Nothing here reads a history: the cost stays the same however long the ledger grows.
"""

import shutil
import threading
import time
from collections.abc import Iterator

from peewee import fn
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from appliance.box import alarms, health, processes, runs
from appliance.box.retention import disks
from appliance.core import clock, outbox
from appliance.core.settings import Settings
from appliance.models import Call, Message
from appliance.people import presence
from appliance.reports.today import today
from appliance.telephony import calls, devices, routing
from appliance.telephony import trunks as lines

FRESH = 5.0  # seconds for which an answer is given again
_PREFIX = "appliance_"


class Metrics:
    """The figures of one site as Prometheus reads them."""

    def __init__(self, settings: Settings) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(Figures(settings))
        self._lock = threading.Lock()
        self._text = b""
        self._made = float("-inf")

    def text(self) -> bytes:
        """In Prometheus' text format; at most FRESH seconds old."""
        with self._lock:
            if time.monotonic() - self._made >= FRESH:
                self._text, self._made = generate_latest(self._registry), time.monotonic()
            return self._text


class Figures(Collector):
    """Reads every figure anew."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing is read when it is registered."""
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Every family."""
        yield from self._checks()
        yield from self._calls()
        yield from self._lines()
        yield from self._messages()
        yield from self._machine()

    def _checks(self) -> Iterator[GaugeMetricFamily]:
        state = _gauge("check_state", "A self-check: 0 in order, 1 warning, 2 fault", "check")
        since = _gauge("check_since_seconds", "Since when it is in that state", "check")
        looked = _gauge("checks_looked_at_seconds", "When the jobs looked last")
        rows = alarms.states()
        for code, row in sorted(rows.items()):
            state.add_metric([code], health.STATES.index(row.state))
            since.add_metric([code], row.since.timestamp())
        if rows:
            looked.add_metric([], max(row.looked_at for row in rows.values()).timestamp())
        yield from (state, since, looked)

    def _calls(self) -> Iterator[GaugeMetricFamily]:
        now = clock.now()
        midnight = now.astimezone(self._settings.tz).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        outcomes = _gauge("calls_today", "Calls that arrived today and have ended", "outcome")
        ended = Call.select(Call.outcome, fn.COUNT(Call.id)).where(
            Call.direction == "inbound",
            Call.arrived_at >= midnight,
            Call.outcome.is_null(False),
            ~Call.synthetic,
        )
        for outcome, count in ended.group_by(Call.outcome).tuples():
            outcomes.add_metric([outcome], count)
        going_on = calls.going_on()
        stages = _gauge("calls", "Calls at this moment", "stage")
        for stage in ("menu", "queue", "ringing", "talk", "rating"):
            stages.add_metric([stage], sum(one.stage == stage for one in going_on))
        waits = [one.waits_since for one in going_on if one.waits_since]
        day = today(midnight, now, waits, self._settings.calls.service_level)
        speed = _gauge("answer_seconds", "Average seconds to the answer, today")
        longest = _gauge("longest_wait_seconds", "Who waits longest at this moment")
        if day.asa.value is not None:
            speed.add_metric([], day.asa.value)
        longest.add_metric([], day.longest_wait or 0.0)
        operators = _gauge("operators", "Operators by the state they chose", "state")
        chosen = list(presence.states().values())
        for state in presence.STATES:
            operators.add_metric([state], chosen.count(state))
        lag = _gauge("ledger_lag_seconds", "How far the ledger is behind the event log")
        lag.add_metric([], health.lag(self._settings))
        yield from (outcomes, stages, speed, longest, operators, lag)

    def _lines(self) -> Iterator[GaugeMetricFamily]:
        up = _gauge("trunk_up", "Whether a trunk answers; none for one that is not asked", "trunk")
        registered = _gauge("trunk_registered", "Whether it is registered, where it must", "trunk")
        used = _gauge("trunk_channels", "Calls on it at this moment", "trunk")
        limit = _gauge("trunk_channels_limit", "How many it takes; none without a limit", "trunk")
        alarm = _gauge("span_alarm", "Whether an E1 span has an alarm", "span", "trunk")
        d_channel = _gauge("span_d_channel_up", "Whether its D-channel is up", "span", "trunk")
        for name, state in sorted(lines.states().items()):
            if state.state != lines.UNASKED:
                up.add_metric([name], state.state == lines.UP)
            if state.registration:
                registered.add_metric([name], state.registration == "Registered")
        spans = lines.spans()
        for span in spans:
            names = [str(span.number), span.trunk]
            alarm.add_metric(names, bool(span.alarm))
            d_channel.add_metric(names, span.d_channel)
        seen = {device.name: device.channels for device in devices.trunks()}
        for trunk in routing.current(self._settings).trunks:
            busy, capacity = lines.load(trunk, seen, spans)
            used.add_metric([trunk.name], busy)
            if capacity:
                limit.add_metric([trunk.name], capacity)
        yield from (up, registered, used, limit, alarm, d_channel)

    def _messages(self) -> Iterator[GaugeMetricFamily]:
        counts = _gauge("outbox_messages", "Messages by what became of them", "channel", "state")
        open_ones = Message.select(Message.channel, Message.state, fn.COUNT(Message.id)).where(
            Message.state.in_([*outbox.OPEN, "held", "refused", "expired"])
        )
        for channel, state, count in open_ones.group_by(Message.channel, Message.state).tuples():
            counts.add_metric([channel, state], count)
        oldest = _gauge("outbox_oldest_seconds", "How long the oldest due one waits", "channel")
        for age in outbox.ages():
            oldest.add_metric([age.channel], age.oldest.total_seconds())
        yield from (counts, oldest)

    def _machine(self) -> Iterator[GaugeMetricFamily]:
        free = _gauge("disk_free_bytes", "Free room", "disk")
        size = _gauge("disk_size_bytes", "All room", "disk")
        for disk, folder in disks.folders(self._settings).items():
            usage = shutil.disk_usage(next(p for p in (folder, *folder.parents) if p.exists()))
            free.add_metric([disk], usage.free)
            size.add_metric([disk], usage.total)
        up = _gauge("process_up", "Whether a process of the appliance runs", "process")
        for name, signs in processes.living(self._settings).items():
            up.add_metric([name], bool(signs) and not signs[0].hangs)
        began = _gauge("job_started_seconds", "When a job last began", "job")
        failed = _gauge("job_failed", "Whether its last run failed", "job")
        for run in runs.latest():
            began.add_metric([run.name], run.started_at.timestamp())
            failed.add_metric([run.name], run.state in ("failed", "lost"))
        yield from (free, size, up, began, failed)


def _gauge(name: str, what: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(_PREFIX + name, what, labels=labels)
