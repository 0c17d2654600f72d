"""Three days without the internet: waiting messages, expired messages, sending the rest."""

import dataclasses
import datetime as dt
from itertools import pairwise

import pytest

from appliance.box import health
from appliance.core import clock, db, outbox
from appliance.core.outbox.queueing import DEFAULT_LIFETIME
from appliance.core.settings import SmsAccount
from appliance.core.settings import Telegram as Bot
from appliance.messaging.sms.accounts import build_gateways
from appliance.messaging.sms.sender import MAX_MESSAGES_PER_SECOND, SmsSender
from appliance.messaging.telegram.bot_api import BotApiClient
from appliance.messaging.telegram.courier import (
    MAX_MERGED_ALERTS,
    MAX_MESSAGES_PER_MINUTE,
    TelegramCourier,
)
from appliance.models import Message
from tests.rig.fakes import sms, telegram

GROUP = -500
OUTAGE = dt.timedelta(days=3)


class ManualClock:
    """The site's clock, which only the test advances."""

    def __init__(self) -> None:
        self.moment = dt.datetime(2026, 11, 20, 6, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.moment

    def move(self, seconds: float) -> None:
        self.moment += dt.timedelta(seconds=seconds)

    def tick(self) -> float:
        return self.moment.timestamp()


@pytest.fixture
def now(monkeypatch):
    manual_clock = ManualClock()
    monkeypatch.setattr(clock, "now", manual_clock)
    return manual_clock


def queue_messages(site, number: int) -> None:
    phone = f"+99893{number % 200:07}"  # some numbers receive two messages
    outbox.queue_sms("registered", phone, str(number), key=f"s{number}", tz=site.tz)
    if number % 4 == 0:
        name = f"2026-{number:06}"
        payload = {"appeal": name, "line": name, "button": "Olaman"}
        outbox.queue_message("telegram", "alert", str(GROUP), key=name, text=name, payload=payload)


def max_in_window(times: list[dt.datetime], seconds: float) -> int:
    stretch = dt.timedelta(seconds=seconds)
    return max(sum(at <= time < at + stretch for time in times) for at in times)


def test_messages_survive_three_days_offline(settings, now) -> None:
    with sms.run_sms_service() as fake_service, telegram.run_bot_api() as bot:
        site = dataclasses.replace(
            settings,
            sms=(SmsAccount("eskiz", "eskiz", fake_service.url, "user", "secret", "4546"),),
            telegram=Bot(token=telegram.BOT_TOKEN, chat=GROUP, url=bot.url),
        )
        senders = SmsSender(build_gateways(site), sleep=now.move, monotonic=now.tick)
        courier = TelegramCourier(BotApiClient(bot.url, telegram.BOT_TOKEN))
        begin, number = now(), 0
        for line in (fake_service.server, bot.server):
            line.stop_listening()
        while now() < begin + OUTAGE:
            with db.write_transaction():
                for _ in range(4):
                    queue_messages(site, number)
                    number += 1
            # one attempt checks whether the service is reachable again
            assert senders.send_due() <= 1
            courier.send_due()
            now.move(3600)
        outbox_check = next(check for check in health.all_checks(site) if check.code == "outbox")
        assert outbox_check.state == "fail"
        back_at = now()
        for line in (fake_service.server, bot.server):
            line.listen_again()
        while Message.select().where(Message.state.in_(outbox.OPEN_STATES)).exists():
            senders.send_due()
            courier.send_due()
            now.move(1)
        assert now() - back_at < dt.timedelta(minutes=10)

    expired = Message.select().where(Message.created_at <= back_at - DEFAULT_LIFETIME)
    assert {m.id for m in expired} == {m.id for m in outbox.list_messages("expired", 10_000)}
    sent = list(Message.select().where(Message.state == "sent").order_by(Message.id))
    assert len(sent) + expired.count() == number + number // 4
    assert not any(m.perhaps_twice for m in sent)

    sms_sent = [m for m in sent if m.channel == "sms"]
    assert [int(text) for _, text in fake_service.messages] == [
        int(m.text) for m in sms_sent if m.text
    ]
    assert max_in_window([m.sent_at for m in sms_sent], 1) <= MAX_MESSAGES_PER_SECOND
    alerts = [m for m in sent if m.channel == "telegram"]
    assert [b for _, _, bs in bot.messages for b in bs] == [f"take:{m.text}" for m in alerts]
    assert len(bot.messages) >= len(alerts) / MAX_MERGED_ALERTS
    moments = sorted({m.tried_at for m in alerts})
    assert all(later - earlier >= dt.timedelta(seconds=1) for earlier, later in pairwise(moments))
    assert max_in_window(moments, 60) <= MAX_MESSAGES_PER_MINUTE
    outbox_check = next(check for check in health.all_checks(site) if check.code == "outbox")
    assert outbox_check.state == "warn"
    assert int(outbox_check.values["count"]) > 0
