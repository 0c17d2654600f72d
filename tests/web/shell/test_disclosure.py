"""Each response that shows a citizen's name, number or form leaves an audit row with their ids."""

import re

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance.casework import catalogs
from appliance.casework.appeals import correcting, handling, registering
from appliance.casework.appeals.desk import current_desk
from appliance.casework.forms import drafts
from appliance.core import audit, clock, outbox, phone_numbers
from appliance.core.db import write_transaction
from appliance.messaging.notices import citizens
from appliance.models import AuditEntry, Call, FollowUp, Handling, HeldMessage, Message
from appliance.people.accounts import ROLES
from appliance.telephony import followups, number_hiding
from appliance.telephony import recordings as listening
from tests.rig.appeals import FULL_FORM
from tests.rig.citizen import CITIZEN_NUMBER, Citizen
from tests.rig.programs import confirmed_key
from tests.web.shell.test_access import PROGRAM_ONLY, ROUTES, route_address

pytestmark = pytest.mark.usefixtures("every_change_is_audited")

NAME, STREET, GIST = "Kanareykina", "Kanareyka kochasi 7", "Kanareyka haqida"
PERSONAL_MARKS = (NAME, "Kanareykakochasi7", "Kanareykahaqida", CITIZEN_NUMBER.removeprefix("+998"))
QUERY_STRINGS = (
    *("", "to=call", "by=callers", "show=closed", f"caller=%2B{CITIZEN_NUMBER[1:]}"),
    *(f"all=1&q={NAME}", f"q={CITIZEN_NUMBER[1:]}"),
)
# these rows contain the filter
DOWNLOAD_ACTIONS = (
    "audit.read",
    "audit.download_entries",
    "appeals.download",
    "call_forms.download",
    "calls.export",
    "report.download",
    "evidence.download",
    "data_request.download",
)
# the form values that are refused, or that a program sends
FORM_VALUES = {
    "POST /appeals/<number>/steps": {"action": "answer", "version": "1", "text": "Javob"},
    "POST /appeals/<number>/contacted": {"version": "1", "contact": "Mutaxassis"},
    "POST /appeals/<number>/concluded": {"version": "1", "result": "Javob"},
    "POST /appeals/<number>/correct": {"version": "1", "surname": "Boshqa"},
    "POST /messages/<any(appeal, call, form):about>/<id>": {"sms": "", "sending": "1"},
    "POST /notices/opt-outs": {"number": "x"},
}
# routes that must be among those found, or the test checks nothing
OUTBOX_ROUTES = {"GET /outbox", "GET /outbox/list", "GET /outbox/held"}
ROUTES_WITH_PERSONAL_DATA = {
    "operator": {
        "GET /appeals/<number>",
        "GET /appeals/<number>/correct",
        "GET /appeals/mine",
        "GET /appeals/<number>/<any(standing, history):piece>",
        "POST /appeals/<number>/contacted",
        "GET /messages/<any(appeal, call, form):about>/<id>",
        "GET /messages/<any(appeal, call, form):about>/<id>/list",
        "POST /messages/<any(appeal, call, form):about>/<id>",
        "GET /followups",
        "GET /followups/list",
        "POST /followups/<int:number>/call",
        "GET /operator",
        "GET /operator/bar",
        "GET /operator/card",
        "GET /operator/employees",
        "GET /operator/forms/<token>",
    },
    "supervisor": {
        "GET /analytics",
        "GET /analytics/calls",
        "GET /analytics/calls.csv",
        "GET /appeals",
        "GET /appeals/list",
        "GET /appeals/appeals.csv",
        "GET /calls",
        "GET /calls/list",
        "GET /calls/<call_id>",
        "POST /calls/<call_id>/listen",
        "GET /floor",
        "GET /floor/calls",
        "GET /floor/operators/<login>",
    },
    "manager": {"GET /notices", "POST /notices/opt-outs", *OUTBOX_ROUTES},
    "ministry": {"GET /appeals", "GET /appeals/<number>", "POST /appeals/<number>/steps"},
    "technician": OUTBOX_ROUTES,
    "backup": set(),
}


@pytest.fixture
def site(settings, nilufar, bahodir, labour):
    """One citizen's data in every possible place; maps a placeholder to its value in addresses."""
    values = FULL_FORM | {"surname": NAME, "address": STREET, "gist": GIST, "phone": CITIZEN_NUMBER}
    first = Citizen("hotline-1.1")
    first.ring_operator(nilufar)
    first.start_talk()
    first.hang_up()
    desk = current_desk(nilufar, clock.now())
    calendar = catalogs.working_calendar(settings)
    appeal = registering.register(
        values | {"consultation": "1"},
        operator=nilufar,
        token=desk.token,
        tz=settings.tz,
        calendar=calendar,
    )
    version_before = Handling.get_by_id(appeal.id).version
    corrected = values | {"consultation": "1", "surname": f"{NAME}a"}
    correcting.correct_appeal(appeal, corrected, "nilufar", version_before, calendar)
    version = Handling.get_by_id(appeal.id).version
    handling.return_for_rework(appeal, "Aniqlang", "bahodir", version)
    draft = drafts.save_draft(nilufar, drafts.token_for(nilufar, None), values, aside=True)
    second = Citizen("hotline-2.2")
    second.ring_operator(nilufar)
    second.start_talk()
    missed = clock.now()
    Call.create(
        id="hotline-3.3",
        direction="inbound",
        arrived_at=missed,
        ended_at=missed,
        caller=CITIZEN_NUMBER,
        stage="ended",
        outcome="abandoned_queue",
    )
    with write_transaction():
        followups.update_tasks(missed, CITIZEN_NUMBER)
    outbox.queue_sms(
        "registered", CITIZEN_NUMBER, "x", key="1", cause=appeal.number, tz=settings.tz
    )
    outbox.mark_undelivered(outbox.claim_next("sms"), "declined", "")
    held_message = outbox.queue_sms(
        "registered", CITIZEN_NUMBER, "x", key="2", cause=appeal.number, tz=settings.tz
    )
    HeldMessage.create(message=held_message, held_at=clock.now())
    Message.update(state="held").where(Message.id == held_message.id).execute()
    citizens.opt_out_number(CITIZEN_NUMBER, "sherzod")
    listening.set_personal_right(bahodir, True, by="sherzod")
    secret = confirmed_key(name="Tizim")
    return {
        "<number>": appeal.number,
        "<any(appeal, call, form):about>": "appeal",
        "<id>": appeal.number,
        "<call_id>": "hotline-1.1",
        "<token>": draft.token,
        "<login>": nilufar.login,
        "<int:number>": str(FollowUp.get().id),
        "key": secret,
    }


# these end the session of the user who requests them
SESSION_ENDING_ROUTES = ("POST /logout", "POST /lock", "POST /account/sessions/<int:number>/end")


def last_entry_id() -> int:
    return AuditEntry.select().order_by(AuditEntry.id.desc()).first().id


def is_text(answer: TestResponse) -> bool:
    """Returns True if the response is text to check: not a printed file, not an event stream."""
    return bool(re.match("text/(html|csv)|application/json", answer.mimetype))


def marks_in(answer: TestResponse) -> list[str]:
    """Return the marks of the citizen in a response, ignoring white space."""
    if not is_text(answer):
        return []
    text = re.sub(r"\s|&nbsp;|%2B", "", answer.get_data(as_text=True))
    return [mark for mark in PERSONAL_MARKS if mark in text]


def request_route(browser: FlaskClient, route: str, site, query: str, token: str) -> TestResponse:
    path = route.split(" ", 1)[1]
    for placeholder, value in site.items():
        path = path.replace(placeholder, value)
    path = route_address(f"GET {path}")
    if route.startswith("GET"):
        return browser.get(f"{path}?{query}")
    if path.startswith("/operator/forms/"):
        values = {"surname": NAME, "phone": CITIZEN_NUMBER}
        return browser.post(path, json={"values": values}, headers={"X-CSRFToken": token})
    answer = browser.post(path, data={"csrf_token": token, **FORM_VALUES.get(route, {})})
    return browser.get(answer.headers["Location"]) if answer.status_code == 303 else answer


@pytest.mark.parametrize("role", ROLES)
def test_every_response_that_shows_a_citizen_leaves_an_audit_row(role, site, login_as) -> None:
    browser = login_as(role)
    token, who = browser.token(), AuditEntry.get_by_id(last_entry_id()).who
    routes_with_marks = set()
    permitted_routes = [
        route
        for route, roles in ROUTES.items()
        if role in roles and route not in SESSION_ENDING_ROUTES
    ]
    for route in sorted(permitted_routes):  # GET requests come first
        for query in QUERY_STRINGS if route.startswith("GET") else QUERY_STRINGS[:1]:
            before = last_entry_id()
            with request_route(browser, route, site, query, token) as answer:
                if not is_text(answer):
                    break  # for every query it is a different file
                marks = [mark for mark in marks_in(answer) if mark not in query]  # echoed
            rows = list(AuditEntry.select().where(AuditEntry.id > before, AuditEntry.who == who))
            if marks:
                routes_with_marks.add(route)
                assert rows, f"{role} at {route}?{query} is shown {marks}, but no row records it"
                has_ids = (
                    row.subject or len(row.detail) > 1 or row.action in DOWNLOAD_ACTIONS
                    for row in rows
                )
                assert any(has_ids), (route, rows)
    assert ROUTES_WITH_PERSONAL_DATA[role] - routes_with_marks == set()


def test_requests_of_programs_leave_audit_rows(app, site) -> None:
    program = FlaskClient(app)
    headers = {"Authorization": f"Bearer {site['key']}"}
    for route in sorted(route for route, roles in ROUTES.items() if roles is PROGRAM_ONLY):
        method, path = route.split(" ", 1)
        before = last_entry_id()
        answer = program.open(
            route_address(f"GET {path.replace('<number>', site['<number>'])}"),
            method=method,
            headers=headers,
            json={"action": "interim", "version": 2, "text": "Javob"} if method == "POST" else None,
        )
        if marks_in(answer):
            rows = AuditEntry.select().where(AuditEntry.id > before, AuditEntry.who == "key:Tizim")
            row_texts = [f"{row.subject} {row.detail}" for row in rows if "appeal." in row.action]
            assert any(site["<number>"] in row_text for row_text in row_texts), (route, row_texts)
    first = AuditEntry.get(AuditEntry.who == "key:Tizim")  # the list contains this appeal
    assert (first.action, first.subject) == ("appeal.view", site["<number>"])
    assert first.detail == {"page": "api.list_appeals"}


def test_operators_see_no_number_while_numbers_are_hidden(site, login_as) -> None:
    """On any of their pages, fragments, tables or responses; leads and the ministry see them."""
    number_hiding.set_enabled(True, by="dilnoza")
    full_number, masked = (
        CITIZEN_NUMBER.removeprefix("+998"),
        phone_numbers.masked_number(CITIZEN_NUMBER).replace(" ", ""),
    )
    browser, disclosing_requests, hidden = login_as("operator"), set(), set()
    token, operator_routes = (
        browser.token(),
        [route for route in ROUTES if "operator" in ROUTES[route]],
    )
    for route in sorted(set(operator_routes) - {"POST /logout"}):
        for query in QUERY_STRINGS if route.startswith("GET") else QUERY_STRINGS[:1]:
            with request_route(browser, route, site, query, token) as answer:
                if not is_text(answer):
                    break
                text = re.sub(r"\s|&nbsp;|%2B", "", answer.get_data(as_text=True))
                heads = re.sub(r"\D", "", str(answer.headers))
            if masked in text:
                hidden.add(route)
            if (full_number in text or full_number in heads) and full_number not in query:  # echoed
                disclosing_requests.add(f"{route}?{query}")
    assert disclosing_requests == set()
    assert hidden >= {
        *("GET /operator", "GET /operator/bar", "GET /operator/card", "GET /operator/employees"),
        *("GET /operator/forms/<token>", "GET /followups", "GET /followups/list"),
        *("GET /appeals/<number>", "GET /appeals/<number>/correct"),
        "GET /messages/<any(appeal, call, form):about>/<id>",
        "GET /messages/<any(appeal, call, form):about>/<id>/list",
    }
    assert full_number in login_as("supervisor").get(f"/calls/{site['<call_id>']}").text.replace(
        "\u00a0", ""
    )


def audit_entries(login: str, action: str) -> list[AuditEntry]:
    entries = AuditEntry.select().where(AuditEntry.who == login, AuditEntry.action == action)
    return list(entries.order_by(AuditEntry.id))


def test_a_search_audits_its_words_and_the_shown_rows(site, login_as, register) -> None:
    other = register()
    browser = login_as("ministry")
    browser.get("/appeals?all=1&q=kanareykina")
    [row] = audit_entries("bahodir", "appeal.view")
    assert (row.subject, row.detail["asked"]["q"]) == (site["<number>"], "kanareykina")
    browser.get("/appeals?all=1&q=hechkim")  # nothing is found, but the search is audited
    [row] = audit_entries("bahodir", "appeal.list")
    assert row.detail == {"page": "portal.list_appeals", "asked": {"q": "hechkim", "all": "1"}}
    browser.get("/appeals?all=1")
    row = audit_entries("bahodir", "appeal.list")[-1]
    assert set(row.detail["appeal"]) == {site["<number>"], other.number}
    browser.get("/appeals?all=1&q=" + "ab " * 400)
    assert len(audit_entries("bahodir", "appeal.list")[-1].detail["asked"]["q"]) == 200


def test_a_refused_form_leaves_an_audit_row(site, login_as) -> None:
    number = site["<number>"]
    for login, path, sent in (
        ("bahodir", "steps", {"action": "answer", "version": "1", "text": "Javob"}),
        ("nilufar", "contacted", {"version": "1", "contact": "Mutaxassis"}),
        ("nilufar", "correct", {"version": "1", "surname": "Boshqa"}),
        ("dilnoza", "sms", {"sms": "", "sending": "1"}),
    ):
        browser, before = login_as(login), len(audit_entries(login, "appeal.view"))
        form_path = f"/messages/appeal/{number}" if path == "sms" else f"/appeals/{number}/{path}"
        browser.refused_page(browser.send(form_path, **sent))
        assert [row.subject for row in audit_entries(login, "appeal.view")[before:]] == [number], (
            path
        )


def test_refreshes_of_an_open_page_are_audited_once(site, login_as, nilufar) -> None:
    browser, piece = login_as("supervisor"), {"HX-Request": "true"}
    for _ in range(5):
        assert CITIZEN_NUMBER[-2:] in browser.get("/floor/calls", headers=piece).text
    assert [row.subject for row in audit_entries("dilnoza", "call.view")] == ["hotline-2.2"]
    Citizen("hotline-4.4", "+998901112233").ring_operator(nilufar)
    browser.get("/floor/calls", headers=piece)  # one more call: only that one is new to the user
    assert [row.subject for row in audit_entries("dilnoza", "call.view")][1:] == ["hotline-4.4"]
    login_as("manager").get("/floor/calls", headers=piece)
    assert set(audit_entries("sherzod", "call.list")[0].detail["call"]) == {
        "hotline-2.2",
        "hotline-4.4",
    }
    for _ in range(2):  # opened by hand, each view counts
        browser.get("/floor/calls")
    assert len(audit_entries("dilnoza", "call.list")) == 2


def test_nothing_is_shown_when_the_audit_cannot_be_written(site, login_as, monkeypatch) -> None:
    browser = login_as("ministry")

    def raise_disk_full(*arguments: object, **detail: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(audit, "record_entry", raise_disk_full)
    answer = browser.get(f"/appeals/{site['<number>']}")
    assert answer.status_code == 500
    assert marks_in(answer) == []


def test_a_card_and_the_list_next_to_it_leave_an_audit_row_each(site, login_as, register) -> None:
    other, browser = register(), login_as("ministry")
    number = site["<number>"]
    for _ in range(3):
        browser.get(f"/appeals/{number}?state=open")
    assert [row.subject for row in audit_entries("bahodir", "appeal.view")] == [number] * 3
    [listed] = audit_entries("bahodir", "appeal.list")  # only once, as for an open page
    assert set(listed.detail["appeal"]) == {number, other.number}
