"""Each column is declared: personal, personal but not masked, or nobody's data.

Whatever is declared personal is hidden, masked, exported, sent to the ministry and left out of
alerts as declared: each column of an appeal and a registered call gets a value of its own, which is
searched for in what the product's code discloses.
"""

import dataclasses
import datetime as dt
import json
import tomllib
from collections import Counter
from typing import Any

import pytest
from peewee import BlobField, CharField, DateField, Field, TextField
from playhouse.sqlite_ext import SearchField

from appliance import PACKAGE
from appliance.box.retention import masking
from appliance.casework import catalogs, forms
from appliance.casework.appeals import exporting, listing, personal, registering
from appliance.casework.forms import drafts, versions
from appliance.casework.ministry import mapping
from appliance.core import db
from appliance.core.i18n import DEFAULT_LOCALE, localized_name
from appliance.core.settings import MINISTRY_FIELDS, Ministry, Telegram
from appliance.core.tables import DocumentField
from appliance.messaging.notices import call_alerts, duty
from appliance.models import (
    TABLES,
    Appeal,
    Applicant,
    CallForm,
    District,
    Mahalla,
    Message,
    User,
    personal_columns,
)
from appliance.models.personal_columns import IDENTIFYING, PERSONAL, Kind, PersonalColumn
from appliance.models.unmasked_columns import IMPERSONAL, STAYING
from tests.casework.test_appeals import FULL_FORM, create_call, start_talk

TEXT_FIELDS = (CharField, TextField, BlobField, SearchField)
WHOLLY_DECLARED = (Appeal, Applicant, CallForm)  # each of their columns, also those without text
SUNDAY = dt.datetime(2026, 11, 22, 7, tzinfo=dt.UTC)
DISTRICT = "1718236"

type Row = Appeal | CallForm | Applicant


def declared_columns() -> Counter[tuple[str, str]]:
    declarations = [(table, name) for table, columns in PERSONAL.items() for name in columns]
    for reasons in (STAYING, IMPERSONAL):
        for tables in reasons.values():
            declarations += [
                (table, name) for table, names in tables.items() for name in names.split()
            ]
    return Counter(declarations)


def undeclared_columns() -> set[tuple[str, str]]:
    return {
        (table._meta.table_name, field.name)
        for table in TABLES
        for field in table._meta.sorted_fields
        if isinstance(field, TEXT_FIELDS) or table in WHOLLY_DECLARED
    } - set(declared_columns())


def test_every_column_is_declared_once() -> None:
    assert undeclared_columns() == set(), "declare them in models/personal_columns.py"
    counts = declared_columns()
    assert [column for column, times in counts.items() if times > 1] == []
    all_columns = {(t._meta.table_name, name) for t in TABLES for name in t._meta.fields}
    assert set(counts) - all_columns == set()
    text_columns = {
        (table._meta.table_name, field.name)
        for table in TABLES
        for field in table._meta.sorted_fields
        if isinstance(field, TEXT_FIELDS)
    }
    assert {
        (table, name) for table, columns in PERSONAL.items() for name in columns
    } - text_columns == {  # personal columns that hold no text
        *(("appeal", name) for name in ("born_on", "mahalla", "district")),
        ("applicant", "born_on"),
    }


@pytest.mark.parametrize("table", WHOLLY_DECLARED)
@pytest.mark.parametrize("field", [CharField(default=""), DateField(null=True)])
def test_a_new_column_must_be_declared(table, field: Field, monkeypatch) -> None:
    field.name = "mother_name"
    monkeypatch.setattr(table._meta, "sorted_fields", [*table._meta.sorted_fields, field])
    assert undeclared_columns() == {(table._meta.table_name, "mother_name")}


# A value of its own for each personal column, and what would disclose it.


def column_value(table: type[Row], name: str, column: PersonalColumn) -> Any:
    field, number = table._meta.fields[name], list(PERSONAL[table._meta.table_name]).index(name)
    text = f"Kanar{name.replace('_', '')}"
    if name == "mahalla":
        return catalogs.get_or_create_mahalla(text, DISTRICT).id
    if name == "district":
        return DISTRICT
    if isinstance(field, DocumentField):
        return [text] if field.default is list else {text: {"code": "", "text": text}}
    if isinstance(field, DateField):
        return dt.date(1990, 1, 2)
    formats = {
        Kind.PHONE: f"+9989355501{number:02}",
        Kind.DOCUMENT: f"KA{1234500 + number}",
        Kind.BIRTH: "3 yanvar 1985",
    }
    return formats.get(column.kind, text)


def spellings(row: Row, name: str) -> list[str]:
    """All texts that disclose the value of a column."""
    value = row.__data__[name]
    if name == "mahalla":
        texts = [Mahalla.get_by_id(value).name_uz_latn]
    elif name == "district":
        texts = [value, localized_name(District.get_by_id(value), DEFAULT_LOCALE)]
    elif isinstance(value, dt.date):
        texts = [f"{value:%Y-%m-%d}", f"{value:%d.%m.%Y}"]
    elif isinstance(value, list | dict):
        texts = list(value)
    else:
        texts = [value.removeprefix("+")]
    return texts


def fill_columns(row: Row) -> None:
    table = type(row)
    columns = PERSONAL[table._meta.table_name]
    values = {name: column_value(table, name, column) for name, column in columns.items()}
    if "region_text" in values:
        values["region"] = None
    table.update(values).where(table.id == row.id).execute()


def disclosed_columns(row: Row, text: str) -> set[str]:
    """The personal columns of a row that a text discloses."""
    compact_text = text.replace(" ", "")
    names = PERSONAL[type(row)._meta.table_name]
    return {
        name
        for name in names
        if any(word.replace(" ", "") in compact_text for word in spellings(row, name))
    }


def declared(table: type[Row], exception: str = "") -> set[str]:
    """The personal columns of a table without this exception."""
    columns = PERSONAL[table._meta.table_name].items()
    return {name for name, column in columns if not (exception and getattr(column, exception))}


def identifying(table: type[Row]) -> set[str]:
    return set(personal_columns.column_names(table, *IDENTIFYING))


@pytest.fixture
def appeal(settings, nilufar) -> Appeal:
    """An appeal and its registered call, both with a value in each personal column."""
    call = create_call()
    start_talk(nilufar, call)
    registered = registering.register(
        FULL_FORM | {"mahalla_text": ""},
        operator=nilufar,
        token=drafts.token_for(nilufar, call),
        tz=settings.tz,
        calendar=catalogs.working_calendar(settings),
    )
    form = CallForm.get(CallForm.appeal_number == registered.number)
    for row in (registered, registered.applicant, form):
        fill_columns(row)
    return listing.appeals_with_handling().get()


@pytest.fixture
def call_form(appeal) -> CallForm:
    return CallForm.get(CallForm.appeal_number == appeal.number)


def veiled_columns(row: Appeal | CallForm, user: User) -> set[str]:
    """The columns that a user who may not read a personal appeal sees empty."""
    Appeal.update(openness=personal.PERSONAL).execute()
    [veiled] = (
        personal.veil_appeals(user, [Appeal.get_by_id(row.id)])
        if isinstance(row, Appeal)
        else personal.veil_call_forms(user, [CallForm.get_by_id(row.id)])
    )
    return {name for name in declared(type(row)) if not veiled.__data__[name]}


def masked_columns(row: Row) -> set[str]:
    """The columns whose values are gone after the appeal was masked."""
    appeal = Appeal.get()
    with db.write_transaction():
        masking.mask_appeal_person(appeal, "data_request=1", None)
    masked = type(row).get_by_id(row.id)
    return {name for name in declared(type(row)) if masked.__data__[name] != row.__data__[name]}


def sent_columns(appeal: Appeal) -> set[str]:
    """The columns in the ministry's document."""
    document = mapping.ministry_document(Ministry(), mapping.appeal_snapshot(appeal))
    return disclosed_columns(appeal, json.dumps(document, ensure_ascii=False, default=str))


def columns_under_applicant(appeal: Appeal) -> set[str]:
    applicant = exporting.appeal_json(appeal, personal=True)["applicant"]
    text = json.dumps(applicant, ensure_ascii=False, default=str)
    return set(applicant) & disclosed_columns(appeal, text)


def columns_in_table(browser, row: Appeal | CallForm) -> set[str]:
    """The columns in the downloaded table: of a row with codes and dates, and of a typed one."""
    if isinstance(row, CallForm):
        return disclosed_columns(row, downloaded_table(browser, "/call-forms/table.csv"))
    disclosed = set()
    values = {name: row.__data__[name] for name in ("district", "born_on")}
    texts = {name: row.__data__[name] for name in ("district_text", "born_text")}
    for columns in (values | dict.fromkeys(texts, ""), texts | dict.fromkeys(values)):
        Appeal.update(columns).execute()
        disclosed |= disclosed_columns(row, downloaded_table(browser, "/appeals/appeals.csv"))
    return disclosed


def downloaded_table(browser, path: str) -> str:
    with browser.get(path) as answer:
        assert answer.status_code == 200
        return answer.text


def test_a_personal_column_is_hidden_from_users_without_the_right(
    appeal, call_form, sardor
) -> None:
    assert veiled_columns(appeal, sardor) >= declared(Appeal, "not_hidden")
    assert veiled_columns(call_form, sardor) >= declared(CallForm, "not_hidden")
    read = personal.veil_appeals(appeal.operator, [Appeal.get_by_id(appeal.id)])
    assert [row.veiled for row in read] == [False]


@pytest.mark.parametrize("table", WHOLLY_DECLARED)
def test_a_personal_column_is_masked(appeal, table) -> None:
    counted = set(personal_columns.column_names(table, Kind.COUNTED))
    assert masked_columns(table.get()) == declared(table) - counted


def test_a_personal_column_is_exported_with_the_appeal(appeal) -> None:
    assert columns_under_applicant(appeal) == declared(Appeal, "not_under_applicant")
    specification = json.loads((PACKAGE / "web/api/openapi.json").read_text(encoding="utf-8"))
    described = specification["components"]["schemas"]["Applicant"]
    assert set(described["properties"]) == set(described["required"])
    assert set(described["required"]) == declared(Appeal, "not_under_applicant")
    open_part = json.dumps(exporting.appeal_json(appeal, personal=False, detailed=True))
    assert not disclosed_columns(appeal, open_part) & identifying(Appeal)


@pytest.mark.parametrize("table", [Appeal, CallForm])
def test_a_personal_column_is_in_tables_by_right(appeal, table, login_as) -> None:
    row = table.get()
    assert columns_in_table(login_as("manager"), row) == declared(table, "not_in_tables")
    assert columns_in_table(login_as("supervisor"), row) == (
        declared(table, "not_in_tables") - identifying(table)
    )


def test_a_personal_column_is_sent_to_the_ministry(appeal) -> None:
    assert sent_columns(appeal) == declared(Appeal, "not_for_ministry")
    ministry_names = {*MINISTRY_FIELDS, "extra"}
    assert declared(Appeal, "not_for_ministry") <= ministry_names


@pytest.mark.parametrize("table", [Appeal, CallForm])
def test_no_alert_contains_what_identifies_a_person(appeal, table, settings) -> None:
    row = table.get()
    names = sorted(identifying(table))
    row.registered_at = SUNDAY
    row.gist = ", ".join(spellings(row, name)[0] for name in names) + " haqida"
    row.direction = f"Yordam {row.surname}"
    assert disclosed_columns(row, row.gist) >= identifying(table)
    site = dataclasses.replace(settings, telegram=Telegram(token="1:a", chat=-5))
    call_alerts.set_alert_directions({row.direction}, "malika")
    alert = duty.alert_appeal if table is Appeal else duty.alert_call
    with db.write_transaction():
        assert alert(site, row)
    message = Message.get(Message.purpose == "alert")
    text = f"{message.text} {message.payload}"
    assert disclosed_columns(row, text) & identifying(table) == set()
    assert "haqida" in text
    assert "Yordam" in text


def test_a_new_personal_column_must_be_treated(appeal, login_as, sardor, monkeypatch) -> None:
    monkeypatch.setitem(PERSONAL["appeal"], "token", PersonalColumn(Kind.NAME))
    Appeal.update(token="Kanarnew").execute()
    appeal = listing.appeals_with_handling().get()
    assert "token" not in sent_columns(appeal)
    assert "token" not in columns_in_table(login_as("manager"), appeal)
    # these follow from the declaration alone
    assert "token" in columns_under_applicant(appeal)
    assert "token" in veiled_columns(appeal, sardor)
    assert "token" in masked_columns(appeal)


def test_a_row_identifies_a_person_until_it_is_masked(appeal) -> None:
    assert personal_columns.identifies_person(Appeal(passport="AB1234567"))
    assert personal_columns.identifies_person(appeal)
    masked_columns(appeal)
    assert not personal_columns.identifies_person(Appeal.get())


def test_personal_columns_of_an_appeal_are_hidden_as_declared(monkeypatch) -> None:
    assert {"region_text", "mahalla", "group", "gist"} <= set(
        personal_columns.hidden_values(Appeal)
    )
    assert {"number", "direction", "region"}.isdisjoint(personal_columns.hidden_values(Appeal))
    monkeypatch.setitem(PERSONAL["call_form"], "token", PersonalColumn(Kind.NAME))
    form = CallForm(token="Kanareykina", gist="Kanareykina", number="Q-2026-000001")
    personal._veil_row(form)
    assert (form.token, form.gist, form.number) == (None, "", "Q-2026-000001")


@pytest.mark.parametrize("form", forms.FORMS)
def test_a_form_takes_its_personal_fields_from_the_declaration(form, monkeypatch) -> None:
    document = (PACKAGE / f"data/forms/{form}.toml").read_text(encoding="utf-8")
    assert all(
        not {"personal", "exported"} & set(entry) for entry in tomllib.loads(document)["fields"]
    )
    table = forms.form_table(form)
    for field in versions.product_definition(form).fields:
        assert field.personal == personal_columns.is_identifying(table, field.name), field.name
    monkeypatch.setitem(
        PERSONAL[table._meta.table_name], "gist", PersonalColumn(Kind.NAME, not_in_tables="x")
    )
    versions.product_definition.cache_clear()
    gist = versions.product_definition(form).find_field("gist")
    monkeypatch.undo()
    versions.product_definition.cache_clear()
    assert gist
    assert (gist.personal, gist.exported) == (True, False)
