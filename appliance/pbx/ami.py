"""Asterisk's manager interface (AMI): commands with time limits; messages are parsed by pyst2."""

import datetime as dt
import itertools
import select
import socket
from types import TracebackType
from typing import Self

from asterisk.manager import ManagerMsg

from appliance.core import clock
from appliance.core.settings import Settings

_LINE = b"\r\n"
_END = b"\r\n\r\n"
TIMEOUT = 3.0  # seconds; Asterisk on the same box answers in milliseconds or not at all


def moment_of(event: dict[str, str]) -> dt.datetime:
    """When Asterisk told an event: heard late, it is older than what was chosen meanwhile."""
    if stamp := event.get("Timestamp"):
        return dt.datetime.fromtimestamp(float(stamp), dt.UTC)
    return clock.now()


class Unreachable(ConnectionError):
    """Asterisk does not answer on its manager interface."""


class Refused(RuntimeError):
    """It cannot be done now; `code` names why for the page ("exchange": Asterisk would not)."""

    def __init__(self, message: str, code: str = "exchange") -> None:
        super().__init__(message)
        self.code = code


class Connection:
    """One session that sends a command and waits for the answer to it.

    pyst2's own session reads byte by byte in two threads, gives an answer to whichever thread asks
    first, waits for ever, and lets a line break in a value start another command. Here answers are
    matched by ActionID, everything has a time limit, and events come only when their classes are
    asked for.
    """

    _numbers = itertools.count(1)

    def __init__(self, settings: Settings, events: str = "off") -> None:
        self._settings = settings.asterisk
        self._events = events  # classes of AMI, "agent,call"
        self._socket: socket.socket | None = None
        self._read = bytearray()  # what has come and belongs to no message taken yet

    def __enter__(self) -> Self:
        try:
            address = (self._settings.inside, self._settings.ami_port)
            self._socket = socket.create_connection(address, TIMEOUT)
        except OSError as error:
            raise Unreachable(str(error)) from error
        try:
            self._take(_LINE)  # the greeting
            name, secret = self._settings.account
            self.act("Login", Username=name, Secret=secret, Events=self._events)
        except (Unreachable, Refused):
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the session."""
        if self._socket:
            self._socket.close()
            self._socket = None

    def act(self, action: str, **fields: object) -> dict[str, str]:
        """Send one action; the headers of the answer.

        Raises Unreachable when no answer comes in time, Refused when the answer is an error,
        ValueError for a value with a line break.
        """
        number = f"appliance-{next(self._numbers)}"
        self._send({"Action": action, "ActionID": number, **fields})
        answer = self._await(number)
        if answer.get("Response") == "Error":
            raise Refused(f"{action}: {answer.get('Message', '')}")
        return answer

    def listed(self, action: str, until: str, **fields: object) -> list[dict[str, str]]:
        """Send an action that is answered by events; those events, up to the one named `until`."""
        number = self.act(action, **fields)["ActionID"]
        events = []
        while (event := self._await(number)).get("Event") != until:
            events.append(event)
        return events

    def hear_only(self, *names: str) -> None:
        """Let Asterisk tell no events but those of these names, of the classes asked for."""
        for name in names:
            self.act("Filter", Operation="Add", MatchCriteria=f"name({name}),action(include)")

    def next_event(self, patience: float) -> dict[str, str] | None:
        """The next event of the classes asked for; None when none comes within `patience` seconds.

        Raises Unreachable when the connection is gone.
        """
        if not self._socket:
            raise Unreachable("not connected")
        if _END not in self._read and not select.select([self._socket], [], [], patience)[0]:
            return None
        message = ManagerMsg(self._message())
        return dict(message.headers) if message.has_header("Event") else None

    def _send(self, fields: dict[str, object]) -> None:
        lines = [f"{key}: {value}" for key, value in fields.items()]
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("a line break in a value for Asterisk")
        if not self._socket:
            raise Unreachable("not connected")
        try:
            self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        except OSError as error:
            raise Unreachable(str(error)) from error

    def _await(self, number: str) -> dict[str, str]:
        """The next message that belongs to the action of this number."""
        while True:
            message = ManagerMsg(self._message())
            if message.get_header("ActionID") == number:
                return dict(message.headers)

    def _message(self) -> list[str]:
        return [f"{line}\r\n" for line in self._take(_END).split("\r\n")]

    def _take(self, end: bytes) -> str:
        """What has come up to `end`, which is thrown away; waits for it."""
        while (length := self._read.find(end)) < 0:
            try:
                more = self._socket.recv(65_536) if self._socket else b""
            except OSError as error:
                raise Unreachable(str(error)) from error
            if not more:
                raise Unreachable("Asterisk closed the connection")
            self._read += more
        text = self._read[:length].decode("utf-8", "replace")
        del self._read[: length + len(end)]
        return text
