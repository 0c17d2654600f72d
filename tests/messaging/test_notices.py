"""What citizens are told by short message: with its cause, in their words, and what comes back."""

import dataclasses
import threading

import pytest

from appliance.casework import appeals, catalogs
from appliance.casework.appeals import handling
from appliance.core import db, outbox
from appliance.core.settings import SmsAccount
from appliance.messaging import notices
from appliance.messaging.notices import texts
from appliance.messaging.sms.accounts import gateways
from appliance.messaging.sms.sender import Senders
from appliance.models import Call, EarlyReport, Handling, Message
from tests.casework.test_appeals import FULL
from tests.rig.fakes.sms import service
from tests.rig.waiting import until

INVALID = 'aria-describedby="sms-w sms-size" aria-invalid="true"'


@pytest.fixture
def far():
    with service() as running:
        yield running


@pytest.fixture
def site(settings, far):
    """A site with an account at each service."""
    accounts = (
        SmsAccount("first", "eskiz", far.url, "user", "secret", "4546", "hush"),
        SmsAccount("second", "playmobile", far.url, "user", "secret", "3700", "hush"),
    )
    return dataclasses.replace(settings, sms=accounts)


@pytest.fixture
def register(site, nilufar):
    def registered(tell_site=site, **values):
        return appeals.register(
            FULL | values,
            operator=nilufar,
            token=appeals.token_for(nilufar, None),
            tz=site.tz,
            calendar=catalogs.working_calendar(site),
            tell=lambda appeal: notices.registered(tell_site, appeal),
        )

    return registered


def test_the_citizen_is_told_number_and_deadline(site, register) -> None:
    appeal = register(phone="+998935550147")
    [message] = Message.select()
    assert (message.recipient, message.cause) == ("+998935550147", appeal.number)
    due = Handling.get_by_id(appeal.id).due_on
    assert appeal.number in message.text
    assert f"{due:%d.%m.%Y}" in message.text
    assert outbox.segments(message.text) == 1


def test_in_russian_when_the_call_was(site, nilufar, register) -> None:
    appeal = register(phone="+998935550147")
    Message.delete().execute()
    moment = appeal.registered_at
    Call.create(id="1.1", direction="inbound", arrived_at=moment, stage="ended", language="ru")
    appeal.call_id = "1.1"
    assert "обращение" in notices.registered(site, appeal).text


@pytest.mark.parametrize("phone", ["", "102", "+998712394141", "+79161234567"])
def test_no_message_where_none_arrives(register, phone) -> None:
    register(phone=phone, phone_at_hand="")
    assert not Message.select().exists()


def test_a_site_without_an_account_puts_nothing(settings, register) -> None:
    register(settings, phone="+998935550147")
    assert not Message.select().exists()


def test_who_wants_none_gets_none(register) -> None:
    assert notices.opt_out("93 555 01 47", "sherzod") == "+998935550147"
    register(phone="+998935550147")
    assert not Message.select().exists()
    notices.opt_in("+998935550147", "sherzod")
    register(phone="+998935550147")
    assert Message.select().count() == 1


def test_nothing_is_told_of_what_was_undone(site, register, nilufar) -> None:
    with db.writing() as transaction:
        register(phone="+998935550147")
        transaction.rollback()
    assert not Message.select().exists()


def test_an_answer_is_told_and_only_when_it_is_given(site, register, bahodir) -> None:
    appeal = register(phone="+998935550147")
    Message.delete().execute()
    today = appeal.registered_at.date()

    def tell(appeal) -> None:
        notices.answered(site, appeal)

    handling.take(appeal, "bahodir", 1)
    with pytest.raises(handling.HandlingError):
        handling.do("answer", appeal, "bahodir", 1, today, "Javob", tell=tell)
    assert not Message.select().exists()
    handling.do("answer", appeal, "bahodir", 2, today, "Javob", tell=tell)
    [message] = Message.select()
    assert (message.purpose, message.cause) == ("answered", appeal.number)


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
def test_a_text_that_cannot_be_used(settings, text, code) -> None:
    with pytest.raises(texts.TextError) as error:
        texts.change(settings, "registered", "uz", text, "sherzod")
    assert error.value.code == code


def test_the_sites_own_text_is_in_force_until_it_is_emptied(settings, login_as) -> None:
    browser = login_as("manager")
    where = {"purpose": "registered", "language": "ru"}
    assert browser.send("/notices", text="Номер {number}", **where).status_code == 302
    assert texts.text("registered", "ru") == "Номер {number}"
    answer = browser.send("/notices", text="Номер {nomer}", **where)
    assert "Номер {nomer}" in browser.refused(answer)
    browser.send("/notices", text="", **where)
    assert texts.text("registered", "ru") == texts.DEFAULTS["registered", "ru"]


def test_a_report_before_the_answer_counts_twice_or_unknown_does_no_harm(site, app) -> None:
    app.config["SITE"] = site
    client = app.test_client()

    def eskiz(**said):
        return client.post("/sms-reports/first/hush", data=said).status_code

    message = outbox.put("sms", "registered", "+998935550147", key="1", text="x")
    claimed = outbox.claim("sms")
    assert eskiz(message_id="abc", status="DELIVRD") == 200  # before send's own answer
    assert eskiz(message_id="abc", status="DELIVRD") == 200
    outbox.sent(claimed, "first", "abc")
    assert Message.get_by_id(message.id).state == "delivered"
    assert not EarlyReport.select().exists()
    assert eskiz(message_id="abc", status="UNDELIV") == 200  # later, and another
    assert eskiz(message_id="nobody", status="DELIVRD") == 200
    assert eskiz(status="DELIVRD") == 200
    assert eskiz(message_id="abc", status="WAITING") == 200
    assert Message.get_by_id(message.id).state == "delivered"


def test_play_mobile_reports_by_our_own_name(site, app) -> None:
    app.config["SITE"] = site
    client = app.test_client()
    message = outbox.put("sms", "registered", "+998935550147", key="1", text="x")
    claimed = outbox.claim("sms")
    key = outbox.key_of(claimed)
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
    outbox.sent(claimed, "second", key)
    assert Message.get_by_id(message.id).state == "delivered"


def test_a_report_without_the_secret_is_not_taken(site, settings, app) -> None:
    app.config["SITE"] = site
    client = app.test_client()
    for path in ("/sms-reports/first/hus", "/sms-reports/third/hush", "/sms-reports/first/ʻ"):
        assert client.post(path, data={"message_id": "a"}).status_code == 404
    app.config["SITE"] = settings
    assert client.post("/sms-reports/first/hush", data={}).status_code == 404


def test_sending_goes_on_in_a_thread_and_stops(site, far) -> None:
    stop = threading.Event()
    senders = Senders(gateways(site))

    def run() -> None:
        with db.database.connection_context():
            senders.follow(stop, every=0.01, ask_every=0.01)

    thread = threading.Thread(target=run)
    thread.start()
    message = outbox.put("sms", "registered", "+998935550147", key="1", text="x")
    far.states["id-1"] = "DELIVRD"
    until(lambda: Message.get_by_id(message.id).state == "delivered")
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def test_an_operator_writes_to_his_applicant_once(site, app, register, login_as) -> None:
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
        page = browser.refused(browser.send(path, sms=text, to=appeal.phone, sending="2"))
        assert INVALID in page
        assert text.strip() in page
    assert login_as("sardor").send(path, sms="x", sending="3").status_code in (403, 404)
    notices.opt_out("+998935550147", "sherzod")
    assert INVALID in browser.refused(browser.send(path, sms="x", to=appeal.phone, sending="4"))
    assert Message.select().count() == 1


@pytest.mark.parametrize(("language", "state"), [("uz", "Ijroda"), ("ru", "В работе")])
def test_a_preview_is_what_this_site_sends(settings, login_as, language, state) -> None:
    calls_ = dataclasses.replace(settings.calls, hotline_number="1006")
    site = dataclasses.replace(settings, calls=calls_)
    samples = {w.purpose: w.sample for w in texts.wordings(site) if w.language == language}
    assert state in samples["status"]
    assert "1006" in samples["missed"]
    assert "1282" not in "".join(samples.values())
