"""Each text column is declared: personal, personal but not masked, or nobody's data."""

from collections import Counter

import pytest
from peewee import BlobField, CharField, TextField
from playhouse.sqlite_ext import SearchField

from appliance.casework import forms
from appliance.casework.appeals import exporting, personal
from appliance.casework.forms import versions
from appliance.casework.forms.definition import DefinitionError
from appliance.casework.ministry import mapping
from appliance.core.settings import MINISTRY_FIELDS
from appliance.models import TABLES, Appeal, CallForm, personal_columns
from appliance.models.personal_columns import IMPERSONAL, PERSONAL, STAYING, Kind, PersonalColumn

TEXT_FIELDS = (CharField, TextField, BlobField, SearchField)


def declared_columns() -> Counter[tuple[str, str]]:
    declarations = [(table, name) for table, columns in PERSONAL.items() for name in columns]
    for reasons in (STAYING, IMPERSONAL):
        for tables in reasons.values():
            declarations += [
                (table, name) for table, names in tables.items() for name in names.split()
            ]
    return Counter(declarations)


def test_every_text_column_is_classified_once() -> None:
    text_columns = {
        (table._meta.table_name, field.name)
        for table in TABLES
        for field in table._meta.sorted_fields
        if isinstance(field, TEXT_FIELDS)
    }
    counts = declared_columns()
    assert text_columns - set(counts) == set(), "declare them in models/personal_columns.py"
    assert [column for column, times in counts.items() if times > 1] == []
    all_columns = {(t._meta.table_name, name) for t in TABLES for name in t._meta.fields}
    assert set(counts) - all_columns == set()
    assert {
        (table, name) for table, columns in PERSONAL.items() for name in columns
    } - text_columns == {  # personal columns that hold no text
        *(("appeal", name) for name in ("born_on", "mahalla", "district")),
        ("applicant", "born_on"),
    }


def test_personal_columns_of_an_appeal_are_hidden_as_declared(monkeypatch) -> None:
    assert {"region_text", "mahalla", "group", "gist"} <= set(
        personal_columns.hidden_values(Appeal)
    )
    assert {"number", "direction", "region"}.isdisjoint(personal_columns.hidden_values(Appeal))
    monkeypatch.setitem(PERSONAL["call_form"], "token", PersonalColumn(Kind.NAME))
    form = CallForm(token="Kanareykina", gist="Kanareykina", number="Q-2026-000001")
    personal._veil_row(form)
    assert (form.token, form.gist, form.number) == (None, "", "Q-2026-000001")


def test_exports_and_the_ministrys_document_follow_the_declaration() -> None:
    assert set(mapping._PLAIN_FIELDS) <= {*MINISTRY_FIELDS}
    assert {"region_text", "district_text", "born_text", "stir"} <= set(mapping._PLAIN_FIELDS)
    exported_names = [
        name for name, personal_column in PERSONAL["appeal"].items() if personal_column.exported
    ]
    assert tuple(exported_names) == personal_columns.exported_columns(Appeal)
    bulk = exporting.HANDLING_COLUMNS
    assert not set(bulk) & set(PERSONAL["appeal"])


@pytest.mark.parametrize("form", forms.FORMS)
def test_a_form_marks_its_personal_fields_as_declared(form, monkeypatch) -> None:
    versions.product_definition.cache_clear()
    assert versions.product_definition(form)
    table = "call_form" if form == forms.CALL_FORM else "appeal"
    monkeypatch.setitem(PERSONAL[table], "gist", PersonalColumn(Kind.NAME))
    versions.product_definition.cache_clear()
    with pytest.raises(DefinitionError, match="gist: personal"):
        versions.product_definition(form)
    monkeypatch.undo()
    versions.product_definition.cache_clear()
