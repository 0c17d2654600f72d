"""A personal appeal: no route shows its content to users who may not read it; a reason opens it."""

import pytest

from appliance.casework.appeals import desk, listing, personal, queries
from appliance.casework.appeals.listing import Filters
from appliance.casework.forms import drafts
from appliance.core import clock, outbox
from appliance.models import Appeal, AppealReveal, AuditEntry, Call, CallForm, User
from appliance.people import staff
from tests.rig.appeals import FULL_FORM, create_appeal
from tests.rig.citizen import CITIZEN_NUMBER, Citizen, form_token_in_talk
from tests.web.shell.test_access import ROUTES
from tests.web.shell.test_disclosure import GIST, NAME, STREET, request_route

pytestmark = pytest.mark.usefixtures("every_change_is_audited")

QUERY_STRINGS = ("", f"all=1&q={NAME}", f"q={CITIZEN_NUMBER[1:]}")
CONTACT_NAME = "Maslahatova"
PERSONAL_TEXTS = (NAME, STREET, GIST, CONTACT_NAME)
# users who see that it exists but may not read it: login → role
ROLE_OF_OTHER_LOGIN = {
    "sardor": "operator",
    "dilnoza": "supervisor",
    "sherzod": "manager",
    "rustam": "technician",
    "oybek": "backup",
}


@pytest.fixture
def personal_appeal(settings, nilufar, labour) -> Appeal:
    """A personal appeal of Nilufar's with all related records; the citizen is now calling
    Sardor.
    """
    values = FULL_FORM | {"surname": NAME, "address": STREET, "gist": GIST, "phone": CITIZEN_NUMBER}
    values |= {"openness": personal.PERSONAL, "consultation": "1"}
    values |= {"consultation_issue": GIST, "consultation_contact": CONTACT_NAME}
    first = Citizen("hotline-1.1")
    first.ring_operator(nilufar)
    first.start_talk()
    first.hang_up()
    appeal = create_appeal(
        settings, nilufar, values, token=desk.current_desk(nilufar, clock.now()).token
    )
    outbox.queue_sms(
        "registered", CITIZEN_NUMBER, NAME, key="1", cause=appeal.number, tz=settings.tz
    )
    second = Citizen("hotline-2.2")
    second.ring_operator(User.get(User.login == "sardor"))
    second.start_talk()
    return appeal


def disclosed_texts(browser, role: str, appeal: Appeal) -> dict[str, list[str]]:
    """Return what each route and query showed of the appeal. `browser` is signed in."""
    common_placeholders = {
        "<number>": appeal.number,
        "<any(appeal, call, form):about>": "appeal",
        "<id>": appeal.number,
        "<call_id>": "hotline-1.1",
        "<login>": "nilufar",
        "<int:number>": "1",
    }
    token, texts_of_route = browser.token(), {}
    for route, roles in sorted(ROUTES.items()):
        if role not in roles or route in ("POST /logout", "POST /appeals/<number>/reveal"):
            continue
        placeholders = common_placeholders | (
            {"<number>": CallForm.get().number} if "/call-forms/" in route else {}
        )
        for query in QUERY_STRINGS if route.startswith("GET") else QUERY_STRINGS[:1]:
            with request_route(browser, route, placeholders, query, token) as answer:
                if answer.mimetype == "text/event-stream":
                    continue
                text = answer.get_data().decode(errors="ignore")
            if texts := [word for word in PERSONAL_TEXTS if word in text and word not in query]:
                texts_of_route[f"{route} {query}"] = texts
    return texts_of_route


@pytest.mark.parametrize("login", ROLE_OF_OTHER_LOGIN)
def test_no_route_discloses_its_content(login, personal_appeal, login_as) -> None:
    disclosed = disclosed_texts(login_as(login), ROLE_OF_OTHER_LOGIN[login], personal_appeal)
    if login == "sardor":  # Sardor is talking to the citizen and recognises their number
        disclosed = {route: texts for route, texts in disclosed.items() if texts != [NAME]}
    # the audit shows searches to the manager
    assert {route for route in disclosed if not route.startswith("GET /audit")} == set()


@pytest.mark.parametrize("login", ["nilufar", "bahodir"])
def test_the_operator_and_the_department_of_an_appeal_read_it(
    login, personal_appeal, labour, login_as
) -> None:
    staff.assign_department(User.get(User.login == "bahodir"), labour.id, by="sherzod")
    assert GIST in login_as(login).get(f"/appeals/{personal_appeal.number}").text


def test_another_department_does_not_see_a_personal_appeal(personal_appeal, law, login_as) -> None:
    staff.assign_department(User.get(User.login == "bahodir"), law.id, by="sherzod")
    assert disclosed_texts(login_as("bahodir"), "ministry", personal_appeal) == {}
    assert login_as("bahodir").get(f"/appeals/{personal_appeal.number}").status_code == 404


def test_a_supervisor_sees_that_it_exists_but_no_search_finds_its_words(
    personal_appeal, register, login_as
):
    other = register(surname=NAME, phone=CITIZEN_NUMBER)
    browser = login_as("dilnoza")
    page = browser.get("/appeals?all=1").text
    assert personal_appeal.number in page
    assert "Shaxsiy murojaat" in page
    for query in (f"q={NAME}", f"q={CITIZEN_NUMBER[1:]}"):
        page = browser.get(f"/appeals?all=1&{query}").text
        assert personal_appeal.number not in page.replace(query, "")
        assert other.number in page
        assert (
            browser.get(f"/appeals/appeals.csv?all=1&{query}").text.count(personal_appeal.number)
            == 0
        )
    for listed in ("/appeals?all=1", "/appeals/list?all=1", "/appeals/appeals.csv?all=1"):
        page = browser.get(f"{listed}&region=1718&district={FULL_FORM['district']}").text
        assert personal_appeal.number not in page
        assert other.number in page
    assert personal_appeal.number in browser.get(f"/appeals?all=1&q={personal_appeal.number}").text
    line = browser.get("/appeals/appeals.csv?all=1").text
    assert personal_appeal.number in line


def test_a_reason_opens_it_for_an_hour_and_is_shown_to_the_manager(
    personal_appeal, login_as, monkeypatch
) -> None:
    browser, card_path = login_as("dilnoza"), f"/appeals/{personal_appeal.number}"
    page = browser.refused_page(browser.send(f"{card_path}/reveal", page=card_path, reason=" x "))
    assert "Nima uchun ochishingizni yozing." in page
    assert GIST not in page
    browser.send(f"{card_path}/reveal", page=card_path, reason="Fuqaroning shikoyati")
    assert GIST in browser.get(card_path).text
    row = AuditEntry.get(AuditEntry.action == "appeal.reveal")
    assert (row.who, row.subject, row.detail["reason"]) == (
        *("dilnoza", personal_appeal.number),
        "Fuqaroning shikoyati",
    )
    manager = login_as("sherzod")
    assert GIST not in manager.get(card_path).text  # each user needs a reason of their own
    audit_page = manager.get("/audit").text
    assert "Fuqaroning shikoyati" in audit_page
    assert personal_appeal.number in audit_page
    later = clock.now() + personal.REVEAL_PERIOD
    monkeypatch.setattr(clock, "now", lambda: later)
    assert GIST not in login_as("dilnoza").get(card_path).text


@pytest.mark.parametrize("login", ["sardor", "bahodir"])
def test_no_other_role_may_open_it_with_a_reason(login, personal_appeal, login_as) -> None:
    browser = login_as(login)
    assert (
        browser.send(f"/appeals/{personal_appeal.number}/reveal", reason="sabab").status_code == 403
    )
    with pytest.raises(PermissionError):
        personal.reveal_appeal(User.get(User.login == login), personal_appeal, "sabab")
    assert AppealReveal.select().count() == 0


def test_a_veiled_appeal_cannot_be_saved(personal_appeal) -> None:
    veiled_appeal = queries.find_appeal(personal_appeal.number, User.get(User.login == "dilnoza"))
    assert veiled_appeal.veiled
    with pytest.raises(ValueError, match=personal_appeal.number):
        veiled_appeal.save()
    assert Appeal.get_by_id(personal_appeal.id).gist == GIST


def test_a_named_reader_is_notified_and_finds_it_in_their_list(
    personal_appeal, law, register, login_as
) -> None:
    bahodir = User.get(User.login == "bahodir")
    staff.assign_department(bahodir, law.id, by="sherzod")
    other = register(surname="Boshqayev")  # of the same department as the personal appeal
    manager, browser = login_as("sherzod"), login_as("bahodir")
    assert 'id="named"' not in browser.get("/appeals").text
    manager.send(f"/appeals/{personal_appeal.number}/readers", page="/account", login="bahodir")
    page = browser.get("/appeals?all=1").text
    notice = page.split('id="named"')[1].split("</p>")[0]
    assert f'href="/appeals/{personal_appeal.number}"' in notice
    assert page.count(personal_appeal.number) > 1  # above the list as well as in it
    assert NAME in page
    assert other.number not in page
    assert (
        listing.count_by_state_and_deadline(Filters(reader=bahodir), clock.now().date(), law.id)[
            "open"
        ]
        == 1
    )
    assert personal_appeal.number in browser.get("/appeals/appeals.csv?all=1").text
    assert GIST in browser.get(f"/appeals/{personal_appeal.number}").text
    assert 'id="named"' not in browser.get("/appeals?all=1").text  # they have opened it
    manager.send(f"/appeals/{personal_appeal.number}/readers/bahodir/remove", page="/account")
    assert personal_appeal.number not in browser.get("/appeals?all=1").text


def test_a_named_operator_is_notified_on_the_lookup_page(personal_appeal, login_as) -> None:
    personal.add_reader(personal_appeal, "sardor", User.get(User.login == "sherzod"))
    browser = login_as("sardor")
    assert 'id="named"' in browser.get("/appeals/mine").text
    assert GIST in browser.get(f"/appeals/{personal_appeal.number}").text
    assert 'id="named"' not in browser.get("/appeals/mine").text


@pytest.mark.parametrize(
    "typed",
    [
        {"passport": FULL_FORM["passport"]},
        {"pinfl": FULL_FORM["pinfl"]},
        {"phone": CITIZEN_NUMBER, "direction": FULL_FORM["direction"]},
        {"phone": CITIZEN_NUMBER, "surname": NAME, "first_name": FULL_FORM["first_name"]},
        {"pinfl": FULL_FORM["pinfl"], "direction": FULL_FORM["direction"]},
    ],
)
@pytest.mark.parametrize(("login", "reads"), [("sardor", False), ("nilufar", True)])
def test_typing_into_a_form_does_not_disclose_a_personal_appeal(
    login, reads, typed, personal_appeal, login_as
) -> None:
    """The call is from another number; only the operator who registered the appeal may read it."""
    user = User.get(User.login == login)
    token = form_token_in_talk(user, "+998901112233", "hotline-3.3")
    browser = login_as(login)
    headers = {"X-CSRFToken": browser.token("/operator")}

    def recognised_person(values: dict[str, str]) -> str:
        sent = {"form": "1", "values": values}
        return browser.post(f"/operator/forms/{token}", json=sent, headers=headers).json[
            "recognised"
        ]

    empty = {name: "" for name in typed}
    nobody = recognised_person(empty | {"gist": "x"})
    assert (recognised_person(typed) != nobody) == reads
    pieces = [browser.get(f"/operator/forms/{token}/{piece}").text for piece in ("person", "alike")]
    page = "".join([*pieces, browser.get("/operator/card").text])
    assert (personal_appeal.number in page) == reads
    assert NAME not in page.replace(f'value="{NAME}"', "") or reads


def test_a_call_from_its_number_shows_that_the_appeal_exists(personal_appeal, login_as) -> None:
    """The citizen calls from that number: information can be added to the open appeal."""
    sardor = User.get(User.login == "sardor")
    token = desk.current_desk(sardor, clock.now()).token
    drafts.save_draft(sardor, token, {"direction": FULL_FORM["direction"]}, form="1")
    browser = login_as("sardor")
    piece = browser.get(f"/operator/forms/{token}/alike").text
    assert personal_appeal.number in piece
    assert GIST not in piece


@pytest.mark.parametrize(("login", "reads"), [("sardor", False), ("nilufar", True)])
def test_a_lookup_finds_it_only_by_its_number(login, reads, personal_appeal, login_as) -> None:
    browser = login_as(login)
    Call.update(caller="+998901112233").execute()  # no call from its phone number is going on
    listed = browser.get(f"/appeals/mine?q={CITIZEN_NUMBER[1:]}").text
    assert (personal_appeal.number in listed) == reads
    page = browser.get(f"/appeals/mine?q={personal_appeal.number}").text
    assert personal_appeal.number in page.replace(f'value="{personal_appeal.number}"', "")
    assert (NAME in page) == reads


@pytest.mark.parametrize("login", [*ROLE_OF_OTHER_LOGIN, "nilufar", "bahodir"])
def test_no_report_names_who_was_contacted_about_it(login, personal_appeal, login_as) -> None:
    """Form №2 is widely distributed: not even a reader of the appeal finds the name there."""
    browser = login_as(login)
    today = clock.now().date()
    query = f"month={today:%Y-%m}&lang=uz_Latn"
    for report_path in ("/reports?", "/reports/monthly.json?", "/reports/monthly.csv?"):
        answer = browser.get(report_path + query)
        if (
            ROLE_OF_OTHER_LOGIN.get(login) in ("operator", "technician", "backup")
            or login == "nilufar"
        ):
            assert answer.status_code == 403
            continue
        assert answer.status_code == 200
        assert "Shaxsiy murojaat" in answer.text
        assert CONTACT_NAME not in answer.text
        assert GIST not in answer.text
