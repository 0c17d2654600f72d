"""Short messages to citizens: their causes, languages and texts, and delivery reports."""

import dataclasses
import threading

import pytest

from appliance.casework.appeals import handling
from appliance.core import db, outbox
from appliance.core.refusals import Refused
from appliance.core.settings import SmsAccount
from appliance.messaging.casework_hooks import connect_hooks
from appliance.messaging.notices import citizens, texts
from appliance.messaging.sms.accounts import build_gateways
from appliance.messaging.sms.sender import SmsSender
from appliance.models import Call, EarlyReport, Handling, Message
from tests.rig.appeals import FULL_FORM, create_appeal
from tests.rig.fakes.sms import run_sms_service
from tests.rig.waiting import wait_until

INVALID = 'aria-describedby="sms-w sms-size" aria-invalid="true"'


@pytest.fixture
def fake_service():
    with run_sms_service() as running:
        yield running


@pytest.fixture
def site(settings, fake_service):
    """A site with an account at each service."""
    accounts = (
        SmsAccount("first", "eskiz", fake_service.url, "user", "secret", "4546", "hush"),
        SmsAccount("second", "playmobile", fake_service.url, "user", "secret", "3700", "hush"),
    )
    return dataclasses.replace(settings, sms=accounts)


@pytest.fixture
def register(site, nilufar):
    def register_appeal(connected_site=site, **values):
        connect_hooks(connected_site)
        return create_appeal(
            site,
            nilufar,
            FULL_FORM | values,
        )

    return register_appeal


def test_the_citizen_receives_number_and_deadline(site, register) -> None:
    appeal = register(phone="+998935550147")
    [message] = Message.select()
    assert (message.recipient, message.cause) == ("+998935550147", appeal.number)
    due = Handling.get_by_id(appeal.id).due_on
    assert appeal.number in message.text
    assert f"{due:%d.%m.%Y}" in message.text
    assert outbox.part_count(message.text) == 1


def test_the_message_is_in_the_language_of_the_call(site, nilufar, register) -> None:
    appeal = register(phone="+998935550147")
    Message.delete().execute()
    moment = appeal.registered_at
    Call.create(id="1.1", direction="inbound", arrived_at=moment, stage="ended", language="ru")
    appeal.call_id = "1.1"
    assert "обращение" in citizens.notify_registered(site, appeal).text


@pytest.mark.parametrize("phone", ["", "102", "+998712394141", "+79161234567"])
def test_no_message_is_queued_for_a_number_that_cannot_receive_it(register, phone) -> None:
    register(phone=phone, phone_at_hand="")
    assert not Message.select().exists()


def test_a_site_without_an_account_queues_nothing(settings, register) -> None:
    register(settings, phone="+998935550147")
    assert not Message.select().exists()


def test_a_citizen_who_opted_out_receives_nothing(register) -> None:
    assert citizens.opt_out_number("93 555 01 47", "sherzod") == "+998935550147"
    register(phone="+998935550147")
    assert not Message.select().exists()
    citizens.opt_in_number("+998935550147", "sherzod")
    register(phone="+998935550147")
    assert Message.select().count() == 1


def test_a_rolled_back_registration_sends_nothing(site, register, nilufar) -> None:
    with db.write_transaction() as transaction:
        register(phone="+998935550147")
        transaction.rollback()
    assert not Message.select().exists()


def test_an_answer_is_sent_only_when_it_is_stored(site, register, bahodir) -> None:
    appeal = register(phone="+998935550147")
    Message.delete().execute()
    today = appeal.registered_at.date()
    handling.take_over(appeal, "bahodir", 1)
    with pytest.raises(Refused):
        handling.answer_appeal(appeal, "Javob", "bahodir", 1, today)
    assert not Message.select().exists()
    handling.answer_appeal(appeal, "Javob", "bahodir", 2, today)
    [message] = Message.select()
    assert (message.purpose, message.cause) == ("answered", appeal.number)
    assert message.due_at - message.created_at >= handling.UNDO_PERIOD


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{number", "braces"),
        ("{number} }", "braces"),
        ("{number} {phone}", "unknown"),
        ("{number.__class__}", "unknown"),
        ("{number!r}", "unknown"),
        ("{number:>999999999}", "unknown"),
        ("{} x", "unknown"),
        ("Salom", "number"),
        ("{number}", "empty"),
        ("я" * 268 + "{number}", "long"),
    ],
)
def test_an_invalid_text_is_refused(settings, text, code) -> None:
    with pytest.raises(Refused) as error:
        texts.change_text(settings, "registered", "uz", text, "sherzod")
    assert error.value.code == code


def test_the_sites_text_is_used_until_it_is_emptied(settings, login_as) -> None:
    browser = login_as("manager")
    wording_key = {"purpose": "registered", "language": "ru"}
    assert browser.send("/notices", text="Номер {number}", **wording_key).status_code == 302
    assert texts.text_in_force("registered", "ru") == "Номер {number}"
    answer = browser.send("/notices", text="Номер {nomer}", **wording_key)
    assert "Номер {nomer}" in browser.refused_page(answer)
    browser.send("/notices", text="", **wording_key)
    assert texts.text_in_force("registered", "ru") == texts.DEFAULT_TEXTS["registered", "ru"]


def test_early_repeated_or_unknown_reports_do_no_harm(site, app) -> None:
    app.config["SITE"] = site
    client = app.test_client()

    def post_eskiz_report(**fields):
        return client.post("/sms-reports/first/hush", data=fields).status_code

    message = outbox.queue_message("sms", "registered", "+998935550147", key="1", text="x")
    claimed = outbox.claim_next("sms")
    # arrives before the answer to the send request
    assert post_eskiz_report(message_id="abc", status="DELIVRD") == 200
    assert post_eskiz_report(message_id="abc", status="DELIVRD") == 200
    outbox.mark_sent(claimed, "first", "abc")
    assert Message.get_by_id(message.id).state == "delivered"
    assert not EarlyReport.select().exists()
    assert post_eskiz_report(message_id="abc", status="UNDELIV") == 200  # a later, different report
    assert post_eskiz_report(message_id="nobody", status="DELIVRD") == 200
    assert post_eskiz_report(status="DELIVRD") == 200
    assert post_eskiz_report(message_id="abc", status="WAITING") == 200
    assert Message.get_by_id(message.id).state == "delivered"


def test_play_mobile_reports_by_our_key(site, app) -> None:
    app.config["SITE"] = site
    client = app.test_client()
    message = outbox.queue_message("sms", "registered", "+998935550147", key="1", text="x")
    claimed = outbox.claim_next("sms")
    key = outbox.gateway_key(claimed)
    for sent in (
        {"messages": [{"message-id": "m999", "status": "Delivered"}, "x", {}]},
        {"messages": [{"message-id": "m" + "9" * 30, "status": "Delivered"}]},
        {"messages": [{"message-id": key, "status": "Transmitted"}]},
        ["nonsense"],
    ):
        assert client.post("/sms-reports/second/hush", json=sent).status_code == 200
    assert Message.get_by_id(message.id).state == "claimed"
    sent = {"messages": [{"message-id": key, "status": "Delivered"}]}
    assert client.post("/sms-reports/second/hush", json=sent).status_code == 200
    outbox.mark_sent(claimed, "second", key)
    assert Message.get_by_id(message.id).state == "delivered"


def test_a_report_without_the_secret_is_rejected(site, settings, app) -> None:
    app.config["SITE"] = site
    client = app.test_client()
    for path in ("/sms-reports/first/hus", "/sms-reports/third/hush", "/sms-reports/first/ʻ"):
        assert client.post(path, data={"message_id": "a"}).status_code == 404
    app.config["SITE"] = settings
    assert client.post("/sms-reports/first/hush", data={}).status_code == 404


def test_the_sender_runs_in_a_thread_until_it_is_stopped(site, fake_service) -> None:
    stop = threading.Event()
    senders = SmsSender(build_gateways(site))

    def run_senders() -> None:
        with db.database.connection_context():
            senders.send_until_stopped(stop, interval=0.01, query_interval=0.01)

    thread = threading.Thread(target=run_senders)
    thread.start()
    message = outbox.queue_message("sms", "registered", "+998935550147", key="1", text="x")
    fake_service.states["id-1"] = "DELIVRD"
    wait_until(lambda: Message.get_by_id(message.id).state == "delivered")
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def test_an_operator_writes_to_their_applicant_once(site, app, register, login_as) -> None:
    app.config["SITE"] = site
    appeal = register(phone="+998935550147")
    Message.delete().execute()
    browser, path = login_as("operator"), f"/messages/appeal/{appeal.number}"
    for _ in range(2):  # a double click
        sent = browser.send(path, sms="Hujjatni  yuboring", to=appeal.phone, sending="1")
        assert sent.status_code == 302, sent.text
    [message] = Message.select()
    assert (message.purpose, message.text) == ("manual", "Hujjatni yuboring")
    assert "Hujjatni yuboring" in browser.get(f"/appeals/{appeal.number}").text
    for text in (" ", "я" * 300):
        page = browser.refused_page(browser.send(path, sms=text, to=appeal.phone, sending="2"))
        assert INVALID in page
        assert text.strip() in page
    assert login_as("sardor").send(path, sms="x", sending="3").status_code in (403, 404)
    citizens.opt_out_number("+998935550147", "sherzod")
    assert INVALID in browser.refused_page(
        browser.send(path, sms="x", to=appeal.phone, sending="4")
    )
    assert Message.select().count() == 1


@pytest.mark.parametrize(("language", "state"), [("uz", "Ijroda"), ("ru", "В работе")])
def test_a_preview_is_the_text_this_site_sends(settings, login_as, language, state) -> None:
    calls_ = dataclasses.replace(settings.calls, hotline_number="1006")
    site = dataclasses.replace(settings, calls=calls_)
    samples = {w.purpose: w.sample for w in texts.all_wordings(site) if w.language == language}
    assert state in samples["status"]
    assert "1006" in samples["missed"]
    assert "1282" not in "".join(samples.values())
