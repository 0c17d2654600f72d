"""The alarm about a locked database, which the outbox cannot carry."""

import dataclasses

from appliance.core import clock
from appliance.core.settings import SmsAccount, Telegram
from appliance.models import Message, TelegramChat
from appliance.pbx.database_alarm import LOCK_GRACE_PERIOD, DatabaseAlarm
from tests.rig.fakes import sms, telegram
from tests.rig.locked import locked_database


def test_the_alarm_is_sent_once_by_the_bot_and_by_sms(settings, at_noon, monkeypatch) -> None:
    with telegram.run_bot_api() as bot, sms.run_sms_service() as service:
        site = dataclasses.replace(
            settings,
            telegram=Telegram(telegram.BOT_TOKEN, -5, url=bot.url),
            sms=(
                # An address without a port: the error is not a DeliveryError, and must not end the
                # pbx process.
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
        with locked_database(settings.paths.database):
            assert not alarm.check_database()  # the lock may end by itself
            monkeypatch.setattr(clock, "now", lambda: at_noon + LOCK_GRACE_PERIOD)
            assert alarm.check_database()
            assert not alarm.check_database()
        [(chat, text, _)] = bot.messages
        assert chat == -5
        assert "держит заблокированной" in text
        assert service.messages == [("998901234567", text)]
        assert not alarm.check_database()
        with locked_database(settings.paths.database):
            assert not alarm.check_database()
            monkeypatch.setattr(clock, "now", lambda: at_noon + 3 * LOCK_GRACE_PERIOD)
            assert alarm.check_database()  # each lock is a separate fault
    assert len(bot.messages) == 2
    assert Message.select().count() == 0


def test_the_alarm_reaches_a_group_whose_id_has_changed(settings, at_noon, monkeypatch) -> None:
    TelegramChat.create(old="-5", chat="-100123")
    with telegram.run_bot_api() as bot:
        site = dataclasses.replace(
            settings,
            telegram=Telegram(telegram.BOT_TOKEN, -5, url=bot.url),
            alarms=dataclasses.replace(settings.alarms, chat=-5),
        )
        alarm = DatabaseAlarm(site)
        with locked_database(settings.paths.database):
            alarm.check_database()
            monkeypatch.setattr(clock, "now", lambda: at_noon + LOCK_GRACE_PERIOD)
            assert alarm.check_database()
        assert [chat for chat, _, _ in bot.messages] == [-100123]
