"""Calls over an E1, and their course when it fails."""

import datetime as dt
from collections.abc import Callable, Iterator

import pytest

from tests.rig.waiting import wait_until
from tests.vm.e1 import e1world
from tests.vm.e1.e1world import (
    CALLER_PITCH,
    CITIZEN_PITCH,
    OPERATOR_PITCH,
    SUBSCRIBER_PITCH,
    TIMEOUT_SECONDS,
    World,
)

pytestmark = pytest.mark.vm
MIN_VOICE_SECONDS = 2


@pytest.fixture(autouse=True)
def idle_world(e1: World, record_property: Callable[[str, str], None]) -> Iterator[None]:
    """No call of the former test goes on, and the span works."""
    for name in ("outside", "hotline"):
        e1.hang_up_all(name)
    if not e1.is_exchange_running:
        e1.plug_cable_in()
    e1.hang_up_all("exchange")
    wait_until(lambda: is_e1_working(e1), TIMEOUT_SECONDS, 1)
    wait_until(lambda: not e1.channel_count(), TIMEOUT_SECONDS, 0.5)
    yield
    for what, seconds in e1.measured_seconds.items():
        record_property(what, f"{seconds:.1f} s")


def wait_for_voice(e1: World, role: str, voice: int) -> None:
    """Wait until a party has received a voice for long enough."""
    wait_until(
        lambda: sum(voice in s for s in e1.received_voices(role)) >= MIN_VOICE_SECONDS,
        TIMEOUT_SECONDS,
        2,
    )


def wait_for_recording(e1: World, row: dict, voice: int) -> None:
    """Wait until the recording contains both voices: its end is written shortly after the call."""
    wait_until(
        lambda: any({voice, OPERATOR_PITCH} <= second for second in e1.recorded_voices(row)),
        TIMEOUT_SECONDS,
        1,
    )


def attempt_results(row: dict) -> list[tuple[str, str, str | None]]:
    return [(a["trunk"], a["status"], a["cause"]) for a in row["attempts"]]


def make_outgoing_talk(e1: World, number: str, voice: int, *, still: bool = False) -> dict:
    """Make an outgoing call that this voice answers, with sound both ways; return its row."""
    e1.call_out(number)
    role = "citizen" if voice == CITIZEN_PITCH else "subscriber"
    wait_for_voice(e1, role, OPERATOR_PITCH)
    wait_for_voice(e1, "operator", voice)
    e1.hang_up_all("outside")
    row = e1.ended_row(number)
    assert row["outcome"] == "answered"
    wait_for_recording(e1, row, voice)
    return row


def is_e1_working(e1: World) -> bool:
    """Return True if a call reaches the exchange, which reports that the number is busy."""
    number = e1.new_number(17)
    e1.call_out(number)
    return e1.ended_row(number)["trunk"] == "exchange"


def test_a_citizen_calls_over_the_e1(e1: World) -> None:
    number = e1.new_number()
    e1.call_in(number)
    wait_for_voice(e1, "operator", CALLER_PITCH)
    wait_for_voice(e1, "caller", OPERATOR_PITCH)
    e1.hang_up_all("exchange")
    row = e1.ended_row(number)
    assert (row["direction"], row["technology"], row["trunk"]) == ("inbound", "e1", "exchange")
    assert (row["hotline_number"], row["language"], row["menu"]) == (
        e1world.HOTLINE_NUMBER,
        "uz",
        ["1"],
    )
    assert (row["outcome"], row["ended_by"]) == ("answered", "caller")
    assert [talk["who"] for talk in row["talks"]] == ["op01"]
    wait_for_recording(e1, row, CALLER_PITCH)


def test_an_operator_calls_over_the_e1(e1: World) -> None:
    row = make_outgoing_talk(e1, e1.new_number(), CITIZEN_PITCH)
    assert (row["direction"], row["technology"], row["trunk"]) == ("outbound", "e1", "exchange")
    assert attempt_results(row) == [("exchange", "ANSWER", None)]


@pytest.mark.parametrize(("cause", "outcome"), [(17, "busy"), (1, "failed")])
def test_calls_to_busy_and_wrong_numbers_try_no_further_trunk(
    e1: World, cause: int, outcome: str
) -> None:
    number = e1.new_number(cause)
    e1.call_out(number)
    row = e1.ended_row(number)
    assert (row["outcome"], row["technology"], row["trunk"]) == (outcome, "e1", "exchange")
    assert [(a[0], a[2]) for a in attempt_results(row)] == [("exchange", str(cause))]


def test_a_call_that_the_exchange_cannot_carry_goes_over_sip(e1: World) -> None:
    """The exchange refuses with cause 34, for numbers that the SIP carrier refuses with it, too."""
    number = e1.new_number(34)
    e1.call_out(number)
    row = e1.ended_row(number)
    assert [(a[0], a[2]) for a in attempt_results(row)] == [("exchange", "34"), ("carrier", "34")]


def test_a_call_goes_over_sip_when_all_channels_are_busy(e1: World) -> None:
    with e1.connect_manager("hotline") as asterisk:
        for _ in range(30):
            asterisk.send_action(
                "Originate",
                Channel="DAHDI/g1/900000000",
                Application="Wait",
                Data="600",
                Async="true",
            )
    wait_until(lambda: e1.channel_count() >= 30, TIMEOUT_SECONDS, 1)
    row = make_outgoing_talk(e1, e1.new_number(), SUBSCRIBER_PITCH)
    assert (row["technology"], row["trunk"]) == ("sip", "carrier")
    assert attempt_results(row)[0] == ("exchange", "CONGESTION", "34")


def test_a_call_goes_over_sip_while_the_cable_is_cut(e1: World) -> None:
    cut_at = e1.cut_cable()
    alarm = wait_until(lambda: e1.first_event("Alarm", cut_at), TIMEOUT_SECONDS, 0.1)
    e1.record_seconds("cable cut → Alarm", alarm.at - cut_at)
    row = make_outgoing_talk(e1, e1.new_number(), SUBSCRIBER_PITCH)
    assert (row["technology"], row["trunk"]) == ("sip", "carrier")
    assert attempt_results(row)[0] == ("exchange", "CONGESTION", "34")
    e1.record_seconds("cable cut: refused by the E1 → SIP", e1.failover_seconds(row))
    plugged_in_at = e1.plug_cable_in()
    alarm_end = wait_until(
        lambda: e1.first_event("AlarmClear", plugged_in_at), TIMEOUT_SECONDS, 0.1
    )
    e1.record_seconds("cable back → AlarmClear", alarm_end.at - plugged_in_at)
    e1.wait_for_span()
    e1.record_seconds("cable back → span up", e1.machine_time() - plugged_in_at)
    row = make_outgoing_talk(e1, e1.new_number(), CITIZEN_PITCH)
    assert (row["technology"], row["trunk"]) == ("e1", "exchange")


def test_a_talk_ends_when_the_exchange_dies(e1: World) -> None:
    number = e1.new_number()
    e1.call_in(number)
    wait_for_voice(e1, "operator", CALLER_PITCH)
    killed_at = e1.machine_time()
    e1.end_asterisk("exchange", "KILL")
    row = e1.ended_row(number)
    assert (row["outcome"], row["ended_by"]) == ("answered", "system")
    ended_at = dt.datetime.fromisoformat(row["ended_at"]).timestamp()
    e1.record_seconds("exchange dead → talk over", ended_at - killed_at)
    e1.start_asterisk("exchange")


def test_a_call_goes_over_sip_when_the_exchange_is_dead_but_the_cable_works(e1: World) -> None:
    e1.end_asterisk("exchange", "KILL")
    row = make_outgoing_talk(e1, e1.new_number(), SUBSCRIBER_PITCH)
    assert (row["technology"], row["trunk"]) == ("sip", "carrier")
    assert attempt_results(row)[0][0] == "exchange"
    e1.record_seconds("exchange dead: given up by the E1 → SIP", e1.failover_seconds(row))
    e1.hang_up_all("hotline")
    started_at = e1.machine_time()
    e1.start_asterisk("exchange")
    # Asterisk reports the span as up before it carries a call
    wait_until(lambda: is_e1_working(e1), TIMEOUT_SECONDS, 1)
    e1.record_seconds("exchange on again → the E1 carries calls", e1.machine_time() - started_at)
