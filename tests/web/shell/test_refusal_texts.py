"""Every code of a refusal has a text in each place that shows it."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

import appliance
from appliance.cli import form as form_command
from appliance.cli import knowledge as knowledge_command
from appliance.cli import phones as phone_command
from appliance.cli import script as script_command
from appliance.web.api import views as api
from appliance.web.appeals import data_requests
from appliance.web.calls import announcements, callbacks
from appliance.web.knowledge import article_labels
from appliance.web.person import account
from appliance.web.reports import minutes, staff_records
from appliance.web.settings import (
    calendar,
    change_labels,
    desk_phones,
    directory,
    form_labels,
    keys,
    lists,
    people,
    prompts,
    script_labels,
    workday,
)
from appliance.web.shared import appeal_labels, evidence, message_labels, number_notes
from appliance.web.status import ministry, retention
from appliance.web.workplace import caller
from appliance.web.workplace import phone as own_phone
from appliance.web.workplace import scripts as followed_scripts

PACKAGE = Path(appliance.__file__).parent

# module → codes that it computes in a way that _possible_codes() does not follow
COMPUTED_CODES = {
    "casework/catalogs/upkeep": "name_uz_latn name_uz_cyrl name_ru",
    "casework/documents/__init__": "file kind macro bomb empty steps",
    "casework/forms/definition": "options topics",
    "casework/scripts/definition": "steps answers actions fields numbers topics languages kinds",
    "messaging/notices/texts": "number link",
    "people/goals": "calls mark forms",
    "web/settings/workday": "calls forms minutes",
}


class Place(NamedTuple):
    """A page or command that shows the refusals of some modules.

    `other_codes`: those that it never receives, or answers without a text of its own: they need
    a request that no form sends, or belong to another place.
    """

    texts: Mapping[str, object]
    modules: str
    other_codes: str = ""


SCRIPTS = "casework/scripts/definition casework/scripts/editing casework/versions"
SCRIPT_FILES = "casework/documents/script_text casework/scripts/importing"
FORMS = "casework/forms/checks casework/forms/definition"
PEOPLE = "people/accounts people/identities people/roster people/staff web/settings/people"
DESK_PHONES = "telephony/desk_phones/__init__"

PLACES = {
    "retention": Place(retention.TROUBLES, "box/retention/holds"),
    "data requests": Place(
        data_requests.TROUBLES, "box/retention/on_request casework/data_requests"
    ),
    # Bad Request for an unknown step
    "appeals": Place(appeal_labels.TROUBLES, "casework/appeals/handling", "action"),
    "API": Place(api.ERROR_DETAILS, "casework/appeals/handling"),
    # a caller's addition: any other code counts as "changed"
    "caller": Place(
        caller.TROUBLES,
        "casework/appeals/handling",
        "action changed department held late overdue term",
    ),
    "lists": Place(
        lists.TROUBLES, "casework/catalogs/changes casework/catalogs/upkeep web/settings/lists"
    ),
    "calendar": Place(calendar.TROUBLES, "casework/catalogs/days"),
    "changes": Place(
        change_labels.TROUBLES,
        "casework/changes/files casework/changes/requests",
        "action",  # Bad Request
    ),
    # the page has one text for all
    "departments": Place({"name": ""}, "casework/departments"),
    "articles": Place(
        article_labels.TROUBLES,
        "casework/documents/__init__ casework/documents/file_kinds casework/documents/package "
        "casework/documents/pdf casework/knowledge/articles casework/knowledge/files "
        "casework/versions web/knowledge/article_form",
        "empty steps",  # of scripts
    ),
    "article files": Place(
        knowledge_command._REFUSAL_TEXTS,
        "casework/knowledge/articles casework/knowledge/importing",
        "action languages",  # of the page
    ),
    "forms": Place(
        form_labels.TROUBLES,
        f"{FORMS} casework/forms/editing",
        "asked_of given most name reserved twice unknown wide",
    ),
    "form files": Place(form_command._REFUSAL_TEXTS, FORMS, "script"),
    "scripts": Place(
        script_labels.TROUBLES,
        f"{SCRIPTS} {SCRIPT_FILES} cli/script",
        "action actions code fields kinds languages numbers target topics unknown when",
    ),
    "script files": Place(
        script_command._REFUSAL_TEXTS,
        f"casework/scripts/definition {SCRIPT_FILES} cli/script",
        "actions fields kinds languages numbers topics",
    ),
    "followed scripts": Place(
        followed_scripts.TROUBLES,
        "casework/scripts/course casework/scripts/runs web/workplace/scripts",
        "answer language result step",
    ),
    # no file at all: only the command says so
    "ministry's files": Place(ministry.FILE_TROUBLES, "casework/ministry/files", "none"),
    "messages": Place(
        message_labels.TEXT_TROUBLES,
        "messaging/notices/manual messaging/notices/templates messaging/notices/texts",
    ),
    "people": Place(people.TROUBLES | account.TROUBLES, PEOPLE, "language theme"),
    "own phone": Place(
        own_phone.TROUBLES,
        "people/accounts",
        "extension language login role short speaks theme weak",
    ),
    "password": Place(account.TROUBLES, "people/sign_ins"),
    "PIN": Place(account.PIN_TROUBLES, "people/pins"),
    "announcements": Place(announcements.TROUBLES, "people/announcements"),
    "workday": Place(workday.TROUBLES, "people/goals people/pauses web/settings/workday"),
    "keys": Place(keys.TROUBLES, "people/keys web/settings/keys"),
    "staff records": Place(
        staff_records.TROUBLES, "people/staff_records web/reports/staff_records"
    ),
    "evidence": Place(evidence.TROUBLES, "reports/evidence/packs"),
    "tariffs": Place(minutes.TROUBLES, "reports/tariffs web/reports/minutes"),
    # a phone that is refused receives a bare 404
    "desk phones": Place(desk_phones.TROUBLES, DESK_PHONES, "closed ended file token used"),
    "phone command": Place(
        phone_command._FAULT_TEXTS, DESK_PHONES, "closed ended file rights token used"
    ),
    "directory": Place(directory.TROUBLES, "telephony/directory"),
    "number notes": Place(number_notes.TROUBLES, "telephony/number_notes"),
    # Not Found for an unknown prompt
    "prompts": Place(
        prompts.TROUBLES,
        "telephony/prompts/sound telephony/prompts/synthesis telephony/prompts/versions",
        "unknown",
    ),
    "callbacks": Place(callbacks.TROUBLES, "telephony/scheduled_callbacks"),
    # Bad Request: the page offers both choices
    "counting rule": Place({}, "reports/monthly/requests", "counted"),
    # Bad Request: the page offers every state
    "presence": Place({}, "people/presence", "state"),
}


def _refusal_codes() -> dict[str, set[str]]:
    """The codes of each module that raises Refused."""
    codes: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        module = path.relative_to(PACKAGE).with_suffix("").as_posix()
        tree = ast.parse(path.read_bytes())
        if "appliance.core.refusals" not in {
            node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
        }:
            continue
        functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        for function in functions.values():
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and ast.unparse(call.func) == "Refused":
                    found_codes = set(_possible_codes(call.args[0], function, functions))
                    computed = COMPUTED_CODES.get(module, "").split()
                    assert found_codes or computed, f"{module}:{call.lineno}: which codes?"
                    codes.setdefault(module, set()).update(found_codes or computed)
    return codes


def _possible_codes(
    value: ast.expr | None,
    function: ast.FunctionDef,
    functions: Mapping[str, ast.FunctionDef],
) -> Iterator[str]:
    """The constants that an expression of a function can be, as far as they are visible there."""
    match value:
        case ast.Constant(value=str(code)) if code:
            yield code
        case ast.IfExp(body=body, orelse=orelse):
            yield from _possible_codes(body, function, functions)
            yield from _possible_codes(orelse, function, functions)
        case ast.Dict(keys=values) | ast.Tuple(elts=[ast.Tuple(), *_] as values):
            for row in values:
                code_node = row.elts[0] if isinstance(row, ast.Tuple) else row
                yield from _possible_codes(code_node, function, functions)
        case ast.Call(func=ast.Name(id=name)) if name in functions:
            for node in ast.walk(functions[name]):
                if isinstance(node, ast.Return):
                    yield from _possible_codes(node.value, functions[name], functions)
        case ast.Call(func=ast.Name(id="next"), args=[ast.GeneratorExp(generators=[loop]), _]):
            yield from _possible_codes(loop.iter, function, functions)
        case ast.Call(func=ast.Attribute(value=mapping, attr="items")):
            yield from _possible_codes(mapping, function, functions)
        case ast.Name(id=name):
            for node in ast.walk(function):
                match node:
                    case (
                        ast.Assign(targets=[ast.Name(id=target)], value=source)
                        | ast.NamedExpr(target=ast.Name(id=target), value=source)
                        | ast.For(target=ast.Tuple(elts=[ast.Name(id=target), *_]), iter=source)
                    ) if target == name:
                        yield from _possible_codes(source, function, functions)


CODES = _refusal_codes()


def test_every_refusal_is_shown_somewhere() -> None:
    shown_modules = {module for place in PLACES.values() for module in place.modules.split()}
    assert shown_modules == set(CODES)


@pytest.mark.parametrize("name", PLACES)
def test_every_code_has_a_text(name: str) -> None:
    place = PLACES[name]
    codes = set[str]().union(*(CODES[module] for module in place.modules.split()))
    assert codes - place.texts.keys() == set(place.other_codes.split())
