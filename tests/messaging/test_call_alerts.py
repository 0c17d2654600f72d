"""Alerts of calls on form №2: of which, when, who takes them, whom they are passed on to."""

import dataclasses
import datetime as dt

import pytest

from appliance.casework import appeals, call_forms, catalogs
from appliance.core import clock
from appliance.core.settings import Duty, SmsAccount
from appliance.core.settings import Telegram as Bot
from appliance.messaging import notices
from appliance.messaging.notices import call_alerts, duty
from appliance.messaging.telegram.bot_api import Telegram
from appliance.messaging.telegram.courier import Courier, Reader
from appliance.models import AuditEntry, Call, CallForm, Message, Talk, User
from tests.casework.test_appeals import FULL
from tests.messaging.test_telegram import GROUP, MADINA, SUNDAY, press
from tests.rig.fakes.telegram import TOKEN, chats

FORM = {
    "surname": "Yoʻldosheva",
    "first_name": "Gulchehra",
    "region": "1718",
    "call_type": "question",
    "direction": "labour_violation",
    "gist": "Yoʻldosheva ish haqini olmagan, tel 93 555 01 47",
}


@pytest.fixture
def far():
    with chats() as running:
        yield running


@pytest.fixture
def site(settings, far):
    return dataclasses.replace(
        settings,
        telegram=Bot(token=TOKEN, chat=GROUP, url=far.url),
        duty=(Duty("Madina", MADINA, "+998901112233"), Duty("Jasur", 0, "+998904445566")),
        sms=(SmsAccount("eskiz", "eskiz", far.url, "user", "secret", "4546"),),
    )


class Ticks:
    """The site's clock, which stands until it is moved."""

    def __init__(self, local: str, tz: dt.tzinfo) -> None:
        self.now = dt.datetime.fromisoformat(local).replace(tzinfo=tz).astimezone(dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now

    def on(self, minutes: float) -> None:
        self.now += dt.timedelta(minutes=minutes)


@pytest.fixture
def ticks(site, monkeypatch) -> Ticks:
    made = Ticks(SUNDAY, site.tz)
    monkeypatch.setattr(clock, "now", made)
    return made


def answered(operator: User) -> Call:
    """A call that the operator has just answered."""
    call = Call.create(
        id=f"night.{Call.select().count()}",
        direction="inbound",
        arrived_at=clock.now(),
        ended_at=clock.now(),
        stage="ended",
        outcome="answered",
        caller="+998935550147",
    )
    spoke = {"party": "operator", "who": operator.login}
    Talk.create(call=call, position=0, started_at=call.arrived_at, ended_at=call.ended_at, **spoke)
    return call


@pytest.fixture
def register(site, nilufar, ticks):
    """Register a call of its own on form №2, at the clock's moment."""

    def registered(operator: User = nilufar, **values: str) -> CallForm:
        call = answered(operator)
        calendar = catalogs.working_calendar(site)
        return call_forms.register(
            FORM | values,
            operator=operator,
            token=appeals.token_for(operator, call),
            tz=site.tz,
            tell=lambda form: notices.alert_call(site, calendar, form),
        )

    call_alerts.choose({"labour_violation"}, "malika")
    return registered


def asked() -> list[tuple[str, str]]:
    return [(m.channel, m.recipient) for m in Message.select().order_by(Message.id)]


@pytest.mark.parametrize(
    ("local", "direction", "alerted"),
    [
        (SUNDAY, "labour_violation", True),
        ("2026-11-20 18:00:00", "labour_violation", True),  # Friday, the office closes
        ("2026-11-20 17:59:59", "labour_violation", False),
        (SUNDAY, "other", False),  # not chosen
        (SUNDAY, "", False),
    ],
)
def test_calls_of_chosen_topics_are_told_out_of_hours_only(
    site, register, ticks, local, direction, alerted
) -> None:
    ticks.now = Ticks(local, site.tz).now
    made = register(direction=direction)
    assert asked() == ([("telegram", str(GROUP))] if alerted else [])
    assert (call_alerts.alert_of(made.number) is not None) == alerted


def test_nothing_is_told_while_nothing_is_chosen(site, register) -> None:
    call_alerts.choose(set(), "malika")
    register()
    assert asked() == []


def test_the_group_reads_gist_and_masked_phone_and_no_name(site, register, far) -> None:
    made = register()
    Courier(Telegram(far.url, TOKEN)).send_due()
    [(chat, text, buttons)] = far.took
    assert (chat, buttons) == (GROUP, [f"take:{made.number}"])
    assert made.number in text
    assert "ish haqini olmagan" in text
    assert "+99893 *** ** 47" in text
    assert not {"Yoʻldosheva", "Gulchehra", "555"} & set(text.replace(",", " ").split())
    assert "555" not in text


def test_an_appeal_of_the_call_makes_no_second_alert(site, register, nilufar, ticks) -> None:
    call = answered(nilufar)
    calendar = catalogs.working_calendar(site)
    appeals.register(
        FULL | {"direction": "labour_violation"},
        operator=nilufar,
        token=appeals.token_for(nilufar, call),
        tz=site.tz,
        calendar=calendar,
        tell=lambda appeal: notices.alert(site, calendar, appeal),
    )
    assert CallForm.select().where(CallForm.call_id == call.id).exists()
    assert asked() == [("telegram", str(GROUP))]


def test_nobody_takes_it_so_the_duty_list_is_asked_then_all_by_sms(site, register, ticks) -> None:
    register()
    assert duty.escalate(site) == 0
    ticks.on(minutes=15)
    assert duty.escalate(site) == 1
    assert asked()[-1] == ("telegram", str(MADINA))
    assert duty.escalate(site) == 0
    ticks.on(minutes=15)
    assert duty.escalate(site) == 1
    assert asked()[-2:] == [("sms", "+998901112233"), ("sms", "+998904445566")]
    for _ in range(3):
        ticks.on(minutes=15)
        assert duty.escalate(site) == 0
    assert len(asked()) == 4


def test_a_call_that_became_an_appeal_is_asked_about_no_more(site, register, ticks) -> None:
    made = register()
    CallForm.update(appeal_number="2026-000001").where(CallForm.id == made.id).execute()
    ticks.on(minutes=15)
    assert duty.escalate(site) == 0


def test_the_first_who_presses_has_it_and_it_stands_on_the_call(
    site, register, far, login_as
) -> None:
    made = register()
    page = f"/call-forms/{made.number}"
    far.updates = [
        press(1, made.number, chat=-1, name="Stranger"),
        press(2, made.number, name="Aziza"),
        press(3, made.number, name="Bekzod"),
        press(4, "Q-2026-999999"),
    ]
    Reader(Telegram(far.url, TOKEN), site, wait=0).read()
    assert [("Aziza" in text) for text in far.told] == [True, True, False]
    alert = call_alerts.alert_of(made.number)
    assert alert
    assert (alert.taken_by, alert.taken_at) == ("Aziza", clock.now())
    entry = AuditEntry.get(AuditEntry.action == "call_form.duty")
    assert (entry.who, entry.subject) == ("telegram:Aziza", made.number)
    assert "Aziza" in login_as("supervisor").get(page).text


def test_who_took_it_ends_the_asking(site, register, ticks) -> None:
    made = register()
    assert duty.take(site, made.number, "Aziza") == "Aziza"
    ticks.on(minutes=15)
    assert duty.escalate(site) == 0


def test_many_calls_and_appeals_are_merged(site, register, ticks, far) -> None:
    numbers = [register().number for _ in range(5)]
    Courier(Telegram(far.url, TOKEN)).send_due()
    [(_, text, buttons)] = far.took
    assert buttons == [f"take:{number}" for number in numbers]
    assert text.count("ish haqini olmagan") == 5


def test_the_manager_chooses_the_topics_and_the_operator_has_nothing_to_do(
    site, app, login_as, nilufar, ticks
) -> None:
    app.config["SITE"] = site
    manager, operator = login_as("manager"), login_as(nilufar.login)
    assert manager.send("/notices/calls", direction="no_such_topic").status_code == 400
    chosen = ["labour_violation", "pregnancy_violation"]
    assert manager.send("/notices/calls", direction=chosen).status_code == 302
    page = manager.get("/notices").text
    assert [f'value="{code}" checked' in page for code in (*chosen, "other")] == [True, True, False]
    assert AuditEntry.get(AuditEntry.action == "notice.calls").detail == {"directions": chosen}
    for direction in ("labour_violation", "other"):
        token = appeals.token_for(nilufar, answered(nilufar))
        sent = {"values": FORM | {"direction": direction}, "form": "2"}
        headers = {"X-CSRFToken": operator.token("/operator")}
        path = f"/operator/forms/{token}/register-call"
        answer = operator.post(path, json=sent, headers=headers)
        assert answer.status_code == 200
    assert asked() == [("telegram", str(GROUP))]
    manager.send("/notices/calls")
    assert call_alerts.directions() == set()
