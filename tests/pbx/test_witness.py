"""Calls that the event log does not hold are seen, whatever the log says of itself."""

import datetime as dt

import pytest

from appliance.box import health
from appliance.core import clock
from appliance.models import EventRow, ExchangeLook, SeenCall
from appliance.pbx import witness
from appliance.pbx.witness import Witness
from appliance.telephony import calls

CALL = {
    "Event": "Newchannel",
    "Uniqueid": "hotline-1.1",
    "Linkedid": "hotline-1.1",
    "Context": "from-trunk",
}


def check(settings, code: str) -> health.Check:
    return next(found for found in health.quick(settings) if found.code == code)


def logged(linkedid: str, at: dt.datetime) -> None:
    EventRow.create(
        hash=linkedid, linkedid=linkedid, at=at, event="CHAN_START", begins="from-trunk", fields={}
    )


@pytest.fixture
def seen(settings, monkeypatch):
    """A witness that looks each time, and no file of a log."""
    monkeypatch.setattr(witness, "_EVERY", 0.0)
    return Witness()


@pytest.fixture
def later(monkeypatch):
    """Let time go by."""
    began = clock.now()

    def by(seconds: float) -> None:
        monkeypatch.setattr(clock, "now", lambda: began + dt.timedelta(seconds=seconds))

    return by


def test_a_call_that_the_log_lost(settings, seen, later) -> None:
    later(0)
    seen.hear(CALL)
    seen.hear(CALL | {"Uniqueid": "hotline-1.2", "Context": "from-operator"})  # a leg
    seen.hear(CALL | {"Linkedid": "x", "Uniqueid": "x", "Context": "test-call"})
    assert seen.look() == []
    assert check(settings, "event_log.calls").state == "ok"
    later(16)
    assert seen.look() == ["hotline-1.1"]
    assert check(settings, "event_log.calls").state == "fail"
    begin, end = clock.now() - dt.timedelta(minutes=1), clock.now()
    assert calls.balance(begin, end).difference == 1
    assert calls.arrivals(begin, end) == 1


def test_it_is_in_order_when_the_next_call_is_logged_and_the_balance_still_tells(
    settings, seen, later
) -> None:
    later(0)
    seen.hear(CALL)
    later(20)
    seen.look()
    logged("hotline-2.1", clock.now())
    assert check(settings, "event_log.calls").state == "ok"
    later(7200)
    assert check(settings, "balance").state == "fail"


def test_a_record_that_comes_late_settles_it(settings, seen, later) -> None:
    later(0)
    seen.hear(CALL)
    later(20)
    seen.look()
    logged("hotline-1.1", clock.now() - dt.timedelta(seconds=20))
    assert seen.look() == []
    assert not SeenCall.select().exists()
    assert check(settings, "event_log.calls").state == "ok"


def test_a_log_that_is_behind_is_told_by_its_own_words(settings, seen, later) -> None:
    later(0)
    seen.hear(CALL)
    later(20)
    seen.look()
    log = settings.paths.event_log
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(f'"{clock.now().timestamp() - 19:.6f}","CHAN_START","1"\n')
    assert check(settings, "event_log.calls").state == "ok"
    assert check(settings, "event_log").state == "fail"


@pytest.mark.parametrize(
    ("missing", "ago", "state"),
    [([], 0, "ok"), (["app_queue.so"], 0, "fail"), ([], 120, "fail"), (None, 0, "warn")],
)
def test_the_parts_of_the_exchange(settings, missing, ago, state) -> None:
    from appliance.models import AsteriskWatch

    now = clock.now()
    AsteriskWatch.create(started_at=now, seen_at=now)
    if missing is not None:
        at = now - dt.timedelta(seconds=ago)
        for name in ("modules", "queues"):
            ExchangeLook.create(name=name, missing=missing, at=at)
    for code in ("asterisk.modules", "asterisk.queues"):
        found = check(settings, code)
        assert found.state == state
        assert ("app_queue.so" in found.seen.format(**found.values)) == bool(missing)
