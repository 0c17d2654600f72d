"""Added fields in the downloaded tables and in the API."""

import csv
import io

import pytest

from appliance.casework import call_forms, forms
from appliance.casework.appeals.desk import current_desk
from appliance.casework.forms import editing
from appliance.models import CallForm
from tests.casework.test_form_editing import (
    ANSWER_OPTIONS,
    FIELD_LABELS,
    add_field,
    draft_mark,
    release_draft,
)
from tests.rig.citizen import Citizen
from tests.rig.programs import confirmed_key


@pytest.fixture
def added_fields(settings) -> dict[str, str]:
    """Both forms with an open and a personal added field in force: key → name of the field."""
    names = {}
    for form in forms.FORMS:
        answers = {"kind": "choice", "list": "", "options": ANSWER_OPTIONS}
        names[form] = add_field(form, label=FIELD_LABELS | {"uz_Latn": f"Javob {form}"}, **answers)
        secret = {"kind": "text", "list": "", "personal": True}
        names[f"secret{form}"] = add_field(
            form, label=FIELD_LABELS | {"uz_Latn": f"Sir {form}"}, **secret
        )
        release_draft(form)
    return names


def table_row(browser, path: str) -> dict[str, str]:
    with browser.get(path) as answer:
        rows = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")), delimiter=";")
        head, row = list(rows)
    return dict(zip(head, row, strict=True))


def test_the_table_of_appeals_has_added_fields_and_personal_ones_by_right(
    added_fields, register, login_as
):
    register(**{added_fields["1"]: "yoq", added_fields["secret1"]: "Botir aka"})
    assert table_row(login_as("ministry"), "/appeals/appeals.csv")["Javob 1"] == "Yoʻq"
    assert table_row(login_as("ministry"), "/appeals/appeals.csv")["Sir 1"] == "Botir aka"
    assert "Sir 1" not in table_row(login_as("supervisor"), "/appeals/appeals.csv")


def test_typed_places_are_in_the_table_of_appeals_only_by_right(settings, register, login_as):
    register(region="", district="", region_text="Olmaota, Abay 5", district_text="Bozor yonida")
    typed_places = {"Hudud": "Olmaota, Abay 5", "Shahar (tuman)": "Bozor yonida"}
    rows = [table_row(login_as(role), "/appeals/appeals.csv") for role in ("manager", "supervisor")]
    assert {name: rows[0][name] for name in typed_places} == typed_places
    assert {name: rows[1][name] for name in typed_places} == dict.fromkeys(typed_places, "")


def test_a_removed_field_stays_in_the_tables(added_fields, register, login_as):
    register(**{added_fields["1"]: "yoq"})
    for form in forms.FORMS:
        editing.remove_field(form, added_fields[form], draft_mark(form), "sherzod")
        release_draft(form)
    assert table_row(login_as("ministry"), "/appeals/appeals.csv")["Javob 1"] == "Yoʻq"
    with login_as("ministry").get("/call-forms/table.csv") as answer:
        assert "Javob 2" in answer.text


def test_the_table_of_registered_calls_has_added_fields(added_fields, nilufar, settings, login_as):
    citizen = Citizen("1764000000.1")
    citizen.ring_operator(nilufar)
    citizen.start_talk()
    desk = current_desk(nilufar, citizen.facts.arrived_at)
    assert desk
    values = {added_fields["2"]: "ha", added_fields["secret2"]: "Botir aka"}
    call_forms.register(values, operator=nilufar, token=desk.token, tz=settings.tz)
    assert table_row(login_as("manager"), "/call-forms/table.csv")["Javob 2"] == "Ha"
    assert table_row(login_as("manager"), "/call-forms/table.csv")["Sir 2"] == "Botir aka"
    assert "Sir 2" not in table_row(login_as("supervisor"), "/call-forms/table.csv")
    form = CallForm.get()
    filters = call_forms.Filters(text="Ботир")
    assert call_forms.list_call_forms(nilufar, filters, 10) == [form]
    assert call_forms.count_call_forms(nilufar, call_forms.Filters(text="Нодир")) == 0


def test_programs_read_added_fields_and_personal_ones_by_scope(added_fields, register, app):
    number = register(**{added_fields["1"]: "ha", added_fields["secret1"]: "Botir aka"}).number

    def read_extra(*scopes: str, name: str) -> dict[str, dict[str, str]]:
        sent = {"Authorization": f"Bearer {confirmed_key(*scopes, name=name)}"}
        answer = app.test_client().get(f"/api/v1/appeals/{number}", headers=sent)
        read: dict[str, dict[str, str]] = answer.get_json()["extra"]
        return read

    plain = read_extra("appeals:read", name="Oddiy")
    assert plain == {added_fields["1"]: {"code": "ha", "text": "Ha"}}
    personal = read_extra("appeals:read", "appeals:personal", name="Toʻla")
    assert personal[added_fields["secret1"]] == {"code": "", "text": "Botir aka"}
