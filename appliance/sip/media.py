"""The audio of calls: tones and keys sent every 20 ms, received audio analysed and timed."""

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
from appliance.sip.message import NO_ADDRESS, Session

TICK_SECONDS = 0.02
ALAW_PAYLOAD, EVENTS_PAYLOAD = 8, 101
MIN_GAP_SECONDS = 0.06  # from this time between two packets on, audio counts as missing
_PACKETS_PER_ANALYSIS = 25  # one analysis for this number of packets: twice a second
_SO_TIMESTAMPNS = 35  # the kernel's arrival time, which our own delays do not distort
_KEY_TICKS, _PAUSE_TICKS = tones.KEY_FRAMES, 6  # ticks of a key, and of the pause after it


@dataclass
class ReceivedAudio:
    """What was received of the other party's audio."""

    packets: int = 0
    gaps: list[tuple[float, float]] = field(default_factory=list)  # (time, length) in seconds
    voices: list[tuple[float, frozenset[int]]] = field(default_factory=list)  # (time, pitches)

    @property
    def longest_gap(self) -> float:
        """The length of the longest gap, in seconds."""
        return max((length for _, length in self.gaps), default=0.0)


class Media:
    """One call's audio at this end: `pitch` is its own voice, `pitches` are those it recognises."""

    def __init__(self, host: str, pitch: int, pitches: tuple[int, ...] = tones.ALL_PITCHES) -> None:
        self.pitch = pitch
        self.pitches = pitches
        self.likely_pitches: Sequence[int] = ()  # searched for first, which saves nearly all work
        self.received = ReceivedAudio()
        self.is_silent = False  # sends nothing
        self.destination: tuple[str, int] | None = None
        self.kinds: tuple[int, ...] = (ALAW_PAYLOAD,)
        self.events: int | None = EVENTS_PAYLOAD  # None: keys are sent as tones in the audio
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._socket.setblocking(False)
        with contextlib.suppress(OSError):  # without it, `_arrival_time` uses our own clock
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self.port: int = self._socket.getsockname()[1]
        self._sequence_number = secrets.randbelow(1 << 16)
        self._timestamp = secrets.randbelow(1 << 32)
        self._source_id = secrets.randbelow(1 << 32)
        self._frame_number = 0
        self._pending_keys: deque[str] = deque()
        self._key_ticks = -1  # ticks since the current key was pressed
        self._key_timestamp = 0
        self.received_keys = ""  # keys that the other side pressed
        self._received_key_timestamp = b""
        self._analysis_packets: list[bytes] = []
        self._last_arrival = 0.0
        self.is_closed = False

    def press_keys(self, keys: str) -> None:
        """Press these keys, one after the other; process_tick() sends them."""
        self._pending_keys.extend(keys)

    @property
    def has_pending_keys(self) -> bool:
        """True if a key has not been sent completely."""
        return bool(self._pending_keys)

    def apply_session(self, session: Session, send: bool = True) -> None:
        """Send to the address and in the form that the other side's session describes.

        If `send` is False, send nothing.
        """
        self.destination = (
            (session.host, session.port) if session.port and session.host != NO_ADDRESS else None
        )
        self.is_silent = not send
        if self.events is not None and session.events is not None:
            self.events = session.events

    def has_voice(self, pitch: int, seconds: float = 1.2) -> bool:
        """Return True if this voice was heard within the last `seconds`."""
        limit = time.time() - seconds
        return any(at >= limit and pitch in pitches for at, pitches in self.received.voices[-4:])

    def close(self) -> None:
        """Stop sending and receiving."""
        if not self.is_closed:
            self.is_closed = True
            self._socket.close()

    def process_tick(self) -> None:
        """Read the packets that have arrived, and send the next 20 ms."""
        self._receive_packets()
        self._send_frame()

    def _receive_packets(self) -> None:
        while True:
            try:
                data, extra, _, _ = self._socket.recvmsg(2048, 64)
            except OSError:  # no packet is left, or the audio was closed
                return
            if len(data) >= 16 and data[1] & 0x7F == self.events:
                self._receive_key(data)
            if len(data) < 12 or data[1] & 0x7F != ALAW_PAYLOAD:
                continue
            at = _arrival_time(extra)
            received = self.received
            if self._last_arrival and at - self._last_arrival > MIN_GAP_SECONDS:
                received.gaps.append((at, at - self._last_arrival))
            self._last_arrival = at
            received.packets += 1
            if (
                received.packets % _PACKETS_PER_ANALYSIS
                < tones.WINDOW_SAMPLES // tones.FRAME_SAMPLES
            ):
                self._analysis_packets.append(data[12:])
            elif self._analysis_packets:
                samples = tones.decode_alaw(
                    b"".join(self._analysis_packets)[: tones.WINDOW_SAMPLES]
                )
                self._analysis_packets.clear()
                if len(samples) == tones.WINDOW_SAMPLES:
                    received.voices.append((at, self._identify_voices(samples)))

    def _receive_key(self, data: bytes) -> None:
        """Receive a key from the other side; all packets of one press have the same timestamp."""
        timestamp, key = data[4:8], data[12]
        if timestamp != self._received_key_timestamp and key < len(tones.KEYS):
            self._received_key_timestamp = timestamp
            self.received_keys += tones.KEYS[key]

    def _identify_voices(self, samples: list[int]) -> frozenset[int]:
        """Return the voices in the samples; search all pitches only if no likely one is found."""
        if self.likely_pitches:
            voices = tones.find_voices(samples, self.likely_pitches)
            if tones.MUSIC not in voices:
                return voices
        return tones.find_voices(samples, self.pitches)

    def expect_gap(self) -> None:
        """Do not count the next pause as a gap, for example because the partner changes."""
        self._last_arrival = 0.0

    def _send_frame(self) -> None:
        self._frame_number += 1
        self._timestamp = (self._timestamp + tones.FRAME_SAMPLES) & 0xFFFFFFFF
        if not self.destination:
            return
        if self._pending_keys:
            self._send_key()
        elif not self.is_silent:
            self._send_packet(
                ALAW_PAYLOAD,
                self._timestamp,
                tones.voice_frames(self.pitch)[self._frame_number % 50],
            )

    def _send_key(self) -> None:
        key = self._pending_keys[0]
        self._key_ticks += 1
        tick = self._key_ticks
        if tick == 0:
            self._key_timestamp = self._timestamp
        if tick < _KEY_TICKS and self.events is not None:
            payload = struct.pack(
                ">BBH", tones.KEYS.index(key), 10, tones.FRAME_SAMPLES * (tick + 1)
            )
            self._send_packet(
                self.events | (0x80 if tick == 0 else 0), self._key_timestamp, payload
            )
        elif tick < _KEY_TICKS:
            piece = tones.key_tones(key)[
                tick * tones.FRAME_SAMPLES : (tick + 1) * tones.FRAME_SAMPLES
            ]
            self._send_packet(ALAW_PAYLOAD, self._timestamp, piece)
        elif tick == _KEY_TICKS and self.events is not None:
            end = struct.pack(
                ">BBH", tones.KEYS.index(key), 0x80 | 10, tones.FRAME_SAMPLES * _KEY_TICKS
            )
            for _ in range(3):
                self._send_packet(self.events, self._key_timestamp, end)
        elif not self.is_silent:
            self._send_packet(
                ALAW_PAYLOAD,
                self._timestamp,
                tones.voice_frames(self.pitch)[self._frame_number % 50],
            )
        if tick >= _KEY_TICKS + _PAUSE_TICKS:
            self._pending_keys.popleft()
            self._key_ticks = -1

    def _send_packet(self, kind: int, stamp: int, payload: bytes) -> None:
        header = struct.pack(">BBHII", 0x80, kind, self._sequence_number, stamp, self._source_id)
        self._sequence_number = (self._sequence_number + 1) & 0xFFFF
        with contextlib.suppress(OSError):  # a lost packet, as networks lose some
            self._socket.sendto(header + payload, self.destination)  # type: ignore[arg-type]  # set by apply_session


class MediaClock:
    """The clock of all audio in one process: it lets each audio send and receive every 20 ms."""

    def __init__(self) -> None:
        self.streams: set[Media] = set()
        self.max_lag = 0.0  # longest delay of a tick, in seconds: shows how far to trust our timing
        self.lags: list[tuple[float, float]] = []  # (time, seconds late) of each late tick
        self._task: asyncio.Task[None] | None = None

    def add_media(self, media: Media) -> None:
        """Process this audio too, until it is closed."""
        self.streams.add(media)
        if not self._task or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run_ticks())

    async def _run_ticks(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while self.streams:
            for media in [*self.streams]:
                if media.is_closed:
                    self.streams.discard(media)
                else:
                    media.process_tick()
            due += TICK_SECONDS
            behind = loop.time() - due
            self.max_lag = max(self.max_lag, behind)
            if behind > MIN_GAP_SECONDS:
                self.lags.append((time.time(), behind))
            if behind > 1:  # frozen for a while: the missed packets are not received later
                due = loop.time()
            await asyncio.sleep(max(0.0, -behind))


def _arrival_time(extra: list[tuple[int, int, bytes]]) -> float:
    for _, kind, data in extra:
        if kind == _SO_TIMESTAMPNS:
            seconds, nanoseconds = struct.unpack("qq", data[:16])
            return float(seconds + nanoseconds / 1e9)
    return time.time()
