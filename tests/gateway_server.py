"""A stand-in for SMS services, on loopback, that behaves as badly as it is told to."""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs


@dataclass
class Service:
    """Both services' addresses under one roof. `moods` says how the next messages are answered;
    when it is empty, as they should be: ok | lost | error | html | declined | log_in."""

    url: str = ""
    moods: list[str] = field(default_factory=list)
    took: list[tuple[str, str]] = field(default_factory=list)  # number, text
    states: dict[str, str] = field(default_factory=dict)  # id → Eskiz's word for what became of it
    tokens: set[str] = field(default_factory=set)
    log_ins: int = 0


@contextlib.contextmanager
def service() -> Iterator[Service]:
    """The service, listening until the end of the block."""
    here = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            if self.path == "/auth/login":
                here.log_ins += 1
                token = f"token-{here.log_ins}"
                here.tokens.add(token)
                self._say(200, {"data": {"token": token}})
            elif self.path == "/send":
                [message] = json.loads(body)["messages"]
                self._take(message["recipient"], message["sms"]["content"]["text"], {})
            elif self.headers.get("Authorization", "").removeprefix("Bearer ") not in here.tokens:
                self._say(401, {"message": "expired", "status": "token_expired"})
            else:
                form = parse_qs(body)
                taken = {"id": f"id-{len(here.took) + 1}", "status": "waiting"}
                self._take(form["mobile_phone"][0], form["message"][0], taken)

        def do_GET(self) -> None:
            if self.path.startswith("/user"):
                self._say(200, {"data": {"balance": 4200}})
            else:
                id = self.path.rsplit("/", 1)[1]
                self._say(200, {"data": {"status": here.states.get(id, "waiting")}})

        def _take(self, number: str, text: str, taken: dict[str, str]) -> None:
            mood = here.moods.pop(0) if here.moods else "ok"
            if mood in ("ok", "lost", "html"):
                here.took.append((number, text))
            if mood == "ok":
                self._say(200, taken)
            elif mood == "lost":
                self.close_connection = True  # the answer never comes
                self.connection.close()
            elif mood == "html":
                self._say(502, "<html>Bad gateway</html>")
            elif mood == "error":
                self._say(500, {"message": "internal"})
            elif mood == "log_in":
                here.tokens.clear()
                self._say(401, {"message": "expired"})
            else:
                self._say(400, {"message": "no template", "error-code": 406})

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
