"""Registered calls: form №2 alone and with an appeal, numbers, corrections, permissions."""

import datetime as dt
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from appliance.casework import call_forms, catalogs, forms
from appliance.casework.appeals import registering
from appliance.casework.call_forms.directions import CALLBACK_REASONS
from appliance.casework.forms import definition, drafts
from appliance.core import clock, db
from appliance.core.refusals import Refused
from appliance.models import Appeal, Call, CallForm, Draft, FormVersion, Talk, User
from appliance.reports import call_filters
from tests.casework.test_appeals import PHONE, TODAY, TZ, create_user, register_appeal
from tests.rig.appeals import FULL_FORM, create_call, start_talk

CALL_FORM_VALUES = {
    "surname": "Karimova",
    "first_name": "Aziza",
    "region_text": "samarqand viloyati",
    "address": "Registon 5",
    "call_type": "consultation",
    "sex": "f",
    "gist": "Nafaqa haqida soʻradi",
    "operator_answer": "Tartib tushuntirildi",
    "direction_text": "Subsidiyalar olish boʻyicha",
}

pytestmark = pytest.mark.usefixtures("settings")


@pytest.fixture
def call(nilufar) -> Call:
    created_call = create_call()
    start_talk(nilufar, created_call)
    return created_call


def register_call(operator, call, values=None, token="") -> CallForm:
    token = token or drafts.token_for(operator, call)
    return call_forms.register(values or CALL_FORM_VALUES, operator=operator, token=token, tz=TZ)


def read_call_form(values):
    return forms.read_values(forms.definition_in_force(forms.CALL_FORM), values, TODAY)


def test_form_2_has_the_fields_of_the_terms_of_reference():
    fields = forms.product_definition(forms.CALL_FORM).fields
    assert [field.localized_label("uz_Latn") for field in fields] == [
        *("Familiya", "Ism", "Hudud", "Manzil", "Qoʻngʻiroq turi", "Jinsi"),
        *("Murojaatning qisqacha mazmuni", "Operator javobi", "Qoʻngʻiroq yoʻnalishi"),
        "Murojaat yoʻnalishi",
    ]


def test_a_call_is_registered_with_the_typed_values(nilufar, call):
    form = register_call(nilufar, call)
    assert (form.number, form.call_id, form.phone) == (f"Q-{TODAY.year}-000001", call.id, PHONE)
    assert (form.region_id, form.direction, form.gist) == (
        "1718",
        "subsidies",
        CALL_FORM_VALUES["gist"],
    )
    assert form.received_at == call.arrived_at
    assert call_forms.call_form_values(form)["surname"] == "Karimova"


def test_numbers_have_no_gaps_and_a_form_sent_twice_is_registered_once(nilufar, call):
    token = drafts.token_for(nilufar, call)
    first = register_call(nilufar, call, token=token)
    assert register_call(nilufar, call, token=token) == first
    again = create_call("2.1")
    start_talk(nilufar, again)
    assert register_call(nilufar, again).number.endswith("000002")
    assert CallForm.select().count() == 2


def test_25_simultaneous_operators_leave_no_gap_and_lose_nothing(settings):
    talks = []
    for number in range(25):
        operator, call = create_user(f"op{number}"), create_call(f"{number}.7")
        start_talk(operator, call)
        talks.append((operator, call))
    barrier = threading.Barrier(25)

    def register_both(pair: tuple[User, Call]) -> None:
        operator, call = pair
        try:
            token = drafts.token_for(operator, call)
            barrier.wait(30)
            register_call(operator, call, CALL_FORM_VALUES | {"gist": operator.login}, token)
            registering.register(FULL_FORM, operator=operator, token=token, tz=TZ)
        finally:
            db.database.close()

    with ThreadPoolExecutor(25) as pool:
        assert len(list(pool.map(register_both, talks))) == 25
    numbers = sorted(int(form.number.split("-")[2]) for form in CallForm.select())
    assert numbers == list(range(1, 26))
    assert {form.gist for form in CallForm.select()} == {speaker.login for speaker, _ in talks}
    assert Appeal.select().count() == CallForm.select().where(CallForm.appeal_number != "").count()


def test_an_operator_has_one_form_per_call(nilufar, call):
    first = register_call(nilufar, call)
    assert register_call(nilufar, call, CALL_FORM_VALUES | {"gist": "boshqa"}) == first
    assert CallForm.get().gist == CALL_FORM_VALUES["gist"]


def test_form_2_cannot_be_registered_without_a_call(nilufar):
    with pytest.raises(call_forms.NoCall):
        call_forms.register(CALL_FORM_VALUES, operator=nilufar, token="0" * 32, tz=TZ)


def test_an_appeal_creates_form_2_for_its_call(nilufar, call):
    token = drafts.token_for(nilufar, call)
    drafts.save_draft(nilufar, token, {"operator_answer": "Yozib olindi"}, form=forms.CALL_FORM)
    appeal = register_appeal(nilufar, FULL_FORM, call=call)
    form = CallForm.get()
    assert (form.appeal_number, form.gist, form.surname) == (
        appeal.number,
        appeal.gist,
        appeal.surname,
    )
    assert (form.operator_answer, form.call_direction) == ("Yozib olindi", "incoming")
    assert form.direction == appeal.direction == "subsidies"
    assert not Draft.select().exists()


def test_a_form_registered_before_the_appeal_keeps_its_text(nilufar, call):
    first = register_call(nilufar, call)
    appeal = register_appeal(nilufar, FULL_FORM, call=call)
    form = CallForm.get()
    assert (form.id, form.gist, form.appeal_number) == (
        first.id,
        CALL_FORM_VALUES["gist"],
        appeal.number,
    )
    assert Appeal.select().count() == 1


def test_an_appeal_without_a_call_creates_no_form_2(nilufar):
    register_appeal(nilufar)
    assert not CallForm.select().exists()


def test_values_known_from_the_ledger_are_prefilled():
    call = create_call()
    assert call_forms.prefilled_values(call) == {"call_direction": "incoming"}
    call.topic = "subsidies"
    call.save()
    assert call_forms.prefilled_values(call)["direction"] == "subsidies"


@pytest.mark.parametrize(
    ("direction", "reason", "employee", "expected"),
    [
        *(("inbound", reason, False, "incoming") for reason in ("", "callback")),
        *(("inbound", reason, True, "transferred") for reason in ("", "callback")),
        *(("internal", "", employee, ("incoming", "transferred")[employee]) for employee in (0, 1)),
        *(
            ("outbound", reason, e, "callback")
            for reason in CALLBACK_REASONS
            for e in (False, True)
        ),
        *(("outbound", reason, e, "outgoing") for reason in ("page", "") for e in (False, True)),
    ],
)
def test_the_prefilled_direction_is_the_one_that_reports_count(
    settings, direction, reason, employee, expected
):
    call = create_call()
    Call.update(direction=direction, reason=reason or None).where(Call.id == call.id).execute()
    if employee:
        Talk.create(call=call, position=1, party="employee", who="x", started_at=call.arrived_at)
    call = Call.get_by_id(call.id)
    assert call_forms.prefilled_values(call)["call_direction"] == expected
    query = Call.select(call_filters.call_direction_expression()).where(Call.id == call.id)
    assert query.scalar() == expected


def test_a_draft_of_one_form_keeps_the_fields_that_only_the_other_has(nilufar, call):
    token = drafts.token_for(nilufar, call)
    drafts.save_draft(nilufar, token, {"pinfl": "1", "surname": "A"}, form=forms.APPEAL_FORM)
    drafts.save_draft(
        nilufar, token, {"surname": "B", "operator_answer": "ha"}, form=forms.CALL_FORM
    )
    assert Draft.get().values == {"pinfl": "1", "surname": "B", "operator_answer": "ha"}
    assert Draft.get().form == forms.CALL_FORM
    drafts.save_draft(nilufar, token, {"pinfl": "2"}, form=forms.APPEAL_FORM)
    assert Draft.get().values == {"pinfl": "2", "operator_answer": "ha"}


def test_a_save_after_registering_raises_already_registered(nilufar, call):
    token = drafts.token_for(nilufar, call)
    form = register_call(nilufar, call, token=token)
    with pytest.raises(drafts.AlreadyRegistered) as error:
        drafts.save_draft(nilufar, token, CALL_FORM_VALUES, form=forms.CALL_FORM)
    assert error.value.registration == form
    assert drafts.token_for(nilufar, call) != token


def test_a_call_is_listed_as_unregistered_until_it_has_a_form(nilufar, call):
    now = call.arrived_at + dt.timedelta(hours=1)
    assert call_forms.calls_to_register(nilufar, now) == []  # the call is still going on
    Call.update(ended_at=now, stage="ended", outcome="answered").execute()
    call.talks.model.update(ended_at=now).execute()
    assert [waiting.id for waiting in call_forms.calls_to_register(nilufar, now)] == [call.id]
    assert call_forms.calls_to_register(nilufar, now + dt.timedelta(days=8)) == []
    register_call(nilufar, call)
    assert call_forms.calls_to_register(nilufar, now) == []


def test_a_correction_keeps_the_previous_wording(nilufar, call, settings):
    form = register_call(nilufar, call)
    calendar = catalogs.working_calendar(settings)
    values = call_forms.call_form_values(form) | {
        "gist": "Boshqa gap",
        "surname": "Karimova-Rahimova",
    }
    changes = call_forms.correct_call_form(form, values, "sherzod", calendar)
    assert changes == {
        "surname": ["Karimova", "Karimova-Rahimova"],
        "gist": [CALL_FORM_VALUES["gist"], "Boshqa gap"],
    }
    assert CallForm.get().gist == "Boshqa gap"
    (wording,) = call_forms.list_previous_form_values(form)
    assert (wording.values["gist"], wording.replaced_by) == (CALL_FORM_VALUES["gist"], "sherzod")
    assert call_forms.correct_call_form(CallForm.get(), values, "sherzod", calendar) == {}
    assert len(call_forms.list_previous_form_values(form)) == 1


def test_operators_see_only_their_own_registered_calls(
    nilufar, sardor, dilnoza, bahodir, rustam, call
):
    form = register_call(nilufar, call)
    for employee, count in ((nilufar, 1), (sardor, 0), (dilnoza, 1), (bahodir, 1), (rustam, 0)):
        assert call_forms.visible_call_forms(employee).count() == count, employee.login
        assert bool(call_forms.find_call_form(form.number, employee)) == bool(count)


def test_a_registered_call_is_found_by_number_phone_name_and_gist(nilufar, sherzod, call):
    form = register_call(nilufar, call)
    for text in (form.number, "9355501", "каримова", "nafaqa", "tartib karimova"):
        assert call_forms.count_call_forms(sherzod, call_forms.Filters(text=text)) == 1, text
    for text in ("9999999", "qwerty", "nafaqa qwerty"):
        assert call_forms.count_call_forms(sherzod, call_forms.Filters(text=text)) == 0, text
    assert call_forms.count_call_forms(sherzod, call_forms.Filters(direction="training")) == 0
    assert call_forms.list_call_forms(sherzod, call_forms.Filters(region="1718"), 10) == [form]
    assert [
        row
        for piece in call_forms.iterate_form_batches(sherzod, call_forms.Filters())
        for row in piece
    ]


def test_exported_registrations_contain_codes_and_texts(nilufar, call):
    appeal = register_appeal(nilufar, FULL_FORM, call=call)
    now = clock.now() + dt.timedelta(minutes=1)
    begin = now - dt.timedelta(hours=1)
    (first,) = call_forms.iterate_registrations(forms.APPEAL_FORM, begin, now)
    (second,) = call_forms.iterate_registrations(forms.CALL_FORM, begin, now)
    assert (first["number"], first["form"], first["version"]) == (appeal.number, "1", 1)
    assert (second["form"], second["call"], second["operator"]) == ("2", call.id, "nilufar")
    assert first["fields"]["region"] == {"code": "1718", "text": "Samarqand viloyati"}
    assert first["fields"]["sex"] == {"code": "f", "text": "Ayol"}
    assert second["fields"]["direction"]["code"] == "subsidies"
    assert first["fields"]["mahalla"]["text"] == FULL_FORM["mahalla_text"]
    assert json.loads(json.dumps([first, second])) == [first, second]


# fields that the manager adds


def release_form_with_fields(*fields: dict, form: str = forms.CALL_FORM) -> None:
    """Release a newer version of a form, with more fields."""
    document = definition.definition_document(forms.definition_in_force(form))
    document["fields"] += [{"label": dict.fromkeys(LABELS, f["name"])} | f for f in fields]
    number = forms.definition_in_force(form).version + 1
    now = clock.now()
    FormVersion.create(form=form, number=number, fields=document, since=now, made_at=now)


LABELS = ("uz_Latn", "uz_Cyrl", "ru")
KINDS = [
    ({"kind": "text"}, "  bir ", {"code": "", "text": "bir"}, None),
    ({"kind": "number"}, "1 250,5", {"code": "1250.5", "text": "1 250,5"}, None),
    ({"kind": "number"}, "koʻp", {"code": "", "text": "koʻp"}, "form"),
    ({"kind": "date"}, "14.03.1978", {"code": "1978-03-14", "text": "14.03.1978"}, None),
    ({"kind": "date"}, "bahorda", {"code": "", "text": "bahorda"}, "form"),
    ({"kind": "phone"}, "93 555 01 47", {"code": PHONE, "text": "93 555 01 47"}, None),
    ({"kind": "tick"}, "1", {"code": "1", "text": "1"}, None),
    ({"kind": "document", "document": "stir"}, "12", {"code": "", "text": "12"}, "form"),
    ({"kind": "list", "list": "group"}, "low_income_family", None, None),
    ({"kind": "comment"}, "izoh", {"code": "", "text": "izoh"}, None),
]


@pytest.mark.parametrize(("field", "typed", "expected", "doubt"), KINDS)
def test_a_field_of_each_kind_is_read(field, typed, expected, doubt):
    release_form_with_fields({"name": "more"} | field)
    reading = read_call_form({"more": typed})
    assert reading.columns["extra"]["more"] == (expected or {"code": typed, "text": ""})
    assert [d.code for d in reading.doubts if d.field == "more"] == ([doubt] if doubt else [])


def test_a_field_limited_to_some_directions_is_asked_only_for_them():
    release_form_with_fields(
        {"name": "trade", "kind": "text", "topics": ["training"], "required": True}
    )
    definition_in_force = forms.definition_in_force(forms.CALL_FORM)
    assert "trade" not in {
        f.name for f in forms.applicable_fields(definition_in_force, {"direction": "subsidies"})
    }
    assert "trade" in {
        f.name for f in forms.applicable_fields(definition_in_force, {"direction": "training"})
    }
    assert read_call_form({"trade": "x", "direction": "subsidies"}).columns["extra"] == {}
    doubts = {str(doubt) for doubt in read_call_form({"direction": "training"}).doubts}
    assert "trade:empty" in doubts


def test_a_registered_form_is_shown_with_the_version_it_was_filled_in(nilufar, call):
    release_form_with_fields({"name": "trade", "kind": "text"})
    call_form = register_call(nilufar, call, CALL_FORM_VALUES | {"trade": "tikuvchi"})
    document = definition.definition_document(forms.product_definition(forms.CALL_FORM))
    now = clock.now()
    FormVersion.create(form="2", number=9, fields=document, since=now, made_at=now)
    assert "trade" not in forms.definition_in_force(forms.CALL_FORM).value_names
    assert call_forms.call_form_values(call_form)["trade"] == "tikuvchi"
    assert call_forms.field_values(
        forms.numbered_definition("2", call_form.version), call_form, "uz_Latn"
    )["trade"] == {
        "code": "",
        "text": "tikuvchi",
    }


def test_a_future_version_is_not_in_force_yet():
    later = clock.now() + dt.timedelta(days=1)
    document = definition.definition_document(forms.product_definition(forms.CALL_FORM))
    FormVersion.create(form="2", number=7, fields=document, since=later, made_at=clock.now())
    FormVersion.create(form="2", number=8, fields=document, since=None, made_at=clock.now())
    assert forms.definition_in_force(forms.CALL_FORM).version == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": "song"}, "kind"),
        ({"kind": "list"}, "list"),
        ({"name": "Bad name"}, "name"),
        ({"name": "surname"}, "twice"),
        ({"label": {"ru": "x"}}, "words"),
        ({"kind": "document"}, "document"),
        ({"wide": 9}, "wide"),
        ({"wide": "2"}, "unknown"),
        ({"colour": "red"}, "unknown"),
        ({"name": "csrf_token"}, "reserved"),
    ],
)
def test_an_invalid_document_raises_the_reason(change, code):
    document = definition.definition_document(forms.product_definition(forms.CALL_FORM))
    field = {"name": "more", "kind": "text", "label": dict.fromkeys(LABELS, "x")}
    document["fields"].append(field | change)
    with pytest.raises(Refused) as error:
        definition.parse_definition("2", 2, document)
    assert error.value.code == code


@pytest.mark.parametrize("form", forms.FORMS)
def test_parsing_the_document_of_a_definition_returns_the_definition(form):
    product = forms.product_definition(form)
    assert definition.parse_definition(form, 1, definition.definition_document(product)) == product


@trying(
    suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # the lists are not changed between examples
@given(
    values=st.dictionaries(
        st.sampled_from([*CALL_FORM_VALUES, "region", "direction", "more"]), st.text()
    )
)
def test_reading_accepts_any_values(settings, values):
    reading = read_call_form(values)
    text = values.get("gist", "").strip()
    assert reading.columns["gist"] == text
    assert set(reading.columns) <= set(CallForm._meta.fields)
