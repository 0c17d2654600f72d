"""The sound of calls: tones and keys sent every 20 ms, what comes in listened to and timed."""

import asyncio
import contextlib
import secrets
import socket
import struct
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from appliance.sip import tones
from appliance.sip.message import NOWHERE, Session

TICK = 0.02
ALAW, EVENTS = 8, 101
GAP = 0.06  # seconds between two packets from which on something was missing
_LISTEN_EVERY = 25  # packets: twice a second
_STAMPS = 35  # SO_TIMESTAMPNS: the kernel's own time of arrival, which our being late cannot spoil
_HELD, _AFTER = tones.KEY_FRAMES, 6  # ticks of a key and of the pause behind it


@dataclass
class Flow:
    """What came in, by the second."""

    packets: int = 0
    gaps: list[tuple[float, float]] = field(default_factory=list)  # when, how long
    heard: list[tuple[float, frozenset[int]]] = field(default_factory=list)

    @property
    def longest(self) -> float:
        """The longest gap, seconds."""
        return max((length for _, length in self.gaps), default=0.0)


class Media:
    """One call's sound at this end."""

    def __init__(self, host: str, pitch: int, among: tuple[int, ...] = tones.EVERYBODY) -> None:
        self.pitch = pitch
        self.among = among
        self.first: Sequence[int] = ()  # voices looked for first: saves nearly all of the work
        self.flow = Flow()
        self.silent = False  # sends nothing
        self.to: tuple[str, int] | None = None
        self.kinds: tuple[int, ...] = (ALAW,)
        self.events: int | None = EVENTS  # None: keys go as tones in the sound
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._socket.setblocking(False)
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, _STAMPS, 1)
        self.port: int = self._socket.getsockname()[1]
        self._number = secrets.randbelow(1 << 16)
        self._stamp = secrets.randbelow(1 << 32)
        self._source = secrets.randbelow(1 << 32)
        self._frame = 0
        self._keys: deque[str] = deque()
        self._pressed = -1  # ticks since the present key went down
        self._key_stamp = 0
        self.pressed = ""  # keys that the other side pressed
        self._heard_stamp = b""
        self._piece: list[bytes] = []
        self._last = 0.0
        self.closed = False

    def press(self, keys: str) -> None:
        """Press these keys, one after the other."""
        self._keys.extend(keys)

    @property
    def pressing(self) -> bool:
        """Whether some key is still to be sent."""
        return bool(self._keys)

    def meet(self, other: Session, send: bool = True) -> None:
        """Send to where the other side wants it, in its form."""
        self.to = (other.host, other.port) if other.port and other.host != NOWHERE else None
        self.silent = not send
        if self.events is not None and other.events is not None:
            self.events = other.events

    def hears(self, pitch: int, since: float = 1.2) -> bool:
        """Whether this voice was heard within the last `since` seconds."""
        limit = time.time() - since
        return any(at >= limit and pitch in who for at, who in self.flow.heard[-4:])

    def close(self) -> None:
        """Be silent and deaf from now on."""
        if not self.closed:
            self.closed = True
            self._socket.close()

    def tick(self) -> None:
        """Read what has come, send the next 20 ms."""
        self._read()
        self._send()

    def _read(self) -> None:
        while True:
            try:
                data, extra, _, _ = self._socket.recvmsg(2048, 64)
            except OSError:
                return
            if len(data) >= 16 and data[1] & 0x7F == self.events:
                self._hear_key(data)
            if len(data) < 12 or data[1] & 0x7F != ALAW:
                continue
            at = _moment(extra)
            flow = self.flow
            if self._last and at - self._last > GAP:
                flow.gaps.append((at, at - self._last))
            self._last = at
            flow.packets += 1
            if flow.packets % _LISTEN_EVERY < tones.WINDOW // tones.FRAME:
                self._piece.append(data[12:])
            elif self._piece:
                samples = tones.decode(b"".join(self._piece)[: tones.WINDOW])
                self._piece.clear()
                if len(samples) == tones.WINDOW:
                    flow.heard.append((at, self._who(samples)))

    def _hear_key(self, data: bytes) -> None:
        """A key that the other side holds down; all packets of one press have one time stamp."""
        stamp, key = data[4:8], data[12]
        if stamp != self._heard_stamp and key < len(tones.KEYS):
            self._heard_stamp = stamp
            self.pressed += tones.KEYS[key]

    def _who(self, samples: list[int]) -> frozenset[int]:
        """The voices in it: whoever else there may be is looked for when it is none of `first`."""
        if self.first:
            found = tones.voices(samples, self.first)
            if tones.MUSIC not in found:
                return found
        return tones.voices(samples, self.among)

    def expect_gap(self) -> None:
        """The sound may pause here for a good reason, such as a change of partner."""
        self._last = 0.0

    def _send(self) -> None:
        self._frame += 1
        self._stamp = (self._stamp + tones.FRAME) & 0xFFFFFFFF
        if not self.to:
            return
        if self._keys:
            self._send_key()
        elif not self.silent:
            self._packet(ALAW, self._stamp, tones.frames(self.pitch)[self._frame % 50])

    def _send_key(self) -> None:
        key = self._keys[0]
        self._pressed += 1
        part = self._pressed
        if part == 0:
            self._key_stamp = self._stamp
        if part < _HELD and self.events is not None:
            payload = struct.pack(">BBH", tones.KEYS.index(key), 10, tones.FRAME * (part + 1))
            self._packet(self.events | (0x80 if part == 0 else 0), self._key_stamp, payload)
        elif part < _HELD:
            piece = tones.key(key)[part * tones.FRAME : (part + 1) * tones.FRAME]
            self._packet(ALAW, self._stamp, piece)
        elif part == _HELD and self.events is not None:
            end = struct.pack(">BBH", tones.KEYS.index(key), 0x80 | 10, tones.FRAME * _HELD)
            for _ in range(3):
                self._packet(self.events, self._key_stamp, end)
        elif not self.silent:
            self._packet(ALAW, self._stamp, tones.frames(self.pitch)[self._frame % 50])
        if part >= _HELD + _AFTER:
            self._keys.popleft()
            self._pressed = -1

    def _packet(self, kind: int, stamp: int, payload: bytes) -> None:
        head = struct.pack(">BBHII", 0x80, kind, self._number, stamp, self._source)
        self._number = (self._number + 1) & 0xFFFF
        with contextlib.suppress(OSError):
            self._socket.sendto(head + payload, self.to)  # type: ignore[arg-type]  # set by meet


class Pump:
    """The clock of all sound in one process."""

    def __init__(self) -> None:
        self.streams: set[Media] = set()
        self.late = 0.0  # the longest delay of a tick, seconds: how far to trust our own timing
        self.hitches: list[tuple[float, float]] = []  # when, and by how many seconds late
        self._task: asyncio.Task[None] | None = None

    def add(self, media: Media) -> None:
        """Run this sound too, until it is closed."""
        self.streams.add(media)
        if not self._task or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while self.streams:
            for media in [*self.streams]:
                if media.closed:
                    self.streams.discard(media)
                else:
                    media.tick()
            due += TICK
            behind = loop.time() - due
            self.late = max(self.late, behind)
            if behind > GAP:
                self.hitches.append((time.time(), behind))
            if behind > 1:  # frozen for a while: what was not received then is not received now
                due = loop.time()
            await asyncio.sleep(max(0.0, -behind))


def _moment(extra: list[tuple[int, int, bytes]]) -> float:
    for _, kind, data in extra:
        if kind == _STAMPS:
            seconds, nanoseconds = struct.unpack("qq", data[:16])
            return seconds + nanoseconds / 1e9
    return time.time()
