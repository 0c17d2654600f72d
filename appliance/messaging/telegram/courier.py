"""The bot at work: alerts out of the outbox, presses of its buttons and questions back in."""

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
from appliance.core.db import writing
from appliance.core.delivery import Declined, Later, NotSent, Trouble, Unsure
from appliance.core.settings import Settings
from appliance.messaging.notices import duty
from appliance.messaging.telegram.bot_api import Button, Moved, Telegram
from appliance.models import Message, TelegramBot

log = logging.getLogger(__name__)

PER_MINUTE, APART = 20, 1.0  # messages to one chat; seconds between two (Bot API FAQ)
_MINUTE = 63.0  # seconds: one on its way for longer than the next must not make it 21
MANY, WHOLE = 4, 20  # alerts at once that are merged into one message, and at most
TAKE = "take:"
IN_VAIN = 20  # times that Telegram is asked about somebody in vain
SHUT_OUT = ("kicked", "muted")  # troubles that end when a group lets the bot write
KNOCKS = 60.0  # seconds: nobody tells a bot that all may write in a group again
_LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)
_SEEN = dt.timedelta(minutes=1)  # how exactly it is noted that Telegram answers
_STATUS = re.compile(r"/?status(?:@\w+)?\s+(\S{1,20})\s*", re.IGNORECASE | re.ASCII)


@dataclass
class Courier:
    """Sends the outbox's Telegram messages within Telegram's limits."""

    bot: Telegram
    _quiet_until: dt.datetime = _LONG_AGO

    def follow(self, stop: threading.Event, every: float = 1.0) -> None:
        """Send what becomes due until `stop`."""
        while not stop.wait(every):
            try:
                self.send_due(lambda: not stop.is_set())
            except Exception:  # the boundary of a thread
                log.exception("telegram: sending failed")

    def send_due(self, goes_on: Callable[[], bool] = lambda: True) -> int:
        """Send what is due and the limits allow; returns how many messages of Telegram's."""
        count = 0
        outbox.recover()
        outbox.expire()
        while goes_on() and clock.now() >= self._quiet_until:
            message = outbox.claim("telegram", besides=self._resting())
            if not message:
                break
            self.send(message)
            count += 1
        return count

    def send(self, message: Message) -> None:
        """Send one claimed message; of alerts, what else waits with it."""
        together = [message]
        if message.purpose == "alert":
            together += outbox.claim_alike(message, least=MANY - 1, most=WHOLE - 1)
        try:
            receipt = self.bot.send(message.recipient, _text(together), _buttons(together))
        except Moved as trouble:
            duty.moved(message.recipient, trouble.chat)
            self._again(together, trouble, wait=0)
        except Later as trouble:
            self._quiet_until = clock.now() + dt.timedelta(seconds=trouble.wait)
            self._again(together, trouble, wait=trouble.wait)
        except NotSent as trouble:
            if _hinders(trouble.code, message):
                note(trouble.code)
            self._again(together, trouble)
        except Unsure as trouble:
            self._again(together, trouble, perhaps_sent=True, by="telegram")
        except Declined as trouble:
            for each in together:
                outbox.declined(each, trouble.code, trouble.said)
        except Exception as error:  # a message or an answer that nobody foresaw holds up no other
            log.exception("telegram: message %d may have gone out", message.id)
            self._again(together, Unsure("no_sense", repr(error)), perhaps_sent=True, by="telegram")
        else:
            for each in together:
                outbox.sent(each, "telegram", receipt.id)
            if _alerts_group(message):  # the bot may write there, again
                TelegramBot.update(trouble="").where(TelegramBot.trouble.in_(SHUT_OUT)).execute()

    def _again(self, messages: list[Message], trouble: Trouble, **how: Any) -> None:
        """Later, and together again: each waiting by itself would lose the order."""
        log.warning("telegram: %s", trouble)
        wait = how.pop("wait", outbox.pause(messages[0], trouble.code))
        if trouble.code in SHUT_OUT:
            wait = min(wait, KNOCKS)
        for message in messages:
            outbox.retry(message, trouble.code, trouble.said, wait=wait, **how)

    def _resting(self) -> list[str]:
        """Chats that have had their share of messages for the moment."""
        apart = clock.now() - dt.timedelta(seconds=APART)
        return [
            chat
            for chat, moments in outbox.tried("telegram", _MINUTE).items()
            if moments[-1] > apart or len(moments) >= PER_MINUTE
        ]


@dataclass
class Reader:
    """Reads what is said to the bot; each update counts once, and none is lost by a kill."""

    bot: Telegram
    settings: Settings
    wait: int = 5  # seconds that Telegram holds a question open
    _in_vain: Counter[int] = field(default_factory=Counter)  # updates about which it was asked

    def follow(self, stop: threading.Event, rest: float = 5.0) -> None:
        """Read until `stop`; after a trouble rest first."""
        while not stop.is_set():
            try:
                asked_at = time.monotonic()
                if not self.read() and time.monotonic() - asked_at < self.wait / 2:
                    stop.wait(1)  # whoever answers so soon does not hold the question open
            except Trouble as trouble:
                log.warning("telegram: reading: %s", trouble)
                note(trouble.code)
                stop.wait(trouble.wait if isinstance(trouble, Later) else rest)
            except Exception:  # the boundary of a thread
                log.exception("telegram: reading failed")
                stop.wait(rest)

    def read(self) -> int:
        """Do what was asked since; returns how many updates. Raises a Trouble."""
        state, _ = TelegramBot.get_or_create(name="bot")
        updates = self.bot.updates(state.read, self.wait)
        if state.trouble not in ("", *SHUT_OUT):
            note("")
        if not state.seen_at or clock.now() - state.seen_at > _SEEN:
            TelegramBot.update(seen_at=clock.now()).execute()
        for update in updates:
            self._take(update)
        return len(updates)

    def _take(self, update: dict[str, Any]) -> None:
        """Do what one update asks for, and count it as read, in one transaction.

        Raises a Trouble when Telegram must be asked first and does not answer: the update comes
        again with the next reading, so many times. So it does after an OperationalError, when
        nothing can be written.
        """
        if not isinstance(update, dict) or type(update.get("update_id")) is not int:
            log.warning("telegram: what is no update was passed over")
            return
        after = lambda: None  # noqa: E731  what is said over the network, when it is done
        try:
            may_ask = self._may_ask(update)
            with writing():
                TelegramBot.update(read=update["update_id"] + 1).execute()
                after = self._do(update, may_ask) or after
        except (Trouble, OperationalError):
            raise
        except Exception:  # the boundary of one update: it must not hold up the next
            log.exception("telegram: update %s makes no sense", update.get("update_id"))
            TelegramBot.update(read=update["update_id"] + 1).execute()
        try:
            after()
        except Trouble as trouble:
            log.warning("telegram: not acknowledged: %s", trouble)

    def _do(self, update: dict[str, Any], may_ask: bool) -> Callable[[], None] | None:
        if press := update.get("callback_query"):
            return self._pressed(press)
        if member := update.get("my_chat_member"):
            self._stands(str(member["chat"]["id"]), member["new_chat_member"])
            return None
        message = update.get("message") or {}
        if message.get("migrate_to_chat_id"):
            if (chat := str(message["chat"]["id"])) in self._chats():
                duty.moved(chat, str(message["migrate_to_chat_id"]))
            return None
        if may_ask:
            chat, text = (
                str(message["chat"]["id"]),
                duty.status(self.settings, _number_asked_for(message)),
            )
            key = f"status:{update['update_id']}"
            outbox.put("telegram", "status", chat, key=key, text=text)
        return None

    def _stands(self, chat: str, member: dict[str, Any]) -> None:
        """The bot was let into a chat, put out of it, or may write there no more, or again."""
        trouble = ""
        if member["status"] in ("kicked", "left") or not member.get("is_member", True):
            trouble = "kicked"
        elif not member.get("can_send_messages", True):
            trouble = "muted"
        if chat == self._group():
            note(trouble)
        if not trouble:
            outbox.hasten("telegram", chat)

    def _pressed(self, press: dict[str, Any]) -> Callable[[], None] | None:
        data, chat = str(press.get("data", "")), str((press.get("message") or {})["chat"]["id"])
        if not data.startswith(TAKE) or chat not in self._chats():
            return None
        who = duty.take(
            self.settings,
            data.removeprefix(TAKE),
            _name(press["from"]),
            user=press["from"].get("id"),
            username=press["from"].get("username", ""),
        )
        text = duty.taken_by(self.settings, who)
        return lambda: self.bot.acknowledge(press["id"], text)

    def _may_ask(self, update: dict[str, Any]) -> bool:
        """Whether the update asks how an appeal stands, and who asks may know. Raises a Trouble."""
        message = update.get("message") or {}
        if not _number_asked_for(message):
            return False
        if str(message["chat"]["id"]) in self._chats():
            return True
        if message["chat"]["type"] != "private":
            return False
        try:
            return self.bot.is_member(self._group(), message["from"]["id"])
        except Trouble as trouble:
            self._in_vain[update["update_id"]] += 1
            if trouble.code in SHUT_OUT or self._in_vain[update["update_id"]] >= IN_VAIN:
                log.warning("telegram: nobody knows whether a question is a member's: %s", trouble)
                return False
            raise

    def _group(self) -> str:
        bot = self.settings.telegram
        return duty.chat_of(bot.chat) if bot else ""

    def _chats(self) -> set[str]:
        """Chats whose members may take appeals: the group's, the duty list's."""
        listed = {duty.chat_of(person.chat) for person in self.settings.duty if person.chat}
        return listed | {self._group()}


def note(trouble: str) -> None:
    """Remember what hinders the bot, for the self-checks; "": nothing does."""
    known = {*SHUT_OUT, "log_in", "second_reader"}
    code = trouble if trouble in known or not trouble else "unreachable"
    with writing():
        TelegramBot.insert(name="bot").on_conflict_ignore().execute()
        TelegramBot.update(trouble=code).where(TelegramBot.trouble != code).execute()


def _hinders(trouble: str, message: Message) -> bool:
    """Whether a message that did not go out tells of the bot, and not of its recipient."""
    if trouble in SHUT_OUT:
        return _alerts_group(message)
    return trouble != "blocked"


def _alerts_group(message: Message) -> bool:
    """Whether it goes to a group, and not to the technicians': that is another one."""
    return message.recipient.startswith("-") and message.purpose != "alarm"


def _number_asked_for(message: dict[str, Any]) -> str:
    """The number of the appeal that a message asks about, or ""."""
    found = _STATUS.fullmatch(message.get("text") or "")
    return found[1] if found else ""


def _text(messages: list[Message]) -> str:
    if len(messages) == 1:
        return messages[0].text
    return "\n\n".join(message.payload["line"] for message in messages)


def _buttons(messages: list[Message]) -> list[Button]:
    alone = len(messages) == 1
    return [
        Button(
            m.payload["button"] if alone else f"{m.payload['appeal']}: {m.payload['button']}",
            TAKE + m.payload["appeal"],
        )
        for m in messages
        if m.purpose == "alert"
    ]


def _name(person: dict[str, Any]) -> str:
    names = (person.get("first_name"), person.get("last_name"))
    return (" ".join(filter(None, names)) or str(person.get("id")))[:100]
