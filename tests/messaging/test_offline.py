"""Three days without the internet: what waits, what comes too late, and how the rest goes out."""

import dataclasses
import datetime as dt
from itertools import pairwise

import pytest

from appliance.box import health
from appliance.core import clock, db, outbox
from appliance.core.outbox.putting import KEPT
from appliance.core.settings import SmsAccount
from appliance.core.settings import Telegram as Bot
from appliance.messaging.sms.accounts import gateways
from appliance.messaging.sms.sender import PER_SECOND, Senders
from appliance.messaging.telegram.bot_api import Telegram
from appliance.messaging.telegram.courier import PER_MINUTE, WHOLE, Courier
from appliance.models import Message
from tests.rig.fakes import sms, telegram

GROUP = -500
CUT = dt.timedelta(days=3)


class Clock:
    """The site's clock, which only the test moves."""

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
    made = Clock()
    monkeypatch.setattr(clock, "now", made)
    return made


def put(site, number: int) -> None:
    phone = f"+99893{number % 200:07}"  # some hear twice
    outbox.put_sms("registered", phone, str(number), key=f"s{number}", tz=site.tz)
    if number % 4 == 0:
        name = f"2026-{number:06}"
        payload = {"appeal": name, "line": name, "button": "Olaman"}
        outbox.put("telegram", "alert", str(GROUP), key=name, text=name, payload=payload)


def busiest(moments: list[dt.datetime], seconds: float) -> int:
    stretch = dt.timedelta(seconds=seconds)
    return max(sum(at <= other < at + stretch for other in moments) for at in moments)


def test_three_days_cut_off(settings, now) -> None:
    with sms.service() as far, telegram.chats() as bot:
        site = dataclasses.replace(
            settings,
            sms=(SmsAccount("eskiz", "eskiz", far.url, "user", "secret", "4546"),),
            telegram=Bot(token=telegram.TOKEN, chat=GROUP, url=bot.url),
        )
        senders = Senders(gateways(site), pause=now.move, tick=now.tick)
        courier = Courier(Telegram(bot.url, telegram.TOKEN))
        begin, number = now(), 0
        for line in (far.line, bot.line):
            line.die()
        while now() < begin + CUT:
            with db.writing():
                for _ in range(4):
                    put(site, number)
                    number += 1
            assert senders.send_due() <= 1  # one asks whether anybody is there again
            courier.send_due()
            now.move(3600)
        found = next(check for check in health.checks(site) if check.code == "outbox")
        assert found.state == "fail"
        back = now()
        for line in (far.line, bot.line):
            line.rise()
        while Message.select().where(Message.state.in_(outbox.OPEN)).exists():
            senders.send_due()
            courier.send_due()
            now.move(1)
        assert now() - back < dt.timedelta(minutes=10)

    late = Message.select().where(Message.created_at <= back - KEPT)
    assert {m.id for m in late} == {m.id for m in outbox.listed("expired", 10_000)}
    rest = list(Message.select().where(Message.state == "sent").order_by(Message.id))
    assert len(rest) + late.count() == number + number // 4
    assert not any(m.perhaps_twice for m in rest)

    went = [m for m in rest if m.channel == "sms"]
    assert [int(text) for _, text in far.took] == [int(m.text) for m in went if m.text]
    assert busiest([m.sent_at for m in went], 1) <= PER_SECOND
    alerts = [m for m in rest if m.channel == "telegram"]
    assert [b for _, _, bs in bot.took for b in bs] == [f"take:{m.text}" for m in alerts]
    assert len(bot.took) >= len(alerts) / WHOLE
    moments = sorted({m.tried_at for m in alerts})
    assert all(later - earlier >= dt.timedelta(seconds=1) for earlier, later in pairwise(moments))
    assert busiest(moments, 60) <= PER_MINUTE
    found = next(check for check in health.checks(site) if check.code == "outbox")
    assert found.state == "warn"
    assert int(found.values["count"]) > 0
