"""The running link to the ministry's system: sends messages that are due and reads events."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from appliance.casework.ministry import link, mapping, queue
from appliance.casework.ministry.events import process_event
from appliance.casework.ministry.transport import MinistrySystem
from appliance.core import outbox
from appliance.core.delivery import (
    DeclinedError,
    DeliveryError,
    NotSentError,
    RetryLaterError,
    UncertainDeliveryError,
)
from appliance.core.settings import Ministry, Settings
from appliance.models import Message

log = logging.getLogger(__name__)

MAX_MESSAGES_PER_TURN = 40  # so that a long queue is sent in several turns, without a burst
FAILURE_PAUSE_SECONDS = 30.0  # for which no request is sent after the link failed


def ministry_system(ministry: Ministry) -> MinistrySystem:
    """Return the client of the ministry's system, configured by the settings."""
    return MinistrySystem(ministry.url, ministry.token, ministry.user, ministry.password)


@dataclass
class Courier:
    """Sends appeals to the ministry's system and reads its events.

    After a failure of the link, no request is sent for `pause_seconds`, or for as long as the
    system asks. `monotonic_seconds` is the clock by which the pauses are measured. `ministry` is
    the part [ministry] of the settings.
    """

    system: MinistrySystem
    settings: Settings
    ministry: Ministry
    pause_seconds: float = FAILURE_PAUSE_SECONDS
    monotonic_seconds: Callable[[], float] = time.monotonic
    _paused_until: float = 0.0  # in the time of `monotonic_seconds`

    def run_until_stopped(self, stop: threading.Event, interval_seconds: float = 2.0) -> None:
        """Send messages that become due and read events until `stop` is set.

        Messages are looked for every `interval_seconds`, events less often: at the interval of the
        setting Ministry.every, in seconds.
        """
        next_read_at = 0.0
        while not stop.wait(interval_seconds):
            try:
                self.send_due_messages(lambda: not stop.is_set())
                if self.monotonic_seconds() >= max(next_read_at, self._paused_until):
                    next_read_at = self.monotonic_seconds() + self.ministry.every
                    self.read_events(lambda: not stop.is_set())
            except Exception:  # the outer boundary of a thread
                log.exception("ministry: the link failed")

    def send_due_messages(self, may_continue: Callable[[], bool] = lambda: True) -> int:
        """Send messages that are due, at most MAX_MESSAGES_PER_TURN; returns the number processed.

        The messages about one appeal are sent in order. `may_continue` is called before each
        message: if it returns False, the others are left for the next turn.
        """
        outbox.release_stale_claims()
        count = 0
        while (
            may_continue()
            and count < MAX_MESSAGES_PER_TURN
            and self.monotonic_seconds() >= self._paused_until
        ):
            message = outbox.claim_next(queue.CHANNEL)
            if not message:
                break
            self.send_message(message)
            count += 1
        return count

    def send_message(self, message: Message) -> None:
        """Send one claimed message, and store the outcome.

        It is sent as a change if the ministry's system has its appeal already. If a later message
        about the appeal was sent, this message is not sent, but marked as delivered.
        """
        if queue.is_superseded(message):
            outbox.mark_delivered(message)
            return
        try:
            document = mapping.ministry_document(self.ministry, message.payload)
            key, is_known = queue.idempotency_key(message), queue.is_appeal_known(message)
            acceptance = self.system.send_appeal(message.cause, document, key, is_known)
        except mapping.UnmappedCodeError as error:
            queue.record_refusal(message, "unmapped", str(error))
        except DeclinedError as trouble:
            link.record_success()
            queue.record_refusal(message, trouble.code, trouble.detail)
        except NotSentError as trouble:
            if trouble.code == "unknown_there":
                queue.mark_appeal_unknown(message)
                outbox.schedule_retry(message, trouble.code, trouble.detail, wait_seconds=1)
                return
            self._pause_after_failure(trouble)
            wait_seconds = trouble.wait_seconds if isinstance(trouble, RetryLaterError) else None
            outbox.schedule_retry(message, trouble.code, trouble.detail, wait_seconds=wait_seconds)
        except UncertainDeliveryError as trouble:  # the idempotency key makes a repetition harmless
            self._pause_after_failure(trouble)
            outbox.schedule_retry(message, trouble.code, trouble.detail)
        else:
            link.record_success()
            queue.record_acceptance(message, "ministry", acceptance)

    def read_events(self, may_continue: Callable[[], bool] = lambda: True) -> int:
        """Read and process the events since the last reading; returns how many were new.

        `may_continue` is called before each page of events: if it returns False, the others are
        read the next time.
        """
        count, has_more = 0, True
        while has_more and may_continue():
            cursor = link.link_state().cursor
            try:
                page = self.system.fetch_events(cursor)
            except DeliveryError as trouble:
                self._pause_after_failure(trouble)
                break
            link.record_success()
            for event in page.events:
                count += process_event(self.settings, event) != "again"
            link.store_cursor(page.next)
            has_more = page.more and page.next != cursor
        return count

    def _pause_after_failure(self, trouble: DeliveryError) -> None:
        """Log and store a failure of the link, and pause it.

        The pause lasts for the time that the system asked for, else for `pause_seconds`.
        """
        log.warning("ministry: %s", trouble)
        wait_seconds = (
            trouble.wait_seconds if isinstance(trouble, RetryLaterError) else self.pause_seconds
        )
        self._paused_until = self.monotonic_seconds() + wait_seconds
        link.record_failure(trouble.code, trouble.detail)
