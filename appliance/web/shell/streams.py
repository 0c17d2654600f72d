"""Streams that notify open pages of changed topics; one event loop in its own thread writes them.

A stream occupies no thread and no database connection. It starts as a request like any other, whose
view checks the session and the rights and calls `EventStreams.open_stream`. Then `SocketHandOver`
of socket_hand_over.py takes the socket from gunicorn and gives it to the loop.
"""

import asyncio
import itertools
import json
import logging
import math
import socket
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from appliance.core import db
from appliance.core import live as events

log = logging.getLogger(__name__)

MAX_STORED_EVENTS = 1000  # for streams that reconnect
HEARTBEAT_SECONDS = 10.0  # the browser must notice a connection that is dead but open
MAX_STREAM_SECONDS = 900.0  # then the browser reconnects, and its rights are checked again
MAX_STREAMS = 1000  # of all users
MAX_STREAMS_PER_USER = 8  # then the oldest ends, as a browser does not report a closed page
REPLACED_RETRY_MILLISECONDS = 30_000  # after which a page with a replaced stream tries again
GATHER_WINDOW_SECONDS = 0.005  # events within this time are sent together
MAX_UNSENT_BYTES = 65_536  # if a browser has not read more than this, its stream is aborted


@dataclass
class PushedFragment:
    """A fragment of HTML that many pages contain; it is sent to them when its topic changes.

    It is rendered at most every `interval_seconds`.

    `render` gets the ids of the users with open pages and returns, by user id, the fragment that
    `address` would return to each of those who have it. It must not take long: the thread that
    reads the events calls it. `is_due`: the topic changed since it was last rendered;
    `rendered_at`: when that was, as monotonic time.
    """

    topic: str
    address: str
    interval_seconds: float
    render: Callable[[list[str]], dict[str, str]]
    is_due: bool = False
    rendered_at: float = -math.inf


class EventStream(asyncio.Protocol):
    """The stream of one open page of a user.

    `topic_names` has the topics that the page follows, with their names on the page; the topic
    `end_topic` ends the stream. `last_event`: id of the last event that the page has received;
    `newest_event`: id of the newest event when the stream was opened. Everything but `__init__` is
    called in the loop's thread.
    """

    def __init__(
        self, streams: "EventStreams", topic_names: dict[str, str], end_topic: str, user_id: str
    ) -> None:
        """Prepare a stream of a user; `streams` are those to which it belongs."""
        self.topic_names, self.end_topic, self.user_id = topic_names, end_topic, user_id
        self.last_event = self.newest_event = 0
        self._streams = streams
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._transport: asyncio.WriteTransport | None = None
        self._pending_names: dict[str, None] = {}  # to be sent, in this order; "": end the stream
        self._sent_fragments: dict[str, str] = {}  # address → the fragment as last sent
        self._is_replaced = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over the connection; from now on the loop owns it."""
        self._transport = cast("asyncio.WriteTransport", transport)
        if self._is_replaced:
            self.end_as_replaced()
            return
        self._timers["end"] = asyncio.get_running_loop().call_later(
            MAX_STREAM_SECONDS, transport.close
        )
        self._streams.add_stream(self)
        self._send_heartbeat()

    def connection_lost(self, error: Exception | None) -> None:
        """Clean up after the page was closed or the stream has ended."""
        for timer in self._timers.values():
            timer.cancel()
        self._streams.remove_stream(self)

    def add_topic(self, topic: str) -> None:
        """Add a changed topic to those that `send_topics` sends, if this stream follows it."""
        if topic == self.end_topic:
            self._pending_names[""] = None
        elif topic in self.topic_names:
            self._pending_names[self.topic_names[topic]] = None

    def send_topics(self, newest: int) -> None:
        """Send the topics that were added; `newest` is the id of the newest event of all topics.

        After the end topic, the stream is closed and no more topics are sent.
        """
        names, self._pending_names = self._pending_names, {}
        for name in names:
            if not name:
                self._send_last("event: ended\ndata:\n\n")
                return
            self._send_text(f"id: {newest}\nevent: topic\ndata: {name}\n\n")
        self.last_event = max(self.last_event, newest)

    def send_fragment(self, address: str, fragment: str) -> None:
        """Send the content of a page fragment, unless the page already has the same content."""
        if self._sent_fragments.get(address) != fragment:
            self._sent_fragments[address] = fragment
            self._send_text(
                f"event: piece\ndata: {json.dumps({'at': address, 'piece': fragment})}\n\n"
            )

    def close(self) -> None:
        """Close the connection without an event: the browser reconnects."""
        if self._transport:
            self._transport.close()

    def send_refresh(self, newest: int) -> None:
        """Make the page fetch all its sections: the events that it missed are no longer stored."""
        self.last_event = newest
        self._send_text(f"id: {newest}\nevent: refresh\ndata:\n\n")

    def end_as_replaced(self) -> None:
        """End the stream because the same user has opened too many newer ones."""
        self._is_replaced = True
        self._send_last(f"retry: {REPLACED_RETRY_MILLISECONDS}\n\n")

    def _send_heartbeat(self) -> None:
        """Send a heartbeat and schedule the next one."""
        self._send_text(f"id: {self.last_event}\nevent: beat\ndata:\n\n")
        self._timers["beat"] = asyncio.get_running_loop().call_later(
            HEARTBEAT_SECONDS, self._send_heartbeat
        )

    def _send_last(self, text: str) -> None:
        """Send the last text and close the connection."""
        self._send_text(text)
        if self._transport:
            self._transport.close()

    def _send_text(self, text: str) -> None:
        """Send a text, or abort the connection if too much that was sent is still unread."""
        if not self._transport or self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self._transport.abort()
        else:
            self._transport.write(text.encode())


class EventStreams:
    """All open streams, and the thread that reads the events for them.

    An event reaches only the streams that follow its topic: most events concern few pages.
    """

    def __init__(self, max_streams: int = MAX_STREAMS) -> None:
        """Prepare for at most `max_streams` streams; the first that opens starts the threads."""
        self._max_streams = max_streams
        self._lock = threading.Lock()  # guards the attributes below, and nothing else
        self._user_streams: defaultdict[str, list[EventStream]] = defaultdict(list)  # oldest first
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self._fragments: list[PushedFragment] = []
        self._latest_events: dict[str, int] = {}  # by topic; written by the reader
        # Only the loop uses these.
        self._followers: defaultdict[str, set[EventStream]] = defaultdict(set)  # by topic
        self._events: deque[tuple[int, str]] = deque(maxlen=MAX_STORED_EVENTS)
        self._newest_event = 0
        self._due_streams: dict[EventStream, None] = {}

    def open_stream(
        self,
        user_id: str,
        after: int | None,
        newest: int,
        topic_names: dict[str, str],
        end_topic: str,
    ) -> EventStream | None:
        """Return a new stream of a user, unless all users together have too many streams.

        If the user has MAX_STREAMS_PER_USER already, the oldest ends. `newest` is the id of the
        last event there is, `after` of the last one that the page has received; without it, the
        page has missed no event. `topic_names` and `end_topic` are those of EventStream. The stream
        starts when `take_socket` gives it a socket; otherwise, call `release_place`.
        """
        stream = EventStream(self, topic_names, end_topic, user_id)
        stream.last_event, stream.newest_event = newest if after is None else after, newest
        with self._lock:
            self._start_threads(newest)
            user_streams = self._user_streams[user_id]
            replaced = user_streams[: max(len(user_streams) + 1 - MAX_STREAMS_PER_USER, 0)]
            if sum(map(len, self._user_streams.values())) - len(replaced) >= self._max_streams:
                return None
            user_streams[:] = [*user_streams[len(replaced) :], stream]
        for old_stream in replaced:
            self._call_in_loop(old_stream.end_as_replaced)
        return stream

    def register_fragment(self, fragment: PushedFragment) -> None:
        """Register a page fragment: it is sent to every stream that follows its topic.

        Call this before the first stream opens.
        """
        self._fragments.append(fragment)

    def take_socket(self, stream: EventStream, connection: socket.socket, head: bytes) -> None:
        """Write a response's head and then the stream to a socket that nothing else uses."""
        self._call_in_loop(self._start_opening, stream, connection, head)

    def add_stream(self, stream: EventStream) -> None:
        """Send an open stream the events it missed, and from now on those of its topics.

        If they are no longer stored, or the page knows an id that does not exist (as after the
        database was restored), the page is made to fetch all its sections.
        """
        if not self._last_dropped_event() <= stream.last_event <= stream.newest_event:
            stream.send_refresh(stream.newest_event)
        # Fragments that changed since the page was rendered are sent to it as well.
        for fragment in self._fragments:
            fragment.is_due |= self._latest_events.get(fragment.topic, 0) > stream.last_event
        missed = itertools.takewhile(
            lambda event: event[0] > stream.last_event, reversed(self._events)
        )
        for _number, topic in [*missed][::-1]:
            stream.add_topic(topic)
        stream.send_topics(self._newest_event)
        for topic in (*stream.topic_names, stream.end_topic):
            self._followers[topic].add(stream)

    def remove_stream(self, stream: EventStream) -> None:
        """Remove a stream that has ended; a second call changes nothing."""
        self._due_streams.pop(stream, None)
        for topic in (*stream.topic_names, stream.end_topic):
            self._followers[topic].discard(stream)
            if not self._followers[topic]:
                del self._followers[topic]
        self.release_place(stream)

    def release_place(self, stream: EventStream) -> None:
        """Stop counting a stream among its user's open ones. May be called from any thread."""
        with self._lock:
            if stream in (user_streams := self._user_streams[stream.user_id]):
                user_streams.remove(stream)
            if not user_streams:
                del self._user_streams[stream.user_id]

    def stop(self) -> None:
        """Stop reading events and close every stream; waits for both threads to end."""
        self._stopped.set()
        if self._loop is None:
            return
        reader, sender = self._threads
        reader.join()
        self._call_in_loop(self._loop.stop)
        sender.join()

    def latest_event(self, topic: str) -> int | None:
        """Return the id of the latest event of a topic, or 0 if there was no event.

        Returns None if no stream was ever opened: then no events are read. May be called from any
        thread.
        """
        return None if self._loop is None else self._latest_events.get(topic, 0)

    def receive_events(self, new_events: list[tuple[int, str]]) -> None:
        """Pass new events, as (id, topic), to the streams that follow their topics.

        There is at least one. A stream sends all topics together that change within
        GATHER_WINDOW_SECONDS.
        """
        self._events.extend(new_events)
        self._newest_event = new_events[-1][0]
        for _number, topic in new_events:
            for stream in self._followers.get(topic, ()):
                stream.add_topic(topic)
                if not self._due_streams:
                    asyncio.get_running_loop().call_later(
                        GATHER_WINDOW_SECONDS, self._send_due_topics
                    )
                self._due_streams[stream] = None

    def _send_due_topics(self) -> None:
        """Send the collected topics of all streams."""
        due, self._due_streams = self._due_streams, {}
        for stream in due:
            stream.send_topics(self._newest_event)

    async def _open_on_socket(
        self, stream: EventStream, connection: socket.socket, head: bytes
    ) -> None:
        """Send the response's head and connect the stream to its socket."""
        loop = asyncio.get_running_loop()
        try:
            await loop.sock_sendall(connection, head)
            await loop.connect_accepted_socket(lambda: stream, connection)
        except OSError:
            connection.close()
            self.release_place(stream)

    def _start_opening(self, stream: EventStream, connection: socket.socket, head: bytes) -> None:
        """Start the task that opens a stream on its socket."""
        task = asyncio.get_running_loop().create_task(
            self._open_on_socket(stream, connection, head)
        )
        self._opening_tasks.add(task)
        task.add_done_callback(self._opening_tasks.discard)

    def _last_dropped_event(self) -> int:
        """Return the id of the newest event that is no longer stored for streams that reconnect."""
        return self._events[0][0] - 1 if self._events else self._newest_event

    def _start_threads(self, newest: int) -> None:
        """Start both threads, if they are not running; they read the events after `newest`."""
        if self._loop is not None:
            return
        self._newest_event = newest
        self._opening_tasks: set[asyncio.Task[None]] = set()
        self._loop = loop = asyncio.new_event_loop()
        self._threads = [
            threading.Thread(target=self._read_events, args=(newest,), name="live", daemon=True),
            threading.Thread(target=self._run_loop, args=(loop,), name="streams", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _call_in_loop(self, function: Callable[..., object], *arguments: object) -> None:
        """Call a function in the loop's thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(function, *arguments)

    def _run_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run the loop until it is stopped, then close all streams."""
        loop.run_forever()
        for stream in set().union(*self._followers.values()):
            stream.close()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    def _read_events(self, newest: int) -> None:
        """Read the events and pass them to the loop until the streams are stopped."""
        while not self._stopped.is_set():
            try:
                for new_events in events.follow_events(newest, quiet_seconds=0.2):
                    if self._stopped.is_set():
                        return
                    self._latest_events |= {topic: number for number, topic in new_events}
                    if new_events:
                        newest = new_events[-1][0]
                        self._call_in_loop(self.receive_events, new_events)
                    self._render_fragments({topic for _number, topic in new_events})
            except Exception:  # the thread must survive any error
                log.exception("the live events cannot be read or told; trying again")
                self._stopped.wait(1.0)
            finally:
                db.database.close()

    def _render_fragments(self, topics: set[str]) -> None:
        """Render and send the fragments of the changed `topics`, and those that are still due.

        A fragment that was rendered within its interval stays due.
        """
        for fragment in self._fragments:
            fragment.is_due |= fragment.topic in topics
            if (
                fragment.is_due
                and time.monotonic() - fragment.rendered_at >= fragment.interval_seconds
            ):
                fragment.is_due, fragment.rendered_at = False, time.monotonic()
                with self._lock:
                    user_ids = [*self._user_streams]
                self._call_in_loop(self._send_fragment, fragment, fragment.render(user_ids))

    def _send_fragment(self, fragment: PushedFragment, rendered: dict[str, str]) -> None:
        """Send a fragment to the open pages; `rendered` has its content by user id."""
        for stream in self._followers.get(fragment.topic, ()):
            if stream.user_id in rendered:
                stream.send_fragment(fragment.address, rendered[stream.user_id])
