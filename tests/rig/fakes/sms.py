"""A stand-in for SMS services: Eskiz and Play Mobile under one roof."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from tests.rig.fakes.serving import Answering, Line, listening

PAGE = "<html>Pay for your internet here</html>"


@dataclass
class Service:
    """`moods` says how the next messages are answered; when it is empty, `mood` does for a text:
    ok | lost | error | html | page | declined | log_in, each perhaps after `slow` seconds.

    Messages, log-ins and questions may also not get through: portal (a page answers) | moved (to
    that page) | 429 or another status, with words of the service or, as "429 page", with a page.
    """

    url: str = ""
    moods: list[str] = field(default_factory=list)
    mood: Callable[[str], str] = lambda _: "ok"
    log_in_moods: list[str] = field(default_factory=list)
    question_moods: list[str] = field(default_factory=list)
    wait: str = ""  # Retry-After, with a status
    error_code: int = 406  # of what is declined
    balance: object = 4200
    slow: Callable[[], float] = lambda: 0.0
    took: list[tuple[str, str]] = field(default_factory=list)  # number, text
    keys: list[str] = field(default_factory=list)  # Play Mobile's: the appliance's id of each
    statuses: bool = True  # Play Mobile answers what became of a message
    times: list[float] = field(default_factory=list)  # when each was taken
    states: dict[str, str] = field(default_factory=dict)  # id → Eskiz's word for what became of it
    tokens: set[str] = field(default_factory=set)
    log_ins: int = 0
    refuses: bool = False  # every log-in
    password: str = ""  # that a log-in must have; "": any
    refused: int = 0  # log-ins
    taken: Callable[[str, str], None] = lambda _id, _where: None  # before the answer is given
    line: Line | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextlib.contextmanager
def service() -> Iterator[Service]:
    """The service, listening until the end of the block."""
    here = Service()

    class Handler(Answering):
        def do_POST(self) -> None:
            body = self.body()
            if self.path == "/auth/login":
                self._log_in(body)
            elif self.path == "/send":
                [message] = json.loads(body)["messages"]
                here.keys.append(message["message-id"])
                self._take(message["recipient"], message["sms"]["content"]["text"])
            elif self.path == "/get-status":
                self._status(json.loads(body)["message-id"])
            elif self.headers.get("Authorization", "").removeprefix("Bearer ") not in here.tokens:
                self.say(401, {"message": "expired", "status": "token_expired"})
            elif self.path.startswith("/message/sms/get-user-messages"):
                self._history(parse_qs(body))
            else:
                form = parse_qs(body)
                where = form.get("callback_url", [""])[0]
                self._take(form["mobile_phone"][0], form["message"][0], where)

        def do_GET(self) -> None:
            mood = here.question_moods.pop(0) if here.question_moods else ""
            if self.path == "/portal":
                self._miss("portal")
            elif self._miss(mood):
                return
            elif self.path.startswith("/user"):
                self.say(200, {"data": {"balance": here.balance}})
            else:
                id = self.path.rsplit("/", 1)[1]
                self.say(200, {"data": {"status": here.states.get(id, "waiting")}})

        def _log_in(self, body: str) -> None:
            if self._miss(here.log_in_moods.pop(0) if here.log_in_moods else ""):
                return
            given = parse_qs(body).get("password", [""])[0]
            if here.refuses or (here.password and given != here.password):
                here.refused += 1
                self.say(401, {"message": "Invalid credentials"})
                return
            here.log_ins += 1
            token = f"token-{here.log_ins}"
            here.tokens.add(token)
            self.say(200, {"data": {"token": token}})

        def _history(self, asked: dict[str, list[str]]) -> None:
            size, page = int(asked["page_size"][0]), int(self.path.rpartition("=")[2])
            rows = [
                {"to": number.lstrip("+"), "message": text}
                | {"status": here.states.get(f"id-{place}", "waiting")}
                for place, (number, text) in enumerate(here.took, 1)
            ]
            self.say(200, {"data": {"result": rows[(page - 1) * size : page * size]}})

        def _status(self, keys: list[str]) -> None:
            if not here.statuses:
                self.say(404, {"message": "no such request"})
                return
            found = [{"message-id": key} for key in keys if key in here.keys]
            self.say(200, [row | {"status": here.states.get("", "Delivered")} for row in found])

        def _take(self, number: str, text: str, where: str = "") -> None:
            mood = here.moods.pop(0) if here.moods else here.mood(text)
            taken: dict[str, str] = {}
            if mood in ("ok", "lost", "html", "page"):
                with here.lock:
                    here.took.append((number, text))
                    here.times.append(time.monotonic())
                    taken = {"id": f"id-{len(here.took)}", "status": "waiting"}
                here.taken(taken["id"], where)
            if wait := here.slow():
                threading.Event().wait(wait)
            if self._miss(mood):
                return
            if mood == "ok":
                self.say(200, taken)
            elif mood == "lost":
                self.hang_up()
            elif mood == "html":
                self.say(502, "<html>Bad gateway</html>")
            elif mood == "page":
                self.say(200, PAGE)
            elif mood == "error":
                self.say(500, {"message": "internal"})
            elif mood == "log_in":
                here.tokens.clear()
                self.say(401, {"message": "expired"})
            else:
                self.say(400, {"message": "no template", "error-code": here.error_code})

        def _miss(self, mood: str) -> bool:
            """Answer what does not get through to the service; whether this one does not."""
            status, _, page = mood.partition(" ")
            if mood == "portal":
                self._tell(200, f"\n{PAGE}", {"Content-Type": "text/html"})
            elif mood == "moved":
                self._tell(302, "", {"Location": f"{here.url}/portal"})
            elif status.isdecimal():
                words = PAGE if page else json.dumps({"message": f"status {status}"})
                self._tell(int(status), words, {"Retry-After": here.wait} if here.wait else {})
            else:
                return False
            return True

        def _tell(self, status: int, text: str, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(text))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

    with listening(Handler) as here.line:
        here.url = here.line.url
        yield here
