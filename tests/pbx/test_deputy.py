"""Who tells that the jobs hang, when it is the jobs that tell of everything."""

import dataclasses

import pytest

from appliance.box import alarms, health, processes
from appliance.core import clock
from appliance.core.settings import Telegram
from appliance.models import Message
from appliance.pbx import jobs_alarm
from tests.rig.fakes import telegram


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
