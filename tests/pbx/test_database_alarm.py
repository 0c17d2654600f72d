"""The alarm of a database that is locked, which no outbox can carry."""

import dataclasses

from appliance.core import clock
from appliance.core.settings import SmsAccount, Telegram
from appliance.models import Message, TelegramChat
from appliance.pbx.database_alarm import PATIENCE, DatabaseAlarm
from tests.rig.fakes import sms, telegram
from tests.rig.locked import locked


def test_it_goes_out_by_the_bot_and_by_sms_once(settings, at_noon, monkeypatch) -> None:
    with telegram.chats() as bot, sms.service() as service:
        site = dataclasses.replace(
            settings,
            telegram=Telegram(telegram.TOKEN, -5, url=bot.url),
            sms=(
                # An address without a port: no Trouble, and no reason to end the pbx process.
                SmsAccount(name="odd", kind="smpp", url="centre", user="u", password="p"),
                SmsAccount(
                    name="dead", kind="eskiz", url="http://127.0.0.1:9", user="u", password="p"
                ),
                SmsAccount(
                    name="first", kind="eskiz", url=service.url, user="user", password="secret"
                ),
            ),
            alarms=dataclasses.replace(
                settings.alarms, chat=-5, phones=("+998901234567",), language="ru"
            ),
        )
        alarm = DatabaseAlarm(site)
        with locked(settings.paths.database):
            assert not alarm.look()  # it may pass by itself
            monkeypatch.setattr(clock, "now", lambda: at_noon + PATIENCE)
            assert alarm.look()
            assert not alarm.look()
        [(chat, text, _)] = bot.took
        assert chat == -5
        assert "держит заблокированной" in text
        assert service.took == [("998901234567", text)]
        assert not alarm.look()
        with locked(settings.paths.database):
            assert not alarm.look()
            monkeypatch.setattr(clock, "now", lambda: at_noon + 3 * PATIENCE)
            assert alarm.look()  # each time is a fault of its own
    assert len(bot.took) == 2
    assert Message.select().count() == 0


def test_it_reaches_a_group_that_has_another_id_by_now(settings, at_noon, monkeypatch) -> None:
    TelegramChat.create(old="-5", chat="-100123")
    with telegram.chats() as bot:
        site = dataclasses.replace(
            settings,
            telegram=Telegram(telegram.TOKEN, -5, url=bot.url),
            alarms=dataclasses.replace(settings.alarms, chat=-5),
        )
        alarm = DatabaseAlarm(site)
        with locked(settings.paths.database):
            alarm.look()
            monkeypatch.setattr(clock, "now", lambda: at_noon + PATIENCE)
            assert alarm.look()
        assert [chat for chat, _, _ in bot.took] == [-100123]
