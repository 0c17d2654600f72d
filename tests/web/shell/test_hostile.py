"""Hostile input: no page fails, and nobody is redirected to another site."""

import json
import re
from pathlib import Path

import pytest
from flask import Flask

from appliance import web
from appliance.casework import catalogs
from appliance.casework.appeals import registering
from appliance.casework.forms import drafts
from appliance.web.shell.rate_limits import limiter
from tests.rig.appeals import FULL_FORM
from tests.rig.browser import Browser
from tests.rig.people import LOGIN_OF_ROLE, PASSWORD
from tests.rig.programs import confirmed_key
from tests.web.shell.test_access import PROGRAM_ONLY, ROUTE_VALUES, ROUTES

# Sent in every field that any view reads.
HOSTILE_VALUES = (
    "-",
    "9" * 30,
    "9" * 5000,
    "\x00",
    "/\t/evil\n",
    "01.01.0001",
    "31.12.9999",
    "0001-01-01",
)
HOSTILE_VALUES += ("9999-12", "0001-Q1", "1-", "00:00-24:00", "\u0663", "x" * 3000)
HOSTILE_PATH_PARTS = ("9" * 19, "%00", "%ff%ED%A0%80", "..%2f..")
HOSTILE_JSON = (None, [], "x", 1, True, {}, {"values": 1}, {"values": {"gist": "\ud800"}})
HOSTILE_JSON += tuple({"values": {}, "at": at} for at in (1e300, -1e18, float("nan"), True, "x"))
HOSTILE_JSON += ({"state": []}, {"next": {}}, {"how": [], "number": {}}, {"reason": "page"})
HOSTILE_JSON += tuple(
    {"how": "blind", "number": number} for number in ("\ud800", "9" * 5000, "\x00")
)
URL_KEYWORDS = ("_external", "_scheme", "_anchor", "_method", "endpoint", "values", "self")
# long work, or a changed session
SKIPPED_ROUTES = (
    "ask/",
    "sheet.pdf",
    "speak/",
    "GET /live",
    "log",
)


@pytest.fixture
def number(settings, nilufar) -> str:
    """A registered appeal."""
    calendar = catalogs.working_calendar(settings)
    token = drafts.token_for(nilufar, None)
    appeal = registering.register(
        FULL_FORM, operator=nilufar, token=token, tz=settings.tz, calendar=calendar
    )
    return appeal.number


@pytest.fixture
def open_app(app: Flask, monkeypatch) -> Flask:
    """The pages without CSRF tokens and rate limits; other tests check those."""
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)
    monkeypatch.setattr(limiter, "enabled", False)
    return app


def view_fields() -> list[str]:
    """Return the names of the fields that any view reads."""
    source = "".join(file.read_text() for file in Path(web.__file__).parent.rglob("*.py"))
    readers = "get|getlist|argument|parameter|query_value|_query_date|_selected_department_id"
    matched = re.findall(rf'(?:{readers})\(\s*"([A-Za-z_-]+)"', source)
    further = ("from", "to", "page", "hour", "time", "times", "days", "wait", "rated", "task")
    further += ("caller", "queue", "direction", "all", "transfer", "outcome", "opens", "closes")
    return sorted({*matched, *further} - {"til", "csrf_token"})


def route_path(route: str, number: str, **instead: str) -> str:
    path = route.split()[1]
    for placeholder, value in (ROUTE_VALUES | instead).items():
        path = path.replace(placeholder, value)
    return path.replace("2026-000001", number)


def requesting_role(route: str) -> str:
    """Return the role that requests a route: the first of those that may open it."""
    roles = ROUTES[route]
    if "anonymous" in roles:
        return "anonymous"
    return "program" if roles == PROGRAM_ONLY else min(roles)


def first_segment(route: str) -> str:
    """Return the first segment of a route's path: "reports" of "GET /reports/issued"."""
    return route.split("/")[1]


HOSTILE_ROUTES = [route for route in ROUTES if not any(word in route for word in SKIPPED_ROUTES)]


@pytest.mark.parametrize(
    ("role", "segment"),
    sorted({(requesting_role(route), first_segment(route)) for route in HOSTILE_ROUTES}),
)
def test_no_page_fails_on_hostile_input(role, segment, open_app, number) -> None:
    """Each route is requested once, as the first of the roles that may open it."""
    browser = open_app.test_client()
    headers = {}
    if role == "program":
        headers = {"Authorization": f"Bearer {confirmed_key()}"}
    elif role != "anonymous":
        browser.post("/login", data={"login": LOGIN_OF_ROLE[role], "password": PASSWORD})
    names = view_fields()
    assert len(names) > 80
    failed = []

    def send_request(method: str, path: str, **sent: object) -> None:
        with browser.open(path, method=method, headers=headers, **sent) as answer:
            answer.get_data()
            if answer.status_code in (500, 501) or "evil" in answer.headers.get("Location", ""):
                failed.append((method, path, str(sent)[:80], answer.status))

    for route in HOSTILE_ROUTES:
        if (requesting_role(route), first_segment(route)) != (role, segment):
            continue
        method, path = route.split()[0], route_path(route, number)
        for value in HOSTILE_VALUES:
            values = dict.fromkeys(names, value)
            send_request(method, path, **{"query_string" if method == "GET" else "data": values})
        for placeholder in re.findall("<[^>]+>", route):
            for value in HOSTILE_PATH_PARTS:
                send_request(method, route_path(route, number, **{placeholder: value}))
        if method == "POST" and re.search("/operator|/api|/messages|/preview|sms-reports", route):
            for sent in HOSTILE_JSON:
                send_request("POST", path, data=json.dumps(sent), content_type="application/json")
    assert failed == []


@pytest.mark.parametrize("name", URL_KEYWORDS)
def test_choosing_the_language_keeps_other_query_parameters(client: Browser, name) -> None:
    answer = client.get(f"/login?til=ru&{name}=1&next=/calls%3Fx%3D1")
    assert answer.headers["Location"] == f"/login?{name}=1&next=/calls%3Fx%3D1"
    assert client.get(answer.headers["Location"]).status_code == 200


@pytest.mark.parametrize("path", ["//evil.example/", "/%09/evil.example", "/%5Cevil.example", "/x"])
def test_choosing_the_language_redirects_only_within_the_site(client: Browser, path) -> None:
    answer = client.get(f"{path}?til=ru")
    assert "evil" not in answer.headers.get("Location", "")


@pytest.mark.parametrize(
    "fields",
    [
        {"trunks.0": "x", "trunks.0.name": "x"},
        {"trunks.\u00b2.name": "x"},
        {"trunks." + "9" * 5000 + ".name": "x"},
        {"trunks.0.name": "x", "trunks.0.port": "9" * 5000, "trunks.0.channels": "9" * 30},
        {"trunks.0.name.x.y": "x", "trunks..name": "x", "trunks.-1.name": "x", "trunks": "x"},
        {f"trunks.{number}.name": "x" for number in range(20_000)},
    ],
)
def test_unexpected_rows_of_the_plan_do_not_fail(open_app: Flask, fields) -> None:
    browser = open_app.test_client()
    browser.post("/login", data={"login": LOGIN_OF_ROLE["technician"], "password": PASSWORD})
    answer = browser.post("/telephony/trunks", data=fields, follow_redirects=True)
    assert answer.status_code in (200, 413, 422)
