"""Calls missing from the event log are detected, whatever the log itself contains."""

import datetime as dt

import pytest

from appliance.box import health
from appliance.core import clock
from appliance.models import EventRow, ExchangeLook, SeenCall
from appliance.pbx import witness
from appliance.pbx.witness import CallWitness
from appliance.telephony import calls

CALL_EVENT = {
    "Event": "Newchannel",
    "Uniqueid": "hotline-1.1",
    "Linkedid": "hotline-1.1",
    "Context": "from-trunk",
}


def check_by_code(settings, code: str) -> health.Check:
    return next(item for item in health.quick_checks(settings) if item.code == code)


def log_call(linkedid: str, at: dt.datetime) -> None:
    EventRow.create(
        hash=linkedid, linkedid=linkedid, at=at, event="CHAN_START", begins="from-trunk", fields={}
    )


@pytest.fixture
def call_witness(settings, monkeypatch):
    """A witness that checks at every call, and no log file."""
    monkeypatch.setattr(witness, "_POLL_SECONDS", 0.0)
    return CallWitness()


@pytest.fixture
def advance_clock(monkeypatch):
    """Return a function that sets the clock to a number of seconds after the start of the test."""
    began = clock.now()

    def set_clock(seconds: float) -> None:
        monkeypatch.setattr(clock, "now", lambda: began + dt.timedelta(seconds=seconds))

    return set_clock


def test_a_call_missing_from_the_log_is_reported(settings, call_witness, advance_clock) -> None:
    advance_clock(0)
    call_witness.observe_call_begin(CALL_EVENT)
    # a leg of it
    call_witness.observe_call_begin(
        CALL_EVENT | {"Uniqueid": "hotline-1.2", "Context": "from-operator"}
    )
    call_witness.observe_call_begin(
        CALL_EVENT | {"Linkedid": "x", "Uniqueid": "x", "Context": "test-call"}
    )
    assert call_witness.find_unlogged_calls() == []
    assert check_by_code(settings, "event_log.calls").state == "ok"
    advance_clock(16)
    assert call_witness.find_unlogged_calls() == ["hotline-1.1"]
    assert check_by_code(settings, "event_log.calls").state == "fail"
    begin, end = clock.now() - dt.timedelta(minutes=1), clock.now()
    assert calls.ledger_balance(begin, end).difference == 1
    assert calls.count_arrivals(begin, end) == 1


def test_the_next_logged_call_clears_the_check_but_not_the_balance(
    settings, call_witness, advance_clock
) -> None:
    advance_clock(0)
    call_witness.observe_call_begin(CALL_EVENT)
    advance_clock(20)
    call_witness.find_unlogged_calls()
    log_call("hotline-2.1", clock.now())
    assert check_by_code(settings, "event_log.calls").state == "ok"
    advance_clock(7200)
    assert check_by_code(settings, "balance").state == "fail"


def test_a_late_record_clears_the_fault(settings, call_witness, advance_clock) -> None:
    advance_clock(0)
    call_witness.observe_call_begin(CALL_EVENT)
    advance_clock(20)
    call_witness.find_unlogged_calls()
    log_call("hotline-1.1", clock.now() - dt.timedelta(seconds=20))
    assert call_witness.find_unlogged_calls() == []
    assert not SeenCall.select().exists()
    assert check_by_code(settings, "event_log.calls").state == "ok"


def test_a_log_that_lags_is_reported_by_its_own_check(
    settings, call_witness, advance_clock
) -> None:
    advance_clock(0)
    call_witness.observe_call_begin(CALL_EVENT)
    advance_clock(20)
    call_witness.find_unlogged_calls()
    log = settings.paths.event_log
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(f'"{clock.now().timestamp() - 19:.6f}","CHAN_START","1"\n')
    assert check_by_code(settings, "event_log.calls").state == "ok"
    assert check_by_code(settings, "event_log").state == "fail"


@pytest.mark.parametrize(
    ("missing", "ago", "state"),
    [([], 0, "ok"), (["app_queue.so"], 0, "fail"), ([], 120, "fail"), (None, 0, "warn")],
)
def test_missing_or_outdated_parts_of_the_exchange_are_reported(
    settings, missing, ago, state
) -> None:
    from appliance.models import AsteriskWatch

    now = clock.now()
    AsteriskWatch.create(started_at=now, seen_at=now)
    if missing is not None:
        at = now - dt.timedelta(seconds=ago)
        for name in ("modules", "queues"):
            ExchangeLook.create(name=name, missing=missing, at=at)
    for code in ("asterisk.modules", "asterisk.queues"):
        result = check_by_code(settings, code)
        assert result.state == state
        assert ("app_queue.so" in result.seen.format(**result.values)) == bool(missing)
