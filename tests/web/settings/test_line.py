"""The telephony shown as the stages of a call, and the rehearsal of a call."""

import dataclasses
import datetime as dt

import pytest

from appliance.pbx import actions
from appliance.pbx.actions import RehearsalEvent
from appliance.telephony import routing

CALL_QUERY = {
    "from": "90 111 22 33",
    "number": "1282",
    "date": "05.12.2026",
    "time": "22:30",
    "keys": "2",
}


def test_each_stage_links_to_its_settings(login_as, settings) -> None:
    topic = routing.Topic("1", "Ish", "Работа", "jobs", "own_queue")
    hours = routing.Hours(closed=True)
    current = dataclasses.replace(routing.current_plan(settings), topics=(topic,), hours=hours)
    routing.save_plan(current, "sherzod")
    page = login_as("manager").get("/telephony").text
    boxes = page.split('<ol class="road"')[1].split("</ol>")[0]
    sections = ("numbers", "topics", "queues", "callback")
    assert all(f'href="/telephony/{section}"' in boxes for section in sections)
    assert "1: Ish" in boxes
    assert "Oʻzbekcha, jobs" in boxes
    assert "09:00–18:00" in boxes


def test_described_call_is_rehearsed(login_as, settings, monkeypatch) -> None:
    calls = []

    def rehearse(_site, call):
        calls.append(call)
        return [
            RehearsalEvent("prompts", "greeting notice", "uz"),
            RehearsalEvent("key", "2"),
            RehearsalEvent("language", "ru"),
            RehearsalEvent("queue", "ru"),
            RehearsalEvent("queue", "any"),
        ]

    monkeypatch.setattr(actions, "rehearse_call", rehearse)
    page = login_as("technician").get("/telephony/try", query_string=CALL_QUERY).text
    [call] = calls
    assert (call.caller, call.dialled, call.keys) == ("+998901112233", "1282", "2")
    assert call.at == dt.datetime(2026, 12, 5, 22, 30, tzinfo=settings.tz)
    course = page.split('id="road"')[1].split("</ol>")[0]
    assert "Salomlashuv, Yozib olish haqida ogohlantirish" in course
    assert "Navbat: Ruscha" in course
    assert "koʻpi bilan 60 s" in course
    assert 'value="90 111 22 33"' in page


@pytest.mark.parametrize("moment", [{"date": "32.12.2026"}, {"time": "25:00"}, {"date": ""}])
def test_invalid_date_or_time_is_reported(login_as, moment) -> None:
    answer = login_as("manager").get("/telephony/try", query_string=CALL_QUERY | moment)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
