"""A reference for the ministry's system, on loopback: data/ministry-openapi.json, and its failures.

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

MINISTRY_TOKEN = "token of the ministry"
type Mood = str | tuple[int, str]
# moods in which nothing is registered
_FAILING_MOODS = (
    "error",
    "html",
    "refuse",
    "wait",
    "moved",
    "forgets",
)


@dataclass
class MinistrySystem:
    """The ministry's register and its events.

    `moods`: the answers to the next requests; when the list is empty, the correct ones: ok | lost
    (registered, the answer never comes) | dead (nothing is registered) | error | html | half (half
    an answer) | slow (registered and answered after `release`) | refuse | later (202) | wait (429)
    | forgets (404) | moved (302) | a status and a body
    """

    url: str = ""
    moods: list[Mood] = field(default_factory=list)
    # number → the current document
    appeals: dict[str, dict[str, Any]] = field(default_factory=dict)
    # new | change, number, version
    registrations: list[tuple[str, str, int]] = field(default_factory=list)
    # idempotency key → (status, body) of the first answer
    first_answers: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    # idempotency keys; refused again when they come again
    refused_keys: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)  # method and path
    events: list[dict[str, Any]] = field(default_factory=list)
    event_moods: list[Mood] = field(default_factory=list)  # ok | lost | error | html | twice
    token: str = MINISTRY_TOKEN
    unknown_token_count: int = 0  # requests with another token
    page_size: int = 100
    release: threading.Event = field(default_factory=threading.Event)
    late_count: int = 0  # slow requests that are registered by now

    def store_document(
        self, document: dict[str, Any], is_change: bool
    ) -> tuple[int, dict[str, str]]:
        """Register a document, if it is newer than the registered one; returns status and body."""
        number, stored = document["number"], self.appeals.get(document["number"])
        if is_change and not stored:
            return 404, {"detail": "no such appeal"}
        if not stored or document["version"] > stored["version"]:
            self.appeals[number] = document
            self.registrations.append(("change" if stored else "new", number, document["version"]))
        return (200 if stored else 201), {"id": f"M-{number}"}

    def add_event(self, number: str, action: str, text: str = "", **fields: Any) -> dict[str, Any]:
        """Add an event; returns it."""
        event = {"id": f"e{len(self.events) + 1}", "number": number, "action": action, "text": text}
        self.events.append(event | fields)
        return self.events[-1]


class _MinistryHandler(BaseHTTPRequestHandler):
    """A request to the ministry's system."""

    server: "_MinistryServer"

    @property
    def fake(self) -> MinistrySystem:
        """The system whose server received the request."""
        return self.server.fake

    def do_POST(self) -> None:
        self._store_appeal(is_change=False)

    def do_PUT(self) -> None:
        self._store_appeal(is_change=True)

    def do_GET(self) -> None:
        self.fake.requests.append("GET")
        mood = self.fake.event_moods.pop(0) if self.fake.event_moods else "ok"
        if not self._has_valid_token():
            return
        query = parse_qs(urlsplit(self.path).query)
        after = int((query.get("after") or ["0"])[0] or 0)
        end = min(after + self.fake.page_size, len(self.fake.events))
        events = self.fake.events[after:end] * (2 if mood == "twice" else 1)
        answer = {"events": events, "next": str(end), "more": end < len(self.fake.events)}
        self._answer_by_mood(mood, 200, answer)

    def _store_appeal(self, is_change: bool) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.fake.requests.append(f"{self.command} {unquote(self.path)}")
        mood = self.fake.moods.pop(0) if self.fake.moods else "ok"
        if not self._has_valid_token():
            return
        key = self.headers["Idempotency-Key"]
        if key in self.fake.refused_keys:
            mood = "refuse"
        if mood == "refuse":
            self.fake.refused_keys.add(key)
        if mood == "slow":
            self.fake.release.wait(60)
        if mood == "dead":
            self._drop_connection()
        elif isinstance(mood, tuple) or mood in _FAILING_MOODS:
            self._answer_by_mood(mood, 200, {})
        else:
            self._register_document(key, json.loads(body), mood, is_change)

    def _register_document(
        self, key: str, document: dict[str, Any], mood: str, is_change: bool
    ) -> None:
        """Register a document once per key; a repeated request gets the first answer again."""
        if key not in self.fake.first_answers:
            status, answer = self.fake.store_document(document, is_change)
            if status == 404:
                self._send_answer(status, answer)
                return
            self.fake.first_answers[key] = (202 if mood == "later" else status), answer
        self.fake.late_count += mood == "slow"
        self._answer_by_mood(mood, *self.fake.first_answers[key])

    def _has_valid_token(self) -> bool:
        if self.headers.get("Authorization") in (f"Bearer {self.fake.token}", self.fake.token):
            return True
        self.fake.unknown_token_count += 1
        self._send_answer(401, {"detail": "who are you?"})
        return False

    def _answer_by_mood(self, mood: Mood, status: int, content: dict[str, Any]) -> None:
        match mood:
            case (int(mood_status), str(body)):
                self._send_answer(mood_status, body)
            case "lost":
                self._drop_connection()
            case "error":
                self._send_answer(500, {"detail": "internal"})
            case "html":
                self._send_answer(200, "<html>Log in to the network</html>")
            case "half":
                self._send_answer(status, json.dumps(content)[:-3])
            case "refuse":
                self._send_answer(422, {"detail": "no such direction"})
            case "wait":
                self._send_answer(429, {}, {"Retry-After": "7"})
            case "moved":
                self._send_answer(302, "", {"Location": "/login"})
            case "forgets":
                self.fake.appeals.clear()
                self._send_answer(404, {"detail": "no such appeal"})
            case _:
                self._send_answer(status, content)

    def _drop_connection(self) -> None:
        self.close_connection = True  # the client never gets its answer
        self.connection.close()

    def _send_answer(
        self, status: int, content: object, headers: dict[str, str] | None = None
    ) -> None:
        text = (content if isinstance(content, str) else json.dumps(content)).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


class _MinistryServer(ThreadingHTTPServer):
    def __init__(self, fake: MinistrySystem) -> None:
        self.fake = fake
        super().__init__(("127.0.0.1", 0), _MinistryHandler)

    def handle_error(self, *_: object) -> None:
        """Print nothing: connections closed in the middle are part of the tests."""


@contextlib.contextmanager
def run_ministry() -> Iterator[MinistrySystem]:
    """The ministry's system, listening until the end of the block."""
    fake = MinistrySystem()
    server = _MinistryServer(fake)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield fake
    finally:
        fake.release.set()
        server.shutdown()
        server.server_close()
        thread.join()


if __name__ == "__main__":
    with run_ministry() as server, contextlib.suppress(KeyboardInterrupt):
        print(f'[ministry]\nurl = "{server.url}"\ntoken = "{MINISTRY_TOKEN}"', flush=True)
        printed_count, pause = 0, threading.Event()
        while not pause.wait(0.5):
            for kind, number, version in server.registrations[printed_count:]:
                print(kind, number, version, flush=True)
                printed_count += 1
