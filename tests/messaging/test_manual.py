"""Short messages by hand: whom they go to, what fills them, what hinders them, and that each goes
once whatever the service does."""

import dataclasses
import datetime as dt

import pytest

from appliance.casework import appeals, catalogs
from appliance.core import clock, outbox
from appliance.core.settings import Messages, Settings, SmsAccount
from appliance.messaging import notices
from appliance.messaging.notices import manual, templates, texts
from appliance.messaging.notices.manual import Subject
from appliance.messaging.notices.templates import Template
from appliance.messaging.sms.accounts import gateways
from appliance.messaging.sms.sender import Senders
from appliance.models import AuditEntry, Message, SmsTemplate, User
from tests.casework.test_appeals import FULL
from tests.rig.citizen import PHONE, Citizen
from tests.rig.fakes.sms import service

OTHER = "+998901112233"


@pytest.fixture
def site(settings) -> Settings:
    """A site with an account that nobody asks."""
    return dataclasses.replace(settings, sms=(SmsAccount("first", "eskiz", "http://x", price=95),))


@pytest.fixture
def subject(site) -> Subject:
    return Subject("1.1", PHONE, "uz", {"uz": {}, "ru": {}})


@pytest.fixture
def template(settings) -> SmsTemplate:
    text = Template("Manzil", "{name}, {region}: {number}", "{name}, {region}: {number}")
    return templates.save(settings, text, "sherzod")


def write(site, subject, text="Salom", number=PHONE, sending="1", **more) -> Message:
    return manual.write(site, subject, text, number, "nilufar", sending, **more)


def desk_of(operator: User) -> appeals.Desk:
    desk = appeals.at_hand(operator, clock.now())
    assert desk
    return desk


def register(site, operator: User, token: str, **values):
    calendar = catalogs.working_calendar(site)
    return appeals.register(
        FULL | values, operator=operator, token=token, tz=site.tz, calendar=calendar
    )


def test_sent_twice_it_goes_once_and_is_written_down(site, subject) -> None:
    first = write(site, subject, "Salom  gʻoz")
    assert write(site, subject, "Salom gʻoz").id == first.id
    assert (first.purpose, first.cause, first.text) == ("manual", "1.1", "Salom g'oz")
    assert AuditEntry.select().where(AuditEntry.action == "sms.write").count() == 1
    assert write(site, subject, "Yana").id != first.id  # changed after an answer that was lost
    assert write(site, subject, "Salom gʻoz", sending="2").id != first.id


@pytest.mark.parametrize(
    ("text", "number", "code"),
    [
        (" ", PHONE, "empty"),
        ("я" * 300, PHONE, "long"),
        ("Murojaat {number}", PHONE, "unfilled"),
        ("Salom", "", "nobody"),
        ("Salom", "raqam", "phone"),
        ("Salom", "71 239 41 41", "nobody"),
        ("Salom", OTHER, "unwanted"),
    ],
)
def test_what_hinders_it_is_said_before_and_when_it_is_sent(
    site, subject, text: str, number: str, code: str
) -> None:
    notices.opt_out(OTHER, "sherzod")
    assert manual.preview(site, subject, text, number).trouble == code
    with pytest.raises(texts.TextError) as error:
        write(site, subject, text, number)
    assert error.value.code == code
    assert not Message.select().exists()


def test_a_site_without_an_account_sends_nothing(settings, subject) -> None:
    assert manual.preview(settings, subject, "Salom", PHONE).trouble == "nobody"


def test_parts_and_price_are_told(site, subject) -> None:
    seen = manual.preview(site, subject, "я" * 71, "93 555 01 47")
    assert (seen.parts, seen.price, seen.trouble, seen.due_at) == (2, 190, "", None)
    assert manual.preview(site, subject, " ", PHONE).parts == 0


def test_beyond_the_days_messages_it_waits_and_that_is_told(site, subject, at_noon) -> None:
    site = dataclasses.replace(site, messages=Messages(per_number=2))
    for sending in "12":
        assert manual.preview(site, subject, "Salom", PHONE).due_at is None
        assert write(site, subject, sending=sending).due_at == at_noon
    seen = manual.preview(site, subject, "Salom", PHONE)
    assert seen.trouble == ""
    assert seen.due_at == at_noon + dt.timedelta(days=1)
    assert write(site, subject, sending="3").due_at == seen.due_at
    assert manual.preview(site, subject, "Salom", OTHER).due_at is None


def test_a_number_that_wants_none_meanwhile_gets_none(site, subject) -> None:
    message = write(site, subject)
    notices.opt_out(PHONE, "sherzod")
    Senders(gateways(site)).send_due()
    ended = Message.get_by_id(message.id)
    assert (ended.state, ended.trouble) == ("refused", "unwanted")


def test_during_the_call_the_draft_fills_it(site, nilufar, template) -> None:
    Citizen("1764000000.1").ring(nilufar)
    desk = desk_of(nilufar)
    assert manual.of_desk(site, desk).number == PHONE
    empty = manual.fill(manual.of_desk(site, desk), template, "uz")
    assert empty == "{name}, {region}: {number}"
    typed = {"first_name": "Gulchehra", "surname": "Yoʻldosheva", "region": "1718"}
    appeals.save_draft(nilufar, desk.token, typed)
    about = manual.of_desk(site, desk_of(nilufar))
    assert about.cause == "1764000000.1"
    assert manual.fill(about, template, "uz") == (
        "Gulchehra Yo'ldosheva, Samarqand viloyati: {number}"
    )
    assert "Самаркандская" in manual.fill(about, template, "ru")
    company = {"applicant_kind": "entity", "entity_name": "Nur MCHJ", "first_name": "Aziza"}
    appeals.save_draft(nilufar, desk.token, company)
    assert manual.fill(manual.of_desk(site, desk_of(nilufar)), template, "uz").startswith("Nur")


def test_registered_it_is_filled_whole_and_stands_on_the_card(site, nilufar, template) -> None:
    Citizen("1764000000.1").ring(nilufar)
    desk = desk_of(nilufar)
    before = write(site, manual.of_desk(site, desk), "Oldin", OTHER)
    appeal = register(site, nilufar, desk.token)
    about = manual.of_appeal(site, appeal)
    assert appeal.number in manual.fill(about, template, "ru")
    call = manual.of_call(site, desk.call)
    assert call.values == about.values
    after = write(site, about, "Keyin", sending="2")
    asked = outbox.put_sms("rating", PHONE, "x", key="3", cause="1764000000.1", tz=site.tz)
    assert notices.of_appeal(appeal) == [after, before]  # the link for a mark is the caller's
    assert manual.sent_about("1764000000.1", [appeal]) == [asked, after, before]


def test_of_a_form_without_a_call_it_stands_at_what_the_form_becomes(site, nilufar) -> None:
    token = appeals.token_for(nilufar, None)
    desk = appeals.of_form(nilufar, token)
    assert manual.of_desk(site, desk).number == ""
    appeals.save_draft(nilufar, token, {"phone": "93 555 01 47"})
    about = manual.of_desk(site, appeals.of_form(nilufar, token))
    assert about.number == PHONE
    message = write(site, about)
    assert manual.sent_about(None, [], token) == [message]
    appeal = register(site, nilufar, token)
    assert notices.of_appeal(appeal) == [message]
    assert manual.of_desk(site, appeals.of_registered(nilufar, token)).cause == token


def test_a_template_sent_as_it_is_names_itself_to_the_services(site, subject, template) -> None:
    text = manual.fill(subject, template, "uz").format(name="Aziza", region="x", number="1")
    changed = write(site, subject, text, template=template, language="uz")
    assert changed.payload == {}
    values = {"name": "Aziza", "region": "x", "number": "1"}
    whole = dataclasses.replace(subject, values={"uz": values, "ru": values})
    sent = write(site, whole, text, sending="2", template=template, language="uz")
    assert sent.payload["text_of"] == templates.purpose(template.id)
    assert sent.payload["template"] == template.uz


@pytest.mark.parametrize(
    ("mood", "state", "took"), [("ok", "sent", 1), ("declined", "refused", 0), ("lost", "sent", 2)]
)
def test_what_became_of_it_stands_at_the_call(
    settings, subject, monkeypatch, mood: str, state: str, took: int
) -> None:
    with service() as far:
        account = SmsAccount("first", "eskiz", far.url, "user", "secret", "4546")
        site = dataclasses.replace(settings, sms=(account,))
        message = write(site, subject)
        far.moods = [mood]
        senders = Senders(gateways(site))
        senders.send_due()
        if mood == "lost":  # the service took it, and its answer never came
            later = clock.now() + dt.timedelta(minutes=10)
            monkeypatch.setattr(clock, "now", lambda: later)
            senders.send_due()
        assert [text for _number, text in far.took] == ["Salom"] * took
    [shown] = manual.sent_about("1.1", [])
    assert (shown.id, shown.state) == (message.id, state)
    assert shown.perhaps_twice == (mood == "lost")
