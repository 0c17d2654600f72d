"""Manual messages: recipients, placeholders, obstacles; sent once whatever the service does."""

import dataclasses
import datetime as dt

import pytest

from appliance.casework.appeals import desk as appeal_desk
from appliance.casework.appeals.desk import (
    OperatorDesk,
    desk_for_registered_form,
    desk_for_unregistered_form,
)
from appliance.casework.forms import drafts
from appliance.core import clock, outbox
from appliance.core.refusals import Refused
from appliance.core.settings import Messages, Settings, SmsAccount
from appliance.messaging.notices import citizens, manual, templates
from appliance.messaging.notices.manual import Subject
from appliance.messaging.notices.templates import Template
from appliance.messaging.sms.accounts import build_gateways
from appliance.messaging.sms.sender import SmsSender
from appliance.models import AuditEntry, Message, SmsTemplate, User
from tests.rig.appeals import FULL_FORM, create_appeal
from tests.rig.citizen import CITIZEN_NUMBER, Citizen
from tests.rig.fakes.sms import run_sms_service

OTHER_NUMBER = "+998901112233"


@pytest.fixture
def site(settings) -> Settings:
    """A site with an account that no test contacts."""
    return dataclasses.replace(settings, sms=(SmsAccount("first", "eskiz", "http://x", price=95),))


@pytest.fixture
def subject(site) -> Subject:
    return Subject("1.1", CITIZEN_NUMBER, "uz", {"uz": {}, "ru": {}})


@pytest.fixture
def template(settings) -> SmsTemplate:
    text = Template("Manzil", "{name}, {region}: {number}", "{name}, {region}: {number}")
    return templates.save_template(settings, text, "sherzod")


def write_message(
    site, subject, text="Salom", number=CITIZEN_NUMBER, sending="1", **more
) -> Message:
    return manual.queue_manual_message(site, subject, text, number, "nilufar", sending, **more)


def current_desk(operator: User) -> OperatorDesk:
    desk = appeal_desk.current_desk(operator, clock.now())
    assert desk
    return desk


def register_appeal(site, operator: User, token: str, **values):
    return create_appeal(site, operator, FULL_FORM | values, token=token)


def test_a_message_submitted_twice_is_sent_once_and_audited(site, subject) -> None:
    first = write_message(site, subject, "Salom  gʻoz")
    assert write_message(site, subject, "Salom gʻoz").id == first.id
    assert (first.purpose, first.cause, first.text) == ("manual", "1.1", "Salom g'oz")
    assert AuditEntry.select().where(AuditEntry.action == "sms.write").count() == 1
    assert write_message(site, subject, "Yana").id != first.id  # changed after a lost answer
    assert write_message(site, subject, "Salom gʻoz", sending="2").id != first.id


@pytest.mark.parametrize(
    ("text", "number", "code"),
    [
        (" ", CITIZEN_NUMBER, "empty"),
        ("я" * 300, CITIZEN_NUMBER, "long"),
        ("Murojaat {number}", CITIZEN_NUMBER, "unfilled"),
        ("Salom", "", "nobody"),
        ("Salom", "raqam", "phone"),
        ("Salom", "71 239 41 41", "nobody"),
        ("Salom", OTHER_NUMBER, "unwanted"),
    ],
)
def test_obstacles_are_reported_in_the_preview_and_when_sending(
    site, subject, text: str, number: str, code: str
) -> None:
    citizens.opt_out_number(OTHER_NUMBER, "sherzod")
    assert manual.preview_message(site, subject, text, number).trouble == code
    with pytest.raises(Refused) as error:
        write_message(site, subject, text, number)
    assert error.value.code == code
    assert not Message.select().exists()


def test_a_site_without_an_account_sends_nothing(settings, subject) -> None:
    assert manual.preview_message(settings, subject, "Salom", CITIZEN_NUMBER).trouble == "nobody"


def test_the_preview_contains_parts_and_price(site, subject) -> None:
    preview = manual.preview_message(site, subject, "я" * 71, "93 555 01 47")
    assert (preview.parts, preview.price, preview.trouble, preview.due_at) == (2, 190, "", None)
    assert manual.preview_message(site, subject, " ", CITIZEN_NUMBER).parts == 0


def test_a_message_beyond_the_daily_limit_waits_and_the_preview_says_so(
    site, subject, at_noon
) -> None:
    site = dataclasses.replace(site, messages=Messages(per_number=2))
    for sending in "12":
        assert manual.preview_message(site, subject, "Salom", CITIZEN_NUMBER).due_at is None
        assert write_message(site, subject, sending=sending).due_at == at_noon
    preview = manual.preview_message(site, subject, "Salom", CITIZEN_NUMBER)
    assert preview.trouble == ""
    assert preview.due_at == at_noon + dt.timedelta(days=1)
    assert write_message(site, subject, sending="3").due_at == preview.due_at
    assert manual.preview_message(site, subject, "Salom", OTHER_NUMBER).due_at is None


def test_a_number_that_opts_out_after_queueing_receives_nothing(site, subject) -> None:
    message = write_message(site, subject)
    citizens.opt_out_number(CITIZEN_NUMBER, "sherzod")
    SmsSender(build_gateways(site)).send_due()
    ended = Message.get_by_id(message.id)
    assert (ended.state, ended.trouble) == ("refused", "unwanted")


def test_during_the_call_the_template_is_filled_from_the_draft(site, nilufar, template) -> None:
    Citizen("1764000000.1").ring_operator(nilufar)
    desk = current_desk(nilufar)
    assert manual.desk_subject(site, desk).number == CITIZEN_NUMBER
    empty = manual.fill_template(manual.desk_subject(site, desk), template, "uz")
    assert empty == "{name}, {region}: {number}"
    typed = {"first_name": "Gulchehra", "surname": "Yoʻldosheva", "region": "1718"}
    drafts.save_draft(nilufar, desk.token, typed)
    subject_filled = manual.desk_subject(site, current_desk(nilufar))
    assert subject_filled.cause == "1764000000.1"
    assert manual.fill_template(subject_filled, template, "uz") == (
        "Gulchehra Yo'ldosheva, Samarqand viloyati: {number}"
    )
    assert "Самаркандская" in manual.fill_template(subject_filled, template, "ru")
    company = {"applicant_kind": "entity", "entity_name": "Nur MCHJ", "first_name": "Aziza"}
    drafts.save_draft(nilufar, desk.token, company)
    assert manual.fill_template(
        manual.desk_subject(site, current_desk(nilufar)), template, "uz"
    ).startswith("Nur")


def test_after_registering_all_placeholders_are_filled_and_the_message_is_on_the_card(
    site, nilufar, template
) -> None:
    Citizen("1764000000.1").ring_operator(nilufar)
    desk = current_desk(nilufar)
    before = write_message(site, manual.desk_subject(site, desk), "Oldin", OTHER_NUMBER)
    appeal = register_appeal(site, nilufar, desk.token)
    appeal_subject = manual.appeal_subject(site, appeal)
    assert appeal.number in manual.fill_template(appeal_subject, template, "ru")
    call = manual.call_subject(site, desk.call)
    assert call.values == appeal_subject.values
    after = write_message(site, appeal_subject, "Keyin", sending="2")
    rating_request = outbox.queue_sms(
        "rating", CITIZEN_NUMBER, "x", key="3", cause="1764000000.1", tz=site.tz
    )
    # the rating link belongs to the caller, not to the appeal
    assert citizens.messages_of_appeal(appeal) == [
        after,
        before,
    ]
    assert manual.messages_about("1764000000.1", [appeal]) == [rating_request, after, before]


def test_a_message_of_a_form_without_a_call_moves_to_the_registered_appeal(site, nilufar) -> None:
    token = drafts.token_for(nilufar, None)
    desk = desk_for_unregistered_form(nilufar, token)
    assert manual.desk_subject(site, desk).number == ""
    drafts.save_draft(nilufar, token, {"phone": "93 555 01 47"})
    draft_subject = manual.desk_subject(site, desk_for_unregistered_form(nilufar, token))
    assert draft_subject.number == CITIZEN_NUMBER
    message = write_message(site, draft_subject)
    assert manual.messages_about(None, [], token) == [message]
    appeal = register_appeal(site, nilufar, token)
    assert citizens.messages_of_appeal(appeal) == [message]
    assert manual.desk_subject(site, desk_for_registered_form(nilufar, token)).cause == token


def test_an_unchanged_template_is_named_to_the_service(site, subject, template) -> None:
    text = manual.fill_template(subject, template, "uz").format(
        name="Aziza", region="x", number="1"
    )
    changed = write_message(site, subject, text, template=template, language="uz")
    assert changed.payload == {}
    values = {"name": "Aziza", "region": "x", "number": "1"}
    full_subject = dataclasses.replace(subject, values={"uz": values, "ru": values})
    sent = write_message(site, full_subject, text, sending="2", template=template, language="uz")
    assert sent.payload["text_of"] == templates.approval_purpose(template.id)
    assert sent.payload["template"] == template.uz


@pytest.mark.parametrize(
    ("mood", "state", "took"), [("ok", "sent", 1), ("declined", "refused", 0), ("lost", "sent", 2)]
)
def test_the_delivery_state_is_shown_at_the_call(
    settings, subject, monkeypatch, mood: str, state: str, took: int
) -> None:
    with run_sms_service() as fake_service:
        account = SmsAccount("first", "eskiz", fake_service.url, "user", "secret", "4546")
        site = dataclasses.replace(settings, sms=(account,))
        message = write_message(site, subject)
        fake_service.moods = [mood]
        senders = SmsSender(build_gateways(site))
        senders.send_due()
        if mood == "lost":  # the service accepted it, but its answer was lost
            later = clock.now() + dt.timedelta(minutes=10)
            monkeypatch.setattr(clock, "now", lambda: later)
            senders.send_due()
        assert [text for _number, text in fake_service.messages] == ["Salom"] * took
    [message_shown] = manual.messages_about("1.1", [])
    assert (message_shown.id, message_shown.state) == (message.id, state)
    assert message_shown.perhaps_twice == (mood == "lost")
