"""`./run bench`: what is wrong use, and what it takes for sound that was heard."""

import struct
from collections.abc import Iterable
from pathlib import Path

import pytest

from provisioning.local.place import Place
from tests.rig.bench import sound
from tests.rig.bench.__main__ import main
from tests.rig.bench.table import Row

TALK = 1000  # packets


def capture(file: Path, there: str, packets: Iterable[tuple[float, int, bool]]) -> None:
    """A file as tcpdump writes it: (second, sample, begins a stretch) of each packet of sound."""
    with file.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for at, stamp, begins in packets:
            rtp = struct.pack(">BBHII", 0x80, 8 | (0x80 if begins else 0), 0, stamp, 7)
            address = bytes(map(int, there.split(".")))
            udp = struct.pack(">HHHH", 10_000, 20_000, 20, 0)
            data = bytes(14) + bytes(16) + address + udp + rtp + bytes(10)
            out.write(struct.pack("<IIII", int(at), round(at % 1 * 1e6), len(data), 200) + data)


@pytest.mark.parametrize(
    ("late", "lost", "share"),
    [(0, 0, 1.0), (50, 0, 0.95), (0, 100, 0.9), (50, 100, 0.85)],
)
def test_what_comes_late_or_not_at_all_is_not_heard(tmp_path, late, lost, share) -> None:
    place = Place(tmp_path)
    packets = [
        (100 + n * 0.02 + (0.2 if 400 <= n < 400 + late else 0), n * 160, n == 0)
        for n in range(TALK)
        if not 600 <= n < 600 + lost
    ]
    capture(tmp_path / "sound.pcap", place.carrier, packets)
    found = sound.heard(place, tmp_path / "sound.pcap")
    assert found.callers == [pytest.approx(share)]
    assert found.operators == []


def test_another_voice_begins_at_its_own_time(tmp_path) -> None:
    place = Place(tmp_path)
    music = [(100 + n * 0.02, n * 160, n == 0) for n in range(500)]
    voice = [(111 + n * 0.02, 9_000_000 + n * 160, n == 0) for n in range(500)]
    capture(tmp_path / "sound.pcap", place.phones, music + voice)
    assert sound.heard(place, tmp_path / "sound.pcap").operators == [1.0]


def test_the_worst_are_the_twentieth_part() -> None:
    assert sound.Heard.worst([1.0] * 38 + [0.5, 0.9]) == pytest.approx(70)
    assert sound.Heard.worst([0.8]) == pytest.approx(80)


def test_help_is_no_wrong_use(capsys) -> None:
    assert main(["help"]) == 0
    assert capsys.readouterr().out.startswith("usage: ./run bench")


@pytest.mark.parametrize("words", [["halp"], ["quick", "1"], ["growth", "many"]])
def test_wrong_use_is_told_by_the_usage(words, capsys) -> None:
    assert main(words) == 2
    assert capsys.readouterr().err.startswith("usage: ./run bench")


def test_a_row_tells_whether_its_aim_is_reached() -> None:
    assert Row("", 130, "s", 100, 1.25).reached is False
    assert Row("", 120, "s", 100, 1.25).reached is True
    assert Row("", -0.4, "points", aim=-0.5, least=True).reached is True
    assert Row("", 0, "", aim=0).reached is True
