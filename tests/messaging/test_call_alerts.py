"""Alerts about calls on form №2: for which calls, when, to whom, and how they are escalated."""

import dataclasses
import datetime as dt
from functools import partial

import pytest

from appliance.casework import call_forms, catalogs, hooks
from appliance.casework.appeals import registering
from appliance.casework.forms import drafts
from appliance.core import clock
from appliance.core.settings import Duty, SmsAccount
from appliance.core.settings import Telegram as Bot
from appliance.messaging.casework_hooks import connect_hooks
from appliance.messaging.notices import call_alerts, duty
from appliance.messaging.telegram.bot_api import BotApiClient
from appliance.messaging.telegram.courier import TelegramCourier, UpdateReader
from appliance.models import AuditEntry, Call, CallForm, Message, Talk, User
from tests.messaging.test_telegram import GROUP, MADINA, SUNDAY, press_update
from tests.rig.appeals import FULL_FORM
from tests.rig.fakes.telegram import BOT_TOKEN, run_bot_api

FORM_VALUES = {
    "surname": "Yoʻldosheva",
    "first_name": "Gulchehra",
    "region": "1718",
    "call_type": "question",
    "direction": "labour_violation",
    "gist": "Yoʻldosheva ish haqini olmagan, tel 93 555 01 47",
}


@pytest.fixture
def fake_telegram():
    with run_bot_api() as running:
        yield running


@pytest.fixture
def site(settings, fake_telegram):
    return dataclasses.replace(
        settings,
        telegram=Bot(token=BOT_TOKEN, chat=GROUP, url=fake_telegram.url),
        duty=(Duty("Madina", MADINA, "+998901112233"), Duty("Jasur", 0, "+998904445566")),
        sms=(SmsAccount("eskiz", "eskiz", fake_telegram.url, "user", "secret", "4546"),),
    )


class ManualClock:
    """The site's clock, which changes only when a test advances it."""

    def __init__(self, local: str, tz: dt.tzinfo) -> None:
        self.now = dt.datetime.fromisoformat(local).replace(tzinfo=tz).astimezone(dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now

    def advance(self, minutes: float) -> None:
        self.now += dt.timedelta(minutes=minutes)


@pytest.fixture
def ticks(site, monkeypatch) -> ManualClock:
    manual_clock = ManualClock(SUNDAY, site.tz)
    monkeypatch.setattr(clock, "now", manual_clock)
    return manual_clock


def create_answered_call(operator: User) -> Call:
    """Create a call that the operator has just answered."""
    call = Call.create(
        id=f"night.{Call.select().count()}",
        direction="inbound",
        arrived_at=clock.now(),
        ended_at=clock.now(),
        stage="ended",
        outcome="answered",
        caller="+998935550147",
    )
    talk_values = {"party": "operator", "who": operator.login}
    Talk.create(
        call=call, position=0, started_at=call.arrived_at, ended_at=call.ended_at, **talk_values
    )
    return call


@pytest.fixture
def register(site, nilufar, ticks):
    """Register a call without an appeal on form №2, at the time of the clock."""

    def register_call(operator: User = nilufar, **values: str) -> CallForm:
        call = create_answered_call(operator)
        hooks.call_registered.connect(partial(duty.alert_call, site))
        return call_forms.register(
            FORM_VALUES | values,
            operator=operator,
            token=drafts.token_for(operator, call),
            tz=site.tz,
        )

    call_alerts.set_alert_directions({"labour_violation"}, "malika")
    return register_call


def queued_messages() -> list[tuple[str, str]]:
    return [(m.channel, m.recipient) for m in Message.select().order_by(Message.id)]


@pytest.mark.parametrize(
    ("local", "direction", "alerted"),
    [
        (SUNDAY, "labour_violation", True),
        ("2026-11-20 18:00:00", "labour_violation", True),  # Friday, when the office closes
        ("2026-11-20 17:59:59", "labour_violation", False),
        (SUNDAY, "other", False),  # not selected
        (SUNDAY, "", False),
    ],
)
def test_calls_of_selected_directions_are_alerted_only_out_of_hours(
    site, register, ticks, local, direction, alerted
) -> None:
    ticks.now = ManualClock(local, site.tz).now
    form = register(direction=direction)
    assert queued_messages() == ([("telegram", str(GROUP))] if alerted else [])
    assert (call_alerts.find_call_alert(form.number) is not None) == alerted


def test_nothing_is_alerted_while_no_direction_is_selected(site, register) -> None:
    call_alerts.set_alert_directions(set(), "malika")
    register()
    assert queued_messages() == []


def test_the_group_receives_gist_and_masked_phone_but_no_name(
    site, register, fake_telegram
) -> None:
    form = register()
    TelegramCourier(BotApiClient(fake_telegram.url, BOT_TOKEN)).send_due()
    [(chat, text, buttons)] = fake_telegram.messages
    assert (chat, buttons) == (GROUP, [f"take:{form.number}"])
    assert form.number in text
    assert "ish haqini olmagan" in text
    assert "+99893 *** ** 47" in text
    assert not {"Yoʻldosheva", "Gulchehra", "555"} & set(text.replace(",", " ").split())
    assert "555" not in text


def test_an_appeal_of_the_call_creates_no_second_alert(site, register, nilufar, ticks) -> None:
    call = create_answered_call(nilufar)
    hooks.appeal_registered.connect(partial(duty.alert_appeal, site))
    registering.register(
        FULL_FORM | {"direction": "labour_violation"},
        operator=nilufar,
        token=drafts.token_for(nilufar, call),
        tz=site.tz,
        calendar=catalogs.working_calendar(site),
    )
    assert CallForm.select().where(CallForm.call_id == call.id).exists()
    assert queued_messages() == [("telegram", str(GROUP))]


def test_an_untaken_alert_goes_to_the_duty_list_and_then_to_all_by_sms(
    site, register, ticks
) -> None:
    register()
    assert duty.escalate_alerts(site) == 0
    ticks.advance(minutes=15)
    assert duty.escalate_alerts(site) == 1
    assert queued_messages()[-1] == ("telegram", str(MADINA))
    assert duty.escalate_alerts(site) == 0
    ticks.advance(minutes=15)
    assert duty.escalate_alerts(site) == 1
    assert queued_messages()[-2:] == [("sms", "+998901112233"), ("sms", "+998904445566")]
    for _ in range(3):
        ticks.advance(minutes=15)
        assert duty.escalate_alerts(site) == 0
    assert len(queued_messages()) == 4


def test_a_call_that_became_an_appeal_is_not_escalated(site, register, ticks) -> None:
    form = register()
    CallForm.update(appeal_number="2026-000001").where(CallForm.id == form.id).execute()
    ticks.advance(minutes=15)
    assert duty.escalate_alerts(site) == 0


def test_the_first_to_press_takes_the_call_and_is_shown_on_its_page(
    site, register, fake_telegram, login_as
) -> None:
    form = register()
    page = f"/call-forms/{form.number}"
    fake_telegram.updates = [
        press_update(1, form.number, chat=-1, name="Stranger"),
        press_update(2, form.number, name="Aziza"),
        press_update(3, form.number, name="Bekzod"),
        press_update(4, "Q-2026-999999"),
    ]
    UpdateReader(BotApiClient(fake_telegram.url, BOT_TOKEN), site, poll_seconds=0).process_updates()
    assert [("Aziza" in text) for text in fake_telegram.callback_answers] == [True, True, False]
    alert = call_alerts.find_call_alert(form.number)
    assert alert
    assert (alert.taken_by, alert.taken_at) == ("Aziza", clock.now())
    entry = AuditEntry.get(AuditEntry.action == "call_form.duty")
    assert (entry.who, entry.subject) == ("telegram:Aziza", form.number)
    assert "Aziza" in login_as("supervisor").get(page).text


def test_taking_a_call_ends_its_escalation(site, register, ticks) -> None:
    form = register()
    assert duty.take_over_alert(site, form.number, "Aziza") == "Aziza"
    ticks.advance(minutes=15)
    assert duty.escalate_alerts(site) == 0


def test_alerts_of_many_calls_and_appeals_are_merged(site, register, ticks, fake_telegram) -> None:
    numbers = [register().number for _ in range(5)]
    TelegramCourier(BotApiClient(fake_telegram.url, BOT_TOKEN)).send_due()
    [(_, text, buttons)] = fake_telegram.messages
    assert buttons == [f"take:{number}" for number in numbers]
    assert text.count("ish haqini olmagan") == 5


def test_the_manager_selects_directions_and_operators_need_do_nothing(
    site, app, login_as, nilufar, ticks
) -> None:
    app.config["SITE"] = site
    connect_hooks(site)
    manager, operator = login_as("manager"), login_as(nilufar.login)
    assert manager.send("/notices/calls", direction="no_such_topic").status_code == 400
    directions = ["labour_violation", "pregnancy_violation"]
    assert manager.send("/notices/calls", direction=directions).status_code == 302
    page = manager.get("/notices").text
    assert [f'value="{code}" checked' in page for code in (*directions, "other")] == [
        True,
        True,
        False,
    ]
    assert AuditEntry.get(AuditEntry.action == "notice.calls").detail == {"directions": directions}
    for direction in ("labour_violation", "other"):
        token = drafts.token_for(nilufar, create_answered_call(nilufar))
        sent = {"values": FORM_VALUES | {"direction": direction}, "form": "2"}
        headers = {"X-CSRFToken": operator.token("/operator")}
        path = f"/operator/forms/{token}/register-call"
        answer = operator.post(path, json=sent, headers=headers)
        assert answer.status_code == 200
    assert queued_messages() == [("telegram", str(GROUP))]
    manager.send("/notices/calls")
    assert call_alerts.alert_directions() == set()
