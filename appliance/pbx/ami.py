"""Asterisk's manager interface (AMI): commands with time limits; pyst2 parses the messages."""

import datetime as dt
import itertools
import select
import socket
from types import TracebackType
from typing import Self

from asterisk.manager import ManagerMsg

from appliance.core import clock
from appliance.core.settings import Settings

_LINE_END = b"\r\n"
_MESSAGE_END = b"\r\n\r\n"
TIMEOUT_SECONDS = 3.0  # Asterisk on the same box answers in milliseconds or not at all


def event_time(event: dict[str, str]) -> dt.datetime:
    """Return the time at which Asterisk sent an event, or the current time if it is missing.

    An event that is received late can thus be recognised as older than a choice made since.
    """
    if stamp := event.get("Timestamp"):
        return dt.datetime.fromtimestamp(float(stamp), dt.UTC)
    return clock.now()


class Unreachable(ConnectionError):
    """Asterisk does not answer on its manager interface."""


class ActionRefused(RuntimeError):
    """The action is not possible now.

    `code` is the reason, for which the page has a text; "exchange" means that Asterisk refused.
    """

    def __init__(self, message: str, code: str = "exchange") -> None:
        super().__init__(message)
        self.code = code


class Connection:
    """One session that sends a command and waits for its answer.

    pyst2's own session reads byte by byte in two threads, gives an answer to whichever thread asks
    first, waits without a limit, and lets a line break in a value start another command. Here each
    answer is matched to its command by ActionID, everything has a time limit, and events arrive
    only if their classes were requested.
    """

    _action_numbers = itertools.count(1)

    def __init__(self, settings: Settings, event_classes: str = "off") -> None:
        self._settings = settings.asterisk
        self._event_classes = event_classes  # classes of AMI, "agent,call"
        self._socket: socket.socket | None = None
        self._buffer = bytearray()  # received bytes of messages that were not returned yet

    def __enter__(self) -> Self:
        """Connect and sign in; raises Unreachable or ActionRefused if that fails."""
        try:
            address = (self._settings.inside, self._settings.ami_port)
            self._socket = socket.create_connection(address, TIMEOUT_SECONDS)
        except OSError as error:
            raise Unreachable(str(error)) from error
        try:
            self._read_until(_LINE_END)  # the greeting
            account_name, secret = self._settings.ami_account
            self.send_action(
                "Login", Username=account_name, Secret=secret, Events=self._event_classes
            )
        except (Unreachable, ActionRefused):
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

    def send_action(self, action: str, **fields: object) -> dict[str, str]:
        """Send one action; returns the headers of the answer.

        Raises Unreachable if no answer arrives in time, ActionRefused if the answer is an error,
        ValueError if a value contains a line break.
        """
        action_id = f"appliance-{next(self._action_numbers)}"
        self._send_headers({"Action": action, "ActionID": action_id, **fields})
        answer = self._wait_for_reply(action_id)
        if answer.get("Response") == "Error":
            raise ActionRefused(f"{action}: {answer.get('Message', '')}")
        return answer

    def list_events(self, action: str, end_event: str, **fields: object) -> list[dict[str, str]]:
        """Send an action that is answered by events; returns those before the event `end_event`.

        Raises the errors of `send_action`.
        """
        action_id = self.send_action(action, **fields)["ActionID"]
        events = []
        while (event := self._wait_for_reply(action_id)).get("Event") != end_event:
            events.append(event)
        return events

    def receive_only(self, *names: str) -> None:
        """Have Asterisk send only the events with these names on this connection.

        Their classes must have been requested when the connection was created.
        """
        for name in names:
            self.send_action(
                "Filter", Operation="Add", MatchCriteria=f"name({name}),action(include)"
            )

    def next_event(self, timeout: float) -> dict[str, str] | None:
        """Return the next event; None if nothing arrives within `timeout` seconds, or no event.

        Raises Unreachable if the connection is lost.
        """
        if not self._socket:
            raise Unreachable("not connected")
        if (
            _MESSAGE_END not in self._buffer
            and not select.select([self._socket], [], [], timeout)[0]
        ):
            return None
        message = ManagerMsg(self._read_message())
        return dict(message.headers) if message.has_header("Event") else None

    def _send_headers(self, fields: dict[str, object]) -> None:
        """Send one message with these headers; raises as `send_action` does."""
        lines = [f"{key}: {value}" for key, value in fields.items()]
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("a line break in a value for Asterisk")
        if not self._socket:
            raise Unreachable("not connected")
        try:
            self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        except OSError as error:
            raise Unreachable(str(error)) from error

    def _wait_for_reply(self, action_id: str) -> dict[str, str]:
        """Return the next message that belongs to this action; discard others that arrive before.

        Raises Unreachable if no message arrives for TIMEOUT_SECONDS.
        """
        while True:
            message = ManagerMsg(self._read_message())
            if message.get_header("ActionID") == action_id:
                return dict(message.headers)

    def _read_message(self) -> list[str]:
        """Return the lines of the next message, each with its line break."""
        return [f"{line}\r\n" for line in self._read_until(_MESSAGE_END).split("\r\n")]

    def _read_until(self, end: bytes) -> str:
        """Wait for the bytes up to `end`; returns the text before it and discards `end`.

        Raises Unreachable if nothing arrives for TIMEOUT_SECONDS.
        """
        while (length := self._buffer.find(end)) < 0:
            try:
                received = self._socket.recv(65_536) if self._socket else b""
            except OSError as error:
                raise Unreachable(str(error)) from error
            if not received:
                raise Unreachable("Asterisk closed the connection")
            self._buffer += received
        text = self._buffer[:length].decode("utf-8", "replace")
        del self._buffer[: length + len(end)]
        return text
