"""A stand-in for Telegram's Bot API, on loopback, that behaves as badly as it is told to."""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "1:secret"


@dataclass
class Chats:
    """`moods` says how the next messages are answered; when it is empty, as they should be:
    ok | lost | error | html | wait | kicked | moved | bad."""

    url: str = ""
    moods: list[str] = field(default_factory=list)
    took: list[tuple[int, str, list[str]]] = field(default_factory=list)  # chat, text, buttons
    told: list[str] = field(default_factory=list)  # to those who pressed
    updates: list[dict[str, Any]] = field(default_factory=list)
    members: set[int] = field(default_factory=set)
    second_reader: bool = False


@contextlib.contextmanager
def chats() -> Iterator[Chats]:
    """The service, listening until the end of the block."""
    here = Chats()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            _, bot, method = self.path.split("/")
            if bot != f"bot{TOKEN}":
                self._fail(401, "Unauthorized")
            else:
                getattr(self, method)(sent)

        def sendMessage(self, sent: dict[str, Any]) -> None:
            mood = here.moods.pop(0) if here.moods else "ok"
            if mood in ("ok", "lost", "html"):
                rows = sent.get("reply_markup", {}).get("inline_keyboard", [])
                data = [button["callback_data"] for row in rows for button in row]
                here.took.append((sent["chat_id"], sent["text"], data))
            if mood == "ok":
                self._say(200, {"ok": True, "result": {"message_id": len(here.took)}})
            elif mood == "lost":
                self.close_connection = True
                self.connection.close()
            elif mood == "html":
                self._say(502, "<html>Bad gateway</html>")
            elif mood == "wait":
                self._fail(429, "Too Many Requests", retry_after=34)
            elif mood == "moved":
                self._fail(400, "group chat was upgraded", migrate_to_chat_id=-100777)
            elif mood == "kicked":
                self._fail(403, "Forbidden: bot was kicked from the group chat")
            elif mood == "error":
                self._fail(500, f"Internal, bot{TOKEN}")
            else:
                self._fail(400, "Bad Request: message text is empty")

        def getUpdates(self, sent: dict[str, Any]) -> None:
            if here.second_reader:
                self._fail(409, "Conflict: terminated by other getUpdates request")
            else:
                found = [u for u in here.updates if u["update_id"] >= sent["offset"]]
                self._say(200, {"ok": True, "result": found})

        def answerCallbackQuery(self, sent: dict[str, Any]) -> None:
            here.told.append(sent["text"])
            self._say(200, {"ok": True, "result": True})

        def getChatMember(self, sent: dict[str, Any]) -> None:
            state = "member" if sent["user_id"] in here.members else "left"
            self._say(200, {"ok": True, "result": {"status": state}})

        def _fail(self, status: int, why: str, **more: int) -> None:
            told = {"ok": False, "error_code": status, "description": why, "parameters": more}
            self._say(status, told)

        def _say(self, status: int, what: object) -> None:
            text = (what if isinstance(what, str) else json.dumps(what)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a closed connection
    here.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
