"""What the simulated phones and callers are made of."""

import struct
from collections import Counter
from pathlib import Path

import pytest

from appliance.sip import tones
from provisioning.local import demo, plans, sound
from provisioning.local.callers import CallPlan, CallReport, handling
from provisioning.local.phones import Handling, rings, tail
from provisioning.local.sipp import Event


def packets(file: Path) -> list[tuple[float, int, bytes]]:
    """(second, payload type, payload) of each RTP packet in a pcap file."""
    data, found, place = file.read_bytes(), [], 24
    while place < len(data):
        second, part, size, _ = struct.unpack_from("<IIII", data, place)
        rtp = data[place + 16 + 42 : place + 16 + size]
        found.append((second - 10**9 + part / 1e6, rtp[1] & 0x7F, rtp[12:]))
        place += 16 + size
    return found


def test_a_voice_is_fifty_packets_a_second(tmp_path: Path) -> None:
    sound.write_pcap(tmp_path / "a.pcap", 4, 200)
    found = packets(tmp_path / "a.pcap")
    assert len(found) == 200
    assert {(kind, len(payload)) for _, kind, payload in found} == {(8, 160)}
    assert found[-1][0] == pytest.approx(3.98)


def test_a_key_is_an_event_at_its_second(tmp_path: Path) -> None:
    sound.write_pcap(tmp_path / "a.pcap", 4, 200, ((1.5, "7"),))
    events = [(at, payload) for at, kind, payload in packets(tmp_path / "a.pcap") if kind == 101]
    assert events[0][0] == pytest.approx(1.5)
    assert {payload[0] for _, payload in events} == {7}
    assert [payload[1] >> 7 for _, payload in events][-3:] == [1, 1, 1]


def test_a_key_without_events_is_sound_and_the_stream_has_no_gap(tmp_path: Path) -> None:
    sound.write_pcap(tmp_path / "a.pcap", 4, 200, ((1.5, "7"),), events=False)
    found = packets(tmp_path / "a.pcap")
    assert {kind for _, kind, _ in found} == {8}
    assert len(found) == 200
    assert b"".join(payload for _, _, payload in found[75:83]) == tones.key("7")


def test_alaw_is_that_of_the_standard() -> None:
    # as sox compresses them
    assert tones.alaw([0, 32767, -32768, 1000, -1000]).hex() == "d5aa2afa7a"


def test_rings_are_put_together_by_call() -> None:
    told = [
        Event("ring", 10.0, ("1001", "901000001", "a")),
        Event("ring", 11.0, ("1002", "901000002", "b")),
        Event("answer", 12.0, ("1001", "901000001", "a")),
        Event("cancelled", 13.0, ("1002", "901000002", "b")),
        Event("hang_up", 20.5, ("1001", "901000001", "a")),
    ]
    first, second = rings(told)
    assert (first.extension, first.talk_seconds, first.end) == ("1001", 8.5, "operator")
    assert (second.extension, second.talk_seconds, second.end) == ("1002", 0.0, "cancelled")


def test_a_report_counts_only_keys_pressed_while_the_call_was_up() -> None:
    plan = CallPlan("rated", "+998901000001", ((2.0, "1"), (4.0, "5"), (6.0, "5")))
    report = CallReport(plan, sent_at=99.9, answered_at=100.0, ended_at=105.0, ended_by="box")
    assert report.keys == [(102.0, "1"), (104.0, "5")]
    assert "box hung up" in str(report)


def test_every_planned_caller_of_a_site_is_known_to_the_phones() -> None:
    everybody = [*demo.stream_plans(), *demo.batch_plans()]
    known = handling(everybody)
    assert len({tail(number) for number in known}) == len(everybody)


def test_a_batch_holds_every_kind() -> None:
    kinds = Counter(plan.kind for plan in demo.batch_plans()[: len(plans.KINDS)])
    assert kinds == Counter(plans.KINDS.keys())


def test_times_reach_the_phone() -> None:
    plan = plans.rated(plans.number(1), plans.Times(ring=2.5, talk=33))
    assert plan.handling == Handling(2.5, 33)
