"""Base of the fakes that speak HTTP on loopback and misbehave as configured."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FakeHandler[Fake](BaseHTTPRequestHandler):
    """A request to a fake; the do_POST and do_GET of subclasses implement the protocol."""

    server: "_QuietServer[Fake]"

    @property
    def fake(self) -> Fake:
        """The fake whose server received the request."""
        return self.server.fake

    def read_body(self) -> str:
        """The text of the request's body."""
        return self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()

    def send_answer(self, status: int, content: object) -> None:
        """Answer with a JSON value, or with a page when the content is a text."""
        text = (content if isinstance(content, str) else json.dumps(content)).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def drop_connection(self) -> None:
        """Close the connection, so that the answer never comes."""
        self.close_connection = True
        self.connection.close()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


class _QuietServer[Fake](ThreadingHTTPServer):
    allow_reuse_port = True
    request_queue_size = 128

    def __init__(self, port: int, handler: type[FakeHandler[Fake]], fake: Fake) -> None:
        self.fake = fake
        super().__init__(("127.0.0.1", port), handler)

    def handle_error(self, *_: object) -> None:
        """Print nothing: connections closed in the middle are part of the tests."""


class FakeServer:
    """The server of a fake; it can stop for a while, and keeps its port."""

    def __init__[Fake](self, handler: type[FakeHandler[Fake]], fake: Fake) -> None:
        self._listen_on: Callable[[int], ThreadingHTTPServer] = lambda port: _QuietServer(
            port, handler, fake
        )
        self._server: ThreadingHTTPServer = self._listen_on(0)
        self._reserved_socket: socket.socket | None = None
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = self._start_thread()

    def _start_thread(self) -> threading.Thread:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        return thread

    def stop_listening(self) -> None:
        """Stop listening, but reserve the port."""
        self._reserved_socket = socket.socket()
        self._reserved_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._reserved_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved_socket.bind(("127.0.0.1", self.port))
        self.close_server()

    def listen_again(self) -> None:
        """Listen on the same port again."""
        self._server = self._listen_on(self.port)
        if self._reserved_socket:
            self._reserved_socket.close()
        self._thread = self._start_thread()

    def close_server(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextlib.contextmanager
def run_server[Fake](handler: type[FakeHandler[Fake]], fake: Fake) -> Iterator[FakeServer]:
    """A server of `fake` that runs until the end of the block."""
    server = FakeServer(handler, fake)
    try:
        yield server
    finally:
        server.close_server()
