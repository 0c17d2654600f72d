"""Before the deadline of a change request, the group and the technicians are reminded once."""

import dataclasses
import datetime as dt

import pytest

from appliance.box import timetable
from appliance.casework import catalogs
from appliance.casework.changes import requests
from appliance.core import clock
from appliance.core.settings import Alarms, Duty, SmsAccount, Telegram
from appliance.jobs import timetable as jobs
from appliance.messaging.notices.changes import send_reminders
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
def set_clock(site, monkeypatch):
    """Set the clock to a local time of the site."""

    def set_clock(moment: str) -> None:
        now = dt.datetime.fromisoformat(moment).replace(tzinfo=site.tz).astimezone(dt.UTC)
        monkeypatch.setattr(clock, "now", lambda: now)

    return set_clock


@pytest.fixture
def create_request(site, bahodir, set_clock):
    """Create a change request at the given time."""

    def create_request(kind: str, moment: str) -> ChangeRequest:
        set_clock(moment)
        calendar = catalogs.working_calendar(site)
        return requests.create_change_request(
            bahodir, kind, "Lola Rashidova +998935550147", "Sabab", calendar
        )

    return create_request


def queued_messages() -> list[tuple[str, str]]:
    return [(m.channel, m.recipient) for m in Message.select().order_by(Message.id)]


def test_a_reminder_is_sent_once_and_in_time(site, create_request, set_clock):
    create_request("interface", "2026-12-02 10:00")  # until Saturday the 12th, a working day
    reminded = {}
    for moment in ("2026-12-10 17:59", "2026-12-11 08:59", "2026-12-11 09:00", "2026-12-12 10:00"):
        set_clock(moment)
        reminded[moment[8:13]] = send_reminders(site)
    assert reminded == {"10 17": 0, "11 08": 0, "11 09": 1, "12 10": 0}
    assert queued_messages() == [("telegram", str(GROUP)), ("sms", "+998901112233")]


def test_a_one_day_request_is_reminded_in_the_morning(site, create_request, set_clock):
    create_request("other", "2026-12-07 10:00")  # the 8th is a holiday
    assert send_reminders(site) == 0
    set_clock("2026-12-09 09:00")
    assert send_reminders(site) == 1


def test_a_box_that_was_off_reminds_until_the_deadline(site, create_request, set_clock):
    for _number in range(2):
        create_request("other", "2026-12-02 10:00")
    set_clock("2026-12-03 17:30")
    assert send_reminders(site) == 2
    message = Message.get(Message.channel == "telegram")
    assert message.expires_at == ChangeRequest.get().due_at
    create_request("other", "2026-12-02 10:00")
    set_clock("2026-12-03 18:01")
    assert send_reminders(site) == 0


def test_a_finished_request_is_not_reminded(site, create_request, set_clock, sherzod):
    request = create_request("other", "2026-12-02 10:00")
    requests.perform_request_action("accept", request, sherzod, 1)
    requests.perform_request_action("finish", request, sherzod, 2, "Tayyor")
    set_clock("2026-12-03 10:00")
    assert send_reminders(site) == 0


def test_the_reminder_does_not_contain_the_text_of_the_request(site, create_request, set_clock):
    request = create_request("other", "2026-12-02 10:00")
    set_clock("2026-12-03 10:00")
    send_reminders(site)
    group, sms = (message.text for message in Message.select().order_by(Message.id))
    assert group == (
        f"{request.id}-oʻzgartirish soʻrovi (Boshqa oʻzgartirish): muddati 03.12.2026 18:00 da "
        f"tugaydi. {site.web.url}/changes/{request.id}"
    )
    assert "Другое изменение" in sms
    for text in (group, sms):
        assert "Lola" not in text
        assert "998935550147" not in text


def test_without_alarm_phones_the_duty_list_is_reminded(site, create_request, set_clock):
    create_request("other", "2026-12-02 10:00")
    set_clock("2026-12-03 10:00")
    assert send_reminders(dataclasses.replace(site, alarms=Alarms(), telegram=None)) == 1
    assert queued_messages() == [("sms", "+998904445566")]


def test_the_timetable_has_the_reminder_only_where_messages_can_be_sent(site, settings):
    assert "changes" in {job.name for job in timetable.site_jobs(site)}
    bare = dataclasses.replace(settings, sms=(), telegram=None)
    assert "changes" not in {job.name for job in timetable.site_jobs(bare)}
    [job] = [
        job_row for job_row in jobs.scheduled_jobs(site, lambda: True) if job_row.name == "changes"
    ]
    assert job.action() == 0
