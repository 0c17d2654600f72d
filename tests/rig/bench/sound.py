"""What sound the box sent to callers and phones, as it went over the wire, and what was heard."""

import contextlib
import struct
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from provisioning.local.place import SIP, Place

LATE = 0.06  # seconds after its time by which a packet is not heard any more
_RATE, _FRAME = 8000, 160  # samples a second, and of a packet
_SHORTEST = 250  # packets of a stream that is judged: 5 s
_EVENTS = 101  # keys
_JUMP = 0.5  # seconds between two packets' times against their samples: another voice begins


@dataclass
class Heard:
    """Of each stream the share of its packets that came in time, worst first."""

    callers: list[float] = field(default_factory=list)
    operators: list[float] = field(default_factory=list)

    @staticmethod
    def worst(shares: list[float]) -> float:
        """What the twentieth part of them that heard least heard on the average, per cent."""
        some = sorted(shares)[: max(len(shares) // 20, 1)]
        return 100 * sum(some) / len(some) if some else 0.0


@contextlib.contextmanager
def taken_down(place: Place, file: Path) -> Iterator[None]:
    """The heads of what the box sends are written down meanwhile."""
    asked = f"udp and src host {place.box} and not src port {SIP}"
    words = ("tcpdump", "-i", "lo", "-Q", "in", "-n", "-s", "64", "-B", "65536", "-w", str(file))
    process = subprocess.Popen([*words, asked], stderr=subprocess.PIPE)
    assert process.stderr  # asked for
    process.stderr.readline()  # it listens
    try:
        yield
    finally:
        process.terminate()
        process.communicate()


def heard(place: Place, file: Path) -> Heard:
    """What of each stream came in time.

    A packet's time is that of the quickest one of its stretch, and 20 ms for each one between; a
    stretch ends where another voice begins: Asterisk marks that, or its samples are counted anew.
    """
    found = Heard()
    for (there, _port, _source), stretches in _streams(file).items():
        kept = sum(map(_in_time, stretches))
        wanted = sum(map(_sent, stretches))
        if wanted >= _SHORTEST:
            of = found.callers if there == place.carrier else found.operators
            of.append(min(kept / wanted, 1.0))
    return found


type _Stretch = list[tuple[float, int]]  # second, sample


def _streams(file: Path) -> dict[tuple[str, int, int], list[_Stretch]]:
    streams: defaultdict[tuple[str, int, int], list[_Stretch]] = defaultdict(list)
    last: dict[tuple[str, int, int], float] = {}
    for at, data in _packets(file):
        there, (port,) = ".".join(map(str, data[30:34])), struct.unpack(">H", data[36:38])
        _, kind, _, stamp, source = struct.unpack(">BBHII", data[42:54])
        if kind & 0x7F == _EVENTS:
            continue
        stretches = streams[there, port, source]
        behind, before = at - stamp / _RATE, last.get((there, port, source), 0.0)
        if kind & 0x80 or abs(behind - before) > _JUMP:
            stretches.append([])
        stretches[-1].append((at, stamp))
        last[there, port, source] = behind
    return streams


def _packets(file: Path) -> Iterator[tuple[float, bytes]]:
    """Second and bytes, from the Ethernet head on, of each packet in a file of tcpdump's."""
    data = file.read_bytes()
    at = 24
    while at + 16 <= len(data):
        second, part, size, _whole = struct.unpack_from("<IIII", data, at)
        if at + 16 + size > len(data):
            return  # cut at the end
        if size >= 54:
            yield second + part / 1e6, data[at + 16 : at + 16 + size]
        at += 16 + size


def _behind(stretch: _Stretch) -> list[float]:
    return [at - stamp / _RATE for at, stamp in stretch]


def _in_time(stretch: _Stretch) -> int:
    behind = _behind(stretch)
    soonest = min(behind)
    return sum(one - soonest <= LATE for one in behind)


def _sent(stretch: _Stretch) -> int:
    """How many packets there must have been."""
    stamps = [stamp for _, stamp in stretch]
    return max((max(stamps) - min(stamps)) // _FRAME + 1, len(stretch))
