"""The link to the ministry's system at work: what is due goes out, what is told comes in."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from appliance.casework.ministry import link, mapping, queue, take_in
from appliance.casework.ministry.answers import Answered
from appliance.casework.ministry.transport import MinistrySystem
from appliance.core import outbox
from appliance.core.delivery import Declined, Later, NotSent, Trouble, Unsure
from appliance.core.settings import Ministry, Settings
from appliance.models import Message

log = logging.getLogger(__name__)

AT_ONCE = 40  # messages in one turn: a long queue drains without a burst
REST = 30.0  # seconds without a question after the link failed


def gateway(ministry: Ministry) -> MinistrySystem:
    """The ministry's system as the settings name it."""
    return MinistrySystem(ministry.url, ministry.token, ministry.user, ministry.password)


@dataclass
class Courier:
    """Carries appeals out and answers in; after a failure it leaves the link alone for a while."""

    system: MinistrySystem
    settings: Settings
    ministry: Ministry
    answered: Answered
    rest: float = REST
    tick: Callable[[], float] = time.monotonic
    _quiet_until: float = 0.0

    def follow(self, stop: threading.Event, every: float = 2.0) -> None:
        """Send what becomes due and ask for answers until `stop`."""
        ask_at = 0.0
        while not stop.wait(every):
            try:
                self.send_due(lambda: not stop.is_set())
                if self.tick() >= max(ask_at, self._quiet_until):
                    ask_at = self.tick() + self.ministry.every
                    self.read(lambda: not stop.is_set())
            except Exception:  # the boundary of a thread
                log.exception("ministry: the link failed")

    def send_due(self, goes_on: Callable[[], bool] = lambda: True) -> int:
        """Send what is due, one appeal's messages in order; returns how many were taken up."""
        outbox.recover()
        count = 0
        while goes_on() and count < AT_ONCE and self.tick() >= self._quiet_until:
            message = outbox.claim(queue.CHANNEL)
            if not message:
                break
            self.send(message)
            count += 1
        return count

    def send(self, message: Message) -> None:
        """Send one claimed message, as a change when the system has its appeal already."""
        if queue.is_overtaken(message):
            outbox.delivered(message)
            return
        try:
            document = mapping.document(self.ministry, message.payload)
            key, known = queue.key_there(message), queue.is_known(message)
            answer = self.system.send(message.cause, document, key, known)
        except mapping.Unmapped as missing:
            queue.refused(message, "unmapped", str(missing))
        except Declined as trouble:
            link.answered()
            queue.refused(message, trouble.code, trouble.said)
        except NotSent as trouble:
            if trouble.code == "unknown_there":
                queue.forget(message)
                outbox.retry(message, trouble.code, trouble.said, wait=1)
                return
            self._fails(trouble)
            wait = trouble.wait if isinstance(trouble, Later) else None
            outbox.retry(message, trouble.code, trouble.said, wait=wait)
        except Unsure as trouble:  # our key makes a second time harmless
            self._fails(trouble)
            outbox.retry(message, trouble.code, trouble.said)
        else:
            link.answered()
            queue.taken(message, "ministry", answer)

    def read(self, goes_on: Callable[[], bool] = lambda: True) -> int:
        """Take in what was told since; returns how many events were new."""
        count, more = 0, True
        while more and goes_on():
            after = link.state().cursor
            try:
                answers = self.system.answers(after)
            except Trouble as trouble:
                self._fails(trouble)
                break
            link.answered()
            for event in answers.events:
                count += take_in(self.settings, event, self.answered) != "again"
            link.read_to(answers.next)
            more = answers.more and answers.next != after
        return count

    def _fails(self, trouble: Trouble) -> None:
        log.warning("ministry: %s", trouble)
        wait = trouble.wait if isinstance(trouble, Later) else self.rest
        self._quiet_until = self.tick() + wait
        link.failed(trouble.code, trouble.said)
