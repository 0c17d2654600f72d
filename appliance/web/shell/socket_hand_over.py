"""The hand-over of a request's socket to the event loop that writes the streams (streams.py)."""

import contextlib
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from appliance.web.shell.streams import EventStream, EventStreams

SOCKET_KEY, STREAM_KEY = "gunicorn.socket", "appliance.stream"  # in a request's environment


class SocketHandOver:
    """The outermost WSGI middleware: a request that opened a stream hands its socket over.

    `streams` writes to that socket from then on.
    """

    def __init__(self, wsgi_app: Callable[..., Iterable[bytes]], streams: EventStreams) -> None:
        self._wsgi_app, self._streams = wsgi_app, streams

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Serve a request; if it opened a stream, hand over the socket and return no body."""
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def record_start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            """Store status and headers, with which the stream's own response begins."""
            started[:] = [(status, headers)]
            return start_response(status, headers, *error)

        body: Iterable[bytes] = ()
        try:
            body = self._wsgi_app(environ, record_start)
        finally:
            stream: EventStream | None = environ.pop(STREAM_KEY, None)
            has_stream_socket = (
                bool(started) and started[0][0].startswith("200") and SOCKET_KEY in environ
            )
            if stream and not has_stream_socket:
                self._streams.release_place(stream)
        if not stream or not has_stream_socket:
            return body
        with contextlib.closing(body):  # type: ignore[type-var]
            self._streams.take_socket(
                stream, _detached_socket(environ[SOCKET_KEY]), _response_head(*started[0])
            )
        return []


def _detached_socket(connection: socket.socket) -> socket.socket:
    """Return a duplicate of a socket, and replace the original by one whose other end is closed.

    The owner of the original, gunicorn, then closes it like any connection that a browser ended.
    """
    detached = connection.dup()
    detached.setblocking(False)
    dead, dead_peer = socket.socketpair()
    with dead, dead_peer:
        os.dup2(dead.fileno(), connection.fileno(), inheritable=False)
    return detached


def _response_head(status: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """Return the head of a stream's HTTP response, to which the events are then appended."""

    def head_lines() -> Iterator[str]:
        """Yield the lines of the head, without headers that do not fit an endless response."""
        yield f"HTTP/1.1 {status}"
        for name, value in headers:
            if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                yield f"{name}: {value}"
        yield "Connection: close\r\n\r\nretry: 1000\n\n"

    return "\r\n".join(head_lines()).encode("latin-1")
