"""Attacks by signed-in and anonymous users: others' links, sessions, hosts, files, queries.

Routes come from the URL map, so that a new one is included without being listed here.
"""

import csv
import io
import re
from collections.abc import Iterator

import openpyxl
import pytest
from argon2 import PasswordHasher
from flask import Flask

from appliance.core import clock
from appliance.models import Call, User
from appliance.people import accounts
from appliance.people.accounts import ROLES
from appliance.reports.call_filters import FILTERS
from appliance.telephony import recordings
from appliance.web.appeals import portal
from appliance.web.shell import access
from appliance.web.shell.rate_limits import limiter
from tests.rig.appeals import FULL_FORM, create_appeal
from tests.rig.browser import Browser
from tests.rig.people import LOGIN_OF_ROLE, PASSWORD
from tests.web.shell.test_access import ROUTES, route_address

pytestmark = pytest.mark.usefixtures("every_change_is_audited")

EVIL_HOST = "evil.example"
HOST_HEADERS = (
    {"Host": EVIL_HOST},
    {"X-Forwarded-Host": EVIL_HOST},
    {"Forwarded": f"host={EVIL_HOST}"},
    {"X-Forwarded-Prefix": f"//{EVIL_HOST}"},
    {"X-Original-URL": f"//{EVIL_HOST}/people"},
    {"X-Rewrite-URL": "/people"},
    {"X-HTTP-Method-Override": "DELETE"},
)
PATH_TRAVERSALS = (
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
SQL_INJECTIONS = (
    "x' OR '1'='1",
    'x" OR "1"="1',
    "x') OR ('1'='1' --",
    "x%' OR 1=1 --",
    "1 UNION SELECT",
)
FILTERS_OF_TABLE = {
    "/appeals/appeals.csv": ("q", *sorted(portal.FILTER_PARAMETERS)),
    "/call-forms/table.csv": (
        "q",
        "operator",
        "region",
        "direction",
        "call_type",
        "since",
        "order",
    ),
    "/analytics/calls.csv": tuple(FILTERS),
    "/audit/audit.csv": ("who", "action", "record", "since", "until", "address"),
}
FORMULA = "=HYPERLINK(1)"
CSRF_EXEMPT_PREFIXES = ("/api/v1/", "/sms-reports/")  # for programs, protected by their own secret


@pytest.fixture
def appeal(settings, nilufar, labour):
    """A registered appeal whose texts are formulas."""
    values = FULL_FORM | {"surname": FORMULA, "address": FORMULA, "gist": FORMULA}
    return create_appeal(settings, nilufar, values)


@pytest.fixture
def unlimited(monkeypatch) -> None:
    """Switch the rate limits off; other tests check them."""
    monkeypatch.setattr(limiter, "enabled", False)


def url_rules(app: Flask, method: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield (rule, roles that may open it) of the URL map."""
    for rule in app.url_map.iter_rules():
        if method in rule.methods:
            yield rule.rule, app.view_functions[rule.endpoint].__dict__["who"]


def page_links(page: str) -> set[str]:
    """Return the addresses of this site that a page links to, fetches or sends to."""
    addresses = re.findall(r'(?:href|hx-get|hx-post|action|data-live|src)="(/[^"#]*)', page)
    return {link.replace("&amp;", "&") for link in addresses}


def test_links_shown_to_one_role_are_refused_to_others_without_the_right(
    app, appeal, login_as, unlimited
) -> None:
    """Every link shown to any role is requested as every role: only permitted roles may open it."""
    shown_links: set[str] = set()
    for role in ROLES:
        browser, waiting, visited_rules = login_as(role), [access.HOME_PATHS[role]], set()
        while waiting and len(visited_rules) < 60:
            path = waiting.pop(0)
            rule = path.split("?")[0]
            if rule in visited_rules or re.search(
                "/static/|/built/|/live|/logout|[.](pdf|xlsx|wav)", path
            ):
                continue
            visited_rules.add(rule)
            with browser.get(path) as answer:
                if answer.mimetype == "text/html":
                    waiting += sorted(page_links(answer.text) - shown_links)
                    shown_links |= page_links(answer.text)
    page_paths = [
        link for link in shown_links if not re.search("/static/|/built/|/live|/logout|/lock", link)
    ]
    assert len(page_paths) > 150
    adapter, wrong = app.url_map.bind(""), []
    for role in ROLES:
        browser = login_as(role)
        for path in sorted({link.split("?")[0] for link in page_paths}):
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
def test_an_invalid_host_is_refused(host, login_as, caplog) -> None:
    for browser in (login_as("manager"), login_as("operator")):
        for path in ("/", "/login", "/appeals", "/api/v1/appeals", "/nothing"):
            answer = browser.get(path, headers={"Host": host})
            assert answer.status_code == 400, (host[:9], path)
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("referrer", ["https://localhost:8443.evil.example/", "https://[x/"])
def test_a_form_with_an_invalid_referrer_is_refused(referrer, login_as) -> None:
    browser = login_as("manager")
    form = {"csrf_token": browser.token("/account"), "language": "ru"}
    headers = {"Referer": referrer}
    assert browser.post("/account/language", data=form, headers=headers).status_code == 400


@pytest.mark.parametrize("headers", HOST_HEADERS, ids=lambda headers: next(iter(headers)))
def test_no_header_redirects_to_another_host(headers, login_as) -> None:
    browser = login_as("manager")
    for path in ("/", "/login", "/appeals", "/people", "/account?til=ru", "/nothing"):
        answer = browser.get(path, headers=headers)
        assert EVIL_HOST not in answer.text
        assert EVIL_HOST not in str(answer.headers)
    answer = browser.get("/account", headers=headers)
    assert "people-page" not in answer.text


def test_every_form_requires_its_token(app, login_as, unlimited) -> None:
    for role in ROLES:
        browser = login_as(role)
        for rule, who in url_rules(app, "POST"):
            if role in who and not rule.startswith(CSRF_EXEMPT_PREFIXES):
                with browser.post(route_address(f"POST {rule}")) as answer:
                    assert answer.status_code == 400, (role, rule, answer.status)


def test_personal_pages_are_not_cached(app, login_as) -> None:
    for role in ROLES:
        browser = login_as(role)
        for rule, who in url_rules(app, "GET"):
            if role not in who or len(who) > len(ROLES) or re.search("live|pdf|quarterly", rule):
                continue
            with browser.get(route_address(f"GET {rule}")) as answer:
                cache_control = answer.headers["Cache-Control"]
            public = rule.startswith(("/static/", "/built/"))
            assert cache_control == "no-store" or public, (rule, cache_control)


@pytest.mark.parametrize("climb", PATH_TRAVERSALS)
def test_no_address_reaches_a_file_outside_the_site(climb, app, login_as, settings) -> None:
    call = Call.create(id="hotline-9.9", direction="inbound", arrived_at=clock.now(), stage="ended")
    browser = login_as("manager")
    recordings.begin_listening(User.get(User.login == LOGIN_OF_ROLE["manager"]), call.id, "sinov")
    secret = settings.web.secret_key[:20]
    for rule, who in url_rules(app, "GET"):
        placeholders = re.findall("<[^>]+>", rule)
        if "manager" not in who and "anonymous" not in who or not placeholders or "pdf" in rule:
            continue
        for placeholder in placeholders:
            path = route_address(f"GET {rule.replace(placeholder, climb)}")
            with browser.get(path) as answer:
                if answer.mimetype == "text/event-stream":
                    continue
                text = answer.get_data().decode(errors="ignore")
            assert answer.status_code < 500, path
            assert "root:x:0" not in text, path
            assert secret not in text, path


@pytest.mark.parametrize("query", SQL_INJECTIONS)
def test_no_filter_value_is_executed_as_sql(query, appeal, login_as) -> None:
    """In any filter or order it finds no more than its bare words do, and nothing fails."""
    browser, words = login_as("manager"), " ".join(re.findall(r"\w+", query))
    for path, names in FILTERS_OF_TABLE.items():
        for name in names:
            line_counts = []
            for value in (query, words):
                with browser.get(path, query_string={"all": "1", name: value}) as answer:
                    assert answer.status_code < 500, (path, name)
                    line_counts.append(len(answer.text.splitlines()))
            assert line_counts[0] <= line_counts[1], (path, name)


def test_an_ended_session_cannot_be_reused(app, client: Browser) -> None:
    """Neither by replaying its cookie, nor with a cookie set before the sign-in."""
    client.get("/login")
    before = client.get_cookie("__Host-session")
    client.sign_in(LOGIN_OF_ROLE["manager"], PASSWORD)
    during = client.get_cookie("__Host-session")
    assert before is None or before.value != during.value
    thief = app.test_client()
    if before:  # a session fixed before the sign-in belongs to nobody
        thief.set_cookie("__Host-session", before.value, secure=True)
        assert thief.get("/account", base_url="https://localhost").status_code in (302, 303)
    thief.set_cookie("__Host-session", during.value, secure=True)
    assert thief.get("/account", base_url="https://localhost").status_code == 200
    client.send("/logout")
    assert thief.get("/account", base_url="https://localhost").status_code in (302, 303)


def test_an_unknown_login_takes_as_long_as_a_known_one(client: Browser, monkeypatch) -> None:
    """One password is checked in both cases; timing on a busy machine would prove nothing."""
    checked_hashes: list[str] = []
    verify = PasswordHasher.verify

    def count_and_verify(self: PasswordHasher, hash: str, password: str) -> bool:
        checked_hashes.append(hash[:20])
        return verify(self, hash, password)

    monkeypatch.setattr(PasswordHasher, "verify", count_and_verify)
    answers = []
    for login in (LOGIN_OF_ROLE["manager"], "hechkim"):
        answers.append(client.sign_in(login, "notogri-parol"))
    assert len(checked_hashes) == 2
    assert checked_hashes[0] == checked_hashes[1]  # the same cost parameters
    assert answers[0].status_code == answers[1].status_code
    assert accounts.authenticate_user("hechkim", "x") is None


def test_no_file_contains_a_typed_formula(app, appeal, login_as) -> None:
    browser = login_as("manager")
    tables = 0
    for rule, who in url_rules(app, "GET"):
        if "manager" not in who:
            continue
        path = route_address(f"GET {rule}").replace("/issued/1/", "/issued/x/")
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


def test_the_walks_cover_every_route(app) -> None:
    posted = {route.split(" ", 1)[1] for route in ROUTES if route.startswith("POST")}
    assert {rule for rule, _who in url_rules(app, "POST")} == posted
