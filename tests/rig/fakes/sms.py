"""A fake of SMS services: Eskiz and Play Mobile on one server."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from tests.rig.fakes.serving import FakeHandler, FakeServer, run_server

PORTAL_PAGE = "<html>Pay for your internet here</html>"
_ACCEPTING_MOODS = ("ok", "lost", "html", "page")  # the message is sent, whatever the answer says


@dataclass
class SmsService:
    """A fake SMS service.

    `moods`: the answers to the next messages; when the list is empty, `default_mood` decides by the
    text: ok | lost | error | html | page | declined | log_in, each possibly after `delay_seconds`.

    Messages, log-ins and queries may also be intercepted on the way: portal (a page answers) |
    moved (to that page) | 429 or another status, with the service's own text or, as "429 page",
    with a page.
    """

    url: str = ""
    moods: list[str] = field(default_factory=list)
    default_mood: Callable[[str], str] = lambda _: "ok"
    log_in_moods: list[str] = field(default_factory=list)
    question_moods: list[str] = field(default_factory=list)
    retry_after: str = ""  # the header Retry-After sent with a status
    error_code: int = 406  # of a declined message
    balance: object = 4200
    delay_seconds: Callable[[], float] = lambda: 0.0
    messages: list[tuple[str, str]] = field(default_factory=list)  # number, text
    # of Play Mobile: the appliance's id of each message
    keys: list[str] = field(default_factory=list)
    has_statuses: bool = True  # whether Play Mobile reports the state of a message
    message_times: list[float] = field(default_factory=list)  # when each message was accepted
    states: dict[str, str] = field(default_factory=dict)  # id → Eskiz's name of the message's state
    tokens: set[str] = field(default_factory=set)
    log_ins: int = 0
    refuses: bool = False  # every log-in
    password: str = ""  # required at log-in; "": any
    refused_log_ins: int = 0  # number of refused log-ins
    # called with the id and the callback URL before the answer is sent
    on_message: Callable[[str, str], None] = lambda _id, _where: None
    server: FakeServer | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class _SmsHandler(FakeHandler[SmsService]):
    """A request to Eskiz or Play Mobile."""

    def do_POST(self) -> None:
        body = self.read_body()
        if self.path == "/auth/login":
            self._answer_log_in(body)
        elif self.path == "/send":
            [message] = json.loads(body)["messages"]
            self.fake.keys.append(message["message-id"])
            self._accept_message(message["recipient"], message["sms"]["content"]["text"])
        elif self.path == "/get-status":
            self._answer_status(json.loads(body)["message-id"])
        elif self.headers.get("Authorization", "").removeprefix("Bearer ") not in self.fake.tokens:
            self.send_answer(401, {"message": "expired", "status": "token_expired"})
        elif self.path.startswith("/message/sms/get-user-messages"):
            self._answer_history(parse_qs(body))
        else:
            form = parse_qs(body)
            callback_url = form.get("callback_url", [""])[0]
            self._accept_message(form["mobile_phone"][0], form["message"][0], callback_url)

    def do_GET(self) -> None:
        mood = self.fake.question_moods.pop(0) if self.fake.question_moods else ""
        if self.path == "/portal":
            self._is_intercepted("portal")
        elif self._is_intercepted(mood):
            return
        elif self.path.startswith("/user"):
            self.send_answer(200, {"data": {"balance": self.fake.balance}})
        else:
            id = self.path.rsplit("/", 1)[1]
            self.send_answer(200, {"data": {"status": self.fake.states.get(id, "waiting")}})

    def _answer_log_in(self, body: str) -> None:
        if self._is_intercepted(self.fake.log_in_moods.pop(0) if self.fake.log_in_moods else ""):
            return
        password = parse_qs(body).get("password", [""])[0]
        if self.fake.refuses or (self.fake.password and password != self.fake.password):
            self.fake.refused_log_ins += 1
            self.send_answer(401, {"message": "Invalid credentials"})
            return
        self.fake.log_ins += 1
        token = f"token-{self.fake.log_ins}"
        self.fake.tokens.add(token)
        self.send_answer(200, {"data": {"token": token}})

    def _answer_history(self, query: dict[str, list[str]]) -> None:
        size, page = int(query["page_size"][0]), int(self.path.rpartition("=")[2])
        rows = [
            {"to": number.lstrip("+"), "message": text}
            | {"status": self.fake.states.get(f"id-{place}", "waiting")}
            for place, (number, text) in enumerate(self.fake.messages, 1)
        ]
        self.send_answer(200, {"data": {"result": rows[(page - 1) * size : page * size]}})

    def _answer_status(self, keys: list[str]) -> None:
        if not self.fake.has_statuses:
            self.send_answer(404, {"message": "no such request"})
            return
        rows = [{"message-id": key} for key in keys if key in self.fake.keys]
        self.send_answer(
            200, [row | {"status": self.fake.states.get("", "Delivered")} for row in rows]
        )

    def _accept_message(self, number: str, text: str, callback_url: str = "") -> None:
        fake = self.fake
        mood = fake.moods.pop(0) if fake.moods else fake.default_mood(text)
        id = ""
        if mood in _ACCEPTING_MOODS:
            with fake.lock:
                fake.messages.append((number, text))
                fake.message_times.append(time.monotonic())
                id = f"id-{len(fake.messages)}"
            fake.on_message(id, callback_url)
        if wait := fake.delay_seconds():
            threading.Event().wait(wait)
        if not self._is_intercepted(mood):
            self._answer_by_mood(mood, id)

    def _answer_by_mood(self, mood: str, id: str) -> None:
        match mood:
            case "ok":
                self.send_answer(200, {"id": id, "status": "waiting"})
            case "lost":
                self.drop_connection()
            case "html":
                self.send_answer(502, "<html>Bad gateway</html>")
            case "page":
                self.send_answer(200, PORTAL_PAGE)
            case "error":
                self.send_answer(500, {"message": "internal"})
            case "log_in":
                self.fake.tokens.clear()
                self.send_answer(401, {"message": "expired"})
            case _:
                declined = {"message": "no template", "error-code": self.fake.error_code}
                self.send_answer(400, declined)

    def _is_intercepted(self, mood: str) -> bool:
        """Answer a request that does not reach the service; True if this one does not."""
        status, _, page = mood.partition(" ")
        if mood == "portal":
            self._send_response(200, f"\n{PORTAL_PAGE}", {"Content-Type": "text/html"})
        elif mood == "moved":
            self._send_response(302, "", {"Location": f"{self.fake.url}/portal"})
        elif status.isdecimal():
            text = PORTAL_PAGE if page else json.dumps({"message": f"status {status}"})
            retry_after = self.fake.retry_after
            headers = {"Retry-After": retry_after} if retry_after else {}
            self._send_response(int(status), text, headers)
        else:
            return False
        return True

    def _send_response(self, status: int, text: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(text))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())


@contextlib.contextmanager
def run_sms_service() -> Iterator[SmsService]:
    """A service that listens until the end of the block."""
    fake = SmsService()
    with run_server(_SmsHandler, fake) as fake.server:
        fake.url = fake.server.url
        yield fake
