"""Added fields in the tables that are taken away, and for programs."""

import csv
import io

import pytest

from appliance.casework import appeals, call_forms, forms
from appliance.casework.forms import editing
from appliance.models import CallForm
from tests.casework.test_form_editing import ANSWERS, WORDS, add, put, seen
from tests.rig.citizen import Citizen
from tests.rig.programs import key_in_force


@pytest.fixture
def asked(settings) -> dict[str, str]:
    """Both forms with an open and a personal field in force: what → name."""
    made = {}
    for form in forms.FORMS:
        answers = {"kind": "choice", "list": "", "options": ANSWERS}
        made[form] = add(form, label=WORDS | {"uz_Latn": f"Javob {form}"}, **answers)
        secret = {"kind": "text", "list": "", "personal": True}
        made[f"secret{form}"] = add(form, label=WORDS | {"uz_Latn": f"Sir {form}"}, **secret)
        put(form)
    return made


def told(browser, path: str) -> dict[str, str]:
    with browser.get(path) as answer:
        rows = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")), delimiter=";")
        head, row = list(rows)
    return dict(zip(head, row, strict=True))


def test_the_table_of_appeals_has_them_and_personal_ones_for_some(asked, register, login_as):
    register(**{asked["1"]: "yoq", asked["secret1"]: "Botir aka"})
    assert told(login_as("ministry"), "/appeals/appeals.csv")["Javob 1"] == "Yoʻq"
    assert told(login_as("ministry"), "/appeals/appeals.csv")["Sir 1"] == "Botir aka"
    assert "Sir 1" not in told(login_as("supervisor"), "/appeals/appeals.csv")


def test_a_field_that_was_left_out_stays_in_the_tables(asked, register, login_as):
    register(**{asked["1"]: "yoq"})
    for form in forms.FORMS:
        editing.remove(form, asked[form], seen(form), "sherzod")
        put(form)
    assert told(login_as("ministry"), "/appeals/appeals.csv")["Javob 1"] == "Yoʻq"
    with login_as("ministry").get("/call-forms/table.csv") as answer:
        assert "Javob 2" in answer.text


def test_the_table_of_registered_calls_has_them_too(asked, nilufar, settings, login_as):
    citizen = Citizen("1764000000.1")
    citizen.ring(nilufar)
    citizen.talk()
    desk = appeals.at_hand(nilufar, citizen.facts.arrived_at)
    assert desk
    values = {asked["2"]: "ha", asked["secret2"]: "Botir aka"}
    call_forms.register(values, operator=nilufar, token=desk.token, tz=settings.tz)
    assert told(login_as("manager"), "/call-forms/table.csv")["Javob 2"] == "Ha"
    assert told(login_as("manager"), "/call-forms/table.csv")["Sir 2"] == "Botir aka"
    assert "Sir 2" not in told(login_as("supervisor"), "/call-forms/table.csv")
    made = CallForm.get()
    found = call_forms.Filters(text="Ботир")
    assert call_forms.listed(nilufar, found, 10) == [made]
    assert call_forms.counted(nilufar, call_forms.Filters(text="Нодир")) == 0


def test_programs_read_them_and_personal_ones_with_that_right(asked, register, app):
    number = register(**{asked["1"]: "ha", asked["secret1"]: "Botir aka"}).number

    def extra(*scopes: str, name: str) -> dict[str, dict[str, str]]:
        sent = {"Authorization": f"Bearer {key_in_force(*scopes, name=name)}"}
        answer = app.test_client().get(f"/api/v1/appeals/{number}", headers=sent)
        read: dict[str, dict[str, str]] = answer.get_json()["extra"]
        return read

    plain = extra("appeals:read", name="Oddiy")
    assert plain == {asked["1"]: {"code": "ha", "text": "Ha"}}
    whole = extra("appeals:read", "appeals:personal", name="Toʻla")
    assert whole[asked["secret1"]] == {"code": "", "text": "Botir aka"}
