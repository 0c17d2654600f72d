"""`./run bench`: wrong usage, and which sound packets count as received in time."""

import struct
from collections.abc import Iterable
from pathlib import Path

import pytest

from provisioning.local.place import Place
from tests.rig.bench import sound
from tests.rig.bench.__main__ import main
from tests.rig.bench.table import Row

TALK_PACKETS = 1000


def write_capture(
    file: Path, address_text: str, packets: Iterable[tuple[float, int, bool]]
) -> None:
    """Write a file like tcpdump's; a packet is (second, sample, begins a stretch of sound)."""
    with file.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for second, timestamp, begins in packets:
            rtp = struct.pack(">BBHII", 0x80, 8 | (0x80 if begins else 0), 0, timestamp, 7)
            address = bytes(map(int, address_text.split(".")))
            udp = struct.pack(">HHHH", 10_000, 20_000, 20, 0)
            data = bytes(14) + bytes(16) + address + udp + rtp + bytes(10)
            out.write(
                struct.pack("<IIII", int(second), round(second % 1 * 1e6), len(data), 200) + data
            )


@pytest.mark.parametrize(
    ("late", "lost", "share"),
    [(0, 0, 1.0), (50, 0, 0.95), (0, 100, 0.9), (50, 100, 0.85)],
)
def test_late_and_lost_packets_do_not_count(tmp_path, late, lost, share) -> None:
    place = Place(tmp_path)
    packets = [
        (100 + n * 0.02 + (0.2 if 400 <= n < 400 + late else 0), n * 160, n == 0)
        for n in range(TALK_PACKETS)
        if not 600 <= n < 600 + lost
    ]
    write_capture(tmp_path / "sound.pcap", place.carrier_address, packets)
    shares = sound.delivered_shares(place, tmp_path / "sound.pcap")
    assert shares.callers == [pytest.approx(share)]
    assert shares.operators == []


def test_a_second_voice_is_timed_from_its_own_begin(tmp_path) -> None:
    place = Place(tmp_path)
    music = [(100 + n * 0.02, n * 160, n == 0) for n in range(500)]
    voice = [(111 + n * 0.02, 9_000_000 + n * 160, n == 0) for n in range(500)]
    write_capture(tmp_path / "sound.pcap", place.phones_address, music + voice)
    assert sound.delivered_shares(place, tmp_path / "sound.pcap").operators == [1.0]


def test_the_worst_share_is_that_of_the_worst_twentieth() -> None:
    assert sound.DeliveredShares.worst_percent([1.0] * 38 + [0.5, 0.9]) == pytest.approx(70)
    assert sound.DeliveredShares.worst_percent([0.8]) == pytest.approx(80)


def test_help_is_not_wrong_usage(capsys) -> None:
    assert main(["help"]) == 0
    assert capsys.readouterr().out.startswith("usage: ./run bench")


@pytest.mark.parametrize("words", [["halp"], ["quick", "1"], ["growth", "many"]])
def test_wrong_usage_prints_the_usage(words, capsys) -> None:
    assert main(words) == 2
    assert capsys.readouterr().err.startswith("usage: ./run bench")


def test_a_row_shows_whether_its_aim_is_reached() -> None:
    assert Row("", 130, "s", 100, 1.25).is_reached is False
    assert Row("", 120, "s", 100, 1.25).is_reached is True
    assert Row("", -0.4, "points", aim=-0.5, least=True).is_reached is True
    assert Row("", 0, "", aim=0).is_reached is True
