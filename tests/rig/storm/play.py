"""One storm: its own site with the real processes for jobs and pages, and the result."""

import random
import re
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from peewee import ModelSelect

from appliance.core import db, outbox, schema
from appliance.core import settings as site_settings
from appliance.core.settings import Settings
from appliance.models import Message
from provisioning.local import settings_file, site
from provisioning.local.place import GUNICORN_PORT, Place
from tests.rig.fakes import sms, telegram
from tests.rig.storm.faults import FaultInjector

# the ministry's group, and the chats of those on duty
GROUP_CHAT, DUTY_CHATS = (
    -1001234567890,
    (501, 502),
)
ALL_CHATS = (GROUP_CHAT, *DUTY_CHATS)  # each accepts 20 messages a minute
MESSAGES_PER_NUMBER = 4
_STORM_PURPOSES = ("registered", "alert", "taken")  # purposes; the site's own alarms go out as well
PLAIN_MESSAGE_INTERVAL = 100  # every hundredth message of the bot is no alert, and goes alone
SMS_ACCOUNT = {
    "name": "eskiz",
    "kind": "eskiz",
    "user": "user",
    "password": "secret",
    "sender": "4546",
    "callback_secret": "hush",
}
_APPEAL_NUMBER = re.compile(r"\b2026-(\d{6})\b")


@dataclass(frozen=True)
class StormCount:
    """The results of a channel's messages in a storm; `seconds` is empty when it did not drain."""

    fault: str
    channel: str
    put: int
    delivered: int
    sent: int
    refused: int
    expired: int
    lost: int
    twice: int  # messages that the service accepted more than once
    undeclared: int  # of those, the ones not marked as perhaps sent twice
    perhaps: int  # all that are marked as perhaps sent twice
    out_of_order: int
    busiest: int  # peak at the service: messages in any second by SMS, in any minute to a chat
    kills: int
    seconds: float | None

    @property
    def is_right(self) -> bool:
        """Returns True if nothing was lost, silently duplicated or out of order."""
        has_faults = self.lost or self.undeclared or self.out_of_order
        return not has_faults and self.seconds is not None

    def as_row(self) -> dict[str, object]:
        """The fields, for a table or a file."""
        return asdict(self)


def fill_site(folder: Path, messages: int) -> None:
    """Create a site in which `messages` messages of each channel wait."""
    settings = _make_site(folder, "http://127.0.0.1:9", "http://127.0.0.1:9")
    for first in range(0, messages, 250):
        with db.write_transaction():
            for number in range(first, min(first + 250, messages)):
                _queue_messages(settings, number)
    db.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.database.close()


def run_storm(
    filled: Path,
    folder: Path,
    faults: list[str],
    *,
    seed: int,
    kills: int,
    limit: float,
    max_faults: int | None = None,
) -> list[StormCount]:
    """Run a storm on a copy of a filled site until every message has a final state, and count.

    `limit`: seconds; `max_faults`: the number of faults a message may meet before it goes through.
    """
    with sms.run_sms_service() as sms_service, telegram.run_bot_api() as bot:
        folder.mkdir(parents=True)
        shutil.copy(filled / "site.db", folder / "site.db")
        settings = _make_site(folder, sms_service.url, bot.url)
        injector = FaultInjector(faults, sms_service, bot, seed, max_faults)
        started_at = time.monotonic()
        kill_points = _kill_points(kills, seed)
        processes = _SiteProcesses(settings)
        drained = {"sms": 0.0, "telegram": 0.0}
        try:
            while not all(drained.values()) and time.monotonic() - started_at < limit:
                threading.Event().wait(0.5)
                if kill_points and len(sms_service.messages) + len(bot.messages) >= kill_points[0]:
                    kill_points.pop(0)
                    processes.restart_jobs()
                for channel, seconds in drained.items():
                    if not seconds and not _has_open_messages(channel):
                        drained[channel] = time.monotonic() - started_at
        finally:
            processes.stop_processes()
            injector.stop_faults()
        name = "+".join(faults)
        counts = [
            _count_sms_messages(name, sms_service, drained["sms"], processes.kill_count),
            _count_bot_messages(name, bot, drained["telegram"], processes.kill_count),
        ]
        db.database.close()
        return counts


def _make_site(folder: Path, sms_url: str, bot_url: str) -> Settings:
    folder.mkdir(parents=True, exist_ok=True)
    box = Place(folder).box_address
    text = settings_file.scratch_settings(
        web={
            "bind": f"{box}:{GUNICORN_PORT}",
            "url": f"http://{box}:{GUNICORN_PORT}",
            "threads": 24,
        },
        asterisk={"address": box},
        sms=[{**SMS_ACCOUNT, "url": sms_url}],
        telegram={"token": telegram.BOT_TOKEN, "chat": GROUP_CHAT, "url": bot_url},
        duty=[{"name": f"duty {chat}", "chat": chat} for chat in DUTY_CHATS],
    )
    (folder / "site.toml").write_text(text)
    settings = site_settings.load_settings(folder / "site.toml")
    db.open_database(settings.paths.database)
    schema.apply_migrations()
    return settings


def _kill_points(kills: int, seed: int) -> list[int]:
    """Numbers of accepted messages at which the jobs are killed.

    They are random, whatever the machine's speed.
    """
    message_count = Message.select().where(Message.channel == "sms").count()
    dice = random.Random(seed)  # noqa: S311
    return sorted(dice.randint(1, message_count) for _ in range(kills))


def _queue_messages(settings: Settings, number: int) -> None:
    """Queue one SMS and one message of the bot for the appeal of that number."""
    appeal = f"2026-{number:06}"
    outbox.queue_sms(
        "registered",
        f"+99893{number // MESSAGES_PER_NUMBER:07}",
        f"{number} Murojaatingiz qabul qilindi",
        key=f"registered:{appeal}",
        cause=str(number),
        tz=settings.tz,
    )
    is_alert = number % PLAIN_MESSAGE_INTERVAL != 0
    outbox.queue_message(
        "telegram",
        "alert" if is_alert else "taken",
        str(ALL_CHATS[number % len(ALL_CHATS)]),
        key=f"alert:{appeal}",
        text=f"Murojaat {appeal}",
        payload={"appeal": appeal, "line": f"{appeal}: Bandlik, Samarqand", "button": "Olaman"},
        cause=str(number),
    )


class _SiteProcesses:
    """The site's real processes for jobs and pages."""

    def __init__(self, settings: Settings) -> None:
        self._program = [str(site.APPLIANCE_PROGRAM), "--config", str(settings.file)]
        self._log = settings.file.parent / "log.txt"
        self.kill_count = 0
        self._jobs, self._web = self._start_process("jobs"), self._start_process("web")

    def restart_jobs(self) -> None:
        """Kill the jobs process in the middle of its work, and start it again."""
        self._jobs.kill()
        self._jobs.wait()
        self.kill_count += 1
        self._jobs = self._start_process("jobs")

    def stop_processes(self) -> None:
        """Stop both processes in an orderly way."""
        for process in (self._jobs, self._web):
            process.send_signal(signal.SIGTERM)
        for process in (self._jobs, self._web):
            try:
                process.wait(90)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start_process(self, name: str) -> subprocess.Popen[bytes]:
        command = ["setpriv", "--pdeathsig", "KILL", "--", *self._program, name]
        with self._log.open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log)


def _has_open_messages(channel: str) -> bool:
    """Returns True if a message of the channel has no final state yet."""
    states = [*outbox.OPEN_STATES, *(["sent"] if channel == "sms" else [])]
    return bool(_storm_messages(channel).where(Message.state.in_(states)).exists())


def _storm_messages(channel: str) -> ModelSelect:
    return Message.select().where(Message.channel == channel, Message.purpose.in_(_STORM_PURPOSES))


def _count_sms_messages(
    fault: str, sms_service: sms.SmsService, seconds: float, kills: int
) -> StormCount:
    received = [(text.split()[0], number) for number, text in sms_service.messages]
    return _count_messages(
        fault, "sms", received, _peak_count(sms_service.message_times, 1), seconds, kills
    )


def _count_bot_messages(fault: str, bot: telegram.BotApi, seconds: float, kills: int) -> StormCount:
    received = []
    times: dict[int, list[float]] = {}
    for (chat, text, buttons), second in zip(bot.messages, bot.message_times, strict=True):
        order_key = f"{chat} {'alert' if buttons else 'other'}"
        received += [(str(int(n)), order_key) for n in dict.fromkeys(_APPEAL_NUMBER.findall(text))]
        times.setdefault(chat, []).append(second)
    busiest = max((_peak_count(in_chat, 60) for in_chat in times.values()), default=0)
    return _count_messages(fault, "telegram", received, busiest, seconds, kills)


def _count_messages(
    fault: str,
    channel: str,
    received: list[tuple[str, str]],
    busiest: int,
    seconds: float,
    kills: int,
) -> StormCount:
    """Count the messages of a channel.

    `received`: each message as the service accepted it, with the key within which its order counts.
    """
    rows = list(_storm_messages(channel))
    states = Counter(row.state for row in rows)
    times = Counter(mark for mark, _ in received)
    duplicates = {mark for mark, count in times.items() if count > 1}
    ended_causes = {row.cause for row in rows if row.state in ("refused", "expired")}
    open_causes = {row.cause for row in rows if row.state in outbox.OPEN_STATES}
    uncertain_causes = {row.cause for row in rows if row.perhaps_twice}
    marks_in_order: dict[str, list[int]] = {}
    for mark, order_key in dict.fromkeys(received):
        marks_in_order.setdefault(order_key, []).append(int(mark))
    return StormCount(
        fault,
        channel,
        put=len(rows),
        delivered=states["delivered"],
        sent=states["sent"],
        refused=states["refused"],
        expired=states["expired"],
        lost=len({row.cause for row in rows} - set(times) - ended_causes - open_causes),
        twice=len(duplicates),
        undeclared=len(duplicates - uncertain_causes),
        perhaps=len(uncertain_causes),
        out_of_order=sum(
            earlier > later
            for order in marks_in_order.values()
            for earlier, later in zip(order, order[1:], strict=False)
        ),
        busiest=busiest,
        kills=kills,
        seconds=round(seconds, 1) or None,
    )


def _peak_count(times: list[float], window: float) -> int:
    """The maximum that falls into any stretch of `window` seconds."""
    peak = first = 0
    for last, second in enumerate(times):
        while second - times[first] >= window:
            first += 1
        peak = max(peak, last - first + 1)
    return peak
