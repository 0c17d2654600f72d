"""The box itself raises an alarm when the promised answer time of 20 seconds is exceeded."""

import dataclasses
import datetime as dt

import pytest

from appliance.box import alarms, health
from appliance.box.health import answers
from appliance.core import clock
from appliance.core.settings import Alarms, SmsAccount, Telegram
from appliance.models import Call, Message, QueueVisit

NOON = dt.datetime(2026, 12, 7, 12, tzinfo=dt.timezone(dt.timedelta(hours=5)))
SMS = SmsAccount("eskiz", "eskiz", "http://127.0.0.1:9", "u", "p", "1282")


@pytest.fixture(autouse=True)
def at_noon(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOON)


def add_calls(count: int, *, minutes_ago: float, wait_seconds: float, **columns: object) -> None:
    """Add answered calls that arrived that many minutes before noon."""
    arrived_at = NOON - dt.timedelta(minutes=minutes_ago)
    values = {"direction": "inbound", "stage": "ended", "outcome": "answered", "menu": []}
    for _ in range(count):
        number = f"{Call.select().count() + 1}.1"
        Call.create(
            id=number,
            arrived_at=arrived_at,
            menu_seconds=5.0,
            wait_seconds=wait_seconds,
            talk_seconds=60.0,
            **values | columns,
        )


def add_waiting_call(*, seconds: float) -> None:
    joined_at, number = NOON - dt.timedelta(seconds=seconds), f"{Call.select().count() + 1}.1"
    Call.create(id=number, arrived_at=joined_at, direction="inbound", stage="queue", menu=[])
    QueueVisit.create(call=number, position=0, queue="uz", joined_at=joined_at)


def states(settings) -> tuple[str, str]:
    """Return the states of the last 15 minutes and of the day."""
    checks = list(answers.check_answer_time(settings))
    assert [check.code for check in checks] == ["answer_time.recent", "answer_time.today"]
    for check in checks:
        assert bool(check.advice) == (check.state != "ok")
        assert "{" not in (check.seen + check.advice).format(**check.values)
    return checks[0].state, checks[1].state


def test_without_calls_nothing_is_late(settings) -> None:
    assert states(settings) == ("ok", "ok")
    assert answers.check_answer_time in health.CHECK_FUNCTIONS


def test_an_average_of_exactly_20_seconds_keeps_the_promise(settings) -> None:
    add_calls(5, minutes_ago=5, wait_seconds=20.0)
    assert states(settings) == ("ok", "ok")
    add_calls(1, minutes_ago=5, wait_seconds=20.6)
    assert states(settings) == ("fail", "fail")


def test_an_average_of_few_calls_only_warns(settings) -> None:
    add_calls(4, minutes_ago=5, wait_seconds=21.0)
    assert states(settings) == ("warn", "warn")


def test_the_last_15_minutes_are_judged_apart_from_the_day(settings) -> None:
    add_calls(100, minutes_ago=90, wait_seconds=5.0)
    add_calls(5, minutes_ago=14, wait_seconds=60.0)
    assert states(settings) == ("fail", "ok")


def test_the_day_is_judged_when_the_last_15_minutes_are_good(settings) -> None:
    add_calls(100, minutes_ago=90, wait_seconds=25.0)
    add_calls(5, minutes_ago=14, wait_seconds=5.0)
    assert states(settings) == ("ok", "fail")


def test_calls_of_yesterday_and_test_calls_do_not_count(settings) -> None:
    add_calls(10, minutes_ago=12 * 60 + 1, wait_seconds=90.0)
    add_calls(10, minutes_ago=1, wait_seconds=90.0, synthetic=True)
    assert states(settings) == ("ok", "ok")


def test_callers_whom_nobody_answers_count_as_answered_now(settings) -> None:
    for _ in range(5):
        add_waiting_call(seconds=21)
    assert states(settings) == ("fail", "ok")


def test_a_late_quarter_of_an_hour_is_an_alarm_by_telegram_and_sms(settings, monkeypatch) -> None:
    site = dataclasses.replace(
        settings,
        sms=(SMS,),
        telegram=Telegram("token", -5, language="ru"),
        alarms=Alarms(chat=-77, phones=("+998901112233",), language="ru"),
    )
    add_calls(100, minutes_ago=90, wait_seconds=5.0)
    add_calls(5, minutes_ago=5, wait_seconds=32.4)
    alarms.update_alarms(site, answers.check_answer_time(site))
    assert Message.select().count() == 0
    monkeypatch.setattr(clock, "now", lambda: NOON + alarms.FAULT_GRACE_PERIOD)
    due_codes = alarms.update_alarms(site, answers.check_answer_time(site))
    assert due_codes == ["answer_time.recent"]
    messages = {message.channel: message.text for message in Message.select()}
    assert set(messages) == {"telegram", "sms"}
    assert all("32.4" in text for text in messages.values())
