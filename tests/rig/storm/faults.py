"""How the services misbehave in a storm, by a seeded dice that falls the same way each time."""

import datetime as dt
import queue
import random
import threading
from collections import Counter
from collections.abc import Callable

import requests

from tests.rig.fakes.sms import SmsService
from tests.rig.fakes.telegram import BotApi

# name → description for people
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
# marks of messages (their number modulo 100) that the service declines or does not deliver
DECLINED_MARK, UNDELIVERED_MARK = 7, 13
# share of the messages that the fault affects
_FAULT_SHARES = {
    "error": 0.15,
    "html": 0.15,
    "lost": 0.15,
    "token": 0.02,
}
_FAULT_MOODS = {"error": ["error"], "html": ["html", "page"], "lost": ["lost"], "token": ["log_in"]}


class FaultInjector:
    """Controls how the two services behave at each time of a storm."""

    def __init__(
        self,
        faults: list[str],
        sms: SmsService,
        bot: BotApi,
        seed: int,
        max_faults: int | None = None,
    ) -> None:
        """`max_faults`: the number of faults a message may meet before it goes through."""
        self.faults, self.sms, self.bot, self.max_faults = set(faults), sms, bot, max_faults
        self.fault_counts: Counter[str] = Counter()
        self.dice = random.Random(seed)  # noqa: S311  it is to be the same again
        self.is_over = threading.Event()
        self._reports: queue.Queue[tuple[str, str, str] | None] = queue.Queue()
        sms.default_mood = lambda text: (
            "declined" if _message_mark(text) == DECLINED_MARK else self._pick_mood(text)
        )
        bot.default_mood = self._pick_mood
        sms.delay_seconds = bot.delay_seconds = self._pick_delay
        sms.on_message = self._report_message
        self._threads = [
            threading.Thread(target=loop, daemon=True)
            for loop in (self._send_reports, self._alternate_faults)
        ]
        for thread in self._threads:
            thread.start()

    def stop_faults(self) -> None:
        """Stop all faults and reports."""
        self.is_over.set()
        self._reports.put(None)
        for thread in self._threads:
            thread.join()

    def _pick_mood(self, text: str) -> str:
        if self.max_faults is not None and self.fault_counts[text] >= self.max_faults:
            return "ok"
        for fault in sorted(self.faults & set(_FAULT_MOODS)):
            if self.dice.random() < _FAULT_SHARES[fault]:
                self.fault_counts[text] += 1
                return self.dice.choice(_FAULT_MOODS[fault])
        return "ok"

    def _pick_delay(self) -> float:
        if "slow" not in self.faults:
            return 0.0
        throw = self.dice.random()
        return 17.0 if throw < 0.002 else self.dice.uniform(0.5, 3) if throw < 0.05 else 0.02

    def _report_message(self, id: str, callback_url: str) -> None:
        if not callback_url:
            return
        mark = _message_mark(self.sms.messages[int(id.removeprefix("id-")) - 1][1])
        status = "UNDELIV" if mark == UNDELIVERED_MARK else "DELIVRD"
        self.sms.states[id] = status  # for queries, when the report does not get through
        if "early" in self.faults:
            self._post_report(id, callback_url, status)
            return
        self._reports.put((id, callback_url, status))
        if "duplicates" in self.faults:
            for repeated_status in (
                status,
                status,
                "DELIVRD" if status == "UNDELIV" else "UNDELIV",
            ):
                self._reports.put((id, callback_url, repeated_status))

    def _send_reports(self) -> None:
        while report := self._reports.get():
            self._post_report(*report)

    def _post_report(self, id: str, callback_url: str, status: str) -> None:
        skew = dt.timedelta(days=self.dice.choice([-3, 3]) if "skew" in self.faults else 0)
        form = {
            "message_id": id,
            "status": status,
            "status_date": f"{dt.datetime.now(dt.UTC) + skew:%Y-%m-%d %H:%M:%S}",
        }
        for _ in range(3):  # a service tries a few times, then stops
            try:
                if requests.post(callback_url, data=form, timeout=20).status_code == 200:
                    return
            except requests.RequestException:
                self.is_over.wait(1)

    def _alternate_faults(self) -> None:
        """Alternate between good and bad periods, for the faults that last."""
        changes: list[tuple[Callable[[], None], Callable[[], None]]] = []
        for line in (self.sms.server, self.bot.server):
            if "dead" in self.faults and line:
                changes.append((line.stop_listening, line.listen_again))
        if "token" in self.faults:
            changes.append((lambda: self._set_refusals(True), lambda: self._set_refusals(False)))
        while changes and not self.is_over.wait(self.dice.uniform(30, 90)):
            for begin, _ in changes:
                begin()
            self.is_over.wait(self.dice.uniform(30, 75))
            for _, end in changes:
                end()

    def _set_refusals(self, refuses: bool) -> None:
        self.sms.refuses = self.bot.refuses = refuses
        if refuses:
            self.sms.tokens.clear()


def _message_mark(text: str) -> int:
    return int(text.split(maxsplit=1)[0]) % 100
