"""Whatever shows a citizen's name, number or form leaves a row of the audit with the ids in it."""

import re

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance.casework import appeals, catalogs
from appliance.casework.appeals import handling
from appliance.core import audit, clock, outbox, phone_numbers
from appliance.core.db import writing
from appliance.messaging import notices
from appliance.models import AuditEntry, Call, FollowUp, Handling, HeldMessage, Message
from appliance.people.accounts import ROLES
from appliance.telephony import followups, number_hiding
from appliance.telephony import recordings as listening
from tests.casework.test_appeals import FULL
from tests.rig.citizen import PHONE, Citizen
from tests.rig.programs import key_in_force
from tests.web.shell.test_access import PROGRAM, ROUTES, address

pytestmark = pytest.mark.usefixtures("every_change_is_audited")

NAME, STREET, GIST = "Kanareykina", "Kanareyka kochasi 7", "Kanareyka haqida"
MARKS = (NAME, "Kanareykakochasi7", "Kanareykahaqida", PHONE.removeprefix("+998"))
ASKED = (
    *("", "to=call", "by=callers", "show=closed", f"caller=%2B{PHONE[1:]}"),
    *(f"all=1&q={NAME}", f"q={PHONE[1:]}"),
)
TAKEN = (
    "audit.read",
    "audit.download",
    "appeals.download",
    "call_forms.download",
    "calls.export",
    "report.download",
    "evidence.download",
    "data_request.download",
)  # their rows have the conditions
# what a form that is refused, or a program, sends
SENT = {
    "POST /appeals/<number>/steps": {"action": "answer", "version": "1", "text": "Javob"},
    "POST /appeals/<number>/contacted": {"version": "1", "contact": "Mutaxassis"},
    "POST /appeals/<number>/concluded": {"version": "1", "result": "Javob"},
    "POST /appeals/<number>/correct": {"version": "1", "surname": "Boshqa"},
    "POST /messages/<any(appeal, call, form):about>/<id>": {"sms": "", "sending": "1"},
    "POST /notices/opt-outs": {"number": "x"},
}
# some that must be among those found, or the walk sees nothing
OUTBOX = {"GET /outbox", "GET /outbox/list", "GET /outbox/held"}
SHOWING = {
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
    "manager": {"GET /notices", "POST /notices/opt-outs", *OUTBOX},
    "ministry": {"GET /appeals", "GET /appeals/<number>", "POST /appeals/<number>/steps"},
    "technician": OUTBOX,
    "backup": set(),
}


@pytest.fixture
def site(settings, nilufar, bahodir, labour):
    """What is known of one citizen, wherever it can be: token → what stands for it in addresses."""
    told = FULL | {"surname": NAME, "address": STREET, "gist": GIST, "phone": PHONE}
    first = Citizen("hotline-1.1")
    first.ring(nilufar)
    first.talk()
    first.hang_up()
    desk = appeals.at_hand(nilufar, clock.now())
    calendar = catalogs.working_calendar(settings)
    appeal = appeals.register(
        told | {"consultation": "1"},
        operator=nilufar,
        token=desk.token,
        tz=settings.tz,
        calendar=calendar,
    )
    now = Handling.get_by_id(appeal.id).version
    corrected = told | {"consultation": "1", "surname": f"{NAME}a"}
    appeals.correct(appeal, corrected, "nilufar", now, calendar)
    today = clock.now().astimezone(settings.tz).date()
    version = Handling.get_by_id(appeal.id).version
    handling.do("return", appeal, "bahodir", version, today, "Aniqlang")
    draft = appeals.save_draft(nilufar, appeals.token_for(nilufar, None), told, aside=True)
    second = Citizen("hotline-2.2")
    second.ring(nilufar)
    second.talk()
    missed = clock.now()
    Call.create(
        id="hotline-3.3",
        direction="inbound",
        arrived_at=missed,
        ended_at=missed,
        caller=PHONE,
        stage="ended",
        outcome="abandoned_queue",
    )
    with writing():
        followups.follow(missed, PHONE)
    outbox.put_sms("registered", PHONE, "x", key="1", cause=appeal.number, tz=settings.tz)
    outbox.refused(outbox.claim("sms"), "declined", "")
    held = outbox.put_sms("registered", PHONE, "x", key="2", cause=appeal.number, tz=settings.tz)
    HeldMessage.create(message=held, held_at=clock.now())
    Message.update(state="held").where(Message.id == held.id).execute()
    notices.opt_out(PHONE, "sherzod")
    listening.allow(bahodir, True, by="sherzod")
    secret = key_in_force(name="Tizim")
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


# who did it sees nothing afterwards
LEAVING = ("POST /logout", "POST /lock", "POST /account/sessions/<int:number>/end")


def last() -> int:
    return AuditEntry.select().order_by(AuditEntry.id.desc()).first().id


def is_text(answer: TestResponse) -> bool:
    """Whether an answer is read here: no paper, no stream of events."""
    return bool(re.match("text/(html|csv)|application/json", answer.mimetype))


def marks_in(answer: TestResponse) -> list[str]:
    """What an answer shows of the citizen, however it is spaced."""
    if not is_text(answer):
        return []
    text = re.sub(r"\s|&nbsp;|%2B", "", answer.get_data(as_text=True))
    return [mark for mark in MARKS if mark in text]


def ask(browser: FlaskClient, route: str, site, query: str, token: str) -> TestResponse:
    path = route.split(" ", 1)[1]
    for part, value in site.items():
        path = path.replace(part, value)
    path = address(f"GET {path}")
    if route.startswith("GET"):
        return browser.get(f"{path}?{query}")
    if path.startswith("/operator/forms/"):
        values = {"surname": NAME, "phone": PHONE}
        return browser.post(path, json={"values": values}, headers={"X-CSRFToken": token})
    answer = browser.post(path, data={"csrf_token": token, **SENT.get(route, {})})
    return browser.get(answer.headers["Location"]) if answer.status_code == 303 else answer


@pytest.mark.parametrize("role", ROLES)
def test_whatever_shows_a_citizen_leaves_a_row(role, site, login_as) -> None:
    browser = login_as(role)
    token, who = browser.token(), AuditEntry.get_by_id(last()).who
    found = set()
    mine = [route for route, roles in ROUTES.items() if role in roles and route not in LEAVING]
    for route in sorted(mine):  # those that only look come first
        for query in ASKED if route.startswith("GET") else ASKED[:1]:
            before = last()
            with ask(browser, route, site, query, token) as answer:
                if not is_text(answer):
                    break  # whatever is asked, it is another paper
                marks = [mark for mark in marks_in(answer) if mark not in query]  # typed: echoed
            rows = list(AuditEntry.select().where(AuditEntry.id > before, AuditEntry.who == who))
            if marks:
                found.add(route)
                assert rows, f"{role} at {route}?{query} is shown {marks}, and no row tells of it"
                named = (row.subject or len(row.detail) > 1 or row.action in TAKEN for row in rows)
                assert any(named), (route, rows)
    assert SHOWING[role] - found == set()


def test_programs_leave_rows_too(app, site) -> None:
    program = FlaskClient(app)
    headers = {"Authorization": f"Bearer {site['key']}"}
    for route in sorted(route for route, roles in ROUTES.items() if roles is PROGRAM):
        method, path = route.split(" ", 1)
        before = last()
        answer = program.open(
            address(f"GET {path.replace('<number>', site['<number>'])}"),
            method=method,
            headers=headers,
            json={"action": "interim", "version": 2, "text": "Javob"} if method == "POST" else None,
        )
        if marks_in(answer):
            rows = AuditEntry.select().where(AuditEntry.id > before, AuditEntry.who == "key:Tizim")
            told = [f"{row.subject} {row.detail}" for row in rows if "appeal." in row.action]
            assert any(site["<number>"] in one for one in told), (route, told)
    first = AuditEntry.get(AuditEntry.who == "key:Tizim")  # the list, and it has this one
    assert (first.action, first.subject) == ("appeal.view", site["<number>"])
    assert first.detail == {"page": "api.list_appeals"}


def test_operators_read_no_number_where_numbers_are_hidden(site, login_as) -> None:
    """On no page, piece, table or answer of theirs; who leads and the ministry read them."""
    number_hiding.switch(True, by="dilnoza")
    whole, masked = PHONE.removeprefix("+998"), phone_numbers.masked(PHONE).replace(" ", "")
    browser, shown, hidden = login_as("operator"), set(), set()
    token, mine = browser.token(), [route for route in ROUTES if "operator" in ROUTES[route]]
    for route in sorted(set(mine) - {"POST /logout"}):
        for query in ASKED if route.startswith("GET") else ASKED[:1]:
            with ask(browser, route, site, query, token) as answer:
                if not is_text(answer):
                    break
                text = re.sub(r"\s|&nbsp;|%2B", "", answer.get_data(as_text=True))
                heads = re.sub(r"\D", "", str(answer.headers))
            if masked in text:
                hidden.add(route)
            if (whole in text or whole in heads) and whole not in query:  # typed: echoed
                shown.add(f"{route}?{query}")
    assert shown == set()
    assert hidden >= {
        *("GET /operator", "GET /operator/bar", "GET /operator/card", "GET /operator/employees"),
        *("GET /operator/forms/<token>", "GET /followups", "GET /followups/list"),
        *("GET /appeals/<number>", "GET /appeals/<number>/correct"),
        "GET /messages/<any(appeal, call, form):about>/<id>",
        "GET /messages/<any(appeal, call, form):about>/<id>/list",
    }
    assert whole in login_as("supervisor").get(f"/calls/{site['<call_id>']}").text.replace(
        "\u00a0", ""
    )


def rows_of(login: str, action: str) -> list[AuditEntry]:
    chosen = AuditEntry.select().where(AuditEntry.who == login, AuditEntry.action == action)
    return list(chosen.order_by(AuditEntry.id))


def test_a_search_leaves_the_words_and_the_rows_that_were_shown(site, login_as, register) -> None:
    other = register()
    browser = login_as("ministry")
    browser.get("/appeals?all=1&q=kanareykina")
    [row] = rows_of("bahodir", "appeal.view")
    assert (row.subject, row.detail["asked"]["q"]) == (site["<number>"], "kanareykina")
    browser.get("/appeals?all=1&q=hechkim")  # nothing is found, and that was asked for
    [row] = rows_of("bahodir", "appeal.list")
    assert row.detail == {"page": "portal.page", "asked": {"q": "hechkim", "all": "1"}}
    browser.get("/appeals?all=1")
    row = rows_of("bahodir", "appeal.list")[-1]
    assert set(row.detail["appeal"]) == {site["<number>"], other.number}
    browser.get("/appeals?all=1&q=" + "ab " * 400)
    assert len(rows_of("bahodir", "appeal.list")[-1].detail["asked"]["q"]) == 200


def test_a_form_that_was_refused_leaves_a_row(site, login_as) -> None:
    number = site["<number>"]
    for login, path, sent in (
        ("bahodir", "steps", {"action": "answer", "version": "1", "text": "Javob"}),
        ("nilufar", "contacted", {"version": "1", "contact": "Mutaxassis"}),
        ("nilufar", "correct", {"version": "1", "surname": "Boshqa"}),
        ("dilnoza", "sms", {"sms": "", "sending": "1"}),
    ):
        browser, before = login_as(login), len(rows_of(login, "appeal.view"))
        there = f"/messages/appeal/{number}" if path == "sms" else f"/appeals/{number}/{path}"
        browser.refused(browser.send(there, **sent))
        assert [row.subject for row in rows_of(login, "appeal.view")[before:]] == [number], path


def test_an_open_page_that_fetches_a_piece_again_counts_once(site, login_as, nilufar) -> None:
    browser, piece = login_as("supervisor"), {"HX-Request": "true"}
    for _ in range(5):
        assert PHONE[-2:] in browser.get("/floor/calls", headers=piece).text
    assert [row.subject for row in rows_of("dilnoza", "call.view")] == ["hotline-2.2"]
    Citizen("hotline-4.4", "+998901112233").ring(nilufar)
    browser.get("/floor/calls", headers=piece)  # one more call: it alone is new to him
    assert [row.subject for row in rows_of("dilnoza", "call.view")][1:] == ["hotline-4.4"]
    login_as("manager").get("/floor/calls", headers=piece)
    assert set(rows_of("sherzod", "call.list")[0].detail["call"]) == {"hotline-2.2", "hotline-4.4"}
    for _ in range(2):  # opened by hand it counts each time
        browser.get("/floor/calls")
    assert len(rows_of("dilnoza", "call.list")) == 2


def test_nothing_is_shown_when_it_cannot_be_written_down(site, login_as, monkeypatch) -> None:
    browser = login_as("ministry")

    def full(*given: object, **detail: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(audit, "record", full)
    answer = browser.get(f"/appeals/{site['<number>']}")
    assert answer.status_code == 500
    assert marks_in(answer) == []


def test_a_card_and_the_list_beside_it_leave_a_row_each(site, login_as, register) -> None:
    other, browser = register(), login_as("ministry")
    number = site["<number>"]
    for _ in range(3):
        browser.get(f"/appeals/{number}?state=open")
    assert [row.subject for row in rows_of("bahodir", "appeal.view")] == [number] * 3
    [listed] = rows_of("bahodir", "appeal.list")  # once, as of a page that is open
    assert set(listed.detail["appeal"]) == {number, other.number}
