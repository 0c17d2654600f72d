"""A personal appeal: no route shows what it says to who does not read it; a reason opens it."""

import pytest

from appliance.casework import appeals, catalogs
from appliance.casework.appeals import listing, personal
from appliance.casework.appeals.listing import Filters
from appliance.core import clock, outbox
from appliance.models import Appeal, AppealReveal, AuditEntry, Call, CallForm, User
from appliance.people import staff
from tests.casework.test_appeals import FULL
from tests.rig.citizen import PHONE, Citizen, form_of_talk
from tests.web.shell.test_access import ROUTES
from tests.web.shell.test_disclosure import GIST, NAME, STREET, ask

pytestmark = pytest.mark.usefixtures("every_change_is_audited")

ASKED = ("", f"all=1&q={NAME}", f"q={PHONE[1:]}")
CONTACT = "Maslahatova"
SAID = (NAME, STREET, GIST, CONTACT)
# who sees that it is there, and does not read it: login → role
OTHERS = {
    "sardor": "operator",
    "dilnoza": "supervisor",
    "sherzod": "manager",
    "rustam": "technician",
    "oybek": "backup",
}


@pytest.fixture
def hers(settings, nilufar, labour) -> Appeal:
    """A personal appeal of Nilufar's, with all that hangs on it; the citizen calls Sardor now."""
    told = FULL | {"surname": NAME, "address": STREET, "gist": GIST, "phone": PHONE}
    told |= {"openness": personal.PERSONAL, "consultation": "1"}
    told |= {"consultation_issue": GIST, "consultation_contact": CONTACT}
    first = Citizen("hotline-1.1")
    first.ring(nilufar)
    first.talk()
    first.hang_up()
    appeal = appeals.register(
        told,
        operator=nilufar,
        token=appeals.at_hand(nilufar, clock.now()).token,
        tz=settings.tz,
        calendar=catalogs.working_calendar(settings),
    )
    outbox.put_sms("registered", PHONE, NAME, key="1", cause=appeal.number, tz=settings.tz)
    second = Citizen("hotline-2.2")
    second.ring(User.get(User.login == "sardor"))
    second.talk()
    return appeal


def seen_by(browser, role: str, appeal: Appeal) -> dict[str, list[str]]:
    """Route and question → what it showed of the appeal. `browser` is signed in."""
    parts = {
        "<number>": appeal.number,
        "<any(appeal, call, form):about>": "appeal",
        "<id>": appeal.number,
        "<call_id>": "hotline-1.1",
        "<login>": "nilufar",
        "<int:number>": "1",
    }
    token, found = browser.token(), {}
    for route, roles in sorted(ROUTES.items()):
        if role not in roles or route in ("POST /logout", "POST /appeals/<number>/reveal"):
            continue
        here = parts | ({"<number>": CallForm.get().number} if "/call-forms/" in route else {})
        for query in ASKED if route.startswith("GET") else ASKED[:1]:
            with ask(browser, route, here, query, token) as answer:
                if answer.mimetype == "text/event-stream":
                    continue
                text = answer.get_data().decode(errors="ignore")
            if said := [word for word in SAID if word in text and word not in query]:
                found[f"{route} {query}"] = said
    return found


@pytest.mark.parametrize("login", OTHERS)
def test_no_route_tells_what_it_says(login, hers, login_as) -> None:
    found = seen_by(login_as(login), OTHERS[login], hers)
    if login == "sardor":  # he speaks with the citizen, and knows him by his number
        found = {route: said for route, said in found.items() if said != [NAME]}
    # the audit repeats to the manager what was looked for
    assert {route for route in found if not route.startswith("GET /audit")} == set()


@pytest.mark.parametrize("login", ["nilufar", "bahodir"])
def test_its_operator_and_its_department_read_it(login, hers, labour, login_as) -> None:
    staff.assign(User.get(User.login == "bahodir"), labour.id, by="sherzod")
    assert GIST in login_as(login).get(f"/appeals/{hers.number}").text


def test_another_department_does_not_see_it(hers, law, login_as) -> None:
    staff.assign(User.get(User.login == "bahodir"), law.id, by="sherzod")
    assert seen_by(login_as("bahodir"), "ministry", hers) == {}
    assert login_as("bahodir").get(f"/appeals/{hers.number}").status_code == 404


def test_it_is_there_for_a_supervisor_and_no_count_finds_its_words(hers, register, login_as):
    other = register(surname=NAME, phone=PHONE)
    browser = login_as("dilnoza")
    page = browser.get("/appeals?all=1").text
    assert hers.number in page
    assert "Shaxsiy murojaat" in page
    for query in (f"q={NAME}", f"q={PHONE[1:]}"):
        page = browser.get(f"/appeals?all=1&{query}").text
        assert hers.number not in page.replace(query, "")
        assert other.number in page
        assert browser.get(f"/appeals/appeals.csv?all=1&{query}").text.count(hers.number) == 0
    for listed in ("/appeals?all=1", "/appeals/list?all=1", "/appeals/appeals.csv?all=1"):
        page = browser.get(f"{listed}&region=1718&district={FULL['district']}").text
        assert hers.number not in page
        assert other.number in page
    assert hers.number in browser.get(f"/appeals?all=1&q={hers.number}").text
    line = browser.get("/appeals/appeals.csv?all=1").text
    assert hers.number in line


def test_a_reason_opens_it_for_an_hour_and_the_manager_is_told(hers, login_as, monkeypatch) -> None:
    browser, there = login_as("dilnoza"), f"/appeals/{hers.number}"
    page = browser.refused(browser.send(f"{there}/reveal", page=there, reason=" x "))
    assert "Nima uchun ochishingizni yozing." in page
    assert GIST not in page
    browser.send(f"{there}/reveal", page=there, reason="Fuqaroning shikoyati")
    assert GIST in browser.get(there).text
    row = AuditEntry.get(AuditEntry.action == "appeal.reveal")
    assert (row.who, row.subject, row.detail["reason"]) == (
        *("dilnoza", hers.number),
        "Fuqaroning shikoyati",
    )
    manager = login_as("sherzod")
    assert GIST not in manager.get(there).text  # each by a reason of his own
    told = manager.get("/audit").text
    assert "Fuqaroning shikoyati" in told
    assert hers.number in told
    later = clock.now() + personal.OPEN
    monkeypatch.setattr(clock, "now", lambda: later)
    assert GIST not in login_as("dilnoza").get(there).text


@pytest.mark.parametrize("login", ["sardor", "bahodir"])
def test_nobody_else_may_open_it_by_a_reason(login, hers, login_as) -> None:
    browser = login_as(login)
    assert browser.send(f"/appeals/{hers.number}/reveal", reason="sabab").status_code == 403
    with pytest.raises(PermissionError):
        personal.reveal(User.get(User.login == login), hers, "sabab")
    assert AppealReveal.select().count() == 0


def test_what_was_left_out_is_never_written_back(hers) -> None:
    seen = appeals.find(hers.number, User.get(User.login == "dilnoza"))
    assert seen.veiled
    with pytest.raises(ValueError, match=hers.number):
        seen.save()
    assert Appeal.get_by_id(hers.id).gist == GIST


def test_who_is_named_is_told_and_finds_it_in_the_list_of_his_department(
    hers, law, register, login_as
) -> None:
    bahodir = User.get(User.login == "bahodir")
    staff.assign(bahodir, law.id, by="sherzod")
    other = register(surname="Boshqayev")  # of the same department as hers
    manager, browser = login_as("sherzod"), login_as("bahodir")
    assert 'id="named"' not in browser.get("/appeals").text
    manager.send(f"/appeals/{hers.number}/readers", page="/account", login="bahodir")
    page = browser.get("/appeals?all=1").text
    told = page.split('id="named"')[1].split("</p>")[0]
    assert f'href="/appeals/{hers.number}"' in told
    assert page.count(hers.number) > 1  # above the list, and in it
    assert NAME in page
    assert other.number not in page
    assert listing.counted(Filters(reader=bahodir), clock.now().date(), law.id)["open"] == 1
    assert hers.number in browser.get("/appeals/appeals.csv?all=1").text
    assert GIST in browser.get(f"/appeals/{hers.number}").text
    assert 'id="named"' not in browser.get("/appeals?all=1").text  # he has opened it
    manager.send(f"/appeals/{hers.number}/readers/bahodir/remove", page="/account")
    assert hers.number not in browser.get("/appeals?all=1").text


def test_an_operator_who_is_named_is_told_where_he_looks_appeals_up(hers, login_as) -> None:
    personal.name_reader(hers, "sardor", User.get(User.login == "sherzod"))
    browser = login_as("sardor")
    assert 'id="named"' in browser.get("/appeals/mine").text
    assert GIST in browser.get(f"/appeals/{hers.number}").text
    assert 'id="named"' not in browser.get("/appeals/mine").text


@pytest.mark.parametrize(
    "typed",
    [
        {"passport": FULL["passport"]},
        {"pinfl": FULL["pinfl"]},
        {"phone": PHONE, "direction": FULL["direction"]},
        {"phone": PHONE, "surname": NAME, "first_name": FULL["first_name"]},
        {"pinfl": FULL["pinfl"], "direction": FULL["direction"]},
    ],
)
@pytest.mark.parametrize(("login", "reads"), [("sardor", False), ("nilufar", True)])
def test_what_is_typed_in_a_form_does_not_tell_whose_it_is(
    login, reads, typed, hers, login_as
) -> None:
    """Another number calls; only the operator who registered the appeal reads it."""
    user = User.get(User.login == login)
    token = form_of_talk(user, "+998901112233", "hotline-3.3")
    browser = login_as(login)
    headers = {"X-CSRFToken": browser.token("/operator")}

    def recognised(values: dict[str, str]) -> str:
        sent = {"form": "1", "values": values}
        return browser.post(f"/operator/forms/{token}", json=sent, headers=headers).json[
            "recognised"
        ]

    empty = {name: "" for name in typed}
    nobody = recognised(empty | {"gist": "x"})
    assert (recognised(typed) != nobody) == reads
    pieces = [browser.get(f"/operator/forms/{token}/{piece}").text for piece in ("person", "alike")]
    page = "".join([*pieces, browser.get("/operator/card").text])
    assert (hers.number in page) == reads
    assert NAME not in page.replace(f'value="{NAME}"', "") or reads


def test_a_form_of_its_own_number_shows_that_it_is_there(hers, login_as) -> None:
    """The citizen calls from it: new information can be added to the open appeal."""
    sardor = User.get(User.login == "sardor")
    token = appeals.at_hand(sardor, clock.now()).token
    appeals.save_draft(sardor, token, {"direction": FULL["direction"]}, form="1")
    browser = login_as("sardor")
    piece = browser.get(f"/operator/forms/{token}/alike").text
    assert hers.number in piece
    assert GIST not in piece


@pytest.mark.parametrize(("login", "reads"), [("sardor", False), ("nilufar", True)])
def test_looked_up_it_is_found_by_its_number_alone(login, reads, hers, login_as) -> None:
    browser = login_as(login)
    Call.update(caller="+998901112233").execute()  # nobody calls from its number now
    listed = browser.get(f"/appeals/mine?q={PHONE[1:]}").text
    assert (hers.number in listed) == reads
    page = browser.get(f"/appeals/mine?q={hers.number}").text
    assert hers.number in page.replace(f'value="{hers.number}"', "")
    assert (NAME in page) == reads


@pytest.mark.parametrize("login", [*OTHERS, "nilufar", "bahodir"])
def test_no_report_says_who_was_contacted_about_it(login, hers, login_as) -> None:
    """Form No. 2 goes to many: neither its readers nor anybody else finds the name there."""
    browser = login_as(login)
    today = clock.now().date()
    asked = f"month={today:%Y-%m}&lang=uz_Latn"
    for there in ("/reports?", "/reports/monthly.json?", "/reports/monthly.csv?"):
        answer = browser.get(there + asked)
        if OTHERS.get(login) in ("operator", "technician", "backup") or login == "nilufar":
            assert answer.status_code == 403
            continue
        assert answer.status_code == 200
        assert "Shaxsiy murojaat" in answer.text
        assert CONTACT not in answer.text
        assert GIST not in answer.text
