"""What becomes of added fields: search, exports, programs, the ministry's system, masking."""

import contextlib
import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from appliance.casework import appeals, call_forms, catalogs, forms
from appliance.casework.appeals import searching
from appliance.casework.forms import editing
from appliance.casework.forms.definition import KINDS, document_of, parse
from appliance.casework.ministry import mapping
from appliance.core import clock
from appliance.core.i18n import LOCALES, same_but_spelling
from appliance.core.settings import MINISTRY_FIELDS, Ministry
from appliance.models import Appeal, FormVersion
from tests.casework.test_appeals import FULL
from tests.casework.test_form_editing import ANSWERS, WORDS, add, draft, put, seen

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
LABEL = st.fixed_dictionaries(dict.fromkeys(LOCALES, TEXT))
WANTED = st.fixed_dictionaries(
    {
        "kind": st.sampled_from([*KINDS]),
        "label": LABEL | st.just(WORDS),
        "help": st.dictionaries(st.sampled_from(LOCALES), TEXT),
        "required": st.booleans(),
        "personal": st.booleans(),
        "list": st.sampled_from(["", "group", "region", "district", "direction"]),
        "document": st.sampled_from(["", "passport", "pinfl", "stir"]),
        "options": st.lists(LABEL | st.sampled_from(ANSWERS), max_size=4),
        "asked_of": st.sampled_from(["", "", "person", "entity"]),
        "topics": st.lists(st.sampled_from(["subsidies", "training"]), max_size=2, unique=True),
        "ministry": st.sampled_from(["", "", "theirs", "gist", "ў"]),
    }
)
# what fits the kinds is tried as often as what does not
FITTING = st.sampled_from(
    [
        {"kind": "list", "list": "group"},
        {"kind": "place", "list": "region"},
        {"kind": "place", "list": "district"},
        {"kind": "choice", "list": "", "options": ANSWERS},
        {"kind": "document", "document": "stir", "list": ""},
        *({"kind": kind, "list": ""} for kind in ("text", "long", "tick", "number", "date")),
        {"kind": "phone", "list": ""},
    ]
)
PLAIN: dict[str, Any] = {"label": WORDS, "help": {}, "ministry": ""}
FIELDS = st.lists(st.tuples(WANTED, FITTING | st.just({})), min_size=1, max_size=5)


@pytest.fixture
def asked(settings) -> dict[str, str]:
    """Form №1 with added fields in force: what → name."""
    made = {
        "list": add(label=WORDS | {"uz_Latn": "Guruh"}, ministry="theirGroup"),
        "choice": add(kind="choice", list="", options=ANSWERS, label=WORDS | {"uz_Latn": "Javob"}),
        "place": add(kind="place", list="district", label=WORDS | {"uz_Latn": "Qayerda"}),
        "comment": add(kind="comment", list="", label=WORDS | {"uz_Latn": "Izoh"}),
        "secret": add(kind="text", list="", personal=True, label=WORDS | {"uz_Latn": "Opa"}),
        "date": add(kind="date", list="", ministry="theirDate", label=WORDS | {"uz_Latn": "Kun"}),
    }
    put()
    return made


@pytest.fixture
def appeal(asked, nilufar, settings) -> Appeal:
    """Registered with all of them filled in."""
    group = catalogs.choices("group", "uz_Latn")[0][0]
    district = catalogs.find_districts("", None)[0]
    values = {
        asked["list"]: group,
        asked["choice"]: "ha",
        asked["place"]: district.soato,
        asked["comment"]: "Qaytib kelgan",
        asked["secret"]: "Akasi Botir",
        asked["date"]: "05.06.2025",
    }
    token = appeals.token_for(nilufar, None)
    return appeals.register(FULL | values, operator=nilufar, token=token, tz=settings.tz)


def found(text: str) -> bool:
    return bool(list(searching.found(searching.terms(text))))


def test_they_are_searched_by_text_and_by_the_names_of_codes(appeal, asked) -> None:
    assert found("Qaytib")
    assert found("Қайтиб")
    name = catalogs.labels("group", "ru")[appeal.extra[asked["list"]]["code"]]
    assert found(name)


def test_programs_get_code_and_text_and_personal_ones_with_that_right_only(appeal, asked) -> None:
    told = forms.added(forms.of(forms.APPEAL, 2), appeal, "ru", personal=False)
    assert asked["secret"] not in told
    assert told[asked["choice"]] == {"code": "ha", "text": "Да"}
    assert told[asked["date"]] == {"code": "2025-06-05", "text": "05.06.2025"}
    assert asked["secret"] in forms.added(forms.of(forms.APPEAL, 2), appeal, "ru")


def test_mapped_fields_go_to_the_ministry_and_others_do_not(appeal, asked) -> None:
    taken = json.loads(json.dumps(mapping.snapshot(appeal)))
    sent = mapping.document(Ministry(), taken)
    assert sent["theirGroup"] == appeal.extra[asked["list"]]["code"]
    assert sent["theirDate"] == "2025-06-05"
    assert set(sent) - set(MINISTRY_FIELDS) == {"theirGroup", "theirDate"}
    del taken["extra"]  # put up before there were added fields
    assert set(mapping.document(Ministry(), taken)) <= set(MINISTRY_FIELDS)


def test_masking_leaves_what_is_counted_and_no_word(appeal, asked) -> None:
    left = forms.without_person(forms.of(forms.APPEAL, 2), appeal.extra)
    assert set(left) == {asked["list"], asked["choice"], asked["place"]}
    assert not any(held["text"] for held in left.values())
    appeal.extra = left
    values = forms.values_of(forms.of(forms.APPEAL, 2), appeal)
    assert values[asked["choice"]] == "ha"


def test_both_exports_and_the_programs_agree(appeal, asked) -> None:
    told = forms.added(forms.of(forms.APPEAL, 2), appeal, "uz_Latn")
    begin = clock.now() - dt.timedelta(days=1)
    row = next(call_forms.registrations(forms.APPEAL, begin, clock.now() + dt.timedelta(days=1)))
    assert {name: row["fields"][name] for name in told} == told
    assert row["version"] == 2


def test_what_a_page_of_before_holds_is_registered_as_it_was_asked(
    asked, nilufar, settings
) -> None:
    token = appeals.token_for(nilufar, None)
    typed = FULL | {asked["comment"]: "Yozib boʻlingan"}
    appeals.save_draft(nilufar, token, typed)
    draft()
    editing.remove(forms.APPEAL, asked["comment"], seen(), "sherzod")
    newest = add(kind="tick", list="")
    put()
    kept = appeals.save_draft(nilufar, token, typed | {"gist": "Davomi"}, base=typed)
    assert kept.values[asked["comment"]] == "Yozib boʻlingan"
    made = appeals.register(typed, operator=nilufar, token=token, tz=settings.tz)
    assert made.form_version == 2
    assert made.extra[asked["comment"]]["text"] == "Yozib boʻlingan"
    token = appeals.token_for(nilufar, None)
    values = FULL | {newest: "1"}
    made = appeals.register(values, operator=nilufar, token=token, tz=settings.tz)
    assert made.form_version == 3
    assert made.extra == {newest: {"code": "1", "text": "1"}}


@given(wanted=FIELDS, data=st.data())
@trying(max_examples=40, suppress_health_check=[*HealthCheck])
def test_whatever_the_editor_lets_through_is_a_form(
    settings, nilufar, manager, wanted: list[tuple[dict[str, Any], dict[str, Any]]], data
) -> None:
    FormVersion.delete().where(FormVersion.number > 1).execute()
    for any_how, fits in wanted:
        with contextlib.suppress(forms.DefinitionError):
            add(**(any_how | fits | (PLAIN if fits else {})))
    made = forms.definition_of(draft())
    assert parse("1", made.version, json.loads(json.dumps(document_of(made)))) == made
    page = manager.get("/forms/1/preview").text
    own = forms.product(forms.APPEAL).names
    names = [one for one in made.fields if one.name not in own]
    assert all(f'data-field="{one.name}"' in page for one in names)
    assert manager.get("/forms/1").status_code == 200
    if not names:
        return
    put()
    typed = {name: data.draw(TEXT) for one in names for name in one.names}
    values = FULL | {"direction": data.draw(st.sampled_from(["subsidies", "training"]))} | typed
    token = appeals.token_for(nilufar, None)
    kept = appeals.save_draft(nilufar, token, values)
    assert {n: kept.values.get(n, "") for n in typed} == {n: t.strip() for n, t in typed.items()}
    appeal = appeals.register(values, operator=nilufar, token=token, tz=settings.tz)
    asked = forms.fields_of(made, values)
    for one in names:
        texts = [text for name in one.names if (text := typed[name].strip())]
        held = appeal.extra.get(one.name)
        assert bool(held) == bool(texts and one in asked)
        if held and not (one.chosen and held["code"]):
            assert held["text"] in texts or same_but_spelling(held["text"], texts[0])
    told = forms.added(made, appeal, "uz_Latn")
    day = dt.timedelta(days=1)
    rows = call_forms.registrations(forms.APPEAL, clock.now() - day, clock.now() + day)
    row = next(row for row in rows if row["number"] == appeal.number)
    assert {name: row["fields"][name] for name in told} == told
    assert set(told) == set(appeal.extra)


@pytest.fixture
def manager(login_as):
    """The manager's browser."""
    return login_as("manager")
