"""The ministry's system receives every appeal once and in order, and its answers arrive once.

Holds for any fault of the system and the link; the same holds for signed files.
"""

import dataclasses
import datetime as dt
import json
import random
import threading
from pathlib import Path

import pytest
from markupsafe import escape

from appliance.box import health
from appliance.casework import catalogs
from appliance.casework.appeals import correcting, form, handling, states
from appliance.casework.forms import drafts
from appliance.casework.ministry import events, link, mapping, queue
from appliance.casework.ministry.courier import MAX_MESSAGES_PER_TURN, Courier, ministry_system
from appliance.core import clock, db, http, i18n, outbox
from appliance.core.settings import MINISTRY_CODES, Ministry, SettingsError, SmsAccount
from appliance.core.settings import load_settings as load_settings
from appliance.messaging.casework_hooks import connect_hooks
from appliance.models import AppealStep, AuditEntry, Handling, Message, MinistryEvent
from tests.rig.appeals import FULL_FORM, create_appeal
from tests.rig.fakes.ministry import MINISTRY_TOKEN, run_ministry
from tests.rig.programs import confirmed_key
from tests.rig.waiting import wait_until

REFUSED_ACCOUNT = (
    "The system refuses our account: check the token in the [ministry] section of the settings."
)
DOCUMENT = json.loads(
    (Path(__file__).parents[2] / "appliance" / "data" / "ministry-openapi.json").read_text("utf-8")
)


@pytest.fixture
def ministry_server():
    with run_ministry() as running:
        yield running


@pytest.fixture
def site(settings, ministry_server):
    return dataclasses.replace(
        settings, ministry=Ministry(url=ministry_server.url, token=MINISTRY_TOKEN)
    )


@pytest.fixture
def courier(site):
    return courier_for(site)


@pytest.fixture
def new(site, nilufar):
    """Register an appeal."""

    def register_appeal(connected_site=site, **values):
        connect_hooks(connected_site)
        return create_appeal(
            site,
            nilufar,
            FULL_FORM | values,
        )

    return register_appeal


@pytest.fixture
def change(site):
    """Correct an appeal's gist."""

    def correct_appeal(appeal, gist="Boshqa", **values):
        connect_hooks(site)
        correcting.correct_appeal(
            appeal,
            FULL_FORM | {"gist": gist} | values,
            "nilufar",
            Handling.get_by_id(appeal.id).version,
            catalogs.working_calendar(site),
        )

    return correct_appeal


@pytest.fixture
def technician(site, app, login_as):
    app.config["SITE"] = site
    return login_as("technician")


def courier_for(site) -> Courier:
    return Courier(
        ministry_system(site.ministry),
        site,
        site.ministry,
        pause_seconds=0,
    )


def message_state(appeal) -> str:
    return queue.EXCHANGE_STATES[queue.latest_message(appeal).state]


def make_all_due() -> None:
    Message.update(due_at=clock.now()).where(Message.state == "pending").execute()


def uzbek_html(text: str) -> str:
    """A page text, translated to Uzbek and escaped like in the response."""
    return str(escape(i18n.locale_translations("uz_Latn").gettext(text)))


def check_of(site, code="ministry") -> health.Check | None:
    return next((check for check in health.all_checks(site) if check.code == code), None)


def assert_matches_schema(schema: str, document: object) -> None:
    from jsonschema import Draft202012Validator  # imported here: it takes long to load

    schema_reference = {
        "$ref": f"#/components/schemas/{schema}",
        "components": DOCUMENT["components"],
    }
    Draft202012Validator(schema_reference).validate(document)


def test_the_openapi_document_is_valid_and_the_reference_system_follows_it(
    ministry_server, courier, new
) -> None:
    from jsonschema import Draft202012Validator  # imported here: it takes long to load

    assert DOCUMENT["openapi"].startswith("3.1")
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    names = set(DOCUMENT["components"]["schemas"])
    used = set(json.dumps(DOCUMENT).split("#/components/schemas/")[1:])
    assert {name.partition('"')[0] for name in used} <= names
    appeal = new()
    courier.send_due_messages()
    assert_matches_schema("Appeal", ministry_server.appeals[appeal.number])
    assert_matches_schema("Event", ministry_server.add_event(appeal.number, "answer", "Javob"))
    assert set(DOCUMENT["components"]["schemas"]["Event"]["properties"]["action"]["enum"]) == {
        *events.STEP_ACTIONS,
        *events.RECEIPT_ACTIONS,
    }


def test_an_appeal_is_sent_and_its_changes_follow(
    site, ministry_server, courier, new, change
) -> None:
    appeal = new()
    assert message_state(appeal) == "queued"
    change(appeal)
    handling.take_over(appeal, "bahodir", 2)
    courier.send_due_messages()
    n = appeal.number
    assert ministry_server.registrations == [("new", n, 1), ("change", n, 2), ("change", n, 3)]
    assert ministry_server.appeals[n]["gist"] == "Boshqa"
    assert ministry_server.appeals[n]["state"] == "taken"
    assert message_state(appeal) == "acknowledged"
    assert queue.latest_message(appeal).foreign_id == f"M-{n}"


def test_pages_and_programs_report_every_step_to_the_ministry(
    site, ministry_server, courier, app, nilufar, login_as
) -> None:
    app.config["SITE"] = site
    connect_hooks(site)
    operator, token = login_as("operator"), drafts.token_for(nilufar, None)
    headers = {"X-CSRFToken": operator.token()}
    path = f"/operator/forms/{token}/register"
    number = operator.post(path, json={"values": FULL_FORM}, headers=headers).json["number"]
    operator.send(f"/appeals/{number}/correct", version=1, **FULL_FORM | {"gist": "Boshqa"})
    login_as("ministry").send(f"/appeals/{number}/steps", action="take", version=2)
    secret = confirmed_key()
    answer = app.test_client().post(
        f"/api/v1/appeals/{number}/steps",
        json={"action": "answer", "version": 3, "text": "Javob"},
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert answer.status_code == 409  # its holder must first be replaced
    for version, action in enumerate(("take", "answer"), 3):
        app.test_client().post(
            f"/api/v1/appeals/{number}/steps",
            json={"action": action, "version": version, "text": "Javob"},
            headers={"Authorization": f"Bearer {secret}"},
        )
    courier.send_due_messages()
    assert ministry_server.appeals[number]["version"] == 4  # the answer can still be withdrawn
    make_all_due()
    courier.send_due_messages()
    assert [version for _, n, version in ministry_server.registrations if n == number] == [
        1,
        2,
        3,
        4,
        5,
    ]
    assert ministry_server.appeals[number]["answer"] == "Javob"


def test_a_user_name_and_password_work_instead_of_a_token(site, ministry_server, new) -> None:
    account = dataclasses.replace(site.ministry, token="", user="hotline", password="secret")
    ministry_server.token = "Basic aG90bGluZTpzZWNyZXQ="
    appeal = new()
    courier_for(dataclasses.replace(site, ministry=account)).send_due_messages()
    assert message_state(appeal) == "acknowledged"


def test_nothing_is_sent_without_settings_or_after_a_rollback(settings, new, change) -> None:
    assert queue.queue_appeal(settings, appeal := new()) is None
    Message.delete().execute()
    with db.write_transaction() as transaction:
        new()
        change(appeal)
        transaction.rollback()
    assert not Message.select().exists()


@pytest.mark.parametrize("mood", ["lost", "dead", "error", "html", "half", "wait", "moved"])
def test_a_failed_request_is_retried_in_order_and_counted_once(
    ministry_server, site, courier, new, change, mood
) -> None:
    first, second = new(), new()
    change(first)
    ministry_server.moods = [mood, mood]
    courier.send_due_messages()
    ticks = iter(range(100, 10_000, 100))
    for _ in range(6):
        make_all_due()
        next_courier = courier_for(site)
        next_courier.monotonic_seconds = lambda: next(ticks)
        next_courier.send_due_messages()
    n = first.number
    assert [t for t in ministry_server.registrations if t[1] == n] == [
        ("new", n, 1),
        ("change", n, 2),
    ]
    assert len(ministry_server.registrations) == 3
    assert (message_state(first), message_state(second)) == ("acknowledged", "acknowledged")
    assert not Message.select().where(Message.perhaps_twice).exists()
    assert not link.link_state().trouble


def test_an_answer_that_arrives_too_late_does_no_harm(
    ministry_server, courier, new, monkeypatch
) -> None:
    ministry_server.moods = ["slow"]
    appeal = new()
    monkeypatch.setattr(http, "_ANSWER_TIMEOUT_SECONDS", 0.2)
    courier.send_due_messages()
    monkeypatch.undo()
    assert queue.latest_message(appeal).trouble == "answer_lost"
    make_all_due()
    courier.send_due_messages()
    assert message_state(appeal) == "acknowledged"
    ministry_server.release.set()
    wait_until(lambda: ministry_server.late_count == 1, limit=60)
    assert ministry_server.registrations == [("new", appeal.number, 1)]


def test_a_failing_link_is_paused_and_a_long_queue_is_sent_in_batches(
    site, ministry_server, new
) -> None:
    for _ in range(MAX_MESSAGES_PER_TURN + 5):
        new()
    pausing_courier = Courier(
        ministry_system(site.ministry),
        site,
        site.ministry,
        pause_seconds=30,
        monotonic_seconds=lambda: now[0],
    )
    now, ministry_server.moods = [1000.0], ["error"]
    assert pausing_courier.send_due_messages() == 1
    assert pausing_courier.send_due_messages() == 0
    make_all_due()
    now[0] += 31
    assert pausing_courier.send_due_messages() == MAX_MESSAGES_PER_TURN
    assert pausing_courier.send_due_messages() == 5
    assert len(ministry_server.registrations) == MAX_MESSAGES_PER_TURN + 5


def test_a_refused_token_is_reported_and_nothing_is_lost(
    site, ministry_server, courier, new, technician
) -> None:
    ministry_server.token = "another"
    appeal = new()
    courier.send_due_messages()
    assert (message_state(appeal), check_of(site).state) == ("queued", "fail")
    assert "token" in check_of(site).advice
    assert uzbek_html(REFUSED_ACCOUNT) in technician.get("/ministry").text
    ministry_server.token = MINISTRY_TOKEN
    make_all_due()
    courier.send_due_messages()
    assert (message_state(appeal), check_of(site).state) == ("acknowledged", "ok")


@pytest.mark.parametrize("status", [404, 405, 406, 408, 421, 425])
@pytest.mark.parametrize("body", ['{"detail": "Not Found"}', "<html>Not Found</html>"])
def test_a_wrong_address_refuses_no_appeals(
    site, ministry_server, courier, new, technician, status, body
) -> None:
    ministry_server.moods = [(status, body)]
    appeal, second = new(), new()
    courier.send_due_messages()
    assert message_state(appeal) == "queued"
    assert queue.latest_message(appeal).trouble
    make_all_due()
    courier_for(site).send_due_messages()
    assert (message_state(appeal), message_state(second)) == ("acknowledged", "acknowledged")
    ministry_server.event_moods = [(404, body)]
    courier.read_events()
    assert link.link_state().trouble == "not_there"
    assert check_of(site).seen == "there is no such interface at its address"
    advice = "There is no such interface at this address: check ministry.url in the settings."
    assert uzbek_html(advice) in technician.get("/ministry").text


@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_refused_document_is_not_sent_again(ministry_server, courier, new, status) -> None:
    ministry_server.moods = [(status, '{"detail": "why"}')]
    appeal = new()
    courier.send_due_messages()
    assert (message_state(appeal), queue.latest_message(appeal).trouble_text) == (
        "refused",
        "why",
    )


def test_all_refused_appeals_are_retried_together_from_the_page(
    ministry_server, courier, new, change, technician, login_as
) -> None:
    ministry_server.moods = ["refuse", "refuse", "refuse", "ok", "error"]
    first, second, corrected, fine, waiting = new(), new(), new(), new(), new()
    courier.send_due_messages()
    change(corrected)
    ministry_server.moods = ["refuse"]
    courier.send_due_messages()
    ministry_server.moods = []
    before = queue.latest_message(waiting)
    page = technician.get("/ministry").text
    assert uzbek_html("Send all refused messages again") in page
    # a plain form button, it needs no script
    assert 'method="post" action="/ministry/retry">' in page
    assert login_as("operator").send("/ministry/retry").status_code == 403
    assert technician.send("/ministry/retry").status_code == 302
    assert [message_state(a) for a in (first, second, corrected, fine)] == [
        *("queued", "queued", "queued", "acknowledged")
    ]
    assert queue.latest_message(waiting).due_at == before.due_at
    entry = AuditEntry.get(AuditEntry.action == "ministry.retry")
    assert (entry.who, entry.detail["count"]) == ("rustam", 3)
    make_all_due()
    courier.send_due_messages()
    assert {message_state(a) for a in (first, second, corrected, fine, waiting)} == {"acknowledged"}
    assert uzbek_html("Send all refused messages again") not in technician.get("/ministry").text
    technician.send("/ministry/retry")
    assert AuditEntry.select().where(AuditEntry.action == "ministry.retry").count() == 1


def test_a_refusal_is_shown_with_its_reason_and_advice(
    site, ministry_server, courier, new, technician, login_as
) -> None:
    ministry_server.moods = ["refuse"]
    appeal, second = new(), new()
    courier.send_due_messages()
    assert (message_state(appeal), message_state(second)) == ("refused", "acknowledged")
    assert check_of(site, "ministry.refused").state == "fail"
    page = technician.get("/ministry").text
    assert appeal.number in page
    assert second.number not in page
    assert "no such direction" in page
    assert (
        uzbek_html("Get the form corrected, or ask the ministry's technician, then try again.")
        in page
    )
    assert "no such direction" in login_as("supervisor").get(f"/appeals/{appeal.number}").text
    message = queue.latest_message(appeal)
    assert technician.send(f"/ministry/{message.id}/retry").status_code == 302
    courier.send_due_messages()
    assert message_state(appeal) == "acknowledged"
    assert appeal.number not in technician.get("/ministry/list").text
    sms = outbox.queue_message("sms", "registered", "+998935550147", key="1", text="x")
    assert technician.send(f"/ministry/{sms.id}/retry").status_code == 404


def test_a_corrected_appeal_is_sent_as_new_if_it_had_been_refused(
    ministry_server, courier, new, change
) -> None:
    ministry_server.moods = ["refuse"]
    appeal = new()
    courier.send_due_messages()
    first = queue.latest_message(appeal)
    change(appeal)
    courier.send_due_messages()
    assert ministry_server.registrations == [("new", appeal.number, 2)]
    outbox.requeue_message(first)
    courier.send_due_messages()  # an outdated version is not sent
    assert ministry_server.registrations == [("new", appeal.number, 2)]
    assert ministry_server.appeals[appeal.number]["gist"] == "Boshqa"
    assert message_state(appeal) == "acknowledged"


@pytest.mark.parametrize("decision", ["acknowledged", "refused"])
def test_a_later_decision_of_the_ministry_is_received(
    ministry_server, courier, new, decision
) -> None:
    ministry_server.moods = ["later"]
    appeal = new()
    courier.send_due_messages()
    assert message_state(appeal) == "sent"
    ministry_server.add_event(appeal.number, decision, "why", version=1)
    courier.read_events()
    assert message_state(appeal) == decision
    assert queue.latest_message(appeal).trouble_text == ("why" if decision == "refused" else "")


def test_the_latest_decision_about_a_version_applies(
    ministry_server, courier, new, technician
) -> None:
    ministry_server.moods = ["refuse"]
    appeal, second = new(), new()
    courier.send_due_messages()
    assert (message_state(appeal), message_state(second)) == ("refused", "acknowledged")
    ministry_server.add_event(appeal.number, "acknowledged", version=1)
    ministry_server.add_event(second.number, "refused", "mistaken", version="1")
    ministry_server.event_moods = ["twice"]
    courier.read_events()
    assert (message_state(appeal), message_state(second)) == ("acknowledged", "refused")
    assert not queue.latest_message(appeal).trouble
    page = technician.get("/ministry").text
    assert "mistaken" in page
    assert appeal.number not in page
    ministry_server.add_event(second.number, "acknowledged")
    courier.read_events()
    assert message_state(second) == "acknowledged"
    ministry_server.add_event(second.number, "refused", version="first")
    courier.read_events()
    assert (message_state(second), [e.outcome for e in events.unprocessed_events()]) == (
        "acknowledged",
        ["no_sense"],
    )


def test_a_decision_without_a_version_applies_to_the_version_sent(
    ministry_server, courier, new, change
) -> None:
    ministry_server.moods = ["later"]
    appeal = new()
    courier.send_due_messages()
    change(appeal)
    ministry_server.add_event(appeal.number, "acknowledged")
    courier.read_events()
    assert message_state(appeal) == "queued"
    courier.send_due_messages()
    assert ministry_server.appeals[appeal.number]["version"] == 2


def test_an_appeal_lost_by_the_ministry_is_sent_again_in_full(
    ministry_server, courier, new, change
) -> None:
    appeal = new()
    courier.send_due_messages()
    change(appeal)
    ministry_server.moods = ["forgets"]
    courier.send_due_messages()
    make_all_due()
    courier.send_due_messages()
    assert [what for what, *_ in ministry_server.registrations] == ["new", "new"]
    assert ministry_server.appeals[appeal.number]["version"] == 2


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"openness": "", "sex": "", "born": "", "direction": ""},
        {"applicant_kind": "entity", "entity_name": "Nur MChJ", "stir": "123"},
        {"born": "taxminan 1990", "region": "", "district": "", "region_text": "Uzoq"},
        {"direction": "", "direction_text": "Boshqa gap", "mahalla_text": "Hech qayerda"},
    ],
)
def test_any_form_is_sent_as_the_schema_describes(ministry_server, courier, new, values) -> None:
    appeal = new(**values)
    courier.send_due_messages()
    assert_matches_schema("Appeal", ministry_server.appeals[appeal.number])


def test_a_value_outside_the_lists_is_sent_as_text_and_never_as_a_code(
    site, ministry_server, new
) -> None:
    ministry_settings = dataclasses.replace(
        site.ministry, codes={"direction": {"employment": "101"}, "employment": {}, "mahalla": {}}
    )
    typed = {"direction": "", "direction_text": "Boshqa gap", "mahalla_text": "Hech qayerda"}
    typed |= {"employment": "", "employment_text": "Baliqchi", "born": "taxminan 1990"}
    appeal = new(**typed)
    courier_for(dataclasses.replace(site, ministry=ministry_settings)).send_due_messages()
    sent = ministry_server.appeals[appeal.number]
    names = ("direction", "employment", "mahalla")
    assert [sent[name] for name in names] == [None, None, None]
    assert [sent[f"{name}_text"] for name in names] == ["Boshqa gap", "Baliqchi", "Hech qayerda"]
    assert (sent["born_on"], sent["born_text"]) == (None, "taxminan 1990")


def test_every_code_can_be_mapped(site, ministry_server, new) -> None:
    codes = {
        "state": {"registered": "1"},
        "applicant_kind": {"person": "F"},
        "openness": {"open": "O"},
        "sex": {"f": "2"},
        "department": {},
        "mahalla": {},
    }
    appeal = new(mahalla_text="")
    ministry_settings = dataclasses.replace(site.ministry, codes=codes)
    courier_for(dataclasses.replace(site, ministry=ministry_settings)).send_due_messages()
    sent = ministry_server.appeals[appeal.number]
    assert [sent[name] for name in ("state", "applicant_kind", "openness", "sex")] == [
        *("1", "F", "O", "2")
    ]


def test_names_and_codes_of_the_ministry_are_used(site, ministry_server, new, technician) -> None:
    ministry_settings = dataclasses.replace(
        site.ministry,
        fields={"gist": "mazmun", "passport": ""},
        codes={"direction": {"employment": "101"}},
    )
    with_code, without_code = (
        new(direction="Ishga joylashish uchun"),
        new(direction="Boshqa masalalar"),
    )
    courier_for(dataclasses.replace(site, ministry=ministry_settings)).send_due_messages()
    sent = ministry_server.appeals[with_code.number]
    assert (sent["direction"], sent["mazmun"]) == ("101", with_code.gist)
    assert sent["appeal_type"] == with_code.appeal_type
    assert not {"gist", "passport"} & set(sent)
    assert (message_state(without_code), len(ministry_server.registrations)) == ("refused", 1)
    page = technician.get("/ministry").text
    assert "direction other" in page
    assert (
        uzbek_html(
            "Add the code to the [ministry] section of the settings, restart, then try again."
        )
        in page
    )
    outbox.requeue_message(queue.latest_message(without_code))
    ministry_settings.codes["direction"]["other"] = "199"
    courier_for(dataclasses.replace(site, ministry=ministry_settings)).send_due_messages()
    assert ministry_server.appeals[without_code.number]["direction"] == "199"


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ('fields = { gistt = "x" }', "ministry.fields: gistt"),
        ("codes = { gistt = {} }", "ministry.codes: gistt"),
        ("codes = { phone = {} }", "ministry.codes: phone"),
        ('codes = { sex = { male = "1" } }', "ministry.codes.sex: male"),
        ('actions = { done = "answerd" }', "ministry.actions: answerd"),
        ('fields = { first_name = "fio", surname = "fio" }', "first_name, surname are fio"),
        ('fields = { gist = "answer" }', "answer, gist are answer"),
    ],
)
def test_unknown_or_ambiguous_names_in_the_settings_are_refused(
    tmp_path, settings, setting, message
):
    config = tmp_path / "site.toml"
    config.write_text(f"{config.read_text()}\n[ministry]\n{setting}\n")
    with pytest.raises(SettingsError, match=message):
        load_settings(config)


def test_a_renamed_field_may_take_over_the_name_of_a_text_field(settings, tmp_path) -> None:
    config = tmp_path / "site.toml"
    config.write_text(
        f'{config.read_text()}\n[ministry]\nfields = {{ direction = "direction_text" }}\n'
    )
    ministry = load_settings(config).ministry
    snapshot = {"number": "2026-000001", "direction": "subsidies", "direction_text": None}
    assert mapping.ministry_document(ministry, snapshot)["direction_text"] == "subsidies"


def test_the_settings_list_all_codes_that_never_change(site) -> None:
    assert set(MINISTRY_CODES["state"]) == set(states.WORKFLOW.state_codes)
    for name in ("sex", "openness", "applicant_kind"):
        options = form.form_definition().find_field(name).options
        assert MINISTRY_CODES[name] == tuple(option.code for option in options)
    described = set(DOCUMENT["components"]["schemas"]["Appeal"]["properties"])
    assert described == set(mapping.FIELDS)
    assert set(MINISTRY_CODES) <= described


def test_names_may_be_swapped(site) -> None:
    names = {"first_name": "surname", "surname": "first_name", "answer": "", "gist": "answer"}
    ministry_settings = dataclasses.replace(site.ministry, fields=names)
    sent = mapping.ministry_document(
        ministry_settings,
        {"number": "1", "first_name": "A", "surname": "B", "gist": "C", "answer": "D"},
    )
    assert [sent[name] for name in ("first_name", "surname", "answer")] == ["B", "A", "C"]


def test_an_answer_is_applied_to_the_appeal_once(
    site, ministry_server, new, technician, login_as
) -> None:
    """Even if it is reported twice, a report is lost, or another event repeats the answer."""
    accounts = (SmsAccount("eskiz", "eskiz", ministry_server.url, "user", "secret", "4546"),)
    sms_site = dataclasses.replace(site, sms=accounts)
    courier, appeal = courier_for(sms_site), new(sms_site, phone="+998935550147")
    handling.take_over(appeal, "bahodir", 1)
    ministry_server.page_size = 1
    ministry_server.event_moods = ["error", "twice", "html", "lost"]
    ministry_server.add_event(appeal.number, "take")
    ministry_server.add_event(appeal.number, "answer", "Javobimiz shu")
    for _ in range(6):
        courier.read_events()
    ministry_server.add_event(appeal.number, "answer", "Javobimiz shu")
    courier.read_events()
    assert Handling.get_by_id(appeal.id).state == "answered"
    answer_steps = AppealStep.select().where(AppealStep.action == "answer")
    assert [(step.who, step.text) for step in answer_steps] == [
        (queue.MINISTRY_ACTOR, "Javobimiz shu")
    ]
    assert Message.select().where(Message.purpose == "answered").count() == 1
    audited = AuditEntry.select().where(AuditEntry.who == queue.MINISTRY_ACTOR)
    assert audited.where(AuditEntry.action == "appeal.answer").count() == 1
    assert audited.where(AuditEntry.action == "ministry.event").count() == 3
    assert not events.unprocessed_events()
    page = login_as("supervisor").get(f"/appeals/{appeal.number}").text
    assert "Javobimiz shu" in page
    assert uzbek_html("Ministry's system") in page
    # the registration and Bahodir's step, but no echo of the ministry's own answer
    sent = Message.select().where(Message.channel == "ministry")
    assert [message.payload["version"] for message in sent.order_by(Message.id)] == [1, 2]


def test_a_returned_appeal_goes_back_to_its_operator_and_is_sent_again(
    ministry_server, courier, new, change
) -> None:
    appeal = new()
    courier.send_due_messages()
    ministry_server.add_event(appeal.number, "return", "Manzil yoʻq")
    courier.read_events()
    assert Handling.get_by_id(appeal.id).state == "returned"
    change(appeal)
    courier.send_due_messages()
    assert ministry_server.appeals[appeal.number]["state"] == "taken"
    ministry_server.add_event(appeal.number, "dismiss", "Anonim")
    courier.read_events()
    assert Handling.get_by_id(appeal.id).state == "closed"


def test_events_that_cannot_be_applied_are_listed_until_someone_confirms_them(
    site, ministry_server, courier, new, technician
) -> None:
    appeal = new()
    courier.send_due_messages()
    ministry_server.add_event(appeal.number, "close")
    ministry_server.add_event("2026-999999", "answer", "Kimga?")
    ministry_server.add_event(appeal.number, "dance", "Nima?")
    ministry_server.add_event(appeal.number, "answer", "")
    ministry_server.events += [{"number": appeal.number}, "nonsense", {"id": "\ud800", "text": 5}]
    ministry_server.add_event(appeal.number, "answer", "Shunday \ud800")
    courier.read_events()
    assert Handling.get_by_id(appeal.id).state == "answered"
    outcomes = {event.outcome for event in events.unprocessed_events()}
    assert outcomes == {"state", "unknown", "no_sense", "words"}
    assert check_of(site, "ministry.undone").state == "warn"
    page = technician.get("/ministry").text
    assert "Kimga?" in page
    assert uzbek_html("There is no such appeal here: ask the ministry's technician.") in page
    for event in events.unprocessed_events():
        technician.send("/ministry/seen", event=event.id)
    assert (events.unprocessed_events(), check_of(site, "ministry.undone")) == ([], None)


def test_an_event_is_processed_whatever_its_id_is(
    ministry_server, courier, new, technician
) -> None:
    appeal = new()
    courier.send_due_messages()
    ministry_server.add_event(appeal.number, "answer", "Javob", id=17)
    courier.read_events()
    assert Handling.get_by_id(appeal.id).state == "answered"
    ministry_server.add_event(appeal.number, "close", id="17")
    courier.read_events()
    # an event with this id was received before
    assert Handling.get_by_id(appeal.id).state == "answered"
    nameless = {"number": appeal.number, "action": "close"}
    ministry_server.events += [
        nameless,
        nameless | {"id": None},
        nameless | {"id": ["x"]},
        "nima bu?",
    ]
    ministry_server.events += [nameless, nameless | {"id": True, "text": "yopildi"}]
    courier.read_events()
    assert Handling.get_by_id(appeal.id).state == "answered"
    undone = events.unprocessed_events()
    assert [event.outcome for event in undone] == ["no_sense"] * 5
    page = technician.get("/ministry").text
    assert "nima bu?" in page
    assert "yopildi" in page
    for event in undone:
        technician.send("/ministry/seen", event=event.id)
    assert not events.unprocessed_events()


def test_two_long_ids_are_two_events(ministry_server, courier, new) -> None:
    appeal = new()
    courier.send_due_messages()
    ministry_server.add_event(appeal.number, "take", id="x" * 300 + "1")
    ministry_server.add_event(appeal.number, "answer", "Javob", id="x" * 300 + "2")
    courier.read_events()
    assert Handling.get_by_id(appeal.id).state == "answered"


def test_the_page_of_a_site_without_the_system_reports_not_connected(
    settings, app, login_as
) -> None:
    assert uzbek_html("Not connected") in login_as("technician").get("/ministry").text
    assert not check_of(settings)


def test_appeals_waiting_too_long_raise_an_alarm(site, new, change) -> None:
    appeal = new()
    assert check_of(site).state == "ok"
    for hours, state in ((3, "warn"), (50, "fail")):
        Message.update(created_at=clock.now() - dt.timedelta(hours=hours)).execute()
        assert check_of(site).state == state
    change(appeal)  # a change does not reset the waiting time
    assert check_of(site).state == "fail"


def test_appeals_registered_before_the_connection_are_sent_later(
    settings, site, new, courier, ministry_server
) -> None:
    unconnected = dataclasses.replace(settings, ministry=None)
    first, second = new(unconnected), new(unconnected)
    third = new()
    today = Handling.get_by_id(first.id).registered_on
    assert queue.queue_earlier_appeals(site, today + dt.timedelta(days=1), "command") == 0
    assert queue.queue_earlier_appeals(site, today, "command") == 2
    assert queue.queue_earlier_appeals(site, today, "command") == 0  # only once
    assert courier.send_due_messages() == 3
    assert {message_state(appeal) for appeal in (first, second, third)} == {"acknowledged"}
    assert AuditEntry.select().where(AuditEntry.action == "ministry.catch_up").count() == 3


def test_random_faults_and_killed_couriers_lose_no_appeal(
    site, ministry_server, new, change
) -> None:
    """The ministry has every appeal once, in its last state; the versions arrived in order."""
    dice = random.Random(7)  # noqa: S311
    registered_appeals = [new() for _ in range(25)]
    for appeal in registered_appeals[::2]:
        change(appeal, gist="Bir")
        change(appeal, gist="Ikki")
    moods = ["ok", "lost", "dead", "error", "html", "half", "wait", "later", "moved"]
    courier, ticks = courier_for(site), [0.0]
    courier.monotonic_seconds = lambda: ticks[0]
    while Message.select().where(Message.state.in_(outbox.OPEN_STATES)).exists():
        ministry_server.moods = dice.choices(moods, k=4)
        if dice.random() < 0.3 and (message := outbox.claim_next("ministry")):
            if dice.random() < 0.5:  # killed after the ministry received it
                ministry_server.moods, is_known = [], queue.is_appeal_known(message)
                document = mapping.ministry_document(site.ministry, message.payload)
                courier.system.send_appeal(
                    message.cause, document, queue.idempotency_key(message), is_known
                )
            past = clock.now() - dt.timedelta(seconds=1)
            Message.update(claimed_until=past).where(Message.id == message.id).execute()
        make_all_due()
        ticks[0] += 3601
        courier.send_due_messages()
    for number in ministry_server.appeals:
        versions = [version for _, n, version in ministry_server.registrations if n == number]
        assert versions == sorted(set(versions))
    assert [what for what, *_ in ministry_server.registrations].count("new") == len(
        registered_appeals
    )
    for number, appeal in enumerate(registered_appeals):
        assert ministry_server.appeals[appeal.number]["version"] == (1 if number % 2 else 3)


def test_the_courier_runs_in_a_thread_until_it_is_stopped(site, ministry_server, new) -> None:
    stop = threading.Event()

    def run_courier() -> None:
        with db.database.connection_context():
            courier_for(site).run_until_stopped(stop, interval_seconds=0.01)

    thread = threading.Thread(target=run_courier)
    thread.start()
    appeal = new()
    wait_until(lambda: message_state(appeal) == "acknowledged", limit=60)
    ministry_server.add_event(appeal.number, "answer", "Javob")
    stop.set()
    thread.join(60)
    assert not thread.is_alive()
    courier_for(site).read_events()
    assert MinistryEvent.select().count() == 1
