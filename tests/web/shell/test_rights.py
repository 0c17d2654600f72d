"""Each route as each person, by the URL map and the table of rights: own and others' appeals, open
and personal, of the department and of another. A new route is walked without being named here."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask

from appliance.casework import appeals, catalogs
from appliance.casework.appeals import handling, personal
from appliance.core import clock, outbox
from appliance.models import Appeal, AuditEntry, Call, CallForm, Recording, Talk, User
from appliance.people import accounts, keys, rights, staff
from appliance.telephony import number_hiding, recordings
from tests.casework.test_appeals import FULL
from tests.rig.citizen import PHONE, Citizen
from tests.rig.programs import key_in_force
from tests.web.shell.test_access import address

pytestmark = pytest.mark.usefixtures("every_change_is_audited")

READS, SEES, NOTHING = "reads", "sees that it is there", "nothing"
WORDS = {"open": "Ochiqsoz", "personal": "Shaxsiysoz"}  # openness → a word that only it has


@dataclass(frozen=True)
class Case:
    """Who looks, and what he is to the appeals: their operator, of their department, named."""

    login: str
    department: str = ""  # theirs, another, "" none
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


def expected(case: Case, role: str, openness: str) -> str:
    """What the table says, told anew without a loader."""
    user = User(role=role)
    scope = rights.scope_of(user, "appeal.read")
    named = case.named and openness == personal.PERSONAL
    there = {
        rights.ALL: True,
        rights.OWN: case.login == "nilufar",
        rights.DEPARTMENT: case.department != "another",
    }.get(scope, False)
    if not (there or named):
        return NOTHING
    if openness == "open" or named or case.opened:
        return READS
    scope = rights.scope_of(user, "appeal.personal")
    return READS if scope in (rights.OWN, rights.DEPARTMENT) else SEES


@pytest.fixture
def both(settings, nilufar, labour) -> dict[str, Appeal]:
    """An open and a personal appeal of Nilufar's, with a call, a form №2 and a message each."""
    made = {}
    for number, (openness, word) in enumerate(WORDS.items(), 1):
        told = FULL | {"surname": word, "address": f"{word} koʻchasi", "gist": f"{word} haqida"}
        told |= {"phone": f"+99890100000{number}", "openness": openness, "consultation": "1"}
        told |= {"consultation_issue": word, "passport": "", "pinfl": ""}
        citizen = Citizen(f"hotline-{number}.1", told["phone"])
        citizen.ring(nilufar)
        citizen.talk()
        citizen.hang_up()
        made[openness] = appeals.register(
            told,
            operator=nilufar,
            token=appeals.at_hand(nilufar, clock.now()).token,
            tz=settings.tz,
            calendar=catalogs.working_calendar(settings),
        )
        cause = made[openness].number
        outbox.put_sms("registered", told["phone"], word, key=cause, cause=cause, tz=settings.tz)
    return made


def routes(app: Flask, role: str) -> Iterator[str]:
    """The addresses that a role may get, of the URL map."""
    for rule in app.url_map.iter_rules():
        mine = role in app.view_functions[rule.endpoint].__dict__["who"]
        files = rule.rule.startswith(("/static/", "/built/", "/live", "/api/"))
        if mine and "GET" in rule.methods and not files:
            yield rule.rule


def walk(browser, app: Flask, role: str, both: dict[str, Appeal]) -> dict[str, dict[str, set[str]]]:
    """Openness → word or number → the addresses that showed it."""
    found = {o: {word: set(), both[o].number: set()} for o, word in WORDS.items()}
    forms = {one.appeal_number: one.number for one in CallForm.select()}
    for rule in sorted(routes(app, role)):
        about = both if any(p in rule for p in ("<number>", "<call_id>", "<id>")) else {"": None}
        for openness, appeal in about.items():
            path = rule
            if appeal:
                number = forms[appeal.number] if "/call-forms/" in rule else appeal.number
                path = path.replace("<number>", number).replace("<call_id>", appeal.call_id)
                path = path.replace("<id>", appeal.number)
            path = address(f"GET {path.replace('<login>', 'nilufar')}")
            word = WORDS[openness or "personal"]
            for query in ("", f"?all=1&q={word}", "?all=1&show=closed") if not appeal else ("",):
                with browser.get(path + query) as answer:
                    if answer.mimetype == "text/event-stream":
                        continue
                    assert answer.status_code < 500, path
                    text = answer.get_data().decode(errors="ignore")
                for marks in found.values():
                    for mark, places in marks.items():
                        if mark in text and mark not in path + query:
                            places.add(path + query)
    return found


@pytest.mark.parametrize("name", CASES)
def test_every_route_shows_what_the_table_says(name, both, app, law, labour, login_as) -> None:
    case = CASES[name]
    user = User.get(User.login == case.login)
    if case.department:
        departments = {"theirs": labour.id, "another": law.id}
        staff.assign(user, departments[case.department], by="sherzod")
    if case.named:
        manager = User.get(User.login == "sherzod")
        personal.name_reader(both["personal"], user.login, manager)
    if case.opened:
        personal.reveal(user, both["personal"], "shikoyat")
    found = walk(login_as(case.login), app, user.role, both)
    for openness, word in WORDS.items():
        words, numbers = found[openness][word], found[openness][both[openness].number]
        words = {p for p in words if not p.startswith("/audit")}  # repeats what was looked for
        match expected(case, user.role, openness):
            case "reads":
                assert f"/appeals/{both[openness].number}" in words
            case "sees that it is there":
                assert words == set()
                assert "/appeals?all=1&show=closed" in numbers
            case _:
                if openness == "open":  # form №2 names what specialists were asked (R2, list 5)
                    words = {p for p in words if not p.startswith("/reports")}
                assert words == set()
                # whoever keeps the audit, the messages or rights, and who reads form №2, sees
                # numbers and nothing of them
                kept = ("/audit", "/outbox", "/rights", "/reports", "/operator", "/call-forms")
                assert {p for p in numbers if not p.startswith(kept)} == set()


def test_a_key_reads_no_more_than_who_confirmed_it(both, app, labour) -> None:
    """A key that a supervisor confirmed shows a personal appeal veiled, and finds none by words."""
    manager, lead = (User.get(User.login == login) for login in ("sherzod", "dilnoza"))
    asked = ("appeals:read", "appeals:personal")
    key, secret = keys.make("Rahbar", asked, department=None, ends_at=None, by=manager)
    keys.confirm(key, lead)
    whole = key_in_force(name="Vazirlik")
    browser = app.test_client()
    for held, reads in ((secret, {"open"}), (whole, {"open", "personal"})):
        headers = {"Authorization": f"Bearer {held}"}
        for openness, word in WORDS.items():
            answer = browser.get(f"/api/v1/appeals/{both[openness].number}", headers=headers)
            assert answer.status_code == 200
            assert (word in answer.text) == (openness in reads)
            listed = browser.get("/api/v1/appeals", headers=headers)
            assert (word in listed.text) == (openness in reads)
            looked = browser.get(f"/api/v1/appeals?q={word}", headers=headers)
            assert (both[openness].number in looked.text) == (openness == "open")


@pytest.fixture
def heard(nilufar) -> Call:
    """A recorded call in which Nilufar spoke."""
    now = clock.now()
    call = Call.create(
        id="hotline-7.1",
        direction="inbound",
        arrived_at=now,
        ended_at=now,
        caller=PHONE,
        stage="ended",
        outcome="answered",
    )
    Talk.create(
        call=call, position=1, party="operator", who="nilufar", started_at=now, ended_at=now
    )
    Recording.create(call_id=call.id, file="x.wav", begun_at=now, seconds=1)
    return call


def test_an_operator_hears_his_own_calls_when_he_has_the_right(heard, login_as) -> None:
    there = f"/calls/{heard.id}"
    for login in ("nilufar", "sardor"):
        assert login_as(login).get(there).status_code == 403
        recordings.allow(User.get(User.login == login), True, by="sherzod")
    own, other = login_as("nilufar"), login_as("sardor")
    number_hiding.switch(True, by="dilnoza")
    page = own.get(there)
    assert page.status_code == 200
    assert PHONE[-9:] not in re.sub(r"\s|&nbsp;", "", page.text)
    assert own.get(f"{there}/recordings/1").status_code == 403  # no reason was given
    own.send(f"{there}/listen", page=there, reason="oʻzimni tekshirish")
    assert own.get(f"{there}/recordings/1").status_code == 404  # there, but for the file
    assert AuditEntry.get(AuditEntry.action == "recording.listen").who == "nilufar"
    for path in (there, f"{there}/recordings/1"):
        assert other.get(path).status_code == 404
    assert other.send(f"{there}/listen", page="/account", reason="x y z").status_code == 404


def test_the_right_to_listen_is_given_on_the_page_by_the_manager(nilufar, login_as) -> None:
    manager, there = login_as("sherzod"), f"/rights/{nilufar.id}"
    assert not recordings.may_listen(nilufar)
    manager.send(f"{there}/recordings", page=there)
    assert recordings.may_listen(nilufar)
    assert AuditEntry.get(AuditEntry.action == "recording.right").subject == "nilufar"
    manager.send(f"{there}/recordings", page=there)
    assert not recordings.may_listen(nilufar)
    assert login_as("rustam").send(f"{there}/recordings", page=there).status_code == 403
    lead = User.get(User.login == "dilnoza")  # hears by her role
    assert manager.send(f"/rights/{lead.id}/recordings", page=there).status_code == 404
    with pytest.raises(recordings.NotAllowed):
        recordings.allow(User.get(User.login == "rustam"), True, by="cli")


def test_the_page_shows_the_table_and_what_goes_by_the_person(both, labour, login_as) -> None:
    user = User.get(User.login == "bahodir")
    staff.assign(user, labour.id, by="sherzod")
    personal.name_reader(both["personal"], "bahodir", User.get(User.login == "sherzod"))
    for login in ("rustam", "sherzod"):
        page = login_as(login).get(f"/rights/{user.id}").text
        assert both["personal"].number in page
        assert labour.name_uz_latn in page
        assert page.count('<th scope="row">') == len(rights.RIGHTS)
    assert login_as("dilnoza").get("/rights").status_code == 403


def test_who_may_name_a_reader_and_for_what(both, nilufar, login_as) -> None:
    manager, there = login_as("sherzod"), f"/appeals/{both['personal'].number}"
    assert WORDS["personal"] not in manager.get(there).text
    manager.send(f"{there}/readers", page=there, login="sardor")
    assert WORDS["personal"] not in manager.get(there).text  # who names does not read by it
    assert manager.send(f"{there}/readers", page=there, login="sherzod").status_code == 404
    assert manager.send(f"{there}/readers", page=there, login="rustam").status_code == 404
    other = f"/appeals/{both['open'].number}"
    assert manager.send(f"{other}/readers", page=there, login="sardor").status_code == 404
    assert WORDS["personal"] in login_as("sardor").get(there).text
    manager.send(f"{there}/readers/sardor/remove", page=there)
    assert login_as("sardor").get(there).status_code == 404
    rows = AuditEntry.select(AuditEntry.action).where(
        AuditEntry.action.startswith("appeal.readers")
    )
    assert [row.action for row in rows] == ["appeal.readers.add", "appeal.readers.remove"]
    for login in ("nilufar", "dilnoza"):
        answer = login_as(login).send(f"{there}/readers", page="/account", login="sardor")
        assert answer.status_code == 403
    with pytest.raises(PermissionError):
        personal.name_reader(both["personal"], "sardor", nilufar)


def test_an_appeal_that_is_forwarded_is_read_by_its_new_department_alone(
    both, labour, law, login_as
) -> None:
    staff.assign(User.get(User.login == "bahodir"), labour.id, by="sherzod")
    there = f"/appeals/{both['personal'].number}"
    assert WORDS["personal"] in login_as("bahodir").get(there).text
    handling.do(
        "forward",
        both["personal"],
        "bahodir",
        handling.of_appeal(both["personal"]).version,
        clock.now().date(),
        "Tegishliligi boʻyicha",
        law,
    )
    assert login_as("bahodir").get(there).status_code == 404


def test_the_table_names_roles_and_scopes_that_there_are() -> None:
    for right in rights.RIGHTS:
        assert set(right.scopes) <= set(accounts.ROLES)
        assert set(right.scopes.values()) <= set(rights.SCOPES)
    assert len({right.action for right in rights.RIGHTS}) == len(rights.RIGHTS)
