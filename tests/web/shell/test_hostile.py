"""What somebody sends who means harm: no page fails, and nobody is led away."""

import json
import re
from pathlib import Path

import pytest
from flask import Flask

from appliance import web
from appliance.casework import appeals, catalogs
from appliance.web.shell.rates import limiter
from tests.casework.test_appeals import FULL
from tests.rig.browser import Browser
from tests.rig.people import OF_ROLE, PASSWORD
from tests.rig.programs import key_in_force
from tests.web.shell.test_access import PROGRAM, ROUTES, VALUES

# Given to every field that any view asks for.
SENT = ("-", "9" * 30, "9" * 5000, "\x00", "/\t/evil\n", "01.01.0001", "31.12.9999", "0001-01-01")
SENT += ("9999-12", "0001-Q1", "1-", "00:00-24:00", "\u0663", "x" * 3000)
IN_PATHS = ("9" * 19, "%00", "%ff%ED%A0%80", "..%2f..")
OBJECTS = (None, [], "x", 1, True, {}, {"values": 1}, {"values": {"gist": "\ud800"}})
OBJECTS += tuple({"values": {}, "at": at} for at in (1e300, -1e18, float("nan"), True, "x"))
OBJECTS += ({"state": []}, {"next": {}}, {"how": [], "number": {}}, {"reason": "page"})
OBJECTS += tuple({"how": "blind", "number": number} for number in ("\ud800", "9" * 5000, "\x00"))
LANGUAGE = ("_external", "_scheme", "_anchor", "_method", "endpoint", "values", "self")
LASTING = ("ask/", "sheet.pdf", "speak/", "GET /live", "log")  # begin work, or change who asks


@pytest.fixture
def number(settings, nilufar) -> str:
    """A registered appeal."""
    calendar = catalogs.working_calendar(settings)
    token = appeals.token_for(nilufar, None)
    made = appeals.register(FULL, operator=nilufar, token=token, tz=settings.tz, calendar=calendar)
    return made.number


@pytest.fixture
def open_app(app: Flask, monkeypatch) -> Flask:
    """The pages for who has a token already; limits are tried elsewhere."""
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)
    monkeypatch.setattr(limiter, "enabled", False)
    return app


def fields() -> list[str]:
    """What any view asks for by name."""
    source = "".join(file.read_text() for file in Path(web.__file__).parent.rglob("*.py"))
    asked = re.findall(r'(?:get|getlist|asked|_date|_chosen)\(\s*"([A-Za-z_-]+)"', source)
    others = ("from", "to", "page", "hour", "time", "times", "days", "wait", "rated", "task")
    others += ("caller", "queue", "direction", "all", "transfer", "outcome", "opens", "closes")
    return sorted({*asked, *others} - {"til", "csrf_token"})


def path_of(route: str, number: str, **instead: str) -> str:
    path = route.split()[1]
    for part, value in (VALUES | instead).items():
        path = path.replace(part, value)
    return path.replace("2026-000001", number)


@pytest.mark.parametrize("role", [*OF_ROLE, "program", "anonymous"])
def test_no_page_fails(role, open_app, number) -> None:
    """Each route once, as the first of those who may open it."""
    browser = open_app.test_client()
    headers = {}
    if role == "program":
        headers = {"Authorization": f"Bearer {key_in_force()}"}
    elif role != "anonymous":
        browser.post("/login", data={"login": OF_ROLE[role], "password": PASSWORD})
    names = fields()
    assert len(names) > 80
    failed = []

    def send(method: str, path: str, **sent: object) -> None:
        with browser.open(path, method=method, headers=headers, **sent) as answer:
            answer.get_data()
            if answer.status_code in (500, 501) or "evil" in answer.headers.get("Location", ""):
                failed.append((method, path, str(sent)[:80], answer.status))

    for route, roles in sorted(ROUTES.items()):
        who = "program" if roles == PROGRAM else min(roles - {"anonymous"}, default="anonymous")
        who = "anonymous" if "anonymous" in roles else who
        if who != role or any(word in route for word in LASTING):
            continue
        method, path = route.split()[0], path_of(route, number)
        for value in SENT:
            given = dict.fromkeys(names, value)
            send(method, path, **{"query_string" if method == "GET" else "data": given})
        for part in re.findall("<[^>]+>", route):
            for value in IN_PATHS:
                send(method, path_of(route, number, **{part: value}))
        if method == "POST" and re.search("/operator|/api|/messages|/preview|sms-reports", route):
            for sent in OBJECTS:
                send("POST", path, data=json.dumps(sent), content_type="application/json")
    assert failed == []


@pytest.mark.parametrize("name", LANGUAGE)
def test_choosing_the_language_passes_on_what_else_is_asked(client: Browser, name) -> None:
    answer = client.get(f"/login?til=ru&{name}=1&next=/calls%3Fx%3D1")
    assert answer.headers["Location"] == f"/login?{name}=1&next=/calls%3Fx%3D1"
    assert client.get(answer.headers["Location"]).status_code == 200


@pytest.mark.parametrize("path", ["//evil.example/", "/%09/evil.example", "/%5Cevil.example", "/x"])
def test_choosing_the_language_leads_nowhere_else(client: Browser, path) -> None:
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
def test_rows_of_the_plan_that_no_page_has(open_app: Flask, fields) -> None:
    browser = open_app.test_client()
    browser.post("/login", data={"login": OF_ROLE["technician"], "password": PASSWORD})
    answer = browser.post("/telephony/trunks", data=fields, follow_redirects=True)
    assert answer.status_code in (200, 413, 422)
