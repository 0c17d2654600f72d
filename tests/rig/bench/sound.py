"""The sound that the box sent to callers and phones, as captured on the wire.

It shows how much was audible.
"""

import contextlib
import struct
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from provisioning.local.place import SIP_PORT, Place

LATE_SECONDS = 0.06  # after its time; a packet that comes later is not played
_SAMPLES_PER_SECOND, _SAMPLES_PER_PACKET = 8000, 160
_MIN_PACKETS = 250  # 5 s: shorter streams are not counted
_KEY_PAYLOAD_TYPE = 101  # telephone keys
_JUMP_SECONDS = 0.5  # between two packets' times, compared with their samples: another voice begins


@dataclass
class DeliveredShares:
    """For each stream the share of its packets that came in time."""

    callers: list[float] = field(default_factory=list)
    operators: list[float] = field(default_factory=list)

    @staticmethod
    def worst_percent(shares: list[float]) -> float:
        """The average of the worst twentieth of the shares, in per cent."""
        worst_shares = sorted(shares)[: max(len(shares) // 20, 1)]
        return 100 * sum(worst_shares) / len(worst_shares) if worst_shares else 0.0


@contextlib.contextmanager
def record_packets(place: Place, file: Path) -> Iterator[None]:
    """Capture the heads of the packets that the box sends, in the meantime."""
    packet_filter = f"udp and src host {place.box_address} and not src port {SIP_PORT}"
    command = ("tcpdump", "-i", "lo", "-Q", "in", "-n", "-s", "64", "-B", "65536", "-w", str(file))
    process = subprocess.Popen([*command, packet_filter], stderr=subprocess.PIPE)
    assert process.stderr  # requested above
    process.stderr.readline()  # tcpdump is listening
    try:
        yield
    finally:
        process.terminate()
        process.communicate()


def delivered_shares(place: Place, file: Path) -> DeliveredShares:
    """The share of each stream that came in time.

    A packet's time is that of the quickest one of its stretch, plus 20 ms for each packet between;
    a stretch ends where another voice begins: Asterisk marks that, or its samples restart.
    """
    result = DeliveredShares()
    for (receiver, _port, _source), stretches in _voice_streams(file).items():
        timely_count = sum(map(_timely_packets, stretches))
        sent_count = sum(map(_sent_packets, stretches))
        if sent_count >= _MIN_PACKETS:
            shares = result.callers if receiver == place.carrier_address else result.operators
            shares.append(min(timely_count / sent_count, 1.0))
    return result


type _Stretch = list[tuple[float, int]]  # second, sample


def _voice_streams(file: Path) -> dict[tuple[str, int, int], list[_Stretch]]:
    streams: defaultdict[tuple[str, int, int], list[_Stretch]] = defaultdict(list)
    last_offsets: dict[tuple[str, int, int], float] = {}
    for second, data in _packets_in_file(file):
        receiver, (port,) = ".".join(map(str, data[30:34])), struct.unpack(">H", data[36:38])
        _, payload_type, _, stamp, source = struct.unpack(">BBHII", data[42:54])
        if payload_type & 0x7F == _KEY_PAYLOAD_TYPE:
            continue
        stretches = streams[receiver, port, source]
        offset, last_offset = (
            second - stamp / _SAMPLES_PER_SECOND,
            last_offsets.get((receiver, port, source), 0.0),
        )
        if payload_type & 0x80 or abs(offset - last_offset) > _JUMP_SECONDS:
            stretches.append([])
        stretches[-1].append((second, stamp))
        last_offsets[receiver, port, source] = offset
    return streams


def _packets_in_file(file: Path) -> Iterator[tuple[float, bytes]]:
    """Second and bytes, from the Ethernet head on, of each packet in a file written by tcpdump."""
    data = file.read_bytes()
    position = 24
    while position + 16 <= len(data):
        second, microseconds, size, _full_size = struct.unpack_from("<IIII", data, position)
        if position + 16 + size > len(data):
            return  # cut off at the end
        if size >= 54:
            yield second + microseconds / 1e6, data[position + 16 : position + 16 + size]
        position += 16 + size


def _time_offsets(stretch: _Stretch) -> list[float]:
    return [second - stamp / _SAMPLES_PER_SECOND for second, stamp in stretch]


def _timely_packets(stretch: _Stretch) -> int:
    offsets = _time_offsets(stretch)
    smallest_offset = min(offsets)
    return sum(offset - smallest_offset <= LATE_SECONDS for offset in offsets)


def _sent_packets(stretch: _Stretch) -> int:
    """The number of packets that must have been sent."""
    stamps = [stamp for _, stamp in stretch]
    return max((max(stamps) - min(stamps)) // _SAMPLES_PER_PACKET + 1, len(stretch))
