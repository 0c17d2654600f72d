"""The bot's work: sending alerts from the outbox, processing button presses and questions."""

import datetime as dt
import logging
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from peewee import OperationalError

from appliance.core import clock, outbox
from appliance.core.db import write_transaction
from appliance.core.delivery import (
    DeclinedError,
    DeliveryError,
    NotSentError,
    RetryLaterError,
    UncertainDeliveryError,
)
from appliance.core.settings import Settings
from appliance.messaging.notices import duty
from appliance.messaging.telegram.bot_api import BotApiClient, Button, ChatMovedError
from appliance.models import Message, TelegramBot

log = logging.getLogger(__name__)

# Limits for messages to one chat (Bot API FAQ).
MAX_MESSAGES_PER_MINUTE, MESSAGE_GAP_SECONDS = (
    20,
    1.0,
)
# More than 60: even if one message reaches Telegram late, the limit is not exceeded.
_MINUTE_SECONDS = 63.0
# The least and the largest number of waiting alerts that are merged into one message.
MIN_MERGED_ALERTS, MAX_MERGED_ALERTS = (
    4,
    20,
)
TAKE_PREFIX = "take:"
MAX_MEMBER_QUERIES = 20  # failed queries to Telegram about one user's membership
EXCLUSION_TROUBLES = ("kicked", "muted")  # troubles that end when the group lets the bot write
# Tried again so often, because a bot is not notified when everybody may write in a group again.
EXCLUSION_RETRY_SECONDS = 60.0
_DISTANT_PAST = dt.datetime.min.replace(tzinfo=dt.UTC)
# The precision with which the time of Telegram's last answer is stored.
_SEEN_PRECISION = dt.timedelta(minutes=1)
_STATUS = re.compile(r"/?status(?:@\w+)?\s+(\S{1,20})\s*", re.IGNORECASE | re.ASCII)


@dataclass
class TelegramCourier:
    """Sends the outbox's Telegram messages within Telegram's limits."""

    bot: BotApiClient
    _quiet_until: dt.datetime = _DISTANT_PAST

    def send_until_stopped(self, stop: threading.Event, interval: float = 1.0) -> None:
        """Send what becomes due until `stop` is set."""
        while not stop.wait(interval):
            try:
                self.send_due(lambda: not stop.is_set())
            except Exception:  # outermost handler of a thread
                log.exception("telegram: sending failed")

    def send_due(self, should_continue: Callable[[], bool] = lambda: True) -> int:
        """Send the messages that are due, within the limits; returns the number of attempts."""
        count = 0
        outbox.release_stale_claims()
        outbox.expire_messages()
        while should_continue() and clock.now() >= self._quiet_until:
            message = outbox.claim_next("telegram", excluded_recipients=self._chats_at_limit())
            if not message:
                break
            self.send_message(message)
            count += 1
        return count

    def send_message(self, message: Message) -> None:
        """Send one claimed message; an alert is merged with other waiting alerts."""
        messages = [message]
        if message.purpose == "alert":
            messages += outbox.claim_similar(
                message, min_count=MIN_MERGED_ALERTS - 1, max_count=MAX_MERGED_ALERTS - 1
            )
        try:
            receipt = self.bot.send_text(
                message.recipient, _merged_text(messages), _take_buttons(messages)
            )
        except ChatMovedError as trouble:
            duty.record_chat_move(message.recipient, trouble.chat)
            self._schedule_retries(messages, trouble, wait=0)
        except RetryLaterError as trouble:
            self._quiet_until = clock.now() + dt.timedelta(seconds=trouble.wait_seconds)
            self._schedule_retries(messages, trouble, wait=trouble.wait_seconds)
        except NotSentError as trouble:
            if _concerns_bot(trouble.code, message):
                record_trouble(trouble.code)
            self._schedule_retries(messages, trouble)
        except UncertainDeliveryError as trouble:
            self._schedule_retries(messages, trouble, perhaps_sent=True, gateway="telegram")
        except DeclinedError as trouble:
            for sent_message in messages:
                outbox.mark_refused(sent_message, trouble.code, trouble.detail)
        except Exception as error:  # an unexpected message or answer must not hold up others
            log.exception("telegram: message %d may have gone out", message.id)
            self._schedule_retries(
                messages,
                UncertainDeliveryError("no_sense", repr(error)),
                perhaps_sent=True,
                gateway="telegram",
            )
        else:
            for sent_message in messages:
                outbox.mark_sent(sent_message, "telegram", receipt.id)
            if _is_group_alert(message):  # the bot may write there again
                TelegramBot.update(trouble="").where(
                    TelegramBot.trouble.in_(EXCLUSION_TROUBLES)
                ).execute()

    def _schedule_retries(
        self, messages: list[Message], trouble: DeliveryError, **kwargs: Any
    ) -> None:
        """Schedule a retry of all messages at the same time, so that they keep their order."""
        log.warning("telegram: %s", trouble)
        wait = kwargs.pop("wait", outbox.retry_delay(messages[0], trouble.code))
        if trouble.code in EXCLUSION_TROUBLES:
            wait = min(wait, EXCLUSION_RETRY_SECONDS)
        for message in messages:
            outbox.schedule_retry(
                message, trouble.code, trouble.detail, wait_seconds=wait, **kwargs
            )

    def _chats_at_limit(self) -> list[str]:
        """Return the chats that have reached their message limit for now."""
        gap_start = clock.now() - dt.timedelta(seconds=MESSAGE_GAP_SECONDS)
        return [
            chat
            for chat, attempts in outbox.recent_attempts("telegram", _MINUTE_SECONDS).items()
            if attempts[-1] > gap_start or len(attempts) >= MAX_MESSAGES_PER_MINUTE
        ]


@dataclass
class UpdateReader:
    """Reads the bot's updates; each is processed once, and not lost if the process is killed."""

    bot: BotApiClient
    settings: Settings
    poll_seconds: int = 5  # seconds that Telegram holds a request open
    _failed_queries: Counter[int] = field(default_factory=Counter)  # failed queries by update

    def read_until_stopped(self, stop: threading.Event, rest_seconds: float = 5.0) -> None:
        """Read until `stop` is set; after an error, rest first."""
        while not stop.is_set():
            try:
                requested_at = time.monotonic()
                if (
                    not self.process_updates()
                    and time.monotonic() - requested_at < self.poll_seconds / 2
                ):
                    stop.wait(1)  # a server that answers so quickly does not hold the request open
            except DeliveryError as trouble:
                log.warning("telegram: reading: %s", trouble)
                record_trouble(trouble.code)
                stop.wait(
                    trouble.wait_seconds if isinstance(trouble, RetryLaterError) else rest_seconds
                )
            except Exception:  # outermost handler of a thread
                log.exception("telegram: reading failed")
                stop.wait(rest_seconds)

    def process_updates(self) -> int:
        """Process the new updates; returns their number. Raises DeliveryError."""
        state, _ = TelegramBot.get_or_create(name="bot")
        updates = self.bot.fetch_updates(state.read, self.poll_seconds)
        if state.trouble not in ("", *EXCLUSION_TROUBLES):
            record_trouble("")
        if not state.seen_at or clock.now() - state.seen_at > _SEEN_PRECISION:
            TelegramBot.update(seen_at=clock.now()).execute()
        for update in updates:
            self._process_update(update)
        return len(updates)

    def _process_update(self, update: dict[str, Any]) -> None:
        """Process one update and mark it as read, in one transaction.

        Raises DeliveryError if Telegram has to be queried first and does not answer; the update is
        then read again, up to MAX_MEMBER_QUERIES times. Raises OperationalError if the database
        cannot be written; the update is then read again, too.
        """
        if not isinstance(update, dict) or type(update.get("update_id")) is not int:
            log.warning("telegram: what is no update was passed over")
            return
        send_reply: Callable[[], None] | None = None  # called once the transaction is over
        try:
            may_ask = self._is_permitted_query(update)
            with write_transaction():
                TelegramBot.update(read=update["update_id"] + 1).execute()
                send_reply = self._apply_update(update, may_ask)
        except (DeliveryError, OperationalError):
            raise
        except Exception:  # outermost handler of one update: it must not hold up the next
            log.exception("telegram: update %s makes no sense", update.get("update_id"))
            TelegramBot.update(read=update["update_id"] + 1).execute()
        try:
            if send_reply:
                send_reply()
        except DeliveryError as trouble:
            log.warning("telegram: not acknowledged: %s", trouble)

    def _apply_update(self, update: dict[str, Any], may_ask: bool) -> Callable[[], None] | None:
        if press := update.get("callback_query"):
            return self._handle_press(press)
        if member := update.get("my_chat_member"):
            self._record_membership(str(member["chat"]["id"]), member["new_chat_member"])
            return None
        message = update.get("message") or {}
        if message.get("migrate_to_chat_id"):
            if (chat := str(message["chat"]["id"])) in self._permitted_chats():
                duty.record_chat_move(chat, str(message["migrate_to_chat_id"]))
            return None
        if may_ask:
            chat, text = (
                str(message["chat"]["id"]),
                duty.status_text(self.settings, _requested_number(message)),
            )
            key = f"status:{update['update_id']}"
            outbox.queue_message("telegram", "status", chat, key=key, text=text)
        return None

    def _record_membership(self, chat: str, member: dict[str, Any]) -> None:
        """Record whether the bot belongs to a chat and may write there."""
        trouble = ""
        if member["status"] in ("kicked", "left") or not member.get("is_member", True):
            trouble = "kicked"
        elif not member.get("can_send_messages", True):
            trouble = "muted"
        if chat == self._group_chat():
            record_trouble(trouble)
        if not trouble:
            outbox.hasten_retries("telegram", chat)

    def _handle_press(self, press: dict[str, Any]) -> Callable[[], None] | None:
        data, chat = str(press.get("data", "")), str((press.get("message") or {})["chat"]["id"])
        if not data.startswith(TAKE_PREFIX) or chat not in self._permitted_chats():
            return None
        holder = duty.take_over_alert(
            self.settings,
            data.removeprefix(TAKE_PREFIX),
            _display_name(press["from"]),
            user=press["from"].get("id"),
            username=press["from"].get("username", ""),
        )
        text = duty.taken_by_text(self.settings, holder)
        return lambda: self.bot.acknowledge_press(press["id"], text)

    def _is_permitted_query(self, update: dict[str, Any]) -> bool:
        """Return True if the update asks for an appeal's state and the sender may know it.

        Raises DeliveryError if Telegram has to be queried for that and does not answer.
        """
        message = update.get("message") or {}
        if not _requested_number(message):
            return False
        if str(message["chat"]["id"]) in self._permitted_chats():
            return True
        if message["chat"]["type"] != "private":
            return False
        try:
            return self.bot.is_member(self._group_chat(), message["from"]["id"])
        except DeliveryError as trouble:
            self._failed_queries[update["update_id"]] += 1
            if (
                trouble.code in EXCLUSION_TROUBLES
                or self._failed_queries[update["update_id"]] >= MAX_MEMBER_QUERIES
            ):
                log.warning("telegram: nobody knows whether a question is a member's: %s", trouble)
                return False
            raise

    def _group_chat(self) -> str:
        bot = self.settings.telegram
        return duty.current_chat_id(bot.chat) if bot else ""

    def _permitted_chats(self) -> set[str]:
        """Return the chats whose members may take appeals: the group, and those on duty."""
        duty_chats = {
            duty.current_chat_id(person.chat) for person in self.settings.duty if person.chat
        }
        return duty_chats | {self._group_chat()}


def record_trouble(trouble: str) -> None:
    """Store the bot's current trouble for the self-checks; "" means that there is no trouble."""
    known_codes = {*EXCLUSION_TROUBLES, "log_in", "second_reader"}
    code = trouble if trouble in known_codes or not trouble else "unreachable"
    with write_transaction():
        TelegramBot.insert(name="bot").on_conflict_ignore().execute()
        TelegramBot.update(trouble=code).where(TelegramBot.trouble != code).execute()


def _concerns_bot(trouble: str, message: Message) -> bool:
    """Return True if this trouble is one of the bot itself, not of the message's recipient."""
    if trouble in EXCLUSION_TROUBLES:
        return _is_group_alert(message)
    return trouble != "blocked"


def _is_group_alert(message: Message) -> bool:
    """Return True if the message goes to the ministry's group, not to that of the technicians."""
    return str(message.recipient).startswith("-") and message.purpose != "alarm"


def _requested_number(message: dict[str, Any]) -> str:
    """Return the number of the appeal that a message asks about, or ""."""
    text: str = message.get("text") or ""
    match = _STATUS.fullmatch(text)
    return match[1] if match else ""


def _merged_text(messages: list[Message]) -> str:
    if len(messages) == 1:
        return str(messages[0].text)
    return "\n\n".join(message.payload["line"] for message in messages)


def _take_buttons(messages: list[Message]) -> list[Button]:
    is_single = len(messages) == 1
    return [
        Button(
            message.payload["button"]
            if is_single
            else f"{message.payload['appeal']}: {message.payload['button']}",
            TAKE_PREFIX + message.payload["appeal"],
        )
        for message in messages
        if message.purpose == "alert"
    ]


def _display_name(person: dict[str, Any]) -> str:
    names = (person.get("first_name"), person.get("last_name"))
    return (" ".join(filter(None, names)) or str(person.get("id")))[:100]
