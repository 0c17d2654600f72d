"""The site's figures for Prometheus: the results of the self-checks and the current activity.

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
from appliance.reports.today import count_today
from appliance.telephony import calls, devices, routing
from appliance.telephony import trunks as lines

CACHE_SECONDS = 5.0  # seconds for which a rendered text is served again
_PREFIX = "appliance_"


class MetricsPage:
    """The figures of one site in Prometheus' text format."""

    def __init__(self, settings: Settings) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(FigureCollector(settings))
        self._lock = threading.Lock()
        self._cached_text = b""
        self._rendered_at = float("-inf")

    def render_text(self) -> bytes:
        """Render the figures; the text is at most CACHE_SECONDS old."""
        with self._lock:
            if time.monotonic() - self._rendered_at >= CACHE_SECONDS:
                self._cached_text, self._rendered_at = (
                    generate_latest(self._registry),
                    time.monotonic(),
                )
            return self._cached_text


class FigureCollector(Collector):
    """Collects every figure each time that the page is rendered."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Return no descriptions, so that registering the collector reads nothing."""
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield every metric family."""
        yield from self._check_gauges()
        yield from self._call_gauges()
        yield from self._trunk_gauges()
        yield from self._message_gauges()
        yield from self._machine_gauges()

    def _check_gauges(self) -> Iterator[GaugeMetricFamily]:
        state = _new_gauge("check_state", "A self-check: 0 in order, 1 warning, 2 fault", "check")
        since = _new_gauge("check_since_seconds", "Since when it is in that state", "check")
        looked_at = _new_gauge("checks_looked_at_seconds", "When the jobs looked last")
        rows = alarms.check_states()
        for code, row in sorted(rows.items()):
            state.add_metric([code], health.STATES.index(row.state))
            since.add_metric([code], row.since.timestamp())
        if rows:
            looked_at.add_metric([], max(row.looked_at for row in rows.values()).timestamp())
        yield from (state, since, looked_at)

    def _call_gauges(self) -> Iterator[GaugeMetricFamily]:
        now = clock.now()
        midnight = clock.start_of_day(now, self._settings.tz)
        outcomes = _new_gauge("calls_today", "Calls that arrived today and have ended", "outcome")
        ended_calls = Call.select(Call.outcome, fn.COUNT(Call.id)).where(
            Call.direction == "inbound",
            Call.arrived_at >= midnight,
            Call.outcome.is_null(False),
            ~Call.synthetic,
        )
        for outcome, count in ended_calls.group_by(Call.outcome).tuples():
            outcomes.add_metric([outcome], count)
        going_on = calls.live_calls()
        stages = _new_gauge("calls", "Calls at this moment", "stage")
        for stage in ("menu", "queue", "ringing", "talk", "rating"):
            stages.add_metric([stage], sum(call.stage == stage for call in going_on))
        waits = [call.waiting_since for call in going_on if call.waiting_since]
        day = count_today(midnight, now, waits, self._settings.calls.service_level)
        speed = _new_gauge("answer_seconds", "Average seconds to the answer, today")
        longest = _new_gauge("longest_wait_seconds", "Who waits longest at this moment")
        if day.asa.value is not None:
            speed.add_metric([], day.asa.value)
        longest.add_metric([], day.longest_wait or 0.0)
        operators = _new_gauge("operators", "Operators by the state they chose", "state")
        operator_states = list(presence.states_by_login().values())
        for state in presence.STATES:
            operators.add_metric([state], operator_states.count(state))
        lag = _new_gauge("ledger_lag_seconds", "How far the ledger is behind the event log")
        lag.add_metric([], health.ledger_lag_seconds(self._settings))
        yield from (outcomes, stages, speed, longest, operators, lag)

    def _trunk_gauges(self) -> Iterator[GaugeMetricFamily]:
        up = _new_gauge(
            "trunk_up", "Whether a trunk answers; none for one that is not asked", "trunk"
        )
        registered = _new_gauge(
            "trunk_registered", "Whether it is registered, where it must", "trunk"
        )
        channels_in_use = _new_gauge("trunk_channels", "Calls on it at this moment", "trunk")
        limit = _new_gauge(
            "trunk_channels_limit", "How many it takes; none without a limit", "trunk"
        )
        alarm = _new_gauge("span_alarm", "Whether an E1 span has an alarm", "span", "trunk")
        d_channel = _new_gauge("span_d_channel_up", "Whether its D-channel is up", "span", "trunk")
        for name, state in sorted(lines.trunk_states().items()):
            if state.state != lines.UNASKED:
                up.add_metric([name], state.state == lines.UP)
            if state.registration:
                registered.add_metric([name], state.registration == "Registered")
        spans = lines.span_states()
        for span in spans:
            names = [str(span.number), span.trunk]
            alarm.add_metric(names, bool(span.alarm))
            d_channel.add_metric(names, span.d_channel)
        channels_by_trunk = {device.name: device.channels for device in devices.list_trunks()}
        for trunk in routing.current_plan(self._settings).trunks:
            busy, capacity = lines.trunk_load(trunk, channels_by_trunk, spans)
            channels_in_use.add_metric([trunk.name], busy)
            if capacity:
                limit.add_metric([trunk.name], capacity)
        yield from (up, registered, channels_in_use, limit, alarm, d_channel)

    def _message_gauges(self) -> Iterator[GaugeMetricFamily]:
        counts = _new_gauge(
            "outbox_messages", "Messages by what became of them", "channel", "state"
        )
        open_messages = Message.select(Message.channel, Message.state, fn.COUNT(Message.id)).where(
            Message.state.in_([*outbox.OPEN_STATES, "held", "refused", "expired"])
        )
        for channel, state, count in open_messages.group_by(
            Message.channel, Message.state
        ).tuples():
            counts.add_metric([channel, state], count)
        oldest = _new_gauge("outbox_oldest_seconds", "How long the oldest due one waits", "channel")
        for age in outbox.queue_ages():
            oldest.add_metric([age.channel], age.oldest.total_seconds())
        yield from (counts, oldest)

    def _machine_gauges(self) -> Iterator[GaugeMetricFamily]:
        free = _new_gauge("disk_free_bytes", "Free room", "disk")
        size = _new_gauge("disk_size_bytes", "All room", "disk")
        for disk, folder in disks.disk_folders(self._settings).items():
            usage = shutil.disk_usage(next(p for p in (folder, *folder.parents) if p.exists()))
            free.add_metric([disk], usage.free)
            size.add_metric([disk], usage.total)
        up = _new_gauge("process_up", "Whether a process of the appliance runs", "process")
        for name, signs in processes.running_processes(self._settings).items():
            up.add_metric([name], bool(signs) and not signs[0].is_hanging)
        started_at = _new_gauge("job_started_seconds", "When a job last began", "job")
        failures = _new_gauge("job_failed", "Whether its last run failed", "job")
        for run in runs.latest_runs():
            started_at.add_metric([run.name], run.started_at.timestamp())
            failures.add_metric([run.name], run.state in ("failed", "lost"))
        yield from (free, size, up, started_at, failures)


def _new_gauge(name: str, description: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(_PREFIX + name, description, labels=labels)
