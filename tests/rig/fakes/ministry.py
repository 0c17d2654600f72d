"""A reference for the ministry's side, on loopback: data/ministry-openapi.json, and how it fails.

Run it by hand: `python tests/rig/fakes/ministry.py` listens and prints what it registers.
"""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "token of the ministry"
type Mood = str | tuple[int, str]
_FAILS = ("error", "html", "refuse", "wait", "moved", "forgets")  # nothing is registered


@dataclass
class Register:
    """What the ministry has on register, and what it tells. `moods` says how the next sendings are
    answered; when it is empty, as they should be.

    ok | lost (registered, the answer never comes) | dead (nothing is registered) | error | html |
    half (half an answer) | slow (registered and answered after `release`) | refuse | later (202) |
    wait (429) | forgets (404) | moved (302) | a status and a body
    """

    url: str = ""
    moods: list[Mood] = field(default_factory=list)
    appeals: dict[str, dict[str, Any]] = field(default_factory=dict)  # number → as it stands
    taken: list[tuple[str, str, int]] = field(default_factory=list)  # new | change, number, version
    keys: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)  # → first answer
    refused: set[str] = field(default_factory=set)  # keys; asked again, refused again
    asked: list[str] = field(default_factory=list)  # requests: method and path
    events: list[dict[str, Any]] = field(default_factory=list)
    event_moods: list[Mood] = field(default_factory=list)  # ok | lost | error | html | twice
    token: str = TOKEN
    unknown: int = 0  # requests by another token
    page: int = 100
    release: threading.Event = field(default_factory=threading.Event)
    late: int = 0  # slow ones that have been registered

    def add(self, document: dict[str, Any], change: bool) -> tuple[int, dict[str, str]]:
        """Put a document on register, if it is newer than what stands there."""
        number, known = document["number"], self.appeals.get(document["number"])
        if change and not known:
            return 404, {"detail": "no such appeal"}
        if not known or document["version"] > known["version"]:
            self.appeals[number] = document
            self.taken.append(("change" if known else "new", number, document["version"]))
        return (200 if known else 201), {"id": f"M-{number}"}

    def tell(self, number: str, action: str, text: str = "", **more: Any) -> dict[str, Any]:
        """Add an event."""
        event = {"id": f"e{len(self.events) + 1}", "number": number, "action": action, "text": text}
        self.events.append(event | more)
        return self.events[-1]


@contextlib.contextmanager
def register() -> Iterator[Register]:
    """The ministry's system, listening until the end of the block."""
    here = Register()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._take(change=False)

        def do_PUT(self) -> None:
            self._take(change=True)

        def do_GET(self) -> None:
            here.asked.append("GET")
            mood = here.event_moods.pop(0) if here.event_moods else "ok"
            if not self._trusted():
                return
            asked = parse_qs(urlsplit(self.path).query)
            after = int((asked.get("after") or ["0"])[0] or 0)
            upto = min(after + here.page, len(here.events))
            told = here.events[after:upto] * (2 if mood == "twice" else 1)
            answer = {"events": told, "next": str(upto), "more": upto < len(here.events)}
            self._answer(mood, 200, answer)

        def _take(self, change: bool) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            here.asked.append(f"{self.command} {unquote(self.path)}")
            mood = here.moods.pop(0) if here.moods else "ok"
            if not self._trusted():
                return
            key = self.headers["Idempotency-Key"]
            if key in here.refused:
                mood = "refuse"
            if mood == "refuse":
                here.refused.add(key)
            if mood == "slow":
                here.release.wait(60)
            if mood == "dead":
                self._hang_up()
            elif isinstance(mood, tuple) or mood in _FAILS:
                self._answer(mood, 200, {})
            else:
                if key not in here.keys:
                    status, said = here.add(json.loads(body), change)
                    if status == 404:
                        self._say(status, said)
                        return
                    here.keys[key] = (202, said) if mood == "later" else (status, said)
                here.late += mood == "slow"
                self._answer(mood, *here.keys[key])

        def _trusted(self) -> bool:
            if self.headers.get("Authorization") in (f"Bearer {here.token}", here.token):
                return True
            here.unknown += 1
            self._say(401, {"detail": "who are you?"})
            return False

        def _answer(self, mood: Mood, status: int, what: dict[str, Any]) -> None:
            match mood:
                case (int(other), str(body)):
                    self._say(other, body)
                case "lost":
                    self._hang_up()
                case "error":
                    self._say(500, {"detail": "internal"})
                case "html":
                    self._say(200, "<html>Log in to the network</html>")
                case "half":
                    self._say(status, json.dumps(what)[:-3])
                case "refuse":
                    self._say(422, {"detail": "no such direction"})
                case "wait":
                    self._say(429, {}, {"Retry-After": "7"})
                case "moved":
                    self._say(302, "", {"Location": "/login"})
                case "forgets":
                    here.appeals.clear()
                    self._say(404, {"detail": "no such appeal"})
                case _:
                    self._say(status, what)

        def _hang_up(self) -> None:
            self.close_connection = True  # the answer never comes
            self.connection.close()

        def _say(self, status: int, what: object, headers: dict[str, str] | None = None) -> None:
            text = (what if isinstance(what, str) else json.dumps(what)).encode()
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
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
        here.release.set()
        server.shutdown()
        server.server_close()
        thread.join()


if __name__ == "__main__":
    with register() as running, contextlib.suppress(KeyboardInterrupt):
        print(f'[ministry]\nurl = "{running.url}"\ntoken = "{TOKEN}"', flush=True)
        seen, pause = 0, threading.Event()
        while not pause.wait(0.5):
            for what, number, version in running.taken[seen:]:
                print(what, number, version, flush=True)
                seen += 1
