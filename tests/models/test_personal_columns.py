"""Each column that holds text is declared: personal, personal and staying, or nobody's data."""

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
from appliance.models.personal_columns import IMPERSONAL, PERSONAL, STAYING, Kind, Personal

TEXTS = (CharField, TextField, BlobField, SearchField)


def declared() -> Counter[tuple[str, str]]:
    found = [(table, name) for table, columns in PERSONAL.items() for name in columns]
    for reasons in (STAYING, IMPERSONAL):
        for tables in reasons.values():
            found += [(table, name) for table, names in tables.items() for name in names.split()]
    return Counter(found)


def test_every_text_column_is_classified_once() -> None:
    texts = {
        (table._meta.table_name, field.name)
        for table in TABLES
        for field in table._meta.sorted_fields
        if isinstance(field, TEXTS)
    }
    found = declared()
    assert texts - set(found) == set(), "declare them in models/personal_columns.py"
    assert [column for column, times in found.items() if times > 1] == []
    every = {(t._meta.table_name, name) for t in TABLES for name in t._meta.fields}
    assert set(found) - every == set()
    assert {
        (table, name) for table, columns in PERSONAL.items() for name in columns
    } - texts == {  # personal columns that hold no text
        *(("appeal", name) for name in ("born_on", "mahalla", "district")),
        ("applicant", "born_on"),
    }


def test_a_personal_appeal_is_hidden_by_the_declaration(monkeypatch) -> None:
    assert {"region_text", "mahalla", "group", "gist"} <= set(personal_columns.hidden(Appeal))
    assert {"number", "direction", "region"}.isdisjoint(personal_columns.hidden(Appeal))
    monkeypatch.setitem(PERSONAL["call_form"], "token", Personal(Kind.NAME))
    form = CallForm(token="Kanareykina", gist="Kanareykina", number="Q-2026-000001")
    personal._veil(form)
    assert (form.token, form.gist, form.number) == (None, "", "Q-2026-000001")


def test_exports_and_the_ministrys_document_follow_the_declaration() -> None:
    assert set(mapping._FORM) <= {*MINISTRY_FIELDS}
    assert {"region_text", "district_text", "born_text", "stir"} <= set(mapping._FORM)
    named = [name for name, one in PERSONAL["appeal"].items() if one.exported]
    assert tuple(named) == personal_columns.exported(Appeal)
    bulk = exporting.STANDING
    assert not set(bulk) & set(PERSONAL["appeal"])


@pytest.mark.parametrize("form", forms.FORMS)
def test_a_form_says_of_its_fields_what_the_declaration_says(form, monkeypatch) -> None:
    versions.product.cache_clear()
    assert versions.product(form)
    table = "call_form" if form == forms.CALL else "appeal"
    monkeypatch.setitem(PERSONAL[table], "gist", Personal(Kind.NAME))
    versions.product.cache_clear()
    with pytest.raises(DefinitionError, match="gist: personal"):
        versions.product(form)
    monkeypatch.undo()
    versions.product.cache_clear()
