"""Each route as each user, from the URL map and the table of rights.

Own and others' appeals, open and personal ones, of the user's department and of another. New routes
are included without being listed here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask

from appliance.casework.appeals import desk, handling, personal
from appliance.core import clock, outbox
from appliance.models import Appeal, AuditEntry, Call, CallForm, Recording, Talk, User
from appliance.people import accounts, keys, rights, staff
from appliance.telephony import number_hiding, recordings
from tests.rig.appeals import FULL_FORM, create_appeal
from tests.rig.citizen import CITIZEN_NUMBER, Citizen
from tests.rig.programs import confirmed_key
from tests.web.shell.test_access import route_address

pytestmark = pytest.mark.usefixtures("every_change_is_audited")

READS_IT, SEES_IT_EXISTS, SEES_NOTHING = "reads", "sees that it is there", "nothing"
MARK_OF_OPENNESS = {"open": "Ochiqsoz", "personal": "Shaxsiysoz"}  # openness → a word unique to it


@dataclass(frozen=True)
class Case:
    """A user and their relation to the appeals: operator, department, named reader."""

    login: str
    department: str = ""  # theirs, another, or "" for no department
    named: bool = False
    opened: bool = False


CASES = {
    "its operator": Case("nilufar"),
    "another operator": Case("sardor"),
    "another operator, named": Case("sardor", named=True),
    "supervisor": Case("dilnoza"),
    "supervisor, for a reason": Case("dilnoza", opened=True),
    "manager": Case("sherzod"),
    "ministry": Case("bahodir"),
    "its department": Case("bahodir", "theirs"),
    "another department": Case("bahodir", "another"),
    "another department, named": Case("bahodir", "another", named=True),
    "technician": Case("rustam"),
    "backup": Case("oybek"),
}


def expected_access(case: Case, role: str, openness: str) -> str:
    """Return what the table of rights implies, computed independently of the loaders."""
    user = User(role=role)
    scope = rights.scope_of(user, "appeal.read")
    is_named_reader = case.named and openness == personal.PERSONAL
    is_visible = {
        rights.ALL_RECORDS: True,
        rights.OWN_RECORDS: case.login == "nilufar",
        rights.DEPARTMENT_RECORDS: case.department != "another",
    }.get(scope, False)
    if not (is_visible or is_named_reader):
        return SEES_NOTHING
    if openness == "open" or is_named_reader or case.opened:
        return READS_IT
    scope = rights.scope_of(user, "appeal.personal")
    return READS_IT if scope in (rights.OWN_RECORDS, rights.DEPARTMENT_RECORDS) else SEES_IT_EXISTS


@pytest.fixture
def appeals_by_openness(settings, nilufar, labour) -> dict[str, Appeal]:
    """An open and a personal appeal of Nilufar's, each with a call, a form №2 and a message."""
    registered = {}
    for number, (openness, word) in enumerate(MARK_OF_OPENNESS.items(), 1):
        values = FULL_FORM | {
            "surname": word,
            "address": f"{word} koʻchasi",
            "gist": f"{word} haqida",
        }
        values |= {"phone": f"+99890100000{number}", "openness": openness, "consultation": "1"}
        values |= {"consultation_issue": word, "passport": "", "pinfl": ""}
        citizen = Citizen(f"hotline-{number}.1", values["phone"])
        citizen.ring_operator(nilufar)
        citizen.start_talk()
        citizen.hang_up()
        registered[openness] = create_appeal(
            settings, nilufar, values, token=desk.current_desk(nilufar, clock.now()).token
        )
        cause = registered[openness].number
        outbox.queue_sms(
            "registered", values["phone"], word, key=cause, cause=cause, tz=settings.tz
        )
    return registered


def readable_rules(app: Flask, role: str) -> Iterator[str]:
    """Yield the rules of the URL map that a role may GET."""
    for rule in app.url_map.iter_rules():
        is_permitted = role in app.view_functions[rule.endpoint].__dict__["who"]
        is_file = rule.rule.startswith(("/static/", "/built/", "/live", "/api/"))
        if is_permitted and "GET" in rule.methods and not is_file:
            yield rule.rule


def collect_disclosures(
    browser, app: Flask, role: str, appeals_by_openness: dict[str, Appeal]
) -> dict[str, dict[str, set[str]]]:
    """Return the addresses that showed each word or number, by openness."""
    places_of_mark = {
        o: {word: set(), appeals_by_openness[o].number: set()}
        for o, word in MARK_OF_OPENNESS.items()
    }
    forms = {form.appeal_number: form.number for form in CallForm.select()}
    for rule in sorted(readable_rules(app, role)):
        candidates = (
            appeals_by_openness
            if any(p in rule for p in ("<number>", "<call_id>", "<id>"))
            else {"": None}
        )
        for openness, appeal in candidates.items():
            path = rule
            if appeal:
                number = forms[appeal.number] if "/call-forms/" in rule else appeal.number
                path = path.replace("<number>", number).replace("<call_id>", appeal.call_id)
                path = path.replace("<id>", appeal.number)
            path = route_address(f"GET {path.replace('<login>', 'nilufar')}")
            word = MARK_OF_OPENNESS[openness or "personal"]
            for query in ("", f"?all=1&q={word}", "?all=1&show=closed") if not appeal else ("",):
                with browser.get(path + query) as answer:
                    if answer.mimetype == "text/event-stream":
                        continue
                    assert answer.status_code < 500, path
                    text = answer.get_data().decode(errors="ignore")
                for marks in places_of_mark.values():
                    for mark, places in marks.items():
                        if mark in text and mark not in path + query:
                            places.add(path + query)
    return places_of_mark


@pytest.mark.parametrize("name", CASES)
def test_every_route_shows_what_the_table_of_rights_allows(
    name, appeals_by_openness, app, law, labour, login_as
) -> None:
    case = CASES[name]
    user = User.get(User.login == case.login)
    if case.department:
        departments = {"theirs": labour.id, "another": law.id}
        staff.assign_department(user, departments[case.department], by="sherzod")
    if case.named:
        manager = User.get(User.login == "sherzod")
        personal.add_reader(appeals_by_openness["personal"], user.login, manager)
    if case.opened:
        personal.reveal_appeal(user, appeals_by_openness["personal"], "shikoyat")
    disclosures = collect_disclosures(login_as(case.login), app, user.role, appeals_by_openness)
    for openness, word in MARK_OF_OPENNESS.items():
        words, numbers = (
            disclosures[openness][word],
            disclosures[openness][appeals_by_openness[openness].number],
        )
        words = {p for p in words if not p.startswith("/audit")}  # repeats the search terms
        match expected_access(case, user.role, openness):
            case "reads":
                assert f"/appeals/{appeals_by_openness[openness].number}" in words
            case "sees that it is there":
                assert words == set()
                assert "/appeals?all=1&show=closed" in numbers
            case _:
                if openness == "open":  # form №2 names what specialists were asked (R2, list 5)
                    words = {p for p in words if not p.startswith("/reports")}
                assert words == set()
                # users who see the audit, the messages, rights or form №2 see numbers, and nothing
                # else of the appeals
                number_pages = (
                    "/audit",
                    "/outbox",
                    "/rights",
                    "/reports",
                    "/operator",
                    "/call-forms",
                )
                assert {p for p in numbers if not p.startswith(number_pages)} == set()


def test_a_key_reads_no_more_than_the_user_who_confirmed_it(
    appeals_by_openness, app, labour
) -> None:
    """A key confirmed by a supervisor shows a personal appeal veiled, and no search finds it."""
    manager, lead = (User.get(User.login == login) for login in ("sherzod", "dilnoza"))
    scopes = ("appeals:read", "appeals:personal")
    key, secret = keys.create_key("Rahbar", scopes, department=None, ends_at=None, by=manager)
    keys.confirm_key(key, lead)
    ministry_key = confirmed_key(name="Vazirlik")
    browser = app.test_client()
    for token, reads in ((secret, {"open"}), (ministry_key, {"open", "personal"})):
        headers = {"Authorization": f"Bearer {token}"}
        for openness, word in MARK_OF_OPENNESS.items():
            answer = browser.get(
                f"/api/v1/appeals/{appeals_by_openness[openness].number}", headers=headers
            )
            assert answer.status_code == 200
            assert (word in answer.text) == (openness in reads)
            listed = browser.get("/api/v1/appeals", headers=headers)
            assert (word in listed.text) == (openness in reads)
            search_response = browser.get(f"/api/v1/appeals?q={word}", headers=headers)
            assert (appeals_by_openness[openness].number in search_response.text) == (
                openness == "open"
            )


@pytest.fixture
def recorded_call(nilufar) -> Call:
    """A recorded call on which Nilufar talked."""
    now = clock.now()
    call = Call.create(
        id="hotline-7.1",
        direction="inbound",
        arrived_at=now,
        ended_at=now,
        caller=CITIZEN_NUMBER,
        stage="ended",
        outcome="answered",
    )
    Talk.create(
        call=call, position=1, party="operator", who="nilufar", started_at=now, ended_at=now
    )
    Recording.create(call_id=call.id, file="x.wav", begun_at=now, seconds=1)
    return call


def test_an_operator_with_the_right_listens_to_their_own_calls(recorded_call, login_as) -> None:
    card_path = f"/calls/{recorded_call.id}"
    for login in ("nilufar", "sardor"):
        assert login_as(login).get(card_path).status_code == 403
        recordings.set_personal_right(User.get(User.login == login), True, by="sherzod")
    own_browser, other_browser = login_as("nilufar"), login_as("sardor")
    number_hiding.set_enabled(True, by="dilnoza")
    page = own_browser.get(card_path)
    assert page.status_code == 200
    assert CITIZEN_NUMBER[-9:] not in re.sub(r"\s|&nbsp;", "", page.text)
    assert own_browser.get(f"{card_path}/recordings/1").status_code == 403  # no reason was stated
    own_browser.send(f"{card_path}/listen", page=card_path, reason="oʻzimni tekshirish")
    # permitted, but the file is missing
    assert own_browser.get(f"{card_path}/recordings/1").status_code == 404
    assert AuditEntry.get(AuditEntry.action == "recording.listen").who == "nilufar"
    for path in (card_path, f"{card_path}/recordings/1"):
        assert other_browser.get(path).status_code == 404
    assert (
        other_browser.send(f"{card_path}/listen", page="/account", reason="x y z").status_code
        == 404
    )


def test_the_manager_grants_the_right_to_listen_on_the_page(nilufar, login_as) -> None:
    manager, rights_path = login_as("sherzod"), f"/rights/{nilufar.id}"
    assert not recordings.can_listen(nilufar)
    manager.send(f"{rights_path}/recordings", page=rights_path)
    assert recordings.can_listen(nilufar)
    assert AuditEntry.get(AuditEntry.action == "recording.right").subject == "nilufar"
    manager.send(f"{rights_path}/recordings", page=rights_path)
    assert not recordings.can_listen(nilufar)
    assert login_as("rustam").send(f"{rights_path}/recordings", page=rights_path).status_code == 403
    lead = User.get(User.login == "dilnoza")  # may listen by their role
    assert manager.send(f"/rights/{lead.id}/recordings", page=rights_path).status_code == 404
    with pytest.raises(recordings.ListeningNotAllowed):
        recordings.set_personal_right(User.get(User.login == "rustam"), True, by="cli")


def test_the_page_shows_the_table_and_personal_rights(
    appeals_by_openness, labour, login_as
) -> None:
    user = User.get(User.login == "bahodir")
    staff.assign_department(user, labour.id, by="sherzod")
    personal.add_reader(
        appeals_by_openness["personal"], "bahodir", User.get(User.login == "sherzod")
    )
    for login in ("rustam", "sherzod"):
        page = login_as(login).get(f"/rights/{user.id}").text
        assert appeals_by_openness["personal"].number in page
        assert labour.name_uz_latn in page
        assert page.count('<th scope="row">') == len(rights.RIGHTS)
    assert login_as("dilnoza").get("/rights").status_code == 403


def test_the_manager_names_readers_only_of_personal_appeals(
    appeals_by_openness, nilufar, login_as
) -> None:
    manager, card_path = login_as("sherzod"), f"/appeals/{appeals_by_openness['personal'].number}"
    assert MARK_OF_OPENNESS["personal"] not in manager.get(card_path).text
    manager.send(f"{card_path}/readers", page=card_path, login="sardor")
    # the manager still may not read
    assert MARK_OF_OPENNESS["personal"] not in manager.get(card_path).text
    assert manager.send(f"{card_path}/readers", page=card_path, login="sherzod").status_code == 404
    assert manager.send(f"{card_path}/readers", page=card_path, login="rustam").status_code == 404
    other = f"/appeals/{appeals_by_openness['open'].number}"
    assert manager.send(f"{other}/readers", page=card_path, login="sardor").status_code == 404
    assert MARK_OF_OPENNESS["personal"] in login_as("sardor").get(card_path).text
    manager.send(f"{card_path}/readers/sardor/remove", page=card_path)
    assert login_as("sardor").get(card_path).status_code == 404
    rows = AuditEntry.select(AuditEntry.action).where(
        AuditEntry.action.startswith("appeal.readers")
    )
    assert [row.action for row in rows] == ["appeal.readers.add", "appeal.readers.remove"]
    for login in ("nilufar", "dilnoza"):
        answer = login_as(login).send(f"{card_path}/readers", page="/account", login="sardor")
        assert answer.status_code == 403
    with pytest.raises(PermissionError):
        personal.add_reader(appeals_by_openness["personal"], "sardor", nilufar)


def test_a_forwarded_appeal_is_read_only_by_its_new_department(
    appeals_by_openness, labour, law, login_as
) -> None:
    staff.assign_department(User.get(User.login == "bahodir"), labour.id, by="sherzod")
    card_path = f"/appeals/{appeals_by_openness['personal'].number}"
    assert MARK_OF_OPENNESS["personal"] in login_as("bahodir").get(card_path).text
    handling.perform_step(
        appeals_by_openness["personal"],
        "forward",
        actor="bahodir",
        expected_version=handling.handling_of_appeal(appeals_by_openness["personal"]).version,
        today=clock.now().date(),
        text="Tegishliligi boʻyicha",
        department=law,
    )
    assert login_as("bahodir").get(card_path).status_code == 404


def test_the_table_contains_only_existing_roles_and_scopes() -> None:
    for right in rights.RIGHTS:
        assert set(right.scope_by_role) <= set(accounts.ROLES)
        assert set(right.scope_by_role.values()) <= set(rights.SCOPE_LABELS)
    assert len({right.action for right in rights.RIGHTS}) == len(rights.RIGHTS)
