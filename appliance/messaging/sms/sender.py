"""Sends short messages from the outbox over the first account that accepts them, and receives.

A backlog is sent no faster than new messages. While no account can be reached, one message is tried
from time to time; the others keep their place and their number of attempts.
"""

import functools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from appliance.core import clock, db, outbox
from appliance.core.delivery import (
    DeclinedError,
    DeliveryError,
    NotSentError,
    RetryLaterError,
    UncertainDeliveryError,
)
from appliance.core.settings import Settings, SmsAccount
from appliance.messaging.sms import account_health, accounts, incoming, lookups, rules
from appliance.messaging.sms.gateway import Incoming, Report, SmsGateway
from appliance.models import Message

log = logging.getLogger(__name__)

REST_SECONDS = 60.0  # how long a failing account is skipped the first time
MAX_LOST_ANSWERS = 3  # an account is skipped after this number of lost answers in a row
UNAPPROVED_RETRY_SECONDS = 600.0  # a text that no account accepts is tried again after this time
OUTCOME_BUDGET_SECONDS = 10.0  # for querying gateways about sent messages, each minute
MAX_MESSAGES_PER_SECOND = 10  # even if more are waiting
BALANCE_INTERVAL_SECONDS = 900.0  # between two queries of the accounts' balances


def _log_unhandled(message: Incoming) -> None:
    log.warning("nobody listens to what %s sent", message.number)


@dataclass
class SmsSender:
    """Sends and receives over `gateways`, which are in order of preference.

    `accounts` has the settings of the gateways' accounts by name; `on_incoming` processes the
    messages of citizens.
    """

    gateways: Sequence[SmsGateway]
    rest_seconds: float = REST_SECONDS
    accounts: Mapping[str, SmsAccount] = field(default_factory=dict)
    on_incoming: Callable[[Incoming], object] = _log_unhandled
    # Postpones the messages that can wait and must not be sent at this hour.
    postpone_waiting: Callable[[], object] = lambda: None
    per_second: int = MAX_MESSAGES_PER_SECOND
    sleep: Callable[[float], object] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    # The times of the messages sent within the last second.
    _sent_at: deque[float] = field(default_factory=deque)
    _unreachable: set[str] | None = None  # names of gateways from which nothing could be received
    _last_queried_id: int = 0  # id of the message that a gateway was queried about last

    def send_due(self, should_continue: Callable[[], bool] = lambda: True) -> int:
        """Send the messages that are due, oldest first; returns the number of attempts."""
        outbox.release_stale_claims()
        outbox.expire_messages()
        count = 0
        while self._available_gateways() and should_continue() and (message := self._claim_next()):
            self.send_message(message)
            count += 1
            self._keep_pace()
        return count

    def _claim_next(self) -> Message | None:
        self.postpone_waiting()  # the quiet hours may have begun while others were sent
        return outbox.claim_next("sms")

    def _keep_pace(self) -> None:
        """Wait until the next message may be sent.

        The limit applies to each second as a whole, so that slow answers do not reduce the rate.
        """
        now = self.monotonic()
        self._sent_at.append(now)
        while self._sent_at[0] <= now - 1:
            self._sent_at.popleft()
        if len(self._sent_at) >= self.per_second:
            self.sleep(self._sent_at[0] + 1 - now)

    def send_message(self, message: Message) -> None:
        """Send one claimed message over the first account that accepts it.

        After any error, even an unexpected answer of a gateway, it is retried later.
        """
        try:
            self._send_by_accounts(message)
        except Exception:  # the boundary of a service: no fault there may hold up other messages
            log.exception("message %d may have gone out", message.id)
            outbox.schedule_retry(message, "no_sense", perhaps_sent=True, gateway=message.gateway)

    def close_gateways(self) -> None:
        """Close the lines of all gateways."""
        for gateway in self.gateways:
            gateway.close()

    def _send_by_accounts(self, message: Message) -> None:
        if rules.is_unwanted(message):
            outbox.mark_refused(message, "unwanted")
            return
        accepting = [gateway for gateway in self.gateways if self._accepts(gateway, message)]
        available = {gateway.name for gateway in self._available_gateways()}
        errors = []
        # A gateway that may already have it is tried first: it may recognise the key, while any
        # other would certainly send the message twice.
        preferred = rules.sort_by_preference(accepting, message.purpose)
        for gateway in sorted(preferred, key=lambda gateway: gateway.name != message.gateway):
            if gateway.name in available:
                error = self._try_gateway(gateway, message)
                if error is None:
                    return
                errors.append(error)
        resting = {gateway.name for gateway in accepting} - available
        self._postpone_unsent(message, errors, resting, has_account=bool(accepting))

    def _try_gateway(self, gateway: SmsGateway, message: Message) -> DeliveryError | None:
        """Send a message by one gateway; returns the error if another gateway may be tried.

        Returns None if it was sent, or may have been sent, or should wait for this gateway.
        """
        try:
            receipt = gateway.send(message.recipient, message.text, outbox.gateway_key(message))
        except RetryLaterError as trouble:
            if not account_health.record_busy(gateway.name, trouble, self.rest_seconds):
                return trouble
            outbox.schedule_retry(
                message, trouble.code, trouble.detail, wait_seconds=trouble.wait_seconds
            )
        except NotSentError as trouble:
            account_health.record_failure(gateway.name, trouble, self.rest_seconds)
            log.warning("%s does not take messages: %s", gateway.name, trouble)
            return trouble
        except UncertainDeliveryError as trouble:
            account_health.record_failure(
                gateway.name, trouble, self.rest_seconds, MAX_LOST_ANSWERS
            )
            log.warning("%s: message %d may have gone out: %s", gateway.name, message.id, trouble)
            outbox.schedule_retry(
                message, trouble.code, trouble.detail, perhaps_sent=True, gateway=gateway.name
            )
        except DeclinedError as trouble:
            return trouble
        else:
            outbox.mark_sent(message, gateway.name, receipt.id)
            account_health.record_success(gateway.name)
        return None

    def _postpone_unsent(
        self,
        message: Message,
        errors: Sequence[DeliveryError],
        resting: set[str],
        *,
        has_account: bool,
    ) -> None:
        """Mark a message as declined if every account declined it, else schedule its retry.

        `resting` are the accounts that were not tried because they are skipped; `has_account` is
        True if any account accepts its text.
        """
        declines = [error for error in errors if isinstance(error, DeclinedError)]
        failures = [error for error in errors if not isinstance(error, DeclinedError)]
        is_declined = declines and not failures
        if is_declined and not resting & account_health.recently_failing_accounts():
            outbox.mark_refused(message, declines[-1].code, declines[-1].detail)
        elif self.gateways and not has_account:
            outbox.schedule_retry(message, "unapproved", wait_seconds=UNAPPROVED_RETRY_SECONDS)
        else:
            error = [NotSentError("no_gateway"), *declines, *failures][-1]
            wait = (
                max(error.wait_seconds, self.rest_seconds)
                if isinstance(error, RetryLaterError)
                else None
            )
            outbox.schedule_retry(message, error.code, error.detail, wait_seconds=wait)

    def send_until_stopped(
        self, stop: threading.Event, interval: float = 2.0, query_interval: float = 60.0
    ) -> None:
        """Send what becomes due until `stop` is set; a message being sent is finished first."""
        self.sleep = stop.wait
        query_at = time.monotonic() + query_interval
        balance_at = time.monotonic()
        while not stop.wait(interval):
            try:
                self.receive_messages()
                self.send_due(lambda: not stop.is_set())
                if time.monotonic() >= query_at:
                    query_at = time.monotonic() + query_interval
                    self.query_outcomes(should_continue=lambda: not stop.is_set())
                    lookups.query_held_messages(
                        self.gateways, account_health.held_accounts(), lambda: not stop.is_set()
                    )
                    outbox.remove_unmatched_early_reports()
                if time.monotonic() >= balance_at:
                    balance_at = time.monotonic() + BALANCE_INTERVAL_SECONDS
                    if self.refresh_balances():
                        balance_at = time.monotonic() + REST_SECONDS
            except Exception:  # outermost handler of a thread
                log.exception("sending failed")
        self.close_gateways()

    def receive_messages(self) -> None:
        """Process what arrived over open lines: reports and citizens' messages."""
        failing = account_health.failing_accounts()
        if self._unreachable is None:  # gateways that an earlier process could not reach
            self._unreachable = {name for name, code in failing.items() if code == "no_modem"}
        for gateway in self._available_gateways():
            try:
                arrived = gateway.receive_pending()
            except DeliveryError as trouble:
                self._unreachable.add(gateway.name)
                allowed = MAX_LOST_ANSWERS if isinstance(trouble, UncertainDeliveryError) else 1
                account_health.record_failure(gateway.name, trouble, self.rest_seconds, allowed)
                log.warning("%s is not heard: %s", gateway.name, trouble)
                continue
            is_reached = (
                gateway.has_line and failing.get(gateway.name) in account_health.CONNECTION_TROUBLES
            )
            if is_reached or gateway.name in self._unreachable:
                self._unreachable.discard(gateway.name)
                account_health.record_success(gateway.name)
            for item in arrived:
                try:
                    process = functools.partial(self._process_received, gateway.name, item)
                    db.retry_while_busy(process, threading.Event())  # a gateway delivers it once
                except Exception:  # the others are still processed
                    log.exception("%s: what was heard is lost", gateway.name)

    def _process_received(self, gateway: str, item: Report | Incoming) -> None:
        if isinstance(item, Incoming):
            self.on_incoming(item)
        else:
            outbox.record_delivery_report(gateway, item.id, item.outcome, is_own_key=item.is_own_id)

    def refresh_balances(self) -> bool:
        """Query the accounts' balances; returns True if an account could not be reached.

        It should then be queried again soon. If an account does not report its balance, the last
        one remains stored. The query also shows whether an account without traffic works.
        """
        failing, has_lost_one = account_health.failing_accounts(), False
        for gateway in self._available_gateways():
            try:
                balance = gateway.balance()
            except DeliveryError as trouble:
                log.warning("%s does not tell its balance: %s", gateway.name, trouble)
                if trouble.code in account_health.CONNECTION_TROUBLES:
                    has_lost_one = True
                    account_health.record_failure(gateway.name, trouble, self.rest_seconds)
                continue
            if balance is None:
                continue
            account_health.record_balance(gateway.name, balance)
            if failing.get(gateway.name) in account_health.CONNECTION_TROUBLES:
                account_health.record_success(gateway.name)
        return has_lost_one

    def query_outcomes(
        self, limit: int = 100, should_continue: Callable[[], bool] = lambda: True
    ) -> int:
        """Query the gateways about sent messages; returns how many have reached a final outcome.

        Each call goes on with the messages after the last one queried, so that every message is
        queried in turn. A gateway that does not answer is not queried again in this call, because
        sending must not wait.
        """
        by_name = {gateway.name: gateway for gateway in self.gateways}
        sent_after = clock.now() - outbox.STATUS_QUERY_PERIOD
        sent_messages = (
            Message.select()
            .where(Message.state == "sent", Message.channel == "sms", Message.sent_at > sent_after)
            .where(Message.gateway.in_(list(by_name)))
            .order_by(Message.id)
        )
        messages = list(sent_messages.where(Message.id > self._last_queried_id).limit(limit))
        messages += list(
            sent_messages.where(Message.id <= self._last_queried_id).limit(limit - len(messages))
        )
        finished, started = 0, time.monotonic()
        for message in messages:
            gateway = by_name.get(message.gateway)
            if not should_continue() or time.monotonic() - started > OUTCOME_BUDGET_SECONDS:
                break
            if not gateway:
                continue
            self._last_queried_id = message.id
            try:
                outcome = gateway.outcome(message.foreign_id)
            except DeliveryError as trouble:
                log.warning("%s does not tell what became: %s", gateway.name, trouble)
                del by_name[gateway.name]
                continue
            if outcome == "delivered":
                outbox.mark_delivered(message)
            elif outcome == "refused":
                outbox.mark_undelivered(message, "undelivered")
            finished += bool(outcome)
        return finished

    def _accepts(self, gateway: SmsGateway, message: Message) -> bool:
        account = self.accounts.get(gateway.name)
        return not account or rules.accepts_message(account, message)

    def _available_gateways(self) -> list[SmsGateway]:
        held_names = account_health.held_accounts()
        return [gateway for gateway in self.gateways if gateway.name not in held_names]


def build_sender(settings: Settings) -> SmsSender:
    """Return the sender of a site's messages, which also processes its citizens' messages."""
    return SmsSender(
        accounts.build_gateways(settings),
        accounts={account.name: account for account in settings.sms},
        on_incoming=lambda report: incoming.handle_message(settings, report.number, report.text),
        postpone_waiting=lambda: outbox.postpone_until_morning(settings.tz, settings.messages),
    )
