"""A stand-in for Telegram's Bot API."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.rig.fakes.serving import Answering, Line, listening

TOKEN = "1:secret"


@dataclass
class Chats:
    """`moods` says how the next messages are answered; when it is empty, `mood` does for a text:
    ok | lost | error | html | page | log_in | wait | kicked | moved | nowhere | bad, or Telegram's
    own words ("Forbidden: …"), each perhaps after `slow` seconds."""

    url: str = ""
    moods: list[str] = field(default_factory=list)
    mood: Callable[[str], str] = lambda _: "ok"
    slow: Callable[[], float] = lambda: 0.0
    took: list[tuple[int, str, list[str]]] = field(default_factory=list)  # chat, text, buttons
    times: list[float] = field(default_factory=list)  # when each was taken
    told: list[str] = field(default_factory=list)  # to those who pressed
    updates: list[dict[str, Any]] = field(default_factory=list)
    members: set[int] = field(default_factory=set)
    restricted: dict[int, bool] = field(default_factory=dict)  # who may not write; still a member?
    member_fails: int = 0  # times that nobody is told who belongs to a group
    second_reader: bool = False
    refuses: bool = False  # the token
    token: str = TOKEN
    refused: int = 0  # requests by another token
    taken: Callable[[list[str]], None] = lambda _buttons: None  # before the answer is given
    line: Line | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextlib.contextmanager
def chats() -> Iterator[Chats]:
    """The service, listening until the end of the block."""
    here = Chats()

    class Handler(Answering):
        def do_POST(self) -> None:
            sent = json.loads(self.body())
            _, bot, method = self.path.split("/")
            if bot != f"bot{here.token}" or here.refuses:
                here.refused += 1
                self._fail(401, "Unauthorized")
            else:
                getattr(self, method)(sent)

        def sendMessage(self, sent: dict[str, Any]) -> None:
            mood = here.moods.pop(0) if here.moods else here.mood(sent["text"])
            if mood in ("ok", "lost", "html", "page"):
                rows = sent.get("reply_markup", {}).get("inline_keyboard", [])
                data = [button["callback_data"] for row in rows for button in row]
                with here.lock:
                    here.took.append((sent["chat_id"], sent["text"], data))
                    here.times.append(time.monotonic())
                here.taken(data)
            if wait := here.slow():
                threading.Event().wait(wait)
            if mood == "ok":
                self.say(200, {"ok": True, "result": {"message_id": len(here.took)}})
            elif mood == "lost":
                self.hang_up()
            elif mood == "html":
                self.say(502, "<html>Bad gateway</html>")
            elif mood == "page":
                self.say(200, "<html>Pay for your internet here</html>")
            elif mood == "log_in":
                self._fail(401, "Unauthorized")
            elif mood == "nowhere":
                self._fail(400, "Bad Request: chat not found")
            elif mood == "wait":
                self._fail(429, "Too Many Requests", retry_after=34)
            elif mood == "moved":
                self._fail(400, "group chat was upgraded", migrate_to_chat_id=-100777)
            elif mood == "kicked":
                self._fail(403, "Forbidden: bot was kicked from the group chat")
            elif mood.startswith(("Bad Request: ", "Forbidden: ")):
                self._fail(403 if mood.startswith("F") else 400, mood)
            elif mood == "error":
                self._fail(500, f"Internal, bot{TOKEN}")
            else:
                self._fail(400, "Bad Request: message text is empty")

        def getUpdates(self, sent: dict[str, Any]) -> None:
            if here.second_reader:
                self._fail(409, "Conflict: terminated by other getUpdates request")
            else:
                found = [u for u in here.updates if u["update_id"] >= sent["offset"]]
                self.say(200, {"ok": True, "result": found})

        def answerCallbackQuery(self, sent: dict[str, Any]) -> None:
            here.told.append(sent["text"])
            self.say(200, {"ok": True, "result": True})

        def getChatMember(self, sent: dict[str, Any]) -> None:
            if here.member_fails:
                here.member_fails -= 1
                self._fail(500, "Internal")
                return
            user = sent["user_id"]
            member: dict[str, Any] = {"status": "member" if user in here.members else "left"}
            if user in here.restricted:
                member = {"status": "restricted", "is_member": here.restricted[user]}
            self.say(200, {"ok": True, "result": member})

        def _fail(self, status: int, why: str, **more: int) -> None:
            told = {"ok": False, "error_code": status, "description": why, "parameters": more}
            self.say(status, told)

    with listening(Handler) as here.line:
        here.url = here.line.url
        yield here
