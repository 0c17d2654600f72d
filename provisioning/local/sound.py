"""Sound for the simulated callers and phones: RTP packets in a pcap file that SIPp plays.

One stream of 20 ms packets, G.711 A-law (payload type 8), 8 kHz. Keys are RFC 4733 events
(payload type 101) or, for carriers that offer no events, dual tones in the sound itself.
"""

import functools
import math
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from appliance.sip import tones
from appliance.sip.tones import FRAME_SAMPLES, KEY_FRAMES, KEYS, SAMPLE_RATE_HZ

PACKETS_PER_SECOND = SAMPLE_RATE_HZ // FRAME_SAMPLES

_EVENT_TYPE = 101
_PCMA_TYPE = 8


def write_pcap(
    file: Path,
    seconds: float,
    pitch: int,
    keys: tuple[tuple[float, str], ...] = (),
    events: bool = True,
) -> None:
    """Write a voice of that pitch (Hz) with (second, key) presses; `events`: keys as RFC 4733."""
    presses = {round(second * PACKETS_PER_SECOND): key for second, key in keys}
    packets = _make_packets(round(seconds * PACKETS_PER_SECOND), make_voice(pitch), presses, events)
    partial_file = file.with_suffix(".part")
    with partial_file.open("wb") as stream:
        stream.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for number, packet in enumerate(packets):
            stream.write(_pcap_record(packet.at, _rtp_packet(number, packet)))
    partial_file.replace(file)


@functools.cache
def make_voice(pitch: int) -> bytes:
    """Ten seconds of A-law that sound like murmured syllables with short pauses between words."""
    samples = []
    for i in range(10 * SAMPLE_RATE_HZ):
        seconds = i / SAMPLE_RATE_HZ
        syllable = max(0.0, math.sin(2 * math.pi * 4 * seconds))
        word = 0.0 if (seconds % 2.5) > 2.1 else 1.0
        tone = sum(math.sin(2 * math.pi * pitch * n * seconds) / n for n in (1, 2, 3, 5))
        samples.append(5200 * word * (0.15 + syllable) * tone)
    return tones.encode_alaw(samples)


class _Packet(NamedTuple):
    at: float  # seconds from the start
    stamp: int  # RTP timestamp, in samples
    kind: int  # RTP payload type
    payload: bytes
    marker: bool = False


def _make_packets(
    frames: int, sound: bytes, presses: dict[int, str], events: bool
) -> Iterator[_Packet]:
    frame = 0
    while frame < frames:
        at, stamp = frame / PACKETS_PER_SECOND, frame * FRAME_SAMPLES
        key = presses.get(frame)
        if key and events:
            yield from _event_packets(at, stamp, KEYS.index(key))
            frame += KEY_FRAMES + 1
            continue
        if key:
            for number in range(KEY_FRAMES):
                payload = tones.key_tones(key)[
                    number * FRAME_SAMPLES : (number + 1) * FRAME_SAMPLES
                ]
                yield _Packet(
                    at + number * 0.02, stamp + number * FRAME_SAMPLES, _PCMA_TYPE, payload
                )
            frame += KEY_FRAMES
            continue
        offset = stamp % len(sound)
        payload = sound[offset : offset + FRAME_SAMPLES]
        yield _Packet(at, stamp, _PCMA_TYPE, payload, marker=frame == 0)
        frame += 1


def _event_packets(at: float, stamp: int, code: int) -> Iterator[_Packet]:
    """The packets of one key: eight updates, and its end three times as the RFC requires."""
    for number in range(KEY_FRAMES):
        payload = struct.pack(">BBH", code, 10, FRAME_SAMPLES * (number + 1))
        yield _Packet(at + number * 0.02, stamp, _EVENT_TYPE, payload, marker=number == 0)
    end_payload = struct.pack(">BBH", code, 0x80 | 10, FRAME_SAMPLES * KEY_FRAMES)
    for repetition in range(3):
        yield _Packet(at + KEY_FRAMES * 0.02 + repetition * 0.002, stamp, _EVENT_TYPE, end_payload)


def _rtp_packet(number: int, packet: _Packet) -> bytes:
    kind = packet.kind | (0x80 if packet.marker else 0)
    head = struct.pack(">BBHII", 0x80, kind, number & 0xFFFF, packet.stamp & 0xFFFFFFFF, 0x11223344)
    return head + packet.payload


def _pcap_record(at: float, rtp: bytes) -> bytes:
    """The packet as captured: with Ethernet, IPv4 and UDP headers, which SIPp replaces."""
    udp = struct.pack(">HHHH", 4000, 4000, 8 + len(rtp), 0) + rtp
    loopback = bytes((127, 0, 0, 1))
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, loopback, loopback)
    frame = bytes(12) + b"\x08\x00" + ip + udp
    second, fraction = divmod(at, 1)
    return (
        struct.pack("<IIII", 10**9 + int(second), int(fraction * 1e6), len(frame), len(frame))
        + frame
    )
