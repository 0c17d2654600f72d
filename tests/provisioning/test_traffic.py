"""The parts from which simulated phones and callers are made."""

import struct
from collections import Counter
from pathlib import Path

import pytest

from appliance.sip import tones
from provisioning.local import demo, plans, sound
from provisioning.local.callers import CallPlan, CallReport, handling_by_number
from provisioning.local.phones import Handling, number_tail, rings_of_events
from provisioning.local.sipp import LogEvent


def rtp_packets(file: Path) -> list[tuple[float, int, bytes]]:
    """Return (second, payload type, payload) of each RTP packet in a pcap file."""
    data, packets, offset = file.read_bytes(), [], 24
    while offset < len(data):
        second, microseconds, size, _ = struct.unpack_from("<IIII", data, offset)
        rtp = data[offset + 16 + 42 : offset + 16 + size]
        packets.append((second - 10**9 + microseconds / 1e6, rtp[1] & 0x7F, rtp[12:]))
        offset += 16 + size
    return packets


def test_a_voice_is_fifty_packets_a_second(tmp_path: Path) -> None:
    sound.write_pcap(tmp_path / "a.pcap", 4, 200)
    voice_packets = rtp_packets(tmp_path / "a.pcap")
    assert len(voice_packets) == 200
    assert {(kind, len(payload)) for _, kind, payload in voice_packets} == {(8, 160)}
    assert voice_packets[-1][0] == pytest.approx(3.98)


def test_a_key_is_sent_as_an_event_at_its_second(tmp_path: Path) -> None:
    sound.write_pcap(tmp_path / "a.pcap", 4, 200, ((1.5, "7"),))
    events = [
        (at, payload) for at, kind, payload in rtp_packets(tmp_path / "a.pcap") if kind == 101
    ]
    assert events[0][0] == pytest.approx(1.5)
    assert {payload[0] for _, payload in events} == {7}
    assert [payload[1] >> 7 for _, payload in events][-3:] == [1, 1, 1]


def test_a_key_without_events_is_sound_in_a_stream_without_a_gap(tmp_path: Path) -> None:
    sound.write_pcap(tmp_path / "a.pcap", 4, 200, ((1.5, "7"),), events=False)
    voice_packets = rtp_packets(tmp_path / "a.pcap")
    assert {kind for _, kind, _ in voice_packets} == {8}
    assert len(voice_packets) == 200
    assert b"".join(payload for _, _, payload in voice_packets[75:83]) == tones.key_tones("7")


def test_alaw_agrees_with_the_standard() -> None:
    # as sox compresses them
    assert tones.encode_alaw([0, 32767, -32768, 1000, -1000]).hex() == "d5aa2afa7a"


def test_events_are_grouped_into_rings_by_call() -> None:
    events = [
        LogEvent("ring", 10.0, ("1001", "901000001", "a")),
        LogEvent("ring", 11.0, ("1002", "901000002", "b")),
        LogEvent("answer", 12.0, ("1001", "901000001", "a")),
        LogEvent("cancelled", 13.0, ("1002", "901000002", "b")),
        LogEvent("hang_up", 20.5, ("1001", "901000001", "a")),
    ]
    first, second = rings_of_events(events)
    assert (first.extension, first.talk_seconds, first.end) == ("1001", 8.5, "operator")
    assert (second.extension, second.talk_seconds, second.end) == ("1002", 0.0, "cancelled")


def test_a_report_counts_only_keys_pressed_while_the_call_was_up() -> None:
    plan = CallPlan("rated", "+998901000001", ((2.0, "1"), (4.0, "5"), (6.0, "5")))
    report = CallReport(plan, sent_at=99.9, answered_at=100.0, ended_at=105.0, ended_by="box")
    assert report.pressed_keys == [(102.0, "1"), (104.0, "5")]
    assert "box hung up" in str(report)


def test_the_phones_have_a_plan_for_every_caller() -> None:
    all_plans = [*demo.stream_plans(), *demo.batch_plans()]
    handlings = handling_by_number(all_plans)
    assert len({number_tail(number) for number in handlings}) == len(all_plans)


def test_a_batch_contains_every_kind_of_call() -> None:
    kinds = Counter(plan.kind for plan in demo.batch_plans()[: len(plans.CALLER_KINDS)])
    assert kinds == Counter(plans.CALLER_KINDS.keys())


def test_planned_times_are_passed_to_the_phone() -> None:
    plan = plans.rated(plans.caller_number(1), plans.Times(ring=2.5, talk=33))
    assert plan.handling == Handling(2.5, 33)
