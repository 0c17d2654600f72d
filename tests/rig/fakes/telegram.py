"""A fake of Telegram's Bot API."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.rig.fakes.serving import FakeHandler, FakeServer, run_server

BOT_TOKEN = "1:secret"
_ACCEPTING_MOODS = ("ok", "lost", "html", "page")  # the message is sent, whatever the answer says
_ERRORS_BY_MOOD: dict[str, tuple[int, str, dict[str, int]]] = {
    "log_in": (401, "Unauthorized", {}),
    "nowhere": (400, "Bad Request: chat not found", {}),
    "wait": (429, "Too Many Requests", {"retry_after": 34}),
    "moved": (400, "group chat was upgraded", {"migrate_to_chat_id": -100777}),
    "kicked": (403, "Forbidden: bot was kicked from the group chat", {}),
    "error": (500, f"Internal, bot{BOT_TOKEN}", {}),
    "bad": (400, "Bad Request: message text is empty", {}),
}


@dataclass
class BotApi:
    """A fake Bot API with its chats.

    `moods`: the answers to the next messages; when the list is empty, `default_mood` decides by the
    text: ok | lost | error | html | page | log_in | wait | kicked | moved | nowhere | bad, or
    Telegram's own text ("Forbidden: …"), each possibly after `delay_seconds`.
    """

    url: str = ""
    moods: list[str] = field(default_factory=list)
    default_mood: Callable[[str], str] = lambda _: "ok"
    delay_seconds: Callable[[], float] = lambda: 0.0
    messages: list[tuple[int, str, list[str]]] = field(default_factory=list)  # chat, text, buttons
    message_times: list[float] = field(default_factory=list)  # when each message was accepted
    # texts sent to users who pressed a button
    callback_answers: list[str] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    members: set[int] = field(default_factory=set)
    # users who may not write → whether they are still members
    restricted: dict[int, bool] = field(default_factory=dict)
    member_failures: int = 0  # number of coming membership queries that fail
    second_reader: bool = False
    refuses: bool = False  # whether it refuses the token
    token: str = BOT_TOKEN
    refused_requests: int = 0  # requests with another token
    # called with the buttons before the answer is sent
    on_message: Callable[[list[str]], None] = lambda _buttons: None
    server: FakeServer | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class _BotApiHandler(FakeHandler[BotApi]):
    """A request to the Bot API; each of its methods is a method here."""

    def do_POST(self) -> None:
        sent = json.loads(self.read_body())
        _, bot, method = self.path.split("/")
        if bot != f"bot{self.fake.token}" or self.fake.refuses:
            self.fake.refused_requests += 1
            self._send_error(401, "Unauthorized")
        else:
            getattr(self, method)(sent)

    def sendMessage(self, sent: dict[str, Any]) -> None:
        fake = self.fake
        mood = fake.moods.pop(0) if fake.moods else fake.default_mood(sent["text"])
        if mood in _ACCEPTING_MOODS:
            rows = sent.get("reply_markup", {}).get("inline_keyboard", [])
            data = [button["callback_data"] for row in rows for button in row]
            with fake.lock:
                fake.messages.append((sent["chat_id"], sent["text"], data))
                fake.message_times.append(time.monotonic())
            fake.on_message(data)
        if wait := fake.delay_seconds():
            threading.Event().wait(wait)
        match mood:
            case "ok":
                result = {"message_id": len(self.fake.messages)}
                self.send_answer(200, {"ok": True, "result": result})
            case "lost":
                self.drop_connection()
            case "html":
                self.send_answer(502, "<html>Bad gateway</html>")
            case "page":
                self.send_answer(200, "<html>Pay for your internet here</html>")
            case _:
                self._refuse_message(mood)

    def _refuse_message(self, mood: str) -> None:
        if mood.startswith(("Bad Request: ", "Forbidden: ")):
            self._send_error(403 if mood.startswith("F") else 400, mood)
            return
        status, description, parameters = _ERRORS_BY_MOOD.get(mood, _ERRORS_BY_MOOD["bad"])
        self._send_error(status, description, **parameters)

    def getUpdates(self, sent: dict[str, Any]) -> None:
        if self.fake.second_reader:
            self._send_error(409, "Conflict: terminated by other getUpdates request")
        else:
            updates = [u for u in self.fake.updates if u["update_id"] >= sent["offset"]]
            self.send_answer(200, {"ok": True, "result": updates})

    def answerCallbackQuery(self, sent: dict[str, Any]) -> None:
        self.fake.callback_answers.append(sent["text"])
        self.send_answer(200, {"ok": True, "result": True})

    def getChatMember(self, sent: dict[str, Any]) -> None:
        if self.fake.member_failures:
            self.fake.member_failures -= 1
            self._send_error(500, "Internal")
            return
        user = sent["user_id"]
        member: dict[str, Any] = {"status": "member" if user in self.fake.members else "left"}
        if user in self.fake.restricted:
            member = {"status": "restricted", "is_member": self.fake.restricted[user]}
        self.send_answer(200, {"ok": True, "result": member})

    def _send_error(self, status: int, description: str, **parameters: int) -> None:
        answer = {
            "ok": False,
            "error_code": status,
            "description": description,
            "parameters": parameters,
        }
        self.send_answer(status, answer)


@contextlib.contextmanager
def run_bot_api() -> Iterator[BotApi]:
    """A Bot API that listens until the end of the block."""
    fake = BotApi()
    with run_server(_BotApiHandler, fake) as fake.server:
        fake.url = fake.server.url
        yield fake
