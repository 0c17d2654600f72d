"""A stand-in for SMS services: Eskiz and Play Mobile under one roof."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from provisioning.local.standins import Answering, Line, listening


@dataclass
class Service:
    """`moods` says how the next messages are answered; when it is empty, `mood` does for a text:
    ok | lost | error | html | page | declined | log_in, each perhaps after `slow` seconds."""

    url: str = ""
    moods: list[str] = field(default_factory=list)
    mood: Callable[[str], str] = lambda _: "ok"
    slow: Callable[[], float] = lambda: 0.0
    took: list[tuple[str, str]] = field(default_factory=list)  # number, text
    times: list[float] = field(default_factory=list)  # when each was taken
    states: dict[str, str] = field(default_factory=dict)  # id → Eskiz's word for what became of it
    tokens: set[str] = field(default_factory=set)
    log_ins: int = 0
    refuses: bool = False  # every log-in
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
                self._log_in()
            elif self.path == "/send":
                [message] = json.loads(body)["messages"]
                self._take(message["recipient"], message["sms"]["content"]["text"])
            elif self.headers.get("Authorization", "").removeprefix("Bearer ") not in here.tokens:
                self.say(401, {"message": "expired", "status": "token_expired"})
            else:
                form = parse_qs(body)
                where = form.get("callback_url", [""])[0]
                self._take(form["mobile_phone"][0], form["message"][0], where)

        def do_GET(self) -> None:
            if self.path.startswith("/user"):
                self.say(200, {"data": {"balance": 4200}})
            else:
                id = self.path.rsplit("/", 1)[1]
                self.say(200, {"data": {"status": here.states.get(id, "waiting")}})

        def _log_in(self) -> None:
            if here.refuses:
                self.say(401, {"message": "Invalid credentials"})
                return
            here.log_ins += 1
            token = f"token-{here.log_ins}"
            here.tokens.add(token)
            self.say(200, {"data": {"token": token}})

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
            if mood == "ok":
                self.say(200, taken)
            elif mood == "lost":
                self.hang_up()
            elif mood == "html":
                self.say(502, "<html>Bad gateway</html>")
            elif mood == "page":
                self.say(200, "<html>Pay for your internet here</html>")
            elif mood == "error":
                self.say(500, {"message": "internal"})
            elif mood == "log_in":
                here.tokens.clear()
                self.say(401, {"message": "expired"})
            else:
                self.say(400, {"message": "no template", "error-code": 406})

    with listening(Handler) as here.line:
        here.url = here.line.url
        yield here
