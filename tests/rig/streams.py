"""A stream of topics, read the way a browser reads it."""

import json
import socket

from tests.rig.browser import Browser

READ_TIMEOUT_SECONDS = 20.0


class TopicStream:
    """An open stream; its socket is our own, as gunicorn would have it from the front server."""

    def __init__(self, browser: Browser, path: str = "/live", last_event_id: str = "") -> None:
        self._socket, server_socket = socket.socketpair()
        self._socket.settimeout(READ_TIMEOUT_SECONDS)
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        with server_socket:
            self.response = browser.get(
                path, headers=headers, environ_overrides={"gunicorn.socket": server_socket}
            )
        assert self.response.status_code == 200, self.response.status
        self._lines = self._socket.makefile("r", encoding="ascii")
        self.head = self.read_text()
        assert self.read_text() == "retry: 1000"

    def next_event(self) -> tuple[str, str, str]:
        """(id, event, data) of the next event that is neither a heartbeat nor a page fragment."""
        while (event := self._read_event())[1] in ("", "beat", "piece"):
            pass
        return event

    def next_fragment(self) -> tuple[str, str]:
        """(address, content) of the next page fragment that the stream sends."""
        while (event := self._read_event())[1] != "piece":
            pass
        content = json.loads(event[2])
        return content["at"], content["piece"]

    def _read_event(self) -> tuple[str, str, str]:
        """(id, event, data) of the next event."""
        fields = dict(line.split(":", 1) for line in self.read_text().strip().split("\n"))
        number, event, data = (fields.get(n, "").strip() for n in ("id", "event", "data"))
        return number, event, data

    def read_text(self) -> str:
        """The text of the next event, unchanged; "" at the end."""
        lines = []
        while line := self._lines.readline().strip():
            lines.append(line)
        return "\n".join(lines)

    def read_until(self, data: str) -> str:
        """The text of every event, unchanged, up to the one with this data."""
        texts = [self.read_text()]
        while f"data: {data}" not in texts[-1].split("\n"):
            texts.append(self.read_text())
        return "\n\n".join(texts)

    def read_rest(self) -> str:
        """All text up to the stream's end."""
        return self._lines.read()

    def close(self) -> None:
        """Close the stream, as leaving the page does."""
        self._lines.close()
        self._socket.close()
