"""Where added fields appear: search, exports, programs, the ministry's system, masking."""

import contextlib
import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from appliance.casework import call_forms, catalogs, forms
from appliance.casework.appeals import registering, searching
from appliance.casework.forms import drafts, editing
from appliance.casework.forms.definition import KINDS, definition_document, parse_definition
from appliance.casework.ministry import mapping
from appliance.core import clock
from appliance.core.i18n import LOCALES, equals_ignoring_spelling
from appliance.core.refusals import Refused
from appliance.core.settings import MINISTRY_FIELDS, Ministry
from appliance.models import Appeal, FormVersion
from tests.casework.test_form_editing import (
    ANSWER_OPTIONS,
    FIELD_LABELS,
    add_field,
    draft_mark,
    pending_draft,
    release_draft,
)
from tests.rig.appeals import FULL_FORM

FIELD_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
FIELD_LABEL = st.fixed_dictionaries(dict.fromkeys(LOCALES, FIELD_TEXT))
FIELD_REQUESTS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from([*KINDS]),
        "label": FIELD_LABEL | st.just(FIELD_LABELS),
        "help": st.dictionaries(st.sampled_from(LOCALES), FIELD_TEXT),
        "required": st.booleans(),
        "personal": st.booleans(),
        "list": st.sampled_from(["", "group", "region", "district", "direction"]),
        "document": st.sampled_from(["", "passport", "pinfl", "stir"]),
        "options": st.lists(FIELD_LABEL | st.sampled_from(ANSWER_OPTIONS), max_size=4),
        "asked_of": st.sampled_from(["", "", "person", "entity"]),
        "topics": st.lists(st.sampled_from(["subsidies", "training"]), max_size=2, unique=True),
        "ministry": st.sampled_from(["", "", "theirs", "gist", "ў"]),
    }
)
# combinations that fit the kind are tried as often as arbitrary ones
VALID_FIELD_REQUESTS = st.sampled_from(
    [
        {"kind": "list", "list": "group"},
        {"kind": "place", "list": "region"},
        {"kind": "place", "list": "district"},
        {"kind": "choice", "list": "", "options": ANSWER_OPTIONS},
        {"kind": "document", "document": "stir", "list": ""},
        *({"kind": kind, "list": ""} for kind in ("text", "long", "tick", "number", "date")),
        {"kind": "phone", "list": ""},
    ]
)
PLAIN_LABELS: dict[str, Any] = {"label": FIELD_LABELS, "help": {}, "ministry": ""}
FIELD_LISTS = st.lists(
    st.tuples(FIELD_REQUESTS, VALID_FIELD_REQUESTS | st.just({})), min_size=1, max_size=5
)


@pytest.fixture
def field_names(settings) -> dict[str, str]:
    """Form №1 in force with added fields: kind of field → its name."""
    names = {
        "list": add_field(label=FIELD_LABELS | {"uz_Latn": "Guruh"}, ministry="theirGroup"),
        "choice": add_field(
            kind="choice",
            list="",
            options=ANSWER_OPTIONS,
            label=FIELD_LABELS | {"uz_Latn": "Javob"},
        ),
        "place": add_field(
            kind="place", list="district", label=FIELD_LABELS | {"uz_Latn": "Qayerda"}
        ),
        "comment": add_field(kind="comment", list="", label=FIELD_LABELS | {"uz_Latn": "Izoh"}),
        "secret": add_field(
            kind="text", list="", personal=True, label=FIELD_LABELS | {"uz_Latn": "Opa"}
        ),
        "date": add_field(
            kind="date", list="", ministry="theirDate", label=FIELD_LABELS | {"uz_Latn": "Kun"}
        ),
    }
    release_draft()
    return names


@pytest.fixture
def appeal(field_names, nilufar, settings) -> Appeal:
    """An appeal registered with all of the added fields filled in."""
    group = catalogs.item_choices("group", "uz_Latn")[0][0]
    district = catalogs.match_districts("", None)[0]
    values = {
        field_names["list"]: group,
        field_names["choice"]: "ha",
        field_names["place"]: district.soato,
        field_names["comment"]: "Qaytib kelgan",
        field_names["secret"]: "Akasi Botir",
        field_names["date"]: "05.06.2025",
    }
    token = drafts.token_for(nilufar, None)
    return registering.register(FULL_FORM | values, operator=nilufar, token=token, tz=settings.tz)


def search_finds(text: str) -> bool:
    return bool(list(searching.matching_ids(searching.search_terms(text))))


def test_added_fields_are_searchable_by_text_and_by_the_names_of_codes(appeal, field_names) -> None:
    assert search_finds("Qaytib")
    assert search_finds("Қайтиб")
    name = catalogs.labels_by_code("group", "ru")[appeal.extra[field_names["list"]]["code"]]
    assert search_finds(name)


def test_programs_receive_code_and_text_but_personal_fields_only_with_that_right(
    appeal, field_names
) -> None:
    exported = forms.added_field_values(
        forms.numbered_definition(forms.APPEAL_FORM, 2), appeal, "ru", personal=False
    )
    assert field_names["secret"] not in exported
    assert exported[field_names["choice"]] == {"code": "ha", "text": "Да"}
    assert exported[field_names["date"]] == {"code": "2025-06-05", "text": "05.06.2025"}
    assert field_names["secret"] in forms.added_field_values(
        forms.numbered_definition(forms.APPEAL_FORM, 2), appeal, "ru"
    )


def test_mapped_fields_are_sent_to_the_ministry_and_others_are_not(appeal, field_names) -> None:
    snapshot = json.loads(json.dumps(mapping.appeal_snapshot(appeal)))
    sent = mapping.ministry_document(Ministry(), snapshot)
    assert sent["theirGroup"] == appeal.extra[field_names["list"]]["code"]
    assert sent["theirDate"] == "2025-06-05"
    assert set(sent) - set(MINISTRY_FIELDS) == {"theirGroup", "theirDate"}
    # snapshots queued before the introduction of added fields have no "extra"
    del snapshot["extra"]
    assert set(mapping.ministry_document(Ministry(), snapshot)) <= set(MINISTRY_FIELDS)


def test_masking_keeps_codes_that_reports_count_and_removes_texts(appeal, field_names) -> None:
    masked = forms.anonymize_added_fields(
        forms.numbered_definition(forms.APPEAL_FORM, 2), appeal.extra
    )
    assert set(masked) == {field_names["list"], field_names["choice"], field_names["place"]}
    assert not any(entry["text"] for entry in masked.values())
    appeal.extra = masked
    values = forms.registered_values(forms.numbered_definition(forms.APPEAL_FORM, 2), appeal)
    assert values[field_names["choice"]] == "ha"


def test_both_exports_and_the_interface_for_programs_agree(appeal, field_names) -> None:
    exported = forms.added_field_values(
        forms.numbered_definition(forms.APPEAL_FORM, 2), appeal, "uz_Latn"
    )
    begin = clock.now() - dt.timedelta(days=1)
    row = next(
        call_forms.iterate_registrations(
            forms.APPEAL_FORM, begin, clock.now() + dt.timedelta(days=1)
        )
    )
    assert {name: row["fields"][name] for name in exported} == exported
    assert row["version"] == 2


def test_a_page_opened_before_a_release_is_registered_with_its_old_fields(
    field_names, nilufar, settings
) -> None:
    token = drafts.token_for(nilufar, None)
    typed = FULL_FORM | {field_names["comment"]: "Yozib boʻlingan"}
    drafts.save_draft(nilufar, token, typed)
    pending_draft()
    editing.remove_field(forms.APPEAL_FORM, field_names["comment"], draft_mark(), "sherzod")
    newest = add_field(kind="tick", list="")
    release_draft()
    saved = drafts.save_draft(nilufar, token, typed | {"gist": "Davomi"}, base=typed)
    assert saved.values[field_names["comment"]] == "Yozib boʻlingan"
    registered_appeal = registering.register(typed, operator=nilufar, token=token, tz=settings.tz)
    assert registered_appeal.form_version == 2
    assert registered_appeal.extra[field_names["comment"]]["text"] == "Yozib boʻlingan"
    token = drafts.token_for(nilufar, None)
    values = FULL_FORM | {newest: "1"}
    registered_appeal = registering.register(values, operator=nilufar, token=token, tz=settings.tz)
    assert registered_appeal.form_version == 3
    assert registered_appeal.extra == {newest: {"code": "1", "text": "1"}}


@given(field_lists=FIELD_LISTS, data=st.data())
@trying(max_examples=40, suppress_health_check=[*HealthCheck])
def test_every_definition_the_editor_accepts_is_a_working_form(
    settings, nilufar, manager, field_lists: list[tuple[dict[str, Any], dict[str, Any]]], data
) -> None:
    FormVersion.delete().where(FormVersion.number > 1).execute()
    for any_how, fits in field_lists:
        with contextlib.suppress(Refused):
            add_field(**(any_how | fits | (PLAIN_LABELS if fits else {})))
    definition = forms.stored_definition(pending_draft())
    assert (
        parse_definition(
            "1", definition.version, json.loads(json.dumps(definition_document(definition)))
        )
        == definition
    )
    page = manager.get("/forms/1/preview").text
    product_names = forms.product_definition(forms.APPEAL_FORM).value_names
    names = [field for field in definition.fields if field.name not in product_names]
    assert all(f'data-field="{field.name}"' in page for field in names)
    assert manager.get("/forms/1").status_code == 200
    if not names:
        return
    release_draft()
    typed = {name: data.draw(FIELD_TEXT) for field in names for name in field.value_names}
    values = (
        FULL_FORM | {"direction": data.draw(st.sampled_from(["subsidies", "training"]))} | typed
    )
    token = drafts.token_for(nilufar, None)
    saved = drafts.save_draft(nilufar, token, values)
    assert {n: saved.values.get(n, "") for n in typed} == {n: t.strip() for n, t in typed.items()}
    appeal = registering.register(values, operator=nilufar, token=token, tz=settings.tz)
    applicable_fields = forms.applicable_fields(definition, values)
    for field in names:
        texts = [text for name in field.value_names if (text := typed[name].strip())]
        entry = appeal.extra.get(field.name)
        assert bool(entry) == bool(texts and field in applicable_fields)
        if entry and not (field.is_lookup and entry["code"]):
            assert entry["text"] in texts or equals_ignoring_spelling(entry["text"], texts[0])
    exported = forms.added_field_values(definition, appeal, "uz_Latn")
    day = dt.timedelta(days=1)
    rows = call_forms.iterate_registrations(forms.APPEAL_FORM, clock.now() - day, clock.now() + day)
    row = next(row for row in rows if row["number"] == appeal.number)
    assert {name: row["fields"][name] for name in exported} == exported
    assert set(exported) == set(appeal.extra)


@pytest.fixture
def manager(login_as):
    """The manager's browser."""
    return login_as("manager")
