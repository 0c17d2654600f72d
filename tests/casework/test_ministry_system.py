"""The ministry's system: every appeal there once and in order, every answer here once, whatever
the system and the link do; and the same by signed files."""

import dataclasses
import datetime as dt
import json
import random
import threading
from pathlib import Path

import pytest
from markupsafe import escape

from appliance.box import health
from appliance.casework import appeals, catalogs, ministry
from appliance.casework.appeals import form, handling, states
from appliance.casework.ministry import answers, link, mapping
from appliance.casework.ministry.courier import AT_ONCE, Courier, gateway
from appliance.core import clock, db, http, i18n, outbox
from appliance.core.settings import MINISTRY_CODES, Ministry, SettingsError, SmsAccount
from appliance.core.settings import load as load_settings
from appliance.messaging import notices
from appliance.models import AppealStep, AuditEntry, Handling, Message, MinistryEvent
from tests.casework.test_appeals import FULL
from tests.rig.fakes.ministry import TOKEN, register
from tests.rig.programs import key_in_force
from tests.rig.waiting import until

REFUSED_ACCOUNT = "It refuses our account: check the token in the [ministry] settings."
DOCUMENT = json.loads(
    (Path(__file__).parents[2] / "appliance" / "data" / "ministry-openapi.json").read_text("utf-8")
)


@pytest.fixture
def far():
    with register() as running:
        yield running


@pytest.fixture
def site(settings, far):
    return dataclasses.replace(settings, ministry=Ministry(url=far.url, token=TOKEN))


@pytest.fixture
def courier(site):
    return courier_of(site)


@pytest.fixture
def new(site, nilufar):
    """Register an appeal."""

    def registered(tell_site=site, **values):
        return appeals.register(
            FULL | values,
            operator=nilufar,
            token=appeals.token_for(nilufar, None),
            tz=site.tz,
            calendar=catalogs.working_calendar(site),
            tell=lambda appeal: ministry.registered(tell_site, appeal),
        )

    return registered


@pytest.fixture
def change(site):
    """Correct an appeal's gist."""

    def changed(appeal, gist="Boshqa", **values):
        appeals.correct(
            appeal,
            FULL | {"gist": gist} | values,
            "nilufar",
            Handling.get_by_id(appeal.id).version,
            catalogs.working_calendar(site),
            changed=lambda corrected: ministry.changed(site, corrected),
        )

    return changed


@pytest.fixture
def technician(site, app, login_as):
    app.config["SITE"] = site
    return login_as("technician")


def courier_of(site) -> Courier:
    return Courier(gateway(site.ministry), site, site.ministry, notices.answered, rest=0)


def stands(appeal) -> str:
    return ministry.queue.STANDS[ministry.of_appeal(appeal).state]


def due_now() -> None:
    Message.update(due_at=clock.now()).where(Message.state == "pending").execute()


def uz(text: str) -> str:
    """A text of the pages as the browser is sent it."""
    return str(escape(i18n.translations("uz_Latn").gettext(text)))


def checked(site, code="ministry") -> health.Check | None:
    return next((check for check in health.checks(site) if check.code == code), None)


def fits(schema: str, what: object) -> None:
    from jsonschema import Draft202012Validator  # here: long to load

    where = {"$ref": f"#/components/schemas/{schema}", "components": DOCUMENT["components"]}
    Draft202012Validator(where).validate(what)


def test_the_document_is_sound_and_the_reference_keeps_to_it(far, courier, new) -> None:
    from jsonschema import Draft202012Validator  # here: long to load

    assert DOCUMENT["openapi"].startswith("3.1")
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    names = set(DOCUMENT["components"]["schemas"])
    used = set(json.dumps(DOCUMENT).split("#/components/schemas/")[1:])
    assert {name.partition('"')[0] for name in used} <= names
    appeal = new()
    courier.send_due()
    fits("Appeal", far.appeals[appeal.number])
    fits("Event", far.tell(appeal.number, "answer", "Javob"))
    assert set(DOCUMENT["components"]["schemas"]["Event"]["properties"]["action"]["enum"]) == {
        *answers.STEPS,
        *answers.RECEIPTS,
    }


def test_an_appeal_goes_there_and_its_changes_follow(site, far, courier, new, change) -> None:
    appeal = new()
    assert stands(appeal) == "queued"
    change(appeal)
    today = clock.now().date()
    handling.do(
        "take", appeal, "bahodir", 2, today, changed=lambda done: ministry.changed(site, done)
    )
    courier.send_due()
    n = appeal.number
    assert far.taken == [("new", n, 1), ("change", n, 2), ("change", n, 3)]
    assert far.appeals[n]["gist"] == "Boshqa"
    assert far.appeals[n]["state"] == "taken"
    assert stands(appeal) == "acknowledged"
    assert ministry.of_appeal(appeal).foreign_id == f"M-{n}"


def test_the_pages_and_the_programs_tell_of_every_step(
    site, far, courier, app, nilufar, login_as
) -> None:
    app.config["SITE"] = site
    operator, token = login_as("operator"), appeals.token_for(nilufar, None)
    headers = {"X-CSRFToken": operator.token()}
    path = f"/operator/forms/{token}/register"
    number = operator.post(path, json={"values": FULL}, headers=headers).json["number"]
    operator.send(f"/appeals/{number}/correct", version=1, **FULL | {"gist": "Boshqa"})
    login_as("ministry").send(f"/appeals/{number}/steps", action="take", version=2)
    secret = key_in_force()
    answer = app.test_client().post(
        f"/api/v1/appeals/{number}/steps",
        json={"action": "answer", "version": 3, "text": "Javob"},
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert answer.status_code == 409  # whoever holds it must be relieved of it first
    for version, action in enumerate(("take", "answer"), 3):
        app.test_client().post(
            f"/api/v1/appeals/{number}/steps",
            json={"action": action, "version": version, "text": "Javob"},
            headers={"Authorization": f"Bearer {secret}"},
        )
    courier.send_due()
    assert [version for _, n, version in far.taken if n == number] == [1, 2, 3, 4, 5]
    assert far.appeals[number]["answer"] == "Javob"


def test_a_name_and_a_password_do_as_well(site, far, new) -> None:
    account = dataclasses.replace(site.ministry, token="", user="hotline", password="secret")
    far.token = "Basic aG90bGluZTpzZWNyZXQ="
    appeal = new()
    courier_of(dataclasses.replace(site, ministry=account)).send_due()
    assert stands(appeal) == "acknowledged"


def test_nothing_goes_without_settings_nor_when_it_is_undone(settings, new, change) -> None:
    assert ministry.registered(settings, appeal := new()) is None
    Message.delete().execute()
    with db.writing() as transaction:
        new()
        change(appeal)
        transaction.rollback()
    assert not Message.select().exists()


@pytest.mark.parametrize("mood", ["lost", "dead", "error", "html", "half", "wait", "moved"])
def test_what_fails_comes_again_counts_once_and_keeps_its_place(
    far, site, courier, new, change, mood
) -> None:
    first, other = new(), new()
    change(first)
    far.moods = [mood, mood]
    courier.send_due()
    ticks = iter(range(100, 10_000, 100))
    for _ in range(6):
        due_now()
        again = courier_of(site)
        again.tick = lambda: next(ticks)
        again.send_due()
    n = first.number
    assert [t for t in far.taken if t[1] == n] == [("new", n, 1), ("change", n, 2)]
    assert len(far.taken) == 3
    assert (stands(first), stands(other)) == ("acknowledged", "acknowledged")
    assert not Message.select().where(Message.perhaps_twice).exists()
    assert not link.state().trouble


def test_an_answer_that_comes_too_late_does_no_harm(far, courier, new, monkeypatch) -> None:
    far.moods = ["slow"]
    appeal = new()
    monkeypatch.setattr(http, "_ANSWER", 0.2)
    courier.send_due()
    monkeypatch.undo()
    assert ministry.of_appeal(appeal).trouble == "answer_lost"
    due_now()
    courier.send_due()
    assert stands(appeal) == "acknowledged"
    far.release.set()
    until(lambda: far.late == 1, limit=60)
    assert far.taken == [("new", appeal.number, 1)]


def test_a_link_that_fails_is_left_alone_and_a_long_queue_has_no_burst(site, far, new) -> None:
    for _ in range(AT_ONCE + 5):
        new()
    quiet = Courier(
        gateway(site.ministry), site, site.ministry, notices.answered, rest=30, tick=lambda: now[0]
    )
    now, far.moods = [1000.0], ["error"]
    assert quiet.send_due() == 1
    assert quiet.send_due() == 0
    due_now()
    now[0] += 31
    assert quiet.send_due() == AT_ONCE
    assert quiet.send_due() == 5
    assert len(far.taken) == AT_ONCE + 5


def test_a_refused_token_is_told_and_nothing_is_lost(site, far, courier, new, technician) -> None:
    far.token = "another"
    appeal = new()
    courier.send_due()
    assert (stands(appeal), checked(site).state) == ("queued", "fail")
    assert "token" in checked(site).advice
    assert uz(REFUSED_ACCOUNT) in technician.get("/ministry").text
    far.token = TOKEN
    due_now()
    courier.send_due()
    assert (stands(appeal), checked(site).state) == ("acknowledged", "ok")


@pytest.mark.parametrize("status", [404, 405, 406, 408, 421, 425])
@pytest.mark.parametrize("body", ['{"detail": "Not Found"}', "<html>Not Found</html>"])
def test_a_wrong_address_refuses_nothing(site, far, courier, new, technician, status, body) -> None:
    far.moods = [(status, body)]
    appeal, other = new(), new()
    courier.send_due()
    assert stands(appeal) == "queued"
    assert ministry.of_appeal(appeal).trouble
    due_now()
    courier_of(site).send_due()
    assert (stands(appeal), stands(other)) == ("acknowledged", "acknowledged")
    far.event_moods = [(404, body)]
    courier.read()
    assert link.state().trouble == "not_there"
    assert checked(site).seen == "there is no such interface at its address"
    advice = "There is no such interface at this address: check ministry.url in the settings."
    assert uz(advice) in technician.get("/ministry").text


@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_document_that_is_refused_is_not_sent_again(far, courier, new, status) -> None:
    far.moods = [(status, '{"detail": "why"}')]
    appeal = new()
    courier.send_due()
    assert (stands(appeal), ministry.of_appeal(appeal).trouble_text) == ("refused", "why")


def test_all_that_was_refused_is_tried_again_at_once(
    far, courier, new, change, technician, login_as
) -> None:
    far.moods = ["refuse", "refuse", "refuse", "ok", "error"]
    first, second, corrected, fine, waits = new(), new(), new(), new(), new()
    courier.send_due()
    change(corrected)
    far.moods = ["refuse"]
    courier.send_due()
    far.moods = []
    before = ministry.of_appeal(waits)
    page = technician.get("/ministry").text
    assert uz("Try all refused again") in page
    assert 'method="post" action="/ministry/retry">' in page  # a button: no script is needed
    assert login_as("operator").send("/ministry/retry").status_code == 403
    assert technician.send("/ministry/retry").status_code == 302
    assert [stands(a) for a in (first, second, corrected, fine)] == [
        *("queued", "queued", "queued", "acknowledged")
    ]
    assert ministry.of_appeal(waits).due_at == before.due_at
    entry = AuditEntry.get(AuditEntry.action == "ministry.retry")
    assert (entry.who, entry.detail["count"]) == ("rustam", 3)
    due_now()
    courier.send_due()
    assert {stands(a) for a in (first, second, corrected, fine, waits)} == {"acknowledged"}
    assert uz("Try all refused again") not in technician.get("/ministry").text
    technician.send("/ministry/retry")
    assert AuditEntry.select().where(AuditEntry.action == "ministry.retry").count() == 1


def test_a_refusal_is_shown_with_its_reason_and_what_to_do(
    site, far, courier, new, technician, login_as
) -> None:
    far.moods = ["refuse"]
    appeal, other = new(), new()
    courier.send_due()
    assert (stands(appeal), stands(other)) == ("refused", "acknowledged")
    assert checked(site, "ministry.refused").state == "fail"
    page = technician.get("/ministry").text
    assert appeal.number in page
    assert other.number not in page
    assert "no such direction" in page
    assert uz("Have the form corrected, or ask the ministry's technician, then try again.") in page
    assert "no such direction" in login_as("supervisor").get(f"/appeals/{appeal.number}").text
    message = ministry.of_appeal(appeal)
    assert technician.send(f"/ministry/{message.id}/retry").status_code == 302
    courier.send_due()
    assert stands(appeal) == "acknowledged"
    assert appeal.number not in technician.get("/ministry/list").text
    sms = outbox.put("sms", "registered", "+998935550147", key="1", text="x")
    assert technician.send(f"/ministry/{sms.id}/retry").status_code == 404


def test_a_refused_appeal_that_is_corrected_goes_as_a_new_one(far, courier, new, change) -> None:
    far.moods = ["refuse"]
    appeal = new()
    courier.send_due()
    first = ministry.of_appeal(appeal)
    change(appeal)
    courier.send_due()
    assert far.taken == [("new", appeal.number, 2)]
    outbox.try_again(first)
    courier.send_due()  # what was overtaken is not sent
    assert far.taken == [("new", appeal.number, 2)]
    assert far.appeals[appeal.number]["gist"] == "Boshqa"
    assert stands(appeal) == "acknowledged"


@pytest.mark.parametrize("said", ["acknowledged", "refused"])
def test_what_is_decided_there_later_is_told(far, courier, new, said) -> None:
    far.moods = ["later"]
    appeal = new()
    courier.send_due()
    assert stands(appeal) == "sent"
    far.tell(appeal.number, said, "why", version=1)
    courier.read()
    assert stands(appeal) == said
    assert ministry.of_appeal(appeal).trouble_text == ("why" if said == "refused" else "")


def test_the_last_word_about_a_version_is_the_one_that_holds(far, courier, new, technician) -> None:
    far.moods = ["refuse"]
    appeal, other = new(), new()
    courier.send_due()
    assert (stands(appeal), stands(other)) == ("refused", "acknowledged")
    far.tell(appeal.number, "acknowledged", version=1)
    far.tell(other.number, "refused", "mistaken", version="1")
    far.event_moods = ["twice"]
    courier.read()
    assert (stands(appeal), stands(other)) == ("acknowledged", "refused")
    assert not ministry.of_appeal(appeal).trouble
    page = technician.get("/ministry").text
    assert "mistaken" in page
    assert appeal.number not in page
    far.tell(other.number, "acknowledged")
    courier.read()
    assert stands(other) == "acknowledged"
    far.tell(other.number, "refused", version="first")
    courier.read()
    assert (stands(other), [e.outcome for e in ministry.undone()]) == ("acknowledged", ["no_sense"])


def test_a_word_without_a_version_is_about_what_went(far, courier, new, change) -> None:
    far.moods = ["later"]
    appeal = new()
    courier.send_due()
    change(appeal)
    far.tell(appeal.number, "acknowledged")
    courier.read()
    assert stands(appeal) == "queued"
    courier.send_due()
    assert far.appeals[appeal.number]["version"] == 2


def test_a_system_that_forgot_an_appeal_gets_it_whole(far, courier, new, change) -> None:
    appeal = new()
    courier.send_due()
    change(appeal)
    far.moods = ["forgets"]
    courier.send_due()
    due_now()
    courier.send_due()
    assert [what for what, *_ in far.taken] == ["new", "new"]
    assert far.appeals[appeal.number]["version"] == 2


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
def test_whatever_the_form_holds_what_is_sent_is_as_described(far, courier, new, values) -> None:
    appeal = new(**values)
    courier.send_due()
    fits("Appeal", far.appeals[appeal.number])


def test_what_is_on_no_list_goes_as_text_and_never_as_a_code(site, far, new) -> None:
    theirs = dataclasses.replace(
        site.ministry, codes={"direction": {"employment": "101"}, "employment": {}, "mahalla": {}}
    )
    typed = {"direction": "", "direction_text": "Boshqa gap", "mahalla_text": "Hech qayerda"}
    typed |= {"employment": "", "employment_text": "Baliqchi", "born": "taxminan 1990"}
    appeal = new(**typed)
    courier_of(dataclasses.replace(site, ministry=theirs)).send_due()
    sent = far.appeals[appeal.number]
    names = ("direction", "employment", "mahalla")
    assert [sent[name] for name in names] == [None, None, None]
    assert [sent[f"{name}_text"] for name in names] == ["Boshqa gap", "Baliqchi", "Hech qayerda"]
    assert (sent["born_on"], sent["born_text"]) == (None, "taxminan 1990")


def test_every_code_can_be_exchanged(site, far, new) -> None:
    codes = {
        "state": {"registered": "1"},
        "applicant_kind": {"person": "F"},
        "openness": {"open": "O"},
        "sex": {"f": "2"},
        "department": {},
        "mahalla": {},
    }
    appeal = new(mahalla_text="")
    theirs = dataclasses.replace(site.ministry, codes=codes)
    courier_of(dataclasses.replace(site, ministry=theirs)).send_due()
    sent = far.appeals[appeal.number]
    assert [sent[name] for name in ("state", "applicant_kind", "openness", "sex")] == [
        *("1", "F", "O", "2")
    ]


def test_names_and_codes_are_the_ministrys(site, far, new, technician) -> None:
    theirs = dataclasses.replace(
        site.ministry,
        fields={"gist": "mazmun", "passport": ""},
        codes={"direction": {"employment": "101"}},
    )
    known, missing = new(direction="Ishga joylashish uchun"), new(direction="Boshqa masalalar")
    courier_of(dataclasses.replace(site, ministry=theirs)).send_due()
    sent = far.appeals[known.number]
    assert (sent["direction"], sent["mazmun"]) == ("101", known.gist)
    assert sent["appeal_type"] == known.appeal_type
    assert not {"gist", "passport"} & set(sent)
    assert (stands(missing), len(far.taken)) == ("refused", 1)
    page = technician.get("/ministry").text
    assert "direction other" in page
    assert uz("Add the code under [ministry] in the settings, restart, then try again.") in page
    outbox.try_again(ministry.of_appeal(missing))
    theirs.codes["direction"]["other"] = "199"
    courier_of(dataclasses.replace(site, ministry=theirs)).send_due()
    assert far.appeals[missing.number]["direction"] == "199"


@pytest.mark.parametrize(
    ("written", "said"),
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
def test_names_that_are_none_of_ours_or_fall_together_are_told(tmp_path, settings, written, said):
    config = tmp_path / "site.toml"
    config.write_text(f"{config.read_text()}\n[ministry]\n{written}\n")
    with pytest.raises(SettingsError, match=said):
        load_settings(config)


def test_a_name_given_to_another_is_no_more_that_of_a_typed_text(settings, tmp_path) -> None:
    config = tmp_path / "site.toml"
    config.write_text(
        f'{config.read_text()}\n[ministry]\nfields = {{ direction = "direction_text" }}\n'
    )
    ministry = load_settings(config).ministry
    taken = {"number": "2026-000001", "direction": "subsidies", "direction_text": None}
    assert mapping.document(ministry, taken)["direction_text"] == "subsidies"


def test_the_settings_know_the_codes_that_never_change(site) -> None:
    assert set(MINISTRY_CODES["state"]) == set(states.STATES)
    for name in ("sex", "openness", "applicant_kind"):
        options = form.definition().field(name).options
        assert MINISTRY_CODES[name] == tuple(option.code for option in options)
    described = set(DOCUMENT["components"]["schemas"]["Appeal"]["properties"])
    assert described == set(mapping.FIELDS)
    assert set(MINISTRY_CODES) <= described


def test_names_may_be_exchanged_for_each_other(site) -> None:
    named = {"first_name": "surname", "surname": "first_name", "answer": "", "gist": "answer"}
    theirs = dataclasses.replace(site.ministry, fields=named)
    sent = mapping.document(
        theirs, {"number": "1", "first_name": "A", "surname": "B", "gist": "C", "answer": "D"}
    )
    assert [sent[name] for name in ("first_name", "surname", "answer")] == ["B", "A", "C"]


def test_an_answer_reaches_the_appeal_once(site, far, new, technician, login_as) -> None:
    """Though it is told twice, its telling is lost, or another event says the same."""
    accounts = (SmsAccount("eskiz", "eskiz", far.url, "user", "secret", "4546"),)
    courier = courier_of(dataclasses.replace(site, sms=accounts))
    appeal = new(phone="+998935550147")
    handling.take(appeal, "bahodir", 1)
    far.page = 1
    far.event_moods = ["error", "twice", "html", "lost"]
    far.tell(appeal.number, "take")
    far.tell(appeal.number, "answer", "Javobimiz shu")
    for _ in range(6):
        courier.read()
    far.tell(appeal.number, "answer", "Javobimiz shu")
    courier.read()
    assert Handling.get_by_id(appeal.id).state == "answered"
    answered = AppealStep.select().where(AppealStep.action == "answer")
    assert [(step.who, step.text) for step in answered] == [(ministry.WHO, "Javobimiz shu")]
    assert Message.select().where(Message.purpose == "answered").count() == 1
    audited = AuditEntry.select().where(AuditEntry.who == ministry.WHO)
    assert audited.where(AuditEntry.action == "appeal.answer").count() == 1
    assert audited.where(AuditEntry.action == "ministry.event").count() == 3
    assert not ministry.undone()
    page = login_as("supervisor").get(f"/appeals/{appeal.number}").text
    assert "Javobimiz shu" in page
    assert uz("Ministry's system") in page
    assert Message.select().where(Message.channel == "ministry").count() == 1  # no echo


def test_a_returned_appeal_comes_back_to_its_operator_and_goes_again(
    far, courier, new, change
) -> None:
    appeal = new()
    courier.send_due()
    far.tell(appeal.number, "return", "Manzil yoʻq")
    courier.read()
    assert Handling.get_by_id(appeal.id).state == "returned"
    change(appeal)
    courier.send_due()
    assert far.appeals[appeal.number]["state"] == "taken"
    far.tell(appeal.number, "dismiss", "Anonim")
    courier.read()
    assert Handling.get_by_id(appeal.id).state == "closed"


def test_what_cannot_be_done_is_listed_until_somebody_has_seen_to_it(
    site, far, courier, new, technician
) -> None:
    appeal = new()
    courier.send_due()
    far.tell(appeal.number, "close")
    far.tell("2026-999999", "answer", "Kimga?")
    far.tell(appeal.number, "dance", "Nima?")
    far.tell(appeal.number, "answer", "")
    far.events += [{"number": appeal.number}, "nonsense", {"id": "\ud800", "text": 5}]
    far.tell(appeal.number, "answer", "Shunday \ud800")
    courier.read()
    assert Handling.get_by_id(appeal.id).state == "answered"
    outcomes = {event.outcome for event in ministry.undone()}
    assert outcomes == {"state", "unknown", "no_sense", "words"}
    assert checked(site, "ministry.undone").state == "warn"
    page = technician.get("/ministry").text
    assert "Kimga?" in page
    assert uz("There is no such appeal here: ask the ministry's technician.") in page
    for event in ministry.undone():
        technician.send("/ministry/seen", event=event.id)
    assert (ministry.undone(), checked(site, "ministry.undone")) == ([], None)


def test_an_event_counts_whatever_its_id_is(far, courier, new, technician) -> None:
    appeal = new()
    courier.send_due()
    far.tell(appeal.number, "answer", "Javob", id=17)
    courier.read()
    assert Handling.get_by_id(appeal.id).state == "answered"
    far.tell(appeal.number, "close", id="17")
    courier.read()
    assert Handling.get_by_id(appeal.id).state == "answered"  # told before
    nameless = {"number": appeal.number, "action": "close"}
    far.events += [nameless, nameless | {"id": None}, nameless | {"id": ["x"]}, "nima bu?"]
    far.events += [nameless, nameless | {"id": True, "text": "yopildi"}]
    courier.read()
    assert Handling.get_by_id(appeal.id).state == "answered"
    undone = ministry.undone()
    assert [event.outcome for event in undone] == ["no_sense"] * 5
    page = technician.get("/ministry").text
    assert "nima bu?" in page
    assert "yopildi" in page
    for event in undone:
        technician.send("/ministry/seen", event=event.id)
    assert not ministry.undone()


def test_two_long_ids_are_two_events(far, courier, new) -> None:
    appeal = new()
    courier.send_due()
    far.tell(appeal.number, "take", id="x" * 300 + "1")
    far.tell(appeal.number, "answer", "Javob", id="x" * 300 + "2")
    courier.read()
    assert Handling.get_by_id(appeal.id).state == "answered"


def test_the_page_of_a_site_without_the_system(settings, app, login_as) -> None:
    assert uz("Not connected") in login_as("technician").get("/ministry").text
    assert not checked(settings)


def test_what_waits_long_is_alarmed(site, new, change) -> None:
    appeal = new()
    assert checked(site).state == "ok"
    for hours, state in ((3, "warn"), (50, "fail")):
        Message.update(created_at=clock.now() - dt.timedelta(hours=hours)).execute()
        assert checked(site).state == state
    change(appeal)  # which makes it no younger
    assert checked(site).state == "fail"


def test_appeals_of_the_time_before_are_caught_up(settings, site, new, courier, far) -> None:
    before = dataclasses.replace(settings, ministry=None)
    first, second = new(before), new(before)
    third = new()
    today = Handling.get_by_id(first.id).registered_on
    assert ministry.catch_up(site, today + dt.timedelta(days=1), "command") == 0
    assert ministry.catch_up(site, today, "command") == 2
    assert ministry.catch_up(site, today, "command") == 0  # once
    assert courier.send_due() == 3
    assert {stands(appeal) for appeal in (first, second, third)} == {"acknowledged"}
    assert AuditEntry.select().where(AuditEntry.action == "ministry.catch_up").count() == 3


def test_a_storm_with_killed_couriers_loses_nothing(site, far, new, change) -> None:
    """Every appeal is there once, with its last state; its versions arrived in order."""
    dice = random.Random(7)  # noqa: S311
    made = [new() for _ in range(25)]
    for appeal in made[::2]:
        change(appeal, gist="Bir")
        change(appeal, gist="Ikki")
    moods = ["ok", "lost", "dead", "error", "html", "half", "wait", "later", "moved"]
    courier, ticks = courier_of(site), [0.0]
    courier.tick = lambda: ticks[0]
    while Message.select().where(Message.state.in_(outbox.OPEN)).exists():
        far.moods = dice.choices(moods, k=4)
        if dice.random() < 0.3 and (message := outbox.claim("ministry")):
            if dice.random() < 0.5:  # killed after the ministry took it
                far.moods, known = [], ministry.queue.is_known(message)
                document = mapping.document(site.ministry, message.payload)
                courier.system.send(
                    message.cause, document, ministry.queue.key_there(message), known
                )
            past = clock.now() - dt.timedelta(seconds=1)
            Message.update(claimed_until=past).where(Message.id == message.id).execute()
        due_now()
        ticks[0] += 3601
        courier.send_due()
    for number in far.appeals:
        versions = [version for _, n, version in far.taken if n == number]
        assert versions == sorted(set(versions))
    assert [what for what, *_ in far.taken].count("new") == len(made)
    for number, appeal in enumerate(made):
        assert far.appeals[appeal.number]["version"] == (1 if number % 2 else 3)


def test_it_goes_on_in_a_thread_and_stops(site, far, new) -> None:
    stop = threading.Event()

    def run() -> None:
        with db.database.connection_context():
            courier_of(site).follow(stop, every=0.01)

    thread = threading.Thread(target=run)
    thread.start()
    appeal = new()
    until(lambda: stands(appeal) == "acknowledged", limit=60)
    far.tell(appeal.number, "answer", "Javob")
    stop.set()
    thread.join(60)
    assert not thread.is_alive()
    courier_of(site).read()
    assert MinistryEvent.select().count() == 1
