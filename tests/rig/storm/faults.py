"""How the services misbehave in a storm, by a dice that is thrown the same way each time."""

import datetime as dt
import queue
import random
import threading
from collections import Counter
from collections.abc import Callable

import requests

from tests.rig.fakes.sms import Service
from tests.rig.fakes.telegram import Chats

# name: what it is for people
FAULTS = {
    "none": "nothing is wrong",
    "slow": "answers come late, some too late",
    "dead": "nobody listens for a minute, again and again",
    "error": "500",
    "html": "a page instead of JSON",
    "lost": "taken, but the answer is lost",
    "early": "the report comes before the answer",
    "duplicates": "each report comes four times, the last one contrary",
    "token": "the token is refused, for a while the account too",
    "skew": "reports dated days before or after",
}
# marks of messages (by their number modulo 100) that the service will not have or not deliver
DECLINED, UNDELIVERED = 7, 13
_SHARES = {"error": 0.15, "html": 0.15, "lost": 0.15, "token": 0.02}  # of messages that it meets
_MOODS = {"error": ["error"], "html": ["html", "page"], "lost": ["lost"], "token": ["log_in"]}


class Weather:
    """What the two services do at each moment of a storm."""

    def __init__(
        self, faults: list[str], sms: Service, bot: Chats, seed: int, most: int | None = None
    ) -> None:
        """`most`: how often a message is met by a fault before it goes through."""
        self.faults, self.sms, self.bot, self.most = set(faults), sms, bot, most
        self.met: Counter[str] = Counter()
        self.dice = random.Random(seed)  # noqa: S311  it is to be the same again
        self.over = threading.Event()
        self._reports: queue.Queue[tuple[str, str, str] | None] = queue.Queue()
        sms.mood = lambda text: "declined" if _mark(text) == DECLINED else self._mood(text)
        bot.mood = self._mood
        sms.slow = bot.slow = self._slow
        sms.taken = self._taken
        self._threads = [
            threading.Thread(target=loop, daemon=True) for loop in (self._report, self._change)
        ]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Nothing misbehaves any more, nothing is reported."""
        self.over.set()
        self._reports.put(None)
        for thread in self._threads:
            thread.join()

    def _mood(self, text: str) -> str:
        if self.most is not None and self.met[text] >= self.most:
            return "ok"
        for fault in sorted(self.faults & set(_MOODS)):
            if self.dice.random() < _SHARES[fault]:
                self.met[text] += 1
                return self.dice.choice(_MOODS[fault])
        return "ok"

    def _slow(self) -> float:
        if "slow" not in self.faults:
            return 0.0
        luck = self.dice.random()
        return 17.0 if luck < 0.002 else self.dice.uniform(0.5, 3) if luck < 0.05 else 0.02

    def _taken(self, id: str, where: str) -> None:
        if not where:
            return
        mark = _mark(self.sms.took[int(id.removeprefix("id-")) - 1][1])
        status = "UNDELIV" if mark == UNDELIVERED else "DELIVRD"
        self.sms.states[id] = status  # to be asked for when the report does not get through
        if "early" in self.faults:
            self._tell(id, where, status)
            return
        self._reports.put((id, where, status))
        if "duplicates" in self.faults:
            for again in (status, status, "DELIVRD" if status == "UNDELIV" else "UNDELIV"):
                self._reports.put((id, where, again))

    def _report(self) -> None:
        while told := self._reports.get():
            self._tell(*told)

    def _tell(self, id: str, where: str, status: str) -> None:
        skew = dt.timedelta(days=self.dice.choice([-3, 3]) if "skew" in self.faults else 0)
        form = {
            "message_id": id,
            "status": status,
            "status_date": f"{dt.datetime.now(dt.UTC) + skew:%Y-%m-%d %H:%M:%S}",
        }
        for _ in range(3):  # a service tries a few times, then no more
            try:
                if requests.post(where, data=form, timeout=20).status_code == 200:
                    return
            except requests.RequestException:
                self.over.wait(1)

    def _change(self) -> None:
        """Good and bad hours take turns, for the faults that last."""
        changes: list[tuple[Callable[[], None], Callable[[], None]]] = []
        for line in (self.sms.line, self.bot.line):
            if "dead" in self.faults and line:
                changes.append((line.die, line.rise))
        if "token" in self.faults:
            changes.append((lambda: self._refuse(True), lambda: self._refuse(False)))
        while changes and not self.over.wait(self.dice.uniform(30, 90)):
            for begin, _ in changes:
                begin()
            self.over.wait(self.dice.uniform(30, 75))
            for _, end in changes:
                end()

    def _refuse(self, refuses: bool) -> None:
        self.sms.refuses = self.bot.refuses = refuses
        if refuses:
            self.sms.tokens.clear()


def _mark(text: str) -> int:
    return int(text.split(maxsplit=1)[0]) % 100
