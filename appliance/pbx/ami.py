"""Asterisk's manager interface (AMI): commands with time limits, over pyst2's Manager."""

import itertools
import socket
from types import TracebackType
from typing import Any, BinaryIO, Self

from asterisk.manager import Manager, ManagerMsg

from appliance.settings import Settings

TIMEOUT = 3.0  # seconds; Asterisk on the same box answers in milliseconds or not at all


class Unreachable(ConnectionError):
    """Asterisk does not answer on its manager interface."""


class Refused(RuntimeError):
    """Asterisk answered, and would not do it."""


class Connection(Manager):
    """One session that sends a command and waits for the answer to it.

    pyst2 as it comes reads byte by byte, gives an answer to whichever thread asks first, waits for
    ever, and lets a line break in a value start another command. Here answers are matched by
    ActionID, everything has a time limit, and no events are asked for.
    """

    _numbers = itertools.count(1)

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings.asterisk
        self._socket: socket.socket | None = None
        self._reader: BinaryIO | None = None

    def __enter__(self) -> Self:
        try:
            address = (self._settings.address, self._settings.ami_port)
            self._socket = socket.create_connection(address, TIMEOUT)
            self._reader = self._socket.makefile("rb")
            self.title = self._reader.readline().decode().strip()
        except OSError as error:
            self.close()
            raise Unreachable(str(error)) from error
        self.act("Login", Username="appliance", Secret=self._settings.ami_secret, Events="off")
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
            if self._reader:
                self._reader.close()
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

    def send_action(self, cdict: dict[str, Any] | None = None, **kwargs: Any) -> ManagerMsg:
        """Not for use: answers would not be matched."""
        raise NotImplementedError("use act()")

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
        lines: list[str] = []
        try:
            while self._reader and (line := self._reader.readline()):
                if line == b"\r\n":
                    return lines
                lines.append(line.decode("utf-8", "replace"))
        except OSError as error:
            raise Unreachable(str(error)) from error
        raise Unreachable("Asterisk closed the connection")
