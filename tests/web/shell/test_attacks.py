"""What somebody tries who is signed in, or is not: others' links, sessions, hosts, files, queries.

Routes come from the URL map, so that a new one is tried without being named here.
"""

import csv
import io
import re
from collections.abc import Iterator

import openpyxl
import pytest
from argon2 import PasswordHasher
from flask import Flask

from appliance.casework import appeals, catalogs
from appliance.core import clock
from appliance.models import Call, User
from appliance.people import accounts
from appliance.people.accounts import ROLES
from appliance.reports.call_filters import CONDITIONS
from appliance.telephony import recordings
from appliance.web.appeals import portal
from appliance.web.shell import access
from appliance.web.shell.rates import limiter
from tests.casework.test_appeals import FULL
from tests.rig.browser import Browser
from tests.rig.people import OF_ROLE, PASSWORD
from tests.web.shell.test_access import ROUTES, address

pytestmark = pytest.mark.usefixtures("every_change_is_audited")

EVIL = "evil.example"
HEADERS = (
    {"Host": EVIL},
    {"X-Forwarded-Host": EVIL},
    {"Forwarded": f"host={EVIL}"},
    {"X-Forwarded-Prefix": f"//{EVIL}"},
    {"X-Original-URL": f"//{EVIL}/people"},
    {"X-Rewrite-URL": "/people"},
    {"X-HTTP-Method-Override": "DELETE"},
)
CLIMBS = (
    *("../../../../../../etc/passwd", "..%2f..%2f..%2f..%2f..%2fetc%2fpasswd"),
    *("%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/etc/passwd", "%2fetc%2fpasswd"),
    *(
        "....//....//....//etc/passwd",
        "..%5c..%5c..%5cetc%5cpasswd",
        "%252e%252e%252fetc%252fpasswd",
    ),
    *(
        "passwd%00.ogg",
        "file:%2f%2f%2fetc%2fpasswd",
        "appliance.toml",
        "..%c0%af..%c0%afetc/passwd",
    ),
)
QUERIES = ("x' OR '1'='1", 'x" OR "1"="1', "x') OR ('1'='1' --", "x%' OR 1=1 --", "1 UNION SELECT")
FILTERS = {
    "/appeals/appeals.csv": ("q", *sorted(portal.ASKED)),
    "/call-forms/table.csv": (
        "q",
        "operator",
        "region",
        "direction",
        "call_type",
        "since",
        "order",
    ),
    "/analytics/calls.csv": tuple(CONDITIONS),
    "/audit/audit.csv": ("who", "action", "record", "since", "until", "address"),
}
FORMULA = "=HYPERLINK(1)"
EXEMPT = ("/api/v1/", "/sms-reports/")  # programs, by a secret of their own


@pytest.fixture
def appeal(settings, nilufar, labour):
    """A registered appeal whose texts are formulas."""
    told = FULL | {"surname": FORMULA, "address": FORMULA, "gist": FORMULA}
    return appeals.register(
        told,
        operator=nilufar,
        token=appeals.token_for(nilufar, None),
        tz=settings.tz,
        calendar=catalogs.working_calendar(settings),
    )


@pytest.fixture
def unlimited(monkeypatch) -> None:
    """Limits of attempts are tried elsewhere."""
    monkeypatch.setattr(limiter, "enabled", False)


def rules(app: Flask, method: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Rule → who may, of the URL map."""
    for rule in app.url_map.iter_rules():
        if method in rule.methods:
            yield rule.rule, app.view_functions[rule.endpoint].__dict__["who"]


def links(page: str) -> set[str]:
    """Where a page leads and what it fetches or sends: addresses of this site."""
    found = re.findall(r'(?:href|hx-get|hx-post|action|data-live|src)="(/[^"#]*)', page)
    return {one.replace("&amp;", "&") for one in found}


def test_nobody_opens_what_another_role_was_shown(app, appeal, login_as, unlimited) -> None:
    """Every link that any role is shown, tried by every role: those alone open it who may."""
    shown: set[str] = set()
    for role in ROLES:
        browser, waiting, seen = login_as(role), [access.HOMES[role]], set()
        while waiting and len(seen) < 60:
            path = waiting.pop(0)
            rule = path.split("?")[0]
            if rule in seen or re.search("/static/|/built/|/live|/logout|[.](pdf|xlsx|wav)", path):
                continue
            seen.add(rule)
            with browser.get(path) as answer:
                if answer.mimetype == "text/html":
                    waiting += sorted(links(answer.text) - shown)
                    shown |= links(answer.text)
    ours = [one for one in shown if not re.search("/static/|/built/|/live|/logout|/lock", one)]
    assert len(ours) > 150
    adapter, wrong = app.url_map.bind(""), []
    for role in ROLES:
        browser = login_as(role)
        for path in sorted({one.split("?")[0] for one in ours}):
            if not adapter.test(path, "GET"):
                continue
            endpoint = adapter.match(path, "GET")[0]
            may = role in app.view_functions[endpoint].__dict__["who"]
            if may and re.search("[.](pdf|xlsx)", path):
                continue
            with browser.get(path) as answer:
                refused = answer.status_code in (401, 403)
            if (not may and not refused) or answer.status_code >= 500:
                wrong.append((role, path, answer.status))
    assert wrong == []


@pytest.mark.parametrize("host", ["a" * 64, f"{'a' * 64}.example", f"x.{'a' * 4000}", "a..b"])
def test_a_host_that_is_none_is_refused(host, login_as, caplog) -> None:
    for browser in (login_as("manager"), login_as("operator")):
        for path in ("/", "/login", "/appeals", "/api/v1/appeals", "/nothing"):
            answer = browser.get(path, headers={"Host": host})
            assert answer.status_code == 400, (host[:9], path)
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("referrer", ["https://localhost:8443.evil.example/", "https://[x/"])
def test_a_form_from_what_is_no_address_is_refused(referrer, login_as) -> None:
    browser = login_as("manager")
    form = {"csrf_token": browser.token("/account"), "language": "ru"}
    told = {"Referer": referrer}
    assert browser.post("/account/language", data=form, headers=told).status_code == 400


@pytest.mark.parametrize("headers", HEADERS, ids=lambda one: next(iter(one)))
def test_no_header_leads_anybody_away(headers, login_as) -> None:
    browser = login_as("manager")
    for path in ("/", "/login", "/appeals", "/people", "/account?til=ru", "/nothing"):
        answer = browser.get(path, headers=headers)
        assert EVIL not in answer.text
        assert EVIL not in str(answer.headers)
    answer = browser.get("/account", headers=headers)
    assert "people-page" not in answer.text


def test_every_form_wants_its_token(app, login_as, unlimited) -> None:
    for role in ROLES:
        browser = login_as(role)
        for rule, who in rules(app, "POST"):
            if role in who and not rule.startswith(EXEMPT):
                with browser.post(address(f"POST {rule}")) as answer:
                    assert answer.status_code == 400, (role, rule, answer.status)


def test_no_page_of_somebody_is_kept_by_a_cache(app, login_as) -> None:
    for role in ROLES:
        browser = login_as(role)
        for rule, who in rules(app, "GET"):
            if role not in who or len(who) > len(ROLES) or re.search("live|pdf|quarterly", rule):
                continue
            with browser.get(address(f"GET {rule}")) as answer:
                told = answer.headers["Cache-Control"]
            public = rule.startswith(("/static/", "/built/"))
            assert told == "no-store" or public, (rule, told)


@pytest.mark.parametrize("climb", CLIMBS)
def test_no_address_reaches_a_file_that_is_not_ours(climb, app, login_as, settings) -> None:
    call = Call.create(id="hotline-9.9", direction="inbound", arrived_at=clock.now(), stage="ended")
    browser = login_as("manager")
    recordings.begin(User.get(User.login == OF_ROLE["manager"]), call.id, "sinov")
    secret = settings.web.secret_key[:20]
    for rule, who in rules(app, "GET"):
        parts = re.findall("<[^>]+>", rule)
        if "manager" not in who and "anonymous" not in who or not parts or "pdf" in rule:
            continue
        for part in parts:
            path = address(f"GET {rule.replace(part, climb)}")
            with browser.get(path) as answer:
                if answer.mimetype == "text/event-stream":
                    continue
                text = answer.get_data().decode(errors="ignore")
            assert answer.status_code < 500, path
            assert "root:x:0" not in text, path
            assert secret not in text, path


@pytest.mark.parametrize("query", QUERIES)
def test_no_filter_is_a_query(query, appeal, login_as) -> None:
    """Whatever filter or order says it, it finds no more than its bare words; nothing fails."""
    browser, words = login_as("manager"), " ".join(re.findall(r"\w+", query))
    for path, names in FILTERS.items():
        for name in names:
            found = []
            for value in (query, words):
                with browser.get(path, query_string={"all": "1", name: value}) as answer:
                    assert answer.status_code < 500, (path, name)
                    found.append(len(answer.text.splitlines()))
            assert found[0] <= found[1], (path, name)


def test_a_session_that_ended_opens_nothing_again(app, client: Browser) -> None:
    """Neither by its cookie replayed, nor when it was in the browser before the sign-in."""
    client.get("/login")
    before = client.get_cookie("__Host-session")
    client.sign_in(OF_ROLE["manager"], PASSWORD)
    during = client.get_cookie("__Host-session")
    assert before is None or before.value != during.value
    thief = app.test_client()
    if before:  # fixed before: it is nobody's
        thief.set_cookie("__Host-session", before.value, secure=True)
        assert thief.get("/account", base_url="https://localhost").status_code in (302, 303)
    thief.set_cookie("__Host-session", during.value, secure=True)
    assert thief.get("/account", base_url="https://localhost").status_code == 200
    client.send("/logout")
    assert thief.get("/account", base_url="https://localhost").status_code in (302, 303)


def test_an_unknown_name_takes_as_long_as_a_known_one(client: Browser, monkeypatch) -> None:
    """One password is looked at in both cases; the clock of a busy machine would prove nothing."""
    looked: list[str] = []
    verify = PasswordHasher.verify

    def counted(self: PasswordHasher, hash: str, password: str) -> bool:
        looked.append(hash[:20])
        return verify(self, hash, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    answers = []
    for login in (OF_ROLE["manager"], "hechkim"):
        answers.append(client.sign_in(login, "notogri-parol"))
    assert len(looked) == 2
    assert looked[0] == looked[1]  # the same costs
    assert answers[0].status_code == answers[1].status_code
    assert accounts.authenticate("hechkim", "x") is None


def test_no_file_holds_a_formula_that_somebody_typed(app, appeal, login_as) -> None:
    browser = login_as("manager")
    tables = 0
    for rule, who in rules(app, "GET"):
        if "manager" not in who:
            continue
        path = address(f"GET {rule}").replace("/issued/1/", "/issued/x/")
        if path.endswith(".csv"):
            with browser.get(f"{path}?all=1") as answer:
                text = answer.text.lstrip("\ufeff")
            for row in csv.reader(io.StringIO(text), delimiter=";" if ";" in text[:200] else ","):
                assert not [cell for cell in row if re.match(r"[=@\t\r]", cell)], path
            tables += 1
        elif "xlsx" in rule:
            path = re.sub(r"[.](json|csv|pdf)$", ".xlsx", path)
            with browser.get(path) as answer:
                if answer.status_code != 200:
                    continue
                book = openpyxl.load_workbook(io.BytesIO(answer.get_data()))
            for sheet in book:
                for row in sheet.iter_rows():
                    for cell in row:
                        assert "HYPERLINK" not in str(cell.value) or cell.data_type == "s", path
            tables += 1
    assert tables >= 8


def test_the_walks_know_every_route(app) -> None:
    posted = {route.split(" ", 1)[1] for route in ROUTES if route.startswith("POST")}
    assert {rule for rule, _who in rules(app, "POST")} == posted
