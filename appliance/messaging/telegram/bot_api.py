"""Telegram's Bot API over HTTP, outgoing only: sending messages with buttons, reading updates.

The token is part of each address, so it is removed from every error text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from appliance.core.delivery import (
    DeclinedError,
    DeliveryError,
    NotSentError,
    Receipt,
    RetryLaterError,
    UncertainDeliveryError,
)
from appliance.core.http import json_object, send_request

MAX_MESSAGE_CHARS = 4096
_UPDATE_TYPES = ["message", "callback_query", "my_chat_member"]
# Telegram's error texts which mean that the chat accepts no message of the bot at all.
_CHAT_GONE = re.compile(
    "chat not found|deactivated|was deleted|CHANNEL_PRIVATE|CHANNEL_INVALID|PEER_ID_INVALID",
    re.IGNORECASE,
)
_BOT_MUTED = re.compile(
    "rights|RESTRICTED|_FORBIDDEN|ADMIN_REQUIRED|USER_BANNED|TOPIC_|thread not found",
    re.IGNORECASE,
)


class ChatMovedError(NotSentError):
    """The group became a supergroup; `chat` is its new id."""

    def __init__(self, detail: str, chat: str) -> None:
        super().__init__("moved", detail)
        self.chat = chat


@dataclass(frozen=True)
class Button:
    """A button under a message: its text, and the data sent to the bot when it is pressed."""

    text: str
    data: str


@dataclass
class BotApiClient:
    """A client of the Bot API for one bot."""

    url: str
    token: str = field(repr=False)

    def send_text(self, chat: str, text: str, buttons: Sequence[Button] = ()) -> Receipt:
        """Send plain text.

        The API accepts no key, so a text may be sent twice if the answer to an attempt was lost.
        Raises RetryLaterError, ChatMovedError, NotSentError, UncertainDeliveryError, DeclinedError.
        """
        message: dict[str, Any] = {"chat_id": int(chat), "text": text[:MAX_MESSAGE_CHARS]}
        if buttons:
            rows = [[{"text": button.text, "callback_data": button.data}] for button in buttons]
            message["reply_markup"] = {"inline_keyboard": rows}
        result = self._call_method("sendMessage", message)
        if not isinstance(result, dict) or "message_id" not in result:
            raise UncertainDeliveryError("no_sense", str(result)[:200])
        return Receipt(str(result["message_id"]))

    def fetch_updates(self, first_id: int, poll_seconds: int) -> list[dict[str, Any]]:
        """Return the bot's updates from `first_id` on; waits up to `poll_seconds` for one."""
        parameters = {"offset": first_id, "timeout": poll_seconds, "allowed_updates": _UPDATE_TYPES}
        return list(self._call_method("getUpdates", parameters))

    def acknowledge_press(self, query_id: str, text: str) -> None:
        """Show `text` to the user who pressed a button."""
        self._call_method(
            "answerCallbackQuery", {"callback_query_id": query_id, "text": text[:200]}
        )

    def is_member(self, chat: str, user: int) -> bool:
        """Return True if a user belongs to a group."""
        try:
            member = self._call_method("getChatMember", {"chat_id": int(chat), "user_id": user})
        except DeclinedError:
            return False
        if member.get("status") == "restricted":  # may be unable to write, but can read
            return bool(member.get("is_member"))
        return member.get("status") in ("creator", "administrator", "member")

    def _call_method(self, method: str, parameters: dict[str, Any]) -> Any:
        try:
            answer = send_request(
                "POST", f"{self.url.rstrip('/')}/bot{self.token}/{method}", json=parameters
            )
            body = json_object(answer)
        except DeliveryError as trouble:
            raise type(trouble)(trouble.code, self._hide_token(trouble.detail)) from None
        if body.get("ok"):
            return body.get("result")
        text = self._hide_token(str(body.get("description", "")))
        raise _error_for(answer.status_code, body, text, parameters.get("chat_id", 0))

    def _hide_token(self, text: str) -> str:
        return text.replace(self.token, "…")


def _error_for(status: int, body: dict[str, Any], text: str, chat: int) -> DeliveryError:
    parameters = body.get("parameters") or {}
    if status == 429:
        return RetryLaterError("too_many", text, float(parameters.get("retry_after") or 30))
    if parameters.get("migrate_to_chat_id"):
        return ChatMovedError(text, str(parameters["migrate_to_chat_id"]))
    if status >= 500:
        return UncertainDeliveryError("server_error", text)
    code_by_status = {401: "log_in", 404: "log_in", 409: "second_reader"}
    code = code_by_status.get(status) or _exclusion_code(status, text, chat)
    return NotSentError(code, text) if code else DeclinedError("declined", text)


def _exclusion_code(status: int, text: str, chat: int) -> str:
    """Return why a chat accepts nothing from the bot: "blocked" (by a user), "muted" or "kicked".

    Returns "" if only this message is rejected.
    """
    muted = _BOT_MUTED.search(text)
    if not muted and not _CHAT_GONE.search(text) and status != 403:
        return ""
    if chat > 0:  # a user: blocked the bot, or never wrote to it
        return "blocked"
    return "muted" if muted else "kicked"
