"""The term of a change request ends: the group and the technicians hear of it in time, once."""

import dataclasses
import datetime as dt

import pytest

from appliance.box import timetable
from appliance.casework import catalogs, changes
from appliance.core import clock
from appliance.core.settings import Alarms, Duty, SmsAccount, Telegram
from appliance.jobs import timetable as jobs
from appliance.messaging.notices.changes import remind
from appliance.models import ChangeRequest, Message

GROUP = -500


@pytest.fixture
def site(settings):
    return dataclasses.replace(
        settings,
        telegram=Telegram(token="secret", chat=GROUP),
        alarms=Alarms(phones=("+998901112233",), language="ru"),
        duty=(Duty("Jasur", 0, "+998904445566"),),
        sms=(SmsAccount("eskiz", "eskiz", "https://sms.example", "user", "secret", "4546"),),
    )


@pytest.fixture
def at(site, monkeypatch):
    """Set the clock to a moment of the site's."""

    def at(moment: str) -> None:
        now = dt.datetime.fromisoformat(moment).replace(tzinfo=site.tz).astimezone(dt.UTC)
        monkeypatch.setattr(clock, "now", lambda: now)

    return at


@pytest.fixture
def asked(site, bahodir, at):
    """Write a request at a moment."""

    def asked(kind: str, moment: str) -> ChangeRequest:
        at(moment)
        calendar = catalogs.working_calendar(site)
        return changes.ask(bahodir, kind, "Lola Rashidova +998935550147", "Sabab", calendar)

    return asked


def told() -> list[tuple[str, str]]:
    return [(m.channel, m.recipient) for m in Message.select().order_by(Message.id)]


def test_it_is_told_once_and_in_time(site, asked, at):
    asked("interface", "2026-12-02 10:00")  # until Saturday the 12th, which is worked
    heard = {}
    for moment in ("2026-12-10 17:59", "2026-12-11 08:59", "2026-12-11 09:00", "2026-12-12 10:00"):
        at(moment)
        heard[moment[8:13]] = remind(site)
    assert heard == {"10 17": 0, "11 08": 0, "11 09": 1, "12 10": 0}
    assert told() == [("telegram", str(GROUP)), ("sms", "+998901112233")]


def test_of_a_single_day_it_is_told_in_its_morning(site, asked, at):
    asked("other", "2026-12-07 10:00")  # the 8th is a holiday
    assert remind(site) == 0
    at("2026-12-09 09:00")
    assert remind(site) == 1


def test_a_box_that_was_off_tells_of_it_until_the_term_ends(site, asked, at):
    for _number in range(2):
        asked("other", "2026-12-02 10:00")
    at("2026-12-03 17:30")
    assert remind(site) == 2
    message = Message.get(Message.channel == "telegram")
    assert message.expires_at == ChangeRequest.get().due_at
    asked("other", "2026-12-02 10:00")
    at("2026-12-03 18:01")
    assert remind(site) == 0


def test_of_what_is_done_nobody_is_told(site, asked, at, sherzod):
    made = asked("other", "2026-12-02 10:00")
    changes.do("accept", made, sherzod, 1)
    changes.do("finish", made, sherzod, 2, "Tayyor")
    at("2026-12-03 10:00")
    assert remind(site) == 0


def test_what_was_written_stays_in_the_box(site, asked, at):
    made = asked("other", "2026-12-02 10:00")
    at("2026-12-03 10:00")
    remind(site)
    group, sms = (message.text for message in Message.select().order_by(Message.id))
    assert group == (
        f"{made.id}-oʻzgartirish soʻrovi (Boshqa oʻzgartirish): muddati 03.12.2026 18:00 da "
        f"tugaydi. {site.web.url}/changes/{made.id}"
    )
    assert "Другое изменение" in sms
    for text in (group, sms):
        assert "Lola" not in text
        assert "998935550147" not in text


def test_without_phones_of_the_alarms_the_duty_list_is_told(site, asked, at):
    asked("other", "2026-12-02 10:00")
    at("2026-12-03 10:00")
    assert remind(dataclasses.replace(site, alarms=Alarms(), telegram=None)) == 1
    assert told() == [("sms", "+998904445566")]


def test_the_timetable_has_it_where_somebody_can_be_told(site, settings):
    assert "changes" in {job.name for job in timetable.of(site)}
    bare = dataclasses.replace(settings, sms=(), telegram=None)
    assert "changes" not in {job.name for job in timetable.of(bare)}
    [job] = [one for one in jobs.jobs(site, lambda: True) if one.name == "changes"]
    assert job.do() == 0
