"""Stand-ins for parties outside the box, on loopback, that behave as badly as they are told to."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answering(BaseHTTPRequestHandler):
    """A request at a stand-in; its subclasses' do_POST and do_GET know the protocol."""

    def body(self) -> str:
        """What was sent."""
        return self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()

    def say(self, status: int, what: object) -> None:
        """Answer with a JSON value, or with a page when it is a text."""
        text = (what if isinstance(what, str) else json.dumps(what)).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def hang_up(self) -> None:
        """Close the connection: the answer never comes."""
        self.close_connection = True
        self.connection.close()

    def log_message(self, *_: object) -> None:
        """Quiet."""


class _Server(ThreadingHTTPServer):
    allow_reuse_port = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """A connection that was closed in the middle is part of the play."""


class Line:
    """Where a stand-in listens; it can be dead for a while, and keeps its port."""

    def __init__(self, handler: type[Answering]) -> None:
        self._handler = handler
        self._server = _Server(("127.0.0.1", 0), handler)
        self._kept: socket.socket | None = None
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = self._serve()

    def _serve(self) -> threading.Thread:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        return thread

    def die(self) -> None:
        """From now on nobody listens there."""
        self._kept = socket.socket()
        self._kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._kept.bind(("127.0.0.1", self.port))
        self.close()

    def rise(self) -> None:
        """Somebody listens there again."""
        self._server = _Server(("127.0.0.1", self.port), self._handler)
        if self._kept:
            self._kept.close()
        self._thread = self._serve()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextlib.contextmanager
def listening(handler: type[Answering]) -> Iterator[Line]:
    """A stand-in until the end of the block."""
    line = Line(handler)
    try:
        yield line
    finally:
        line.close()
