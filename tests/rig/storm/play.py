"""One storm: a site of its own with its real processes for jobs and pages, and what came of it."""

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

from appliance.core import db, outbox
from appliance.core import settings as site_settings
from appliance.core.settings import Settings
from appliance.models import Message
from provisioning.local import settings_file, site
from provisioning.local.place import GUNICORN, Place
from tests.rig.fakes import sms, telegram
from tests.rig.storm.faults import Weather

GROUP, DUTY = -1001234567890, (501, 502)  # the ministry's group, and who is on duty
CHATS = (GROUP, *DUTY)  # each takes 20 a minute
PER_NUMBER = 4  # messages to one number
_PUT = ("registered", "alert", "taken")  # purposes; the site's own alarms go out beside them
OTHERS = 100  # each so many messages of the bot's is no alert, and goes alone
ACCOUNT = {
    "name": "eskiz",
    "kind": "eskiz",
    "user": "user",
    "password": "secret",
    "sender": "4546",
    "callback_secret": "hush",
}
_APPEAL = re.compile(r"\b2026-(\d{6})\b")


@dataclass(frozen=True)
class Count:
    """What became of a channel's messages in a storm; `seconds` is None when it did not drain."""

    fault: str
    channel: str
    put: int
    delivered: int
    sent: int
    refused: int
    expired: int
    lost: int
    twice: int  # messages that the service took more than once
    undeclared: int  # of those, not said to be perhaps twice
    perhaps: int  # all that are said to be perhaps twice
    out_of_order: int
    busiest: int  # at the service: messages in any second by SMS, in any minute to a chat
    kills: int
    seconds: float | None

    @property
    def right(self) -> bool:
        """Whether nothing was lost, twice in silence or out of order."""
        wrong = self.lost or self.undeclared or self.out_of_order
        return not wrong and self.seconds is not None

    def row(self) -> dict[str, object]:
        """For a table or a file."""
        return asdict(self)


def fill(folder: Path, messages: int) -> None:
    """Make a site in which so many messages of each channel wait."""
    settings = _make_site(folder, "http://127.0.0.1:9", "http://127.0.0.1:9")
    for first in range(0, messages, 250):
        with db.writing():
            for number in range(first, min(first + 250, messages)):
                _put_one(settings, number)
    db.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.database.close()


def play(
    filled: Path,
    folder: Path,
    faults: list[str],
    *,
    seed: int,
    kills: int,
    limit: float,
    most: int | None = None,
) -> list[Count]:
    """Let a storm rage in a copy of a filled site until all is told, and count.

    `limit`: seconds; `most`: how often a message is met by a fault before it goes through.
    """
    with sms.service() as far, telegram.chats() as bot:
        folder.mkdir(parents=True)
        shutil.copy(filled / "site.db", folder / "site.db")
        settings = _make_site(folder, far.url, bot.url)
        weather = Weather(faults, far, bot, seed, most)
        began = time.monotonic()
        hours = _hours(kills, seed)
        processes = _Processes(settings)
        drained = {"sms": 0.0, "telegram": 0.0}
        try:
            while not all(drained.values()) and time.monotonic() - began < limit:
                threading.Event().wait(0.5)
                if hours and len(far.took) + len(bot.took) >= hours[0]:
                    hours.pop(0)
                    processes.kill()
                for channel, at in drained.items():
                    if not at and not _waiting(channel):
                        drained[channel] = time.monotonic() - began
        finally:
            processes.stop()
            weather.end()
        name = "+".join(faults)
        found = [
            _count_sms(name, far, drained["sms"], processes.kills),
            _count_bot(name, bot, drained["telegram"], processes.kills),
        ]
        db.database.close()
        return found


def _make_site(folder: Path, sms_url: str, bot_url: str) -> Settings:
    folder.mkdir(parents=True, exist_ok=True)
    box = Place(folder).box
    text = settings_file.scratch(
        web={"bind": f"{box}:{GUNICORN}", "url": f"http://{box}:{GUNICORN}", "threads": 24},
        asterisk={"address": box},
        sms=[{**ACCOUNT, "url": sms_url}],
        telegram={"token": telegram.TOKEN, "chat": GROUP, "url": bot_url},
        duty=[{"name": f"duty {chat}", "chat": chat} for chat in DUTY],
    )
    (folder / "site.toml").write_text(text)
    settings = site_settings.load(folder / "site.toml")
    db.open_database(settings.paths.database)
    db.migrate()
    return settings


def _hours(kills: int, seed: int) -> list[int]:
    """After how many messages taken the jobs are killed: at random, however fast the machine is."""
    waiting = Message.select().where(Message.channel == "sms").count()
    dice = random.Random(seed)  # noqa: S311
    return sorted(dice.randint(1, waiting) for _ in range(kills))


def _put_one(settings: Settings, number: int) -> None:
    appeal = f"2026-{number:06}"
    outbox.put_sms(
        "registered",
        f"+99893{number // PER_NUMBER:07}",
        f"{number} Murojaatingiz qabul qilindi",
        key=f"registered:{appeal}",
        cause=str(number),
        tz=settings.tz,
    )
    alert = number % OTHERS != 0
    outbox.put(
        "telegram",
        "alert" if alert else "taken",
        str(CHATS[number % len(CHATS)]),
        key=f"alert:{appeal}",
        text=f"Murojaat {appeal}",
        payload={"appeal": appeal, "line": f"{appeal}: Bandlik, Samarqand", "button": "Olaman"},
        cause=str(number),
    )


class _Processes:
    """The site's real processes for jobs and pages."""

    def __init__(self, settings: Settings) -> None:
        self._program = [str(site.PROGRAM), "--config", str(settings.file)]
        self._log = settings.file.parent / "log.txt"
        self.kills = 0
        self._jobs, self._web = self._start("jobs"), self._start("web")

    def kill(self) -> None:
        """Kill the jobs in the middle, and start them anew."""
        self._jobs.kill()
        self._jobs.wait()
        self.kills += 1
        self._jobs = self._start("jobs")

    def stop(self) -> None:
        """End them in order."""
        for process in (self._jobs, self._web):
            process.send_signal(signal.SIGTERM)
        for process in (self._jobs, self._web):
            try:
                process.wait(90)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        command = ["setpriv", "--pdeathsig", "KILL", "--", *self._program, name]
        with self._log.open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log)


def _waiting(channel: str) -> bool:
    """Whether something has not gone out, or nobody has said yet what became of it."""
    states = [*outbox.OPEN, *(["sent"] if channel == "sms" else [])]
    return _put(channel).where(Message.state.in_(states)).exists()


def _put(channel: str) -> ModelSelect:
    return Message.select().where(Message.channel == channel, Message.purpose.in_(_PUT))


def _count_sms(fault: str, far: sms.Service, seconds: float, kills: int) -> Count:
    heard = [(text.split()[0], number) for number, text in far.took]
    return _count(fault, "sms", heard, _busiest(far.times, 1), seconds, kills)


def _count_bot(fault: str, bot: telegram.Chats, seconds: float, kills: int) -> Count:
    heard = []
    times: dict[int, list[float]] = {}
    for (chat, text, buttons), at in zip(bot.took, bot.times, strict=True):
        within = f"{chat} {'alert' if buttons else 'other'}"
        heard += [(str(int(n)), within) for n in dict.fromkeys(_APPEAL.findall(text))]
        times.setdefault(chat, []).append(at)
    busiest = max((_busiest(in_chat, 60) for in_chat in times.values()), default=0)
    return _count(fault, "telegram", heard, busiest, seconds, kills)


def _count(
    fault: str, channel: str, heard: list[tuple[str, str]], busiest: int, seconds: float, kills: int
) -> Count:
    """`heard`: each message as the service took it, with what its order is kept within."""
    rows = list(_put(channel))
    states = Counter(row.state for row in rows)
    times = Counter(mark for mark, _ in heard)
    twice = {mark for mark, count in times.items() if count > 1}
    ended = {row.cause for row in rows if row.state in ("refused", "expired")}
    open_ = {row.cause for row in rows if row.state in outbox.OPEN}
    perhaps = {row.cause for row in rows if row.perhaps_twice}
    firsts: dict[str, list[int]] = {}
    for mark, within in dict.fromkeys(heard):
        firsts.setdefault(within, []).append(int(mark))
    return Count(
        fault,
        channel,
        put=len(rows),
        delivered=states["delivered"],
        sent=states["sent"],
        refused=states["refused"],
        expired=states["expired"],
        lost=len({row.cause for row in rows} - set(times) - ended - open_),
        twice=len(twice),
        undeclared=len(twice - perhaps),
        perhaps=len(perhaps),
        out_of_order=sum(
            earlier > later
            for order in firsts.values()
            for earlier, later in zip(order, order[1:], strict=False)
        ),
        busiest=busiest,
        kills=kills,
        seconds=round(seconds, 1) or None,
    )


def _busiest(times: list[float], window: float) -> int:
    """The most that fell into any stretch of so many seconds."""
    most = first = 0
    for last, at in enumerate(times):
        while at - times[first] >= window:
            first += 1
        most = max(most, last - first + 1)
    return most
