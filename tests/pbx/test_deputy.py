"""The pbx process reports that the jobs hang, because the jobs send all other alarms."""

import dataclasses
import datetime as dt

import pytest

from appliance.box import alarms, health, processes
from appliance.box.health.processes import MAX_CHECK_AGE
from appliance.core import clock
from appliance.core.settings import SmsAccount, Telegram
from appliance.models import Message
from appliance.pbx import jobs_alarm
from tests.rig.fakes import sms, telegram


@pytest.fixture
def bot():
    with telegram.run_bot_api() as running:
        yield running


@pytest.fixture
def site(settings, bot, at_noon, monkeypatch):
    """A site whose jobs do not run, and whose alarm about it has been raised."""
    group = Telegram(telegram.BOT_TOKEN, -5, url=bot.url)
    site_settings = dataclasses.replace(
        settings, telegram=group, alarms=dataclasses.replace(settings.alarms, chat=-5)
    )
    alarms.notify_due_alarms(site_settings, [health.jobs_process(site_settings)], "jobs")
    monkeypatch.setattr(clock, "now", lambda: at_noon + alarms.FAULT_GRACE_PERIOD)
    assert alarms.notify_due_alarms(
        site_settings, [health.jobs_process(site_settings)], "jobs"
    ) == ["process.jobs"]
    return site_settings


def test_the_alarm_is_sent_without_the_jobs(site, bot) -> None:
    assert jobs_alarm.send_alarm(site) == 1
    [(chat, text, _)] = bot.messages
    assert chat == -5
    assert "appliance-jobs" in text
    assert Message.get().state == "sent"
    assert jobs_alarm.send_alarm(site) == 0


def test_running_jobs_send_their_own_alarms(site, bot) -> None:
    processes.register_process(site, "jobs")
    assert jobs_alarm.send_alarm(site) == 0
    assert bot.messages == []


def test_an_alarm_that_failed_is_sent_again(site, bot, monkeypatch) -> None:
    bot.moods.append("wait")
    assert jobs_alarm.send_alarm(site) == 0
    message = Message.get()
    assert message.state == "pending"
    monkeypatch.setattr(clock, "now", lambda: message.due_at)
    assert jobs_alarm.send_alarm(site) == 1


def test_jobs_with_a_heartbeat_that_check_nothing_have_failed(settings, monkeypatch) -> None:
    began = clock.now()
    processes.register_process(settings, "jobs")
    alarms.update_alarms(settings, health.quick_checks(settings))
    assert health.jobs_process(settings).state == "ok"
    late = began + MAX_CHECK_AGE + dt.timedelta(seconds=2)
    monkeypatch.setattr(clock, "now", lambda: late)
    check = health.jobs_process(settings)
    assert check.state == "fail"
    assert "checked nothing" in check.seen
    alarms.notify_due_alarms(settings, [check], "jobs")
    monkeypatch.setattr(clock, "now", lambda: late + alarms.FAULT_GRACE_PERIOD)
    assert alarms.notify_due_alarms(settings, [health.jobs_process(settings)], "jobs") == [
        "process.jobs"
    ]
    alarms.store_check_states(health.quick_checks(settings))  # they check again
    assert health.jobs_process(settings).state == "ok"


def test_without_a_bot_the_alarm_is_sent_by_sms(settings, at_noon, monkeypatch) -> None:
    with sms.run_sms_service() as service:
        account = SmsAccount("eskiz", "eskiz", service.url, user="u", password="p", sender="4546")
        site = dataclasses.replace(
            settings,
            sms=(account,),
            alarms=dataclasses.replace(settings.alarms, phones=("+998901234567",)),
        )
        alarms.notify_due_alarms(site, [health.jobs_process(site)], "jobs")
        monkeypatch.setattr(clock, "now", lambda: at_noon + alarms.FAULT_GRACE_PERIOD)
        alarms.notify_due_alarms(site, [health.jobs_process(site)], "jobs")
        assert jobs_alarm.send_alarm(site) == 1
        [(number, text)] = service.messages
        assert number.endswith("998901234567")
        assert "appliance-jobs" in text
        assert jobs_alarm.send_alarm(site) == 0


def test_an_unexpected_error_of_an_account_does_not_end_the_process(
    settings, at_noon, monkeypatch
) -> None:
    site = dataclasses.replace(
        settings,
        sms=(SmsAccount("odd", "smpp", "centre", user="u", password="p", sender="4546"),),
        alarms=dataclasses.replace(settings.alarms, phones=("+998901234567",)),
    )
    alarms.notify_due_alarms(site, [health.jobs_process(site)], "jobs")
    monkeypatch.setattr(clock, "now", lambda: at_noon + alarms.FAULT_GRACE_PERIOD)
    alarms.notify_due_alarms(site, [health.jobs_process(site)], "jobs")
    assert jobs_alarm.send_alarm(site) == 0
    assert Message.get().state == "pending"  # it will be retried
