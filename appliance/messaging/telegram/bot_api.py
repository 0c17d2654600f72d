"""Telegram's Bot API over HTTP, outgoing only: messages with buttons, and what is said to the bot.

The token is part of each address, so it is taken out of whatever an error says.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from appliance.core.delivery import Declined, Later, NotSent, Receipt, Trouble, Unsure
from appliance.core.http import ask, json_object

LONGEST = 4096  # characters of a message
_KINDS = ["message", "callback_query", "my_chat_member"]
# How Telegram words what has nothing to do with the message: the chat takes none from the bot.
_GONE = re.compile(
    "chat not found|deactivated|was deleted|CHANNEL_PRIVATE|CHANNEL_INVALID|PEER_ID_INVALID",
    re.IGNORECASE,
)
_MUTED = re.compile(
    "rights|RESTRICTED|_FORBIDDEN|ADMIN_REQUIRED|USER_BANNED|TOPIC_|thread not found",
    re.IGNORECASE,
)


class Moved(NotSent):
    """The group became a supergroup and has the id `chat` now."""

    def __init__(self, said: str, chat: str) -> None:
        super().__init__("moved", said)
        self.chat = chat


@dataclass(frozen=True)
class Button:
    """Under a message: what it says, and what the bot is told when it is pressed."""

    text: str
    data: str


@dataclass
class Telegram:
    """A bot."""

    url: str
    token: str = field(repr=False)

    def send(self, chat: str, text: str, buttons: Sequence[Button] = ()) -> Receipt:
        """Send plain text. Raises Later, Moved, NotSent, Unsure (it knows no key), Declined."""
        message: dict[str, Any] = {"chat_id": int(chat), "text": text[:LONGEST]}
        if buttons:
            rows = [[{"text": b.text, "callback_data": b.data}] for b in buttons]
            message["reply_markup"] = {"inline_keyboard": rows}
        taken = self._call("sendMessage", message)
        if not isinstance(taken, dict) or "message_id" not in taken:
            raise Unsure("no_sense", str(taken)[:200])
        return Receipt(str(taken["message_id"]))

    def updates(self, first: int, wait: int) -> list[dict[str, Any]]:
        """What was said to the bot from update `first` on; waits for so many seconds."""
        wanted = {"offset": first, "timeout": wait, "allowed_updates": _KINDS}
        return list(self._call("getUpdates", wanted))

    def acknowledge(self, id: str, text: str) -> None:
        """Tell somebody who pressed a button what came of it."""
        self._call("answerCallbackQuery", {"callback_query_id": id, "text": text[:200]})

    def is_member(self, chat: str, user: int) -> bool:
        """Whether somebody belongs to a group."""
        try:
            member = self._call("getChatMember", {"chat_id": int(chat), "user_id": user})
        except Declined:
            return False
        if member.get("status") == "restricted":  # may perhaps not write, but reads
            return bool(member.get("is_member"))
        return member.get("status") in ("creator", "administrator", "member")

    def _call(self, method: str, what: dict[str, Any]) -> Any:
        try:
            answer = ask("POST", f"{self.url.rstrip('/')}/bot{self.token}/{method}", json=what)
            body = json_object(answer)
        except Trouble as trouble:
            raise type(trouble)(trouble.code, self._hide(trouble.said)) from None
        if body.get("ok"):
            return body.get("result")
        text = self._hide(str(body.get("description", "")))
        raise _trouble(answer.status_code, body, text, what.get("chat_id", 0))

    def _hide(self, said: str) -> str:
        return said.replace(self.token, "…")


def _trouble(status: int, body: dict[str, Any], text: str, chat: int) -> Trouble:
    more = body.get("parameters") or {}
    if status == 429:
        return Later("too_many", text, float(more.get("retry_after") or 30))
    if more.get("migrate_to_chat_id"):
        return Moved(text, str(more["migrate_to_chat_id"]))
    if status >= 500:
        return Unsure("server_error", text)
    known = {401: "log_in", 404: "log_in", 409: "second_reader"}
    code = known.get(status) or _shut_out(status, text, chat)
    return NotSent(code, text) if code else Declined("declined", text)


def _shut_out(status: int, text: str, chat: int) -> str:
    """Why a chat takes nothing from the bot, or "" when it is the message that it does not take."""
    muted = _MUTED.search(text)
    if not muted and not _GONE.search(text) and status != 403:
        return ""
    if chat > 0:  # a person: blocked the bot, or never wrote to it
        return "blocked"
    return "muted" if muted else "kicked"
