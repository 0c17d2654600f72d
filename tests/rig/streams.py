"""A stream of topics, read as a browser reads it."""

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
        """(id, event, data) of the next event that is not a sign of life."""
        while True:
            lines = self.text().strip().split("\n")
            fields = dict(line.split(":", 1) for line in lines)
            told = tuple(fields.get(name, "").strip() for name in ("id", "event", "data"))
            if told[1] not in ("", "beat"):
                return told  # type: ignore[return-value]

    def text(self) -> str:
        """The next event as it is sent; "" at the end."""
        lines = []
        while line := self._lines.readline().strip():
            lines.append(line)
        return "\n".join(lines)

    def rest(self) -> str:
        """Everything up to its end."""
        return self._lines.read()

    def close(self) -> None:
        """Leave the page."""
        self._lines.close()
        self._ours.close()
