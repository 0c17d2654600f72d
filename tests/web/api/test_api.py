"""Programs' access compared with the API's document: shapes, scopes, cursors, conflicts, limits."""

import base64
import dataclasses
import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance.casework import catalogs, departments
from appliance.casework.appeals import correcting, handling
from appliance.core import clock
from appliance.core.settings import Ministry, SmsAccount
from appliance.messaging.casework_hooks import connect_hooks
from appliance.models import AccessKey, Appeal, AuditEntry, Department, Handling, Message
from appliance.people import keys
from appliance.reports import files
from appliance.web.api import views
from tests.rig.locked import locked_database
from tests.rig.programs import confirmed_key

pytestmark = pytest.mark.usefixtures("every_change_is_audited")

DOCUMENT = json.loads(views.OPENAPI_FILE.read_text("utf-8"))
type Ask = Callable[..., TestResponse]


@pytest.fixture
def program(app) -> Callable[..., Ask]:
    """A client with a key of the given scopes; it compares each response with the document."""

    def with_key(*scopes: str, department: int | None = None, name: str = "Tizim") -> Ask:
        secret = confirmed_key(*scopes, name=name, department=department)
        client = FlaskClient(app)

        def ask(path: str, method: str = "GET", **values: Any) -> TestResponse:
            headers = {"Authorization": f"Bearer {secret}"}
            body = {"json": values} if method == "POST" else {"query_string": values}
            answer = client.open(f"/api/v1{path}", method=method, headers=headers, **body)
            check_documented(path, method, answer)
            return answer

        return ask

    return with_key


def check_documented(path: str, method: str, answer: TestResponse) -> None:
    """Check that the path, the status and the shape of the response are in the document."""
    from jsonschema import Draft202012Validator, FormatChecker  # here: slow to import

    [operation] = [
        operations[method.lower()]
        for template, operations in DOCUMENT["paths"].items()
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path) and method.lower() in operations
        if "{" in template or template == path
    ]
    response = resolve_reference(operation["responses"][str(answer.status_code)])
    [(kind, content)] = response["content"].items()
    assert answer.mimetype == kind
    schema = {**content["schema"], "components": DOCUMENT["components"]}
    faults = Draft202012Validator(schema, format_checker=FormatChecker()).iter_errors(answer.json)
    assert [f"{fault.json_path}: {fault.message}" for fault in faults] == []


def resolve_reference(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        name = node["$ref"]
        node = DOCUMENT
        for word in name.removeprefix("#/").split("/"):
            node = node[word]
    return node


def find_references(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [reference for child in node for reference in find_references(child)]
    if not isinstance(node, dict):
        return []
    node_reference = [node] if "$ref" in node else []
    return node_reference + [
        reference for child in node.values() for reference in find_references(child)
    ]


# the document


def test_the_document_is_complete_and_lists_every_route(app):
    from jsonschema import Draft202012Validator  # here: slow to import

    assert DOCUMENT["openapi"].startswith("3.1")
    for reference in find_references(DOCUMENT):
        assert resolve_reference(reference)
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    routes = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule.removeprefix("/api/v1")), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert routes == {(path, m) for path, ms in DOCUMENT["paths"].items() for m in ms}
    for path, operations in DOCUMENT["paths"].items():
        for operation in operations.values():
            path_parameters = {
                p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"
            }
            assert path_parameters == set(re.findall(r"{(\w+)}", path))


def test_the_document_needs_no_key(client):
    with client.get("/api/v1/openapi.json") as answer:
        assert answer.json == DOCUMENT


# keys and scopes


def test_nothing_is_disclosed_without_a_key_in_force(client, program, register):
    number = register().number
    program()
    for headers in ({}, {"Authorization": "Bearer hk_wrong"}, {"Authorization": "Basic eDp5"}):
        answer = client.get(f"/api/v1/appeals/{number}", headers=headers)
        check_documented(f"/appeals/{number}", "GET", answer)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("scope", keys.SCOPES)
def test_each_scope_permits_only_its_own_requests(program, register, scope):
    number, ask = register().number, program(scope)
    responses = {
        "appeals:read": ask(f"/appeals/{number}"),
        "appeals:write": ask(f"/appeals/{number}/steps", "POST", action="take", version=1),
        "reports:read": ask("/reports/monthly/2026-10"),
    }
    statuses = {needed: answer.status_code for needed, answer in responses.items()}
    assert statuses == {needed: 200 if needed == scope else 403 for needed in responses}


def test_a_revoked_key_opens_nothing(program):
    ask = program()
    assert ask("/departments").status_code == 200
    keys.revoke_key(AccessKey.get(), by="rustam")
    assert ask("/departments").status_code == 401


def test_reading_the_applicant_needs_its_own_scope(program, register):
    number = register().number
    plain = program("appeals:read", name="Oddiy")(f"/appeals/{number}")
    assert "applicant" not in plain.json
    assert "Yoʻldosheva" not in plain.text
    personal = program("appeals:read", "appeals:personal")(f"/appeals/{number}").json
    assert personal["applicant"]["surname"] == "Yoʻldosheva"
    views_logged = AuditEntry.select().where(
        AuditEntry.action == "appeal.view", AuditEntry.who == "key:Tizim"
    )
    assert views_logged.count() == 1


def test_programs_read_only_the_field_names_of_a_correction(program, register, settings):
    appeal = register()
    calendar = catalogs.working_calendar(settings)
    changed = {"surname": "Karimova", "applicant_kind": "person"}
    correcting.correct_appeal(appeal, changed, "nilufar", 1, calendar)
    read = program("appeals:read")(f"/appeals/{appeal.number}")
    assert "surname" in read.json["steps"][0]["fields"]
    assert "Yoʻldosheva" not in read.text


def test_a_departments_key_reads_only_its_own_appeals(program, register, labour, law):
    own_appeal, other = register(), register(direction="training")
    ask = program(department=labour.id)
    assert [a["number"] for a in ask("/appeals").json["appeals"]] == [own_appeal.number]
    assert ask(f"/appeals/{other.number}").status_code == 404
    step = {"action": "take", "version": 1}
    assert ask(f"/appeals/{other.number}/steps", "POST", **step).status_code == 404
    forward = {"action": "forward", "version": 1, "text": "Ularga", "department": law.code}
    assert (
        ask(f"/appeals/{own_appeal.number}/steps", "POST", **forward).json["department"] == law.code
    )
    assert ask(f"/appeals/{own_appeal.number}").status_code == 404


# lists


def test_a_cursor_pages_through_appeals_and_returns_later_changes(program, register):
    numbers = [register().number for _ in range(5)]
    ask, read_numbers, cursor = program("appeals:read"), [], ""
    while True:
        answer = ask("/appeals", limit=2, cursor=cursor).json
        read_numbers += [a["number"] for a in answer["appeals"]]
        cursor = answer["next"]
        if not answer["more"]:
            break
    assert read_numbers == numbers
    assert ask("/appeals", cursor=cursor).json == {"appeals": [], "next": cursor, "more": False}
    handling.take_over(Appeal.get(Appeal.number == numbers[1]), "bahodir", 1)
    late = register().number
    again = ask("/appeals", cursor=cursor).json["appeals"]
    assert [(a["number"], a["state"]) for a in again] == [
        (numbers[1], "taken"),
        (late, "registered"),
    ]
    since = again[0]["changed_at"]
    assert len(ask("/appeals", changed_since=since).json["appeals"]) == 2


def test_filters_select_appeals_and_invalid_ones_are_refused(program, register, labour):
    register()
    other = register(direction="training", region="1703", district="", mahalla_text="")
    ask = program("appeals:read")
    for filters, count in (
        ({"region": "1703"}, 1),
        ({"department": labour.code}, 1),
        ({"state": "open"}, 2),
        ({"state": "answered"}, 0),
        ({"direction": "training", "appeal_type": "application"}, 1),
        ({"q": "йўлдошева"}, 2),
        ({"q": other.number}, 1),
        ({"until": "2020-01-01"}, 0),
        ({"limit": 1}, 1),
    ):
        assert len(ask("/appeals", **filters).json["appeals"]) == count, filters
    for wrong in (
        {"state": "gone"},
        {"department": "nobody"},
        {"since": "yesterday"},
        {"cursor": "%%%"},
        {"cursor": "aGFo"},
        {"cursor": base64.urlsafe_b64encode(b"%d.1" % 10**30).decode()},
        {"changed_since": "now"},
        {"limit": "many"},
    ):
        answer = ask("/appeals", **wrong)
        assert (answer.status_code, answer.json["code"]) == (400, "query"), wrong


@pytest.mark.parametrize(
    "wrong",
    [
        *({"cursor": base64.urlsafe_b64encode(text).decode()} for text in (b"-1.0", b"0.-9" * 5)),
        {"cursor": base64.urlsafe_b64encode(b"0.-99999999999999999999").decode()},
        *({"changed_since": day} for day in ("0001-01-01", "9999-12-31T23:59:59-23:59")),
        *({"since": day} for day in ("01.01.0001", "31.12.9999")),
        *({"limit": number} for number in ("9" * 5000, "-1", "\u0663")),
    ],
)
def test_implausible_queries_are_refused(program, wrong):
    answer = program()("/appeals", **wrong)
    assert (answer.status_code, answer.json["code"]) == (400, "query")


def test_empty_parameters_count_as_absent(program, register):
    register()
    ask = program()
    filters = ("cursor", "changed_since", "limit", "state", "department", "region", "district")
    empty_filters = dict.fromkeys((*filters, "direction", "appeal_type", "since", "until", "q"), "")
    assert ask("/appeals", **empty_filters).json == ask("/appeals").json
    for address in ("/reports/monthly/2026-10", "/reports/quarterly/2026-Q3"):
        response = ask(address, lang="", upto="")
        assert response.status_code == 200, response.json
        assert response.json.keys() == ask(address).json.keys()


@pytest.mark.parametrize("month", ["0001-01", "9999-12", "1999-12"])
def test_implausible_months_are_refused(program, month):
    assert program()(f"/reports/monthly/{month}").json["code"] == "period"


# steps


def test_an_appeal_is_answered(program, register):
    appeal, ask = register(), program("appeals:read", "appeals:write")
    path = f"/appeals/{appeal.number}"
    version = ask(path).json["version"]
    step = {"action": "answer", "version": version, "text": "Hal qilindi"}
    answered = ask(f"{path}/steps", "POST", **step).json
    assert (answered["state"], answered["holder"]) == ("answered", "key:Tizim")
    assert answered["steps"][-1]["text"] == "Hal qilindi"
    assert answered["version"] == version + 1
    late = ask(f"{path}/steps", "POST", **step)
    assert (late.status_code, late.json["code"]) == (409, "changed")
    assert Handling.get_by_id(appeal.id).version == version + 1


def test_an_answer_is_withdrawn_before_anybody_is_notified(
    program, register, settings, at_noon, monkeypatch
):
    appeal, ask = register(), program("appeals:read", "appeals:write")
    other_key = program("appeals:write", name="Boshqa")
    account = SmsAccount("first", "eskiz", "http://127.0.0.1:9", "user", "secret", "4546", "hush")
    system = Ministry(url="http://127.0.0.1:9", token="secret")
    connect_hooks(dataclasses.replace(settings, sms=(account,), ministry=system))
    path = f"/appeals/{appeal.number}/steps"
    answer = {"action": "answer", "text": "Hal qilindi"}
    assert ask(path, "POST", **answer, version=1).json["state"] == "answered"
    notified_at = at_noon + dt.timedelta(seconds=15)
    assert [(m.channel, m.due_at) for m in Message.select().order_by(Message.id)] == [
        ("sms", notified_at),
        ("ministry", notified_at),
    ]
    refused = other_key(path, "POST", action="undo", version=2)
    assert (refused.status_code, refused.json["code"]) == (409, "late")
    withdrawn = ask(path, "POST", action="undo", version=2).json
    assert (withdrawn["state"], withdrawn["holder"]) == ("taken", "key:Tizim")
    assert (withdrawn["answered_on"], withdrawn["steps"][-1]["action"]) == (None, "undo")
    assert not Message.select().where(Message.purpose == "answered").exists()
    assert ask(path, "POST", **answer, version=3).json["state"] == "answered"
    monkeypatch.setattr(clock, "now", lambda: notified_at)
    refused = ask(path, "POST", action="undo", version=4)
    assert (refused.status_code, refused.json["code"]) == (409, "late")
    assert Message.select().where(Message.purpose == "answered").count() == 1


def test_a_write_only_key_reads_nothing(program, register):
    appeal = register()
    step = {"action": "answer", "version": 1, "text": "Hal qilindi"}
    response = program("appeals:write")(f"/appeals/{appeal.number}/steps", "POST", **step).json
    assert response == {"number": appeal.number, "version": 2, "state": "answered"}
    assert AuditEntry.select().where(AuditEntry.action == "appeal.view").count() == 0


@pytest.mark.parametrize(
    ("step", "status", "code"),
    [
        ({"action": "answer", "version": 1}, 422, "words"),
        ({"action": "burn", "version": 1}, 422, "action"),
        ({"action": "correct", "version": 1}, 422, "action"),
        ({"action": "take"}, 422, "body"),
        ({"action": "answer", "version": 1, "text": 7}, 422, "body"),
        ({"action": "close", "version": 1}, 409, "state"),
        ({"action": "undo", "version": 1}, 409, "late"),
        ({"action": "take", "version": 10**30}, 409, "changed"),
        ({"action": "answer", "version": 1, "text": "\ud800"}, 422, "body"),
        ({"action": "forward", "version": 1, "text": "x", "department": [1]}, 422, "department"),
        ({"action": "forward", "version": 1, "text": "x", "department": {}}, 422, "department"),
        ({"action": "forward", "version": 1, "text": "x"}, 422, "department"),
        ({"action": "forward", "version": 1, "text": "x", "department": "no"}, 422, "department"),
    ],
)
def test_impossible_steps_are_refused(program, register, step, status, code):
    number = register().number
    answer = program()(f"/appeals/{number}/steps", "POST", **step)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.json["detail"]


def test_a_busy_database_is_reported_and_changes_nothing(program, register, settings):
    appeal, ask = register(), program()
    with locked_database(settings.paths.database):
        answer = ask(f"/appeals/{appeal.number}/steps", "POST", action="take", version=1)
    assert (answer.status_code, answer.json["code"]) == (503, "busy")
    assert answer.headers["Retry-After"] == "5"
    again = ask(f"/appeals/{appeal.number}/steps", "POST", action="take", version=1)
    assert again.status_code == 200


def test_a_body_that_is_not_json_is_refused(app, program, register):
    number = register().number
    program()
    secret = confirmed_key(name="Y")
    headers = {"Authorization": f"Bearer {secret}"}

    def post_body(body: str) -> TestResponse:
        path = f"/api/v1/appeals/{number}/steps"
        kind = "application/json"
        return FlaskClient(app).post(path, data=body, headers=headers, content_type=kind)

    for body in ("", "[1]", "{", "null"):
        answer = post_body(body)
        assert (answer.status_code, answer.json["code"]) == (422, "body")
    assert post_body("[" * 100_000).status_code == 400


def test_the_list_of_departments(program, labour):
    departments.change_department(
        Department.get_by_id(labour.id), {"own_body": True}, actor="sherzod"
    )
    assert program()("/departments").json["departments"] == [
        {"code": labour.code, "name": "Bandlik boshqarmasi", "own_body": True}
    ]


# reports


@pytest.mark.parametrize(
    ("name", "period_text", "upto"),
    [("monthly", "2026-10", "2026-10-20"), ("quarterly", "2026-Q4", "2026-11-20")],
)
def test_the_report_equals_the_commands_report(
    program, register, settings, name, period_text, upto
):
    register()
    form = files.FORMS[name]
    period = form.parse_period(period_text, settings.tz, upto)
    expected = json.loads(json.dumps(form.as_json(form.build(settings, period, "ru"))))
    response = program()(f"/reports/{name}/{period_text}", upto=upto, lang="ru").json
    assert response.keys() == expected.keys()
    assert {k: v for k, v in response.items() if k != "balance"} == {
        k: v for k, v in expected.items() if k != "balance"
    }
    assert program(name="Z")(f"/reports/{name}/2026-13").json["code"] == "period"


# limits and faults


def test_too_many_requests_are_refused(program):
    ask = program("appeals:read")
    codes = [ask("/departments").status_code for _ in range(121)]
    assert codes == [200] * 120 + [429]
    assert ask("/departments").headers["Retry-After"] == "60"
    assert program("appeals:read", name="Boshqa")("/departments").status_code == 200


def test_an_unknown_address_is_answered_with_a_problem_document(client):
    answer = client.get("/api/v1/nothing")
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
