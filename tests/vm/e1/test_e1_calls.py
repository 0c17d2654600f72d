"""Calls over an E1, and what becomes of them when it fails."""

import datetime as dt
from collections.abc import Callable, Iterator

import pytest

from tests.rig.waiting import until
from tests.vm.e1 import e1world
from tests.vm.e1.e1world import CALLER, CITIZEN, OPERATOR, SUBSCRIBER, WAITS, World

pytestmark = pytest.mark.vm
ENOUGH = 2  # seconds of a voice


@pytest.fixture(autouse=True)
def whole(e1: World, record_property: Callable[[str, str], None]) -> Iterator[None]:
    """Nothing of the test before goes on, and the span is in order."""
    for name in ("outside", "hotline"):
        e1.hang_up(name)
    if not e1.exchange_runs:
        e1.put_back()
    e1.hang_up("exchange")
    until(lambda: carried(e1), WAITS, 1)
    until(lambda: not e1.channels(), WAITS, 0.5)
    yield
    for what, seconds in e1.seconds.items():
        record_property(what, f"{seconds:.1f} s")


def hears(e1: World, who: str, voice: int) -> None:
    """Wait until somebody has heard a voice long enough."""
    until(lambda: sum(voice in s for s in e1.heard(who)) >= ENOUGH, WAITS, 2)


def both_recorded(e1: World, row: dict, voice: int) -> None:
    """Wait until the recording holds both at once: its end is written a moment after the call."""
    until(lambda: any({voice, OPERATOR} <= second for second in e1.recorded(row)), WAITS, 1)


def attempts(row: dict) -> list[tuple[str, str, str | None]]:
    return [(a["trunk"], a["status"], a["cause"]) for a in row["attempts"]]


def talked(e1: World, number: str, voice: int, *, still: bool = False) -> dict:
    """An outgoing call that was answered by that voice: both hear each other; its row."""
    e1.call_out(number)
    who = "citizen" if voice == CITIZEN else "subscriber"
    hears(e1, who, OPERATOR)
    hears(e1, "operator", voice)
    e1.hang_up("outside")
    row = e1.row(number)
    assert row["outcome"] == "answered"
    both_recorded(e1, row, voice)
    return row


def carried(e1: World) -> bool:
    """Whether a call gets as far as the exchange, which tells that the number is busy."""
    number = e1.number(17)
    e1.call_out(number)
    return e1.row(number)["trunk"] == "exchange"


def test_a_citizen_calls_over_the_e1(e1: World) -> None:
    number = e1.number()
    e1.call_in(number)
    hears(e1, "operator", CALLER)
    hears(e1, "caller", OPERATOR)
    e1.hang_up("exchange")
    row = e1.row(number)
    assert (row["direction"], row["technology"], row["trunk"]) == ("inbound", "e1", "exchange")
    assert (row["hotline_number"], row["language"], row["menu"]) == (e1world.HOTLINE, "uz", ["1"])
    assert (row["outcome"], row["ended_by"]) == ("answered", "caller")
    assert [talk["who"] for talk in row["talks"]] == ["op01"]
    both_recorded(e1, row, CALLER)


def test_an_operator_calls_over_the_e1(e1: World) -> None:
    row = talked(e1, e1.number(), CITIZEN)
    assert (row["direction"], row["technology"], row["trunk"]) == ("outbound", "e1", "exchange")
    assert attempts(row) == [("exchange", "ANSWER", None)]


@pytest.mark.parametrize(("cause", "outcome"), [(17, "busy"), (1, "failed")])
def test_busy_and_wrong_numbers_go_no_further(e1: World, cause: int, outcome: str) -> None:
    number = e1.number(cause)
    e1.call_out(number)
    row = e1.row(number)
    assert (row["outcome"], row["technology"], row["trunk"]) == (outcome, "e1", "exchange")
    assert [(a[0], a[2]) for a in attempts(row)] == [("exchange", str(cause))]


def test_what_the_exchange_cannot_carry_goes_over_sip(e1: World) -> None:
    """Cause 34 of the exchange, for numbers that the SIP carrier refuses with it as well."""
    number = e1.number(34)
    e1.call_out(number)
    row = e1.row(number)
    assert [(a[0], a[2]) for a in attempts(row)] == [("exchange", "34"), ("carrier", "34")]


def test_when_all_channels_are_taken_a_call_goes_over_sip(e1: World) -> None:
    with e1.manager("hotline") as asterisk:
        for _ in range(30):
            asterisk.act(
                "Originate",
                Channel="DAHDI/g1/900000000",
                Application="Wait",
                Data="600",
                Async="true",
            )
    until(lambda: e1.channels() >= 30, WAITS, 1)
    row = talked(e1, e1.number(), SUBSCRIBER)
    assert (row["technology"], row["trunk"]) == ("sip", "carrier")
    assert attempts(row)[0] == ("exchange", "CONGESTION", "34")


def test_with_the_cable_cut_a_call_goes_over_sip_and_back_when_it_is_mended(e1: World) -> None:
    cut = e1.cut()
    alarm = until(lambda: e1.first("Alarm", cut), WAITS, 0.1)
    e1.measured("cable cut → Alarm", alarm.at - cut)
    row = talked(e1, e1.number(), SUBSCRIBER)
    assert (row["technology"], row["trunk"]) == ("sip", "carrier")
    assert attempts(row)[0] == ("exchange", "CONGESTION", "34")
    e1.measured("cable cut: refused by the E1 → SIP", e1.passed_on(row))
    back = e1.put_back()
    clear = until(lambda: e1.first("AlarmClear", back), WAITS, 0.1)
    e1.measured("cable back → AlarmClear", clear.at - back)
    e1.spans_up()
    e1.measured("cable back → span up", e1.clock() - back)
    row = talked(e1, e1.number(), CITIZEN)
    assert (row["technology"], row["trunk"]) == ("e1", "exchange")


def test_the_exchange_ends_a_talk_when_it_dies(e1: World) -> None:
    number = e1.number()
    e1.call_in(number)
    hears(e1, "operator", CALLER)
    died = e1.clock()
    e1.end_asterisk("exchange", "KILL")
    row = e1.row(number)
    assert (row["outcome"], row["ended_by"]) == ("answered", "system")
    over = dt.datetime.fromisoformat(row["ended_at"]).timestamp()
    e1.measured("exchange dead → talk over", over - died)
    e1.run_asterisk("exchange")


def test_with_a_dead_exchange_behind_a_good_cable_a_call_goes_over_sip(e1: World) -> None:
    e1.end_asterisk("exchange", "KILL")
    row = talked(e1, e1.number(), SUBSCRIBER)
    assert (row["technology"], row["trunk"]) == ("sip", "carrier")
    assert attempts(row)[0][0] == "exchange"
    e1.measured("exchange dead: given up by the E1 → SIP", e1.passed_on(row))
    e1.hang_up("hotline")
    on = e1.clock()
    e1.run_asterisk("exchange")
    until(lambda: carried(e1), WAITS, 1)  # Asterisk calls the span up before it carries a call
    e1.measured("exchange on again → the E1 carries calls", e1.clock() - on)
