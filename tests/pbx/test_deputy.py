"""Who tells that the jobs hang, when it is the jobs that tell of everything."""

import dataclasses
import datetime as dt

import pytest

from appliance.box import alarms, health, processes
from appliance.box.health.processes import LOOKS_WITHIN
from appliance.core import clock
from appliance.core.settings import SmsAccount, Telegram
from appliance.models import Message
from appliance.pbx import jobs_alarm
from tests.rig.fakes import sms, telegram


@pytest.fixture
def bot():
    with telegram.chats() as running:
        yield running


@pytest.fixture
def site(settings, bot, at_noon, monkeypatch):
    """A site whose jobs do not run, and that has told of it."""
    group = Telegram(telegram.TOKEN, -5, url=bot.url)
    made = dataclasses.replace(
        settings, telegram=group, alarms=dataclasses.replace(settings.alarms, chat=-5)
    )
    alarms.raise_due(made, [health.jobs_process(made)], "jobs")
    monkeypatch.setattr(clock, "now", lambda: at_noon + alarms.PATIENCE)
    assert alarms.raise_due(made, [health.jobs_process(made)], "jobs") == ["process.jobs"]
    return made


def test_the_alarm_goes_out_without_the_jobs(site, bot) -> None:
    assert jobs_alarm.send(site) == 1
    [(chat, text, _)] = bot.took
    assert chat == -5
    assert "appliance-jobs" in text
    assert Message.get().state == "sent"
    assert jobs_alarm.send(site) == 0


def test_jobs_that_are_well_send_for_themselves(site, bot) -> None:
    processes.begin(site, "jobs")
    assert jobs_alarm.send(site) == 0
    assert bot.took == []


def test_what_could_not_be_sent_is_tried_again(site, bot, monkeypatch) -> None:
    bot.moods.append("wait")
    assert jobs_alarm.send(site) == 0
    message = Message.get()
    assert message.state == "pending"
    monkeypatch.setattr(clock, "now", lambda: message.due_at)
    assert jobs_alarm.send(site) == 1


def test_jobs_that_beat_and_look_at_nothing_are_not_well(settings, monkeypatch) -> None:
    began = clock.now()
    processes.begin(settings, "jobs")
    alarms.watch(settings, health.quick(settings))
    assert health.jobs_process(settings).state == "ok"
    late = began + LOOKS_WITHIN + dt.timedelta(seconds=2)
    monkeypatch.setattr(clock, "now", lambda: late)
    check = health.jobs_process(settings)
    assert check.state == "fail"
    assert "looked at nothing" in check.seen
    alarms.raise_due(settings, [check], "jobs")
    monkeypatch.setattr(clock, "now", lambda: late + alarms.PATIENCE)
    assert alarms.raise_due(settings, [health.jobs_process(settings)], "jobs") == ["process.jobs"]
    alarms.remember(health.quick(settings))  # they look again
    assert health.jobs_process(settings).state == "ok"


def test_the_alarm_goes_out_by_sms_where_there_is_no_bot(settings, at_noon, monkeypatch) -> None:
    with sms.service() as service:
        account = SmsAccount("eskiz", "eskiz", service.url, user="u", password="p", sender="4546")
        site = dataclasses.replace(
            settings,
            sms=(account,),
            alarms=dataclasses.replace(settings.alarms, phones=("+998901234567",)),
        )
        alarms.raise_due(site, [health.jobs_process(site)], "jobs")
        monkeypatch.setattr(clock, "now", lambda: at_noon + alarms.PATIENCE)
        alarms.raise_due(site, [health.jobs_process(site)], "jobs")
        assert jobs_alarm.send(site) == 1
        [(number, text)] = service.took
        assert number.endswith("998901234567")
        assert "appliance-jobs" in text
        assert jobs_alarm.send(site) == 0


def test_an_account_that_raises_anything_ends_no_process(settings, at_noon, monkeypatch) -> None:
    site = dataclasses.replace(
        settings,
        sms=(SmsAccount("odd", "smpp", "centre", user="u", password="p", sender="4546"),),
        alarms=dataclasses.replace(settings.alarms, phones=("+998901234567",)),
    )
    alarms.raise_due(site, [health.jobs_process(site)], "jobs")
    monkeypatch.setattr(clock, "now", lambda: at_noon + alarms.PATIENCE)
    alarms.raise_due(site, [health.jobs_process(site)], "jobs")
    assert jobs_alarm.send(site) == 0
    assert Message.get().state == "pending"  # to be tried again
