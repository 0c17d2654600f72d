"""A stream of topics, read as a browser reads it."""

import json
import socket

from tests.rig.browser import Browser

PATIENCE = 20.0  # seconds


class Stream:
    """One that is open; the socket is ours, as gunicorn would have had it from the front."""

    def __init__(self, browser: Browser, path: str = "/live", last: str = "") -> None:
        self._ours, theirs = socket.socketpair()
        self._ours.settimeout(PATIENCE)
        headers = {"Last-Event-ID": last} if last else {}
        with theirs:
            self.answer = browser.get(
                path, headers=headers, environ_overrides={"gunicorn.socket": theirs}
            )
        assert self.answer.status_code == 200, self.answer.status
        self._lines = self._ours.makefile("r", encoding="ascii")
        self.head = self.text()
        assert self.text() == "retry: 1000"

    def next(self) -> tuple[str, str, str]:
        """(id, event, data) of the next event that is neither a sign of life nor a piece."""
        while (told := self._next())[1] in ("", "beat", "piece"):
            pass
        return told

    def piece(self) -> tuple[str, str]:
        """(address, how it stands) of the next piece of the page that is told."""
        while (told := self._next())[1] != "piece":
            pass
        read = json.loads(told[2])
        return read["at"], read["piece"]

    def _next(self) -> tuple[str, str, str]:
        fields = dict(line.split(":", 1) for line in self.text().strip().split("\n"))
        number, event, data = (fields.get(n, "").strip() for n in ("id", "event", "data"))
        return number, event, data

    def text(self) -> str:
        """The next event as it is sent; "" at the end."""
        lines = []
        while line := self._lines.readline().strip():
            lines.append(line)
        return "\n".join(lines)

    def text_up_to(self, data: str) -> str:
        """Every event as it is sent, up to the one with this data."""
        told = [self.text()]
        while f"data: {data}" not in told[-1].split("\n"):
            told.append(self.text())
        return "\n\n".join(told)

    def rest(self) -> str:
        """Everything up to its end."""
        return self._lines.read()

    def close(self) -> None:
        """Leave the page."""
        self._lines.close()
        self._ours.close()
