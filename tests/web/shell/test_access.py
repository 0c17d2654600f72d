"""Every route as every role: who may open which, and where each role starts."""

import re

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from appliance.people import rights
from appliance.people.accounts import ROLES
from appliance.telephony import recordings
from appliance.web.shell import access
from tests.rig.people import LOGIN_OF_ROLE

pytestmark = pytest.mark.usefixtures("every_change_is_audited")

EVERYBODY = {"anonymous", *ROLES}
SIGNED_IN = set(ROLES)
OPERATOR = {"operator"}
LEADS = {"supervisor", "manager"}
READERS = {"ministry", "supervisor", "manager"}
PROMPT_EDITORS = {"manager", "technician"}
OFFICE = {"manager", "technician"}
MANAGER = {"manager"}
CHANGE_REQUEST_ROLES = {"ministry", "manager", "technician"}
PROGRAM_ONLY: set[str] = set()  # opened by a key, by no session
STATUS_ROLES = {"technician", "backup", "manager"}
BACKUP_ROLES = {"technician", "backup"}

# maps a method and rule to the roles that may open it
ROUTES = {
    "GET /": SIGNED_IN,
    "GET /account": SIGNED_IN,
    "POST /account/appearance": SIGNED_IN,
    "GET /account/first-password": SIGNED_IN,
    "POST /account/first-password": SIGNED_IN,
    "POST /account/language": SIGNED_IN,
    "POST /account/password": SIGNED_IN,
    "GET /account/second-factor": SIGNED_IN,
    "POST /account/second-factor": SIGNED_IN,
    "POST /account/second-factor/<any(codes, remove):what>": SIGNED_IN,
    "GET /account/sessions": SIGNED_IN,
    "POST /account/sessions/<int:number>/end": SIGNED_IN,
    "POST /account/sessions/end-others": SIGNED_IN,
    "GET /api/v1/appeals": PROGRAM_ONLY,
    "GET /api/v1/appeals/<number>": PROGRAM_ONLY,
    "POST /api/v1/appeals/<number>/steps": PROGRAM_ONLY,
    "GET /api/v1/departments": PROGRAM_ONLY,
    "GET /api/v1/openapi.json": EVERYBODY,
    "GET /api/v1/reports/monthly/<month>": PROGRAM_ONLY,
    "GET /api/v1/reports/quarterly/<quarter>": PROGRAM_ONLY,
    "GET /appeals": READERS,
    "GET /appeals/<number>": OPERATOR | READERS,
    "GET /appeals/<number>/<any(standing, history):piece>": OPERATOR | READERS,
    "POST /appeals/<number>/undo": {"ministry"},
    "POST /appeals/<number>/draft": {"ministry"},
    "POST /appeals/<number>/readers": {"manager", "ministry"},
    "POST /appeals/<number>/readers/<login>/remove": {"manager", "ministry"},
    "POST /appeals/<number>/reveal": LEADS,
    "POST /appeals/<number>/concluded": {"operator", "supervisor", "ministry"},
    "POST /appeals/<number>/contacted": {"operator", "supervisor", "ministry"},
    "GET /appeals/<number>/correct": {"operator", "supervisor"},
    "POST /appeals/<number>/correct": {"operator", "supervisor"},
    "POST /appeals/<number>/steps": {"ministry"},
    "GET /appeals/appeals.csv": READERS,
    "GET /appeals/list": READERS,
    "GET /appeals/mine": OPERATOR,
    "GET /appeals/returned": OPERATOR,
    "GET /appeals/statistics": READERS,
    "GET /analytics": READERS,
    "GET /analytics/calls": READERS,
    "GET /analytics/calls.csv": READERS,
    "GET /analytics/calls.xlsx": READERS,
    "GET /analytics/telephony.<any(pdf, xlsx, csv, json):kind>": READERS,
    "GET /call-forms": OPERATOR | READERS,
    "GET /call-forms/<number>": OPERATOR | READERS,
    "GET /call-forms/<number>/correct": {"operator", "supervisor"},
    "POST /call-forms/<number>/correct": {"operator", "supervisor"},
    "GET /call-forms/table.csv": READERS,
    "GET /audit": OFFICE,
    "GET /audit/audit.csv": OFFICE,
    "GET /data-requests": MANAGER,
    "POST /data-requests": MANAGER,
    "GET /data-requests/<int:number>": MANAGER,
    "GET /data-requests/<int:number>/<any(uz, ru):language>.pdf": MANAGER,
    "POST /data-requests/<int:number>/answer": MANAGER,
    "GET /evidence": {"manager", "ministry"},
    "POST /evidence": MANAGER,  # and for ministry staff who may listen to recordings
    "GET /evidence/<int:number>.zip": {"manager", "ministry"},
    "GET /evidence/list": {"manager", "ministry"},
    "GET /backups": BACKUP_ROLES,
    "GET /backups/list": BACKUP_ROLES,
    "POST /backups/ask/<any(create, verify, drill):kind>": BACKUP_ROLES,
    "POST /backups/remove-key": BACKUP_ROLES,
    "POST /backups/sheet.pdf": BACKUP_ROLES,
    "GET /built/<path:name>": EVERYBODY,
    "GET /links": STATUS_ROLES,
    "GET /links/banner": SIGNED_IN,
    "GET /links/list": STATUS_ROLES,
    "GET /calls": LEADS,
    "GET /calls/<call_id>": LEADS,
    "POST /calls/<call_id>/listen": LEADS,
    "GET /calls/<call_id>/recordings/<int:number>": LEADS,
    "GET /calls/<call_id>/recordings/<int:number>/file": LEADS,
    "GET /calls/list": LEADS,
    "GET /calls/operators": LEADS,
    "GET /articles": {"manager", "ministry"},
    "POST /articles": MANAGER,
    "GET /articles/<slug>": {"manager", "ministry"},
    "POST /articles/<slug>/discard": MANAGER,
    "POST /articles/<slug>/draft": MANAGER,
    "POST /articles/<slug>/place": MANAGER,
    "POST /articles/<slug>/save": MANAGER,
    "POST /articles/<slug>/steps/<any(send, take_back, approve, put, withdraw, retire):action>": {
        *("manager", "ministry")
    },
    "POST /articles/<slug>/steps/return": {"manager", "ministry"},
    "GET /articles/<slug>/versions/<int:number>": {"manager", "ministry"},
    "GET /articles/list": {"manager", "ministry"},
    "GET /articles/new": MANAGER,
    "POST /articles/preview": MANAGER,
    "POST /articles/send": MANAGER,
    "GET /articles/use": READERS,
    "GET /changes": CHANGE_REQUEST_ROLES,
    "POST /changes": {"ministry"},
    "GET /changes/<int:number>": CHANGE_REQUEST_ROLES,
    "GET /changes/<int:number>/<any(standing, done):section>": CHANGE_REQUEST_ROLES,
    "GET /changes/<int:number>/files/<int:id>": CHANGE_REQUEST_ROLES,
    "POST /changes/<int:number>/steps": CHANGE_REQUEST_ROLES,
    "GET /changes/list": CHANGE_REQUEST_ROLES,
    "GET /changes/new": {"ministry"},
    "GET /commands": SIGNED_IN,
    "GET /choices/<name>": {"operator", "supervisor", "manager", "technician"},
    "GET /departments": {"manager"},
    "POST /departments": {"manager"},
    "POST /departments/<int:number>": {"manager"},
    "POST /departments/members": {"manager"},
    "POST /departments/routes": {"manager"},
    "GET /capacity": LEADS,
    "GET /forms": LEADS | {"technician"},
    "GET /scripts": READERS,
    "POST /scripts": MANAGER,
    "GET /scripts/<code>": READERS,
    "GET /scripts/counts": LEADS,
    "POST /scripts/import": MANAGER,
    "GET /scripts/<code>/versions/<int:number>.pdf": READERS,
    "POST /scripts/<code>/draft": MANAGER,
    "POST /scripts/<code>/draft/discard": MANAGER,
    "POST /scripts/<code>/about": MANAGER,
    "POST /scripts/<code>/<any(send, take_back, approve, return, put, withdraw, retire):action>": {
        "manager",
        "ministry",
    },
    "GET /scripts/<code>/steps/new": MANAGER,
    "POST /scripts/<code>/steps": MANAGER,
    "GET /scripts/<code>/steps/<step>": MANAGER,
    "POST /scripts/<code>/steps/<step>": MANAGER,
    "POST /scripts/<code>/steps/<step>/<any(up, down, remove):what>": MANAGER,
    "POST /scripts/<code>/preview": MANAGER,
    "GET /scripts/<code>/preview": READERS,
    "GET /scripts/<code>/versions/<int:number>": READERS,
    "GET /operator/scripts/<token>": OPERATOR,
    "POST /operator/scripts/<token>/<any(begin, go, end, resume, speak):what>": OPERATOR,
    "GET /forms/<any('1', '2'):form>": LEADS | {"technician"},
    "POST /forms/<any('1', '2'):form>/draft": MANAGER,
    "POST /forms/<any('1', '2'):form>/draft/<any(discard, withdraw):what>": MANAGER,
    "POST /forms/<any('1', '2'):form>/draft/put": MANAGER,
    "POST /forms/<any('1', '2'):form>/fields": MANAGER,
    "GET /forms/<any('1', '2'):form>/fields/<name>": MANAGER,
    "POST /forms/<any('1', '2'):form>/fields/<name>": MANAGER,
    "POST /forms/<any('1', '2'):form>/fields/<name>/<any(up, down, remove):what>": MANAGER,
    "GET /forms/<any('1', '2'):form>/fields/new": MANAGER,
    "GET /forms/<any('1', '2'):form>/preview": LEADS | {"technician"},
    "POST /forms/<any('1', '2'):form>/preview": LEADS | {"technician"},
    "GET /forms/<any('1', '2'):form>/versions/<int:number>": LEADS | {"technician"},
    "GET /directory": OFFICE,
    "POST /directory": OFFICE,
    "GET /directory/<int:number>": OFFICE,
    "POST /directory/<int:number>": OFFICE,
    "GET /calendar": OPERATOR | READERS | {"technician"},
    "POST /calendar": MANAGER,
    "POST /calendar/<day>/<any(remove, settle):step>": MANAGER,
    "POST /calendar/<int:number>/confirm": MANAGER,
    "GET /consultations": OPERATOR | LEADS,
    "GET /consultations/list": OPERATOR | LEADS,
    "GET /consultations/mine": OPERATOR,
    "GET /knowledge": SIGNED_IN - {"backup"},
    "GET /knowledge/articles/<slug>": SIGNED_IN - {"backup"},
    "GET /knowledge/articles/<slug>/<int:number>/files/<int:id>": SIGNED_IN - {"backup"},
    "GET /knowledge/beside/<token>": OPERATOR,
    "GET /knowledge/beside/<token>/<slug>": OPERATOR,
    "GET /knowledge/list": SIGNED_IN - {"backup"},
    "POST /knowledge/openings/<int:number>": SIGNED_IN - {"backup"},
    "GET /lists": LEADS,
    "POST /lists": MANAGER,
    "GET /lists/<name>": LEADS,
    "POST /lists/<name>": MANAGER,
    "GET /lists/<name>/<int:number>": LEADS,
    "POST /lists/<name>/<int:number>": MANAGER,
    "POST /lists/<name>/<int:number>/<any(retire, restore, up, down):step>": MANAGER,
    "POST /lists/<name>/file": MANAGER,
    "POST /lists/<name>/import": MANAGER,
    "GET /lists/<name>/list.csv": LEADS,
    "POST /lists/<name>/names": MANAGER,
    "GET /floor": LEADS,
    "GET /floor/calls": LEADS,
    "GET /floor/figures": LEADS,
    "GET /floor/operators": LEADS,
    "GET /floor/operators/<login>": LEADS,
    "POST /floor/operators/<login>/<any(listen, whisper, barge):mode>": LEADS,
    "POST /floor/operators/<login>/<any(ready, pause):state>": LEADS,
    "POST /floor/operators/<login>/hang-up": LEADS,
    "POST /floor/operators/<login>/take-over": LEADS,
    "GET /floor/phone": LEADS,
    "POST /floor/stop": LEADS,
    "GET /floor/trunks": LEADS,
    "GET /floor/waiting": LEADS,
    "GET /followups": OPERATOR | LEADS,
    "GET /followups/list": OPERATOR | LEADS,
    "POST /followups/<int:number>/call": OPERATOR | LEADS,
    "POST /followups/<int:number>/done": OPERATOR | LEADS,
    "GET /healthz": EVERYBODY,
    "GET /help/figures": SIGNED_IN,
    "GET /metrics": EVERYBODY,
    "GET /too-large": EVERYBODY,
    "GET /operator/session": OPERATOR,
    "GET /keys": OFFICE | READERS,
    "POST /keys": MANAGER,
    "POST /keys/<int:number>/confirm": READERS,
    "POST /keys/<int:number>/revoke": {"technician", "manager"},
    "GET /pieces": OPERATOR | READERS | {"technician"},
    "GET /live": OPERATOR | READERS | {"technician"},
    "GET /lock": SIGNED_IN,
    "POST /lock": SIGNED_IN,
    "POST /lock/open": SIGNED_IN,
    "POST /lock/pin": SIGNED_IN,
    "GET /login": EVERYBODY,
    "GET /login/openid": EVERYBODY,
    "GET /login/openid/back": EVERYBODY,
    "POST /login/pin": EVERYBODY,
    "POST /login": EVERYBODY,
    "GET /login/second": SIGNED_IN,
    "POST /login/second": SIGNED_IN,
    "GET /login/token": EVERYBODY,
    "POST /logout": SIGNED_IN,
    "GET /ministry": OFFICE,
    "GET /ministry/list": OFFICE,
    "POST /ministry/<int:id>/retry": OFFICE,
    "POST /ministry/retry": OFFICE,
    "POST /ministry/seen": OFFICE,
    "GET /minutes": READERS,
    "GET /minutes/act.<any(pdf, xlsx, csv, json):kind>": READERS,
    "POST /minutes/tariffs": {"manager"},
    "POST /minutes/tariffs/<int:number>/close": {"manager"},
    "GET /operator": OPERATOR,
    "POST /operator/appeals/<number>/call": OPERATOR,
    "GET /operator/bar": OPERATOR,
    "GET /operator/card": OPERATOR,
    "POST /operator/consultation": OPERATOR,
    "POST /operator/dial": OPERATOR,
    "GET /operator/employees": OPERATOR,
    "GET /operator/day": OPERATOR,
    "GET /operator/phone": OPERATOR,
    "POST /operator/phone": OPERATOR,
    "POST /operator/phone/account": OPERATOR,
    "GET /operator/phone/taken": OPERATOR,
    "POST /operator/phone/quality": OPERATOR,
    "GET /operator/registered/<number>": OPERATOR,
    "GET /operator/forms/<token>": OPERATOR,
    "POST /operator/forms/<token>": OPERATOR,
    "GET /operator/forms/<token>/<any(person, alike):piece>": OPERATOR,
    "POST /operator/forms/<token>/add": OPERATOR,
    "GET /operator/forms/<token>/after": OPERATOR,
    "GET /operator/forms/<token>/callback": OPERATOR,
    "POST /operator/forms/<token>/callback": OPERATOR,
    "GET /operator/forms/<token>/notes": OPERATOR,
    "POST /operator/forms/<token>/notes": OPERATOR,
    "GET /operator/forms/<token>/notes/list": OPERATOR,
    "POST /calls/<call_id>/notes/<int:number>": LEADS,
    "GET /callbacks/due": OPERATOR,
    "GET /callbacks/list": OPERATOR | LEADS,
    "GET /callbacks/mine": OPERATOR,
    "POST /callbacks/<int:number>/call": OPERATOR | LEADS,
    "POST /callbacks/<int:number>/<any(done, take, hand):step>": OPERATOR | LEADS,
    "POST /operator/forms/<token>/discard": OPERATOR,
    "POST /operator/forms/<token>/register": OPERATOR,
    "POST /operator/forms/<token>/register-call": OPERATOR,
    "GET /operator/forms/new": OPERATOR,
    "POST /operator/hang-up": OPERATOR,
    "POST /operator/more-time": OPERATOR,
    "GET /operator/figures": OPERATOR,
    "GET /operator/paused": OPERATOR,
    "POST /operator/phone/resume": OPERATOR,
    "GET /operator/queue": OPERATOR,
    "GET /operator/state": OPERATOR,
    "POST /operator/state": OPERATOR,
    "GET /notices": MANAGER,
    "POST /notices": MANAGER,
    "POST /notices/calls": MANAGER,
    "POST /notices/opt-outs": MANAGER,
    "POST /notices/opt-outs/remove": MANAGER,
    "GET /notices/templates": MANAGER,
    "POST /notices/templates": MANAGER,
    "GET /notices/templates/<int:number>": MANAGER,
    "POST /notices/templates/<int:number>": MANAGER,
    "POST /notices/templates/preview": MANAGER,
    "GET /messages/<any(appeal, call, form):about>/<id>": OPERATOR,
    "POST /messages/<any(appeal, call, form):about>/<id>": OPERATOR | LEADS,
    "GET /messages/<any(appeal, call, form):about>/<id>/list": OPERATOR | READERS,
    "POST /messages/<any(appeal, call, form):about>/<id>/preview": OPERATOR | LEADS,
    "GET /r/<token>": EVERYBODY,
    "POST /r/<token>": EVERYBODY,
    "GET /sms": OFFICE,
    "POST /sms/approvals": OFFICE,
    "POST /sms/rules": OFFICE,
    "GET /outbox": {"technician", "manager"},
    "GET /outbox/list": {"technician", "manager"},
    "GET /outbox/held": {"technician", "manager"},
    "POST /outbox/held": {"technician", "manager"},
    "POST /outbox/<int:id>/retry": {"technician", "manager"},
    "GET /floor/announcements": LEADS,
    "POST /floor/announcements": LEADS,
    "GET /operator/announcements": OPERATOR,
    "POST /operator/announcements/<int:number>": OPERATOR,
    "POST /passkeys": SIGNED_IN,
    "POST /passkeys/<int:number>/remove": SIGNED_IN,
    "POST /passkeys/ask": SIGNED_IN,
    "POST /passkeys/offer": SIGNED_IN,
    "POST /passkeys/prove": SIGNED_IN,
    "GET /people": LEADS | OFFICE,
    "POST /people": OFFICE,
    "GET /people/<int:number>": OFFICE,
    "POST /people/<int:number>": OFFICE,
    "POST /people/<int:number>/<any(password, phone):what>": OFFICE,
    "POST /people/<int:number>/<any(disable, enable, signout, factor):what>": OFFICE,
    "POST /people/<int:number>/identity": OFFICE,
    "POST /people/<int:number>/fallback": OFFICE,
    "GET /people/import": OFFICE,
    "POST /people/import": OFFICE,
    "GET /people/phones": OFFICE,
    "GET /people/phones/<int:number>": OFFICE,
    "POST /people/phones/<int:number>": OFFICE,
    "POST /people/phones/<int:number>/address": OFFICE,
    "POST /people/phones/<int:number>/remove": OFFICE,
    "GET /people/phones/list": OFFICE,
    "GET /phones/<token>/<name>": EVERYBODY,
    "GET /phones/<token>/phonebook.xml": EVERYBODY,
    "GET /people/list": LEADS | OFFICE,
    "GET /people/people.csv": LEADS | OFFICE,
    "GET /prompts": PROMPT_EDITORS,
    "GET /prompts/<any(uz, ru):language>/<path:name>": PROMPT_EDITORS,
    "GET /prompts/sound/<any(uz, ru):language>/<path:name>": PROMPT_EDITORS,
    "GET /prompts/versions/<any(uz, ru):language>/<path:name>": PROMPT_EDITORS,
    "POST /prompts/choose/<any(uz, ru):language>/<path:name>": PROMPT_EDITORS,
    "POST /prompts/record/<any(uz, ru):language>/<path:name>": PROMPT_EDITORS,
    "POST /prompts/speak/<any(uz, ru):language>/<path:name>": PROMPT_EDITORS,
    "POST /prompts/upload/<any(uz, ru):language>/<path:name>": PROMPT_EDITORS,
    "POST /operator/transfer": OPERATOR,
    "GET /reports": READERS,
    "GET /reports/<any(monthly, quarterly, daily):name>.<any(pdf, xlsx, csv, json):kind>": READERS,
    "GET /reports/accesses": {"manager", "ministry"},
    "GET /reports/accesses/accesses.<any(pdf, xlsx, csv, json):kind>": {"manager", "ministry"},
    "POST /reports/counted": MANAGER,
    "GET /reports/issued": READERS,
    "POST /reports/issued": MANAGER,
    "GET /reports/issued/<int:id>": READERS,
    "GET /reports/issued/<int:id>/<lang>.<any(pdf, xlsx, csv, json):kind>": READERS,
    "GET /reports/issued/list": READERS,
    "GET /reports/quarterly": READERS,
    "GET /rights": OFFICE,
    "GET /rights/<int:number>": OFFICE,
    "POST /rights/<int:number>/recordings": MANAGER,
    "GET /retention": OFFICE,
    "GET /retention/removals.csv": OFFICE,
    "POST /retention/holds": MANAGER,
    "POST /retention/holds/<int:id>/end": MANAGER,
    "POST /reports/runs/<int:id>/retry": MANAGER,
    "GET /staff-records": MANAGER,
    "POST /staff-records/answers": MANAGER,
    "POST /staff-records/events": MANAGER,
    "POST /staff-records/events/<int:id>/remove": MANAGER,
    "POST /staff-records/people": MANAGER,
    "POST /staff-records/shifts": MANAGER,
    "POST /staff-records/shifts/<int:id>/end": MANAGER,
    "POST /sms-reports/<name>/<secret>": EVERYBODY,
    "GET /static/<version>/<path:filename>": EVERYBODY,
    "GET /sessions": OFFICE,
    "GET /sessions/list": OFFICE,
    "POST /sessions/<int:number>/end": OFFICE,
    "GET /status": STATUS_ROLES,
    "GET /status/<any(checks, lines, machine):piece>": STATUS_ROLES,
    "POST /status/lines/<trunk>/test": {"technician"},
    "GET /telephony": OFFICE,
    "GET /telephony/try": OFFICE,
    "GET /telephony/<name>": OFFICE,
    "POST /telephony/<name>": OFFICE,
    "GET /telephony/versions": OFFICE,
    "GET /telephony/versions/<int:number>": OFFICE,
    "POST /telephony/versions/<int:number>": OFFICE,
    "GET /workday": LEADS,
    "POST /workday/limits": MANAGER,
    "POST /workday/goals": LEADS,
    "POST /workday/numbers": LEADS,
}
ROUTE_VALUES = {
    "sessions/<int:number>": "sessions/999",  # the first session belongs to the requesting user
    "<any('1', '2'):form>": "1",
    "<any(discard, withdraw):what>": "discard",
    "<any(up, down, remove):what>": "up",
    "<any(uz, ru):language>": "uz",
    "<any(listen, whisper, barge):mode>": "listen",
    "<any(ready, pause):state>": "pause",
    "<any(create, verify, drill):kind>": "create",
    "<any(codes, remove):what>": "codes",
    "<any(password, phone):what>": "phone",
    "<any(disable, enable, signout, factor):what>": "signout",
    "<any(send, take_back, approve, return, put, withdraw, retire):action>": "send",
    "<any(send, take_back, approve, put, withdraw, retire):action>": "send",
    "<any(begin, go, end, resume, speak):what>": "go",
    "<day>": "2027-01-01",
    "<any(remove, settle):step>": "settle",
    "<any(retire, restore, up, down):step>": "up",
    "<int:number>": "1",
    "<any(appeal, call, form):about>": "appeal",
    "<id>": "2026-000001",
    "<login>": "nobody",
    "<path:name>": "js/htmx.min.js",
    "<version>": "now",
    "<path:filename>": "app.js",
    "<any(pdf, xlsx, csv, json):kind>": "json",
    "<call_id>": "hotline-1.0",
    "<any(monthly, quarterly, daily):name>": "monthly",
    "<lang>": "ru",
    "<any(pdf, json, csv):kind>": "json",
    "<any(done, take, hand):step>": "done",
    "<any(person, alike):piece>": "person",
    "<any(standing, history):piece>": "history",
    "<any(standing, done):section>": "done",
    "<any(checks, lines, machine):piece>": "lines",
    "<trunk>": "carrier",
    "<int:id>": "1",
    "<number>": "2026-000001",
    "<month>": "2026-10",
    "<secret>": "wrong",
    "<quarter>": "2026-Q3",
    "<token>": "no-such-form",
    "<name>": "region",
}
HOME_OF_ROLE = {
    "operator": "/operator",
    "supervisor": "/calls",
    "manager": "/calls",
    "ministry": "/appeals",
    "technician": "/status",
    "backup": "/status",
}


def route_address(route: str) -> str:
    path = route.split(" ", 1)[1]
    for placeholder, value in ROUTE_VALUES.items():
        path = path.replace(placeholder, value)
    return path


def test_the_table_lists_every_route(app: Flask) -> None:
    rules = {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert rules == set(ROUTES)


def is_refused(answer: TestResponse) -> bool:
    to_login = answer.headers.get("Location", "").startswith("/login")
    return answer.status_code in (401, 403) or (to_login and answer.request.path != "/login")


@pytest.mark.parametrize("role", [*ROLES, "anonymous"])
def test_each_role_opens_only_its_permitted_routes(role, app, client, login_as) -> None:
    browser = client if role == "anonymous" else login_as(role)
    home = "/login" if role == "anonymous" else "/account"
    for route, roles in sorted(ROUTES.items()):
        if route in ("POST /login", "POST /login/pin", "POST /logout", "POST /lock"):
            continue  # they would change the session of the browser
        method = route.split()[0]
        headers = {"X-CSRFToken": browser.token(home)} if method == "POST" else {}
        with browser.open(route_address(route), method=method, headers=headers) as answer:
            assert is_refused(answer) == (role not in roles), f"{role} at {route}: {answer.status}"


@pytest.mark.parametrize("role", ROLES)
def test_each_role_starts_at_its_own_page(role, login_as) -> None:
    assert login_as(role).get("/").headers["Location"] == HOME_OF_ROLE[role]


def test_the_ministry_sees_only_appeals_registered_calls_and_reports(login_as) -> None:
    page = login_as("ministry").get("/reports").text
    sections = page.split('<nav class="nav"')[1].split("</nav>")[0]
    assert re.findall('href="([^"]+)"', sections) == [
        *("/appeals", "/call-forms", "/knowledge", "/reports"),
    ]
    tabs = page.split('<nav class="tabs sections"')[1].split("</nav>")[0]
    assert re.findall('href="([^"]+)"', tabs) == [
        *("/reports", "/reports/quarterly", "/reports/issued", "/analytics", "/minutes"),
        "/reports/accesses",
    ]


def test_a_tab_is_shown_only_while_its_condition_holds(login_as, bahodir) -> None:
    """Evidence packs are for ministry staff who may listen to recordings."""
    browser, tab = login_as("ministry"), 'href="/evidence"'
    assert tab not in browser.get("/appeals").text
    recordings.set_personal_right(bahodir, True, by="sherzod")
    assert tab in browser.get("/appeals").text
    recordings.set_personal_right(bahodir, False, by="sherzod")
    assert tab not in browser.get("/appeals").text


def test_an_application_with_an_undeclared_view_does_not_start(app: Flask) -> None:
    app.view_functions["silent"] = lambda: ""
    with pytest.raises(access.UndeclaredAccessError, match="silent"):
        access.check_access_declared(app)


def test_an_unknown_action_cannot_be_declared() -> None:
    with pytest.raises(KeyError, match="floor.sweep"):
        access.may("floor.lead", "floor.sweep")


def test_every_route_is_declared_in_the_table_of_rights(app: Flask) -> None:
    """And no action of the table is without a route or a loader that checks it."""
    declared_actions = {
        action
        for view in app.view_functions.values()
        for action in view.__dict__.get("actions", ())
    }
    # public, or for every signed-in user
    unrestricted = {
        frozenset(EVERYBODY),
        frozenset(SIGNED_IN),
    }
    undeclared = [
        endpoint
        for endpoint, view in app.view_functions.items()
        if "actions" not in view.__dict__ and view.__dict__["who"] not in unrestricted
    ]
    assert undeclared == []
    loaders = {"appeal.personal", "applicant.export", "number.read", "change.do"}
    assert declared_actions | loaders == {right.action for right in rights.RIGHTS}


def test_every_role_has_a_test_user() -> None:
    assert set(LOGIN_OF_ROLE) == set(ROLES)
