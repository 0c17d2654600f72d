"""Registered calls: form №2 alone and with an appeal, its numbers, its corrections, who sees it."""

import datetime as dt
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from appliance.casework import appeals, call_forms, catalogs, forms
from appliance.casework.call_forms.directions import CALLED_BACK
from appliance.casework.forms import definition
from appliance.core import clock, db
from appliance.models import Appeal, Call, CallForm, Draft, FormVersion, Talk, User
from appliance.reports import call_filters
from tests.casework.test_appeals import FULL, PHONE, TODAY, TZ, a_call, register, speaks, user

SAID = {
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
    found = a_call()
    speaks(nilufar, found)
    return found


def register_call(operator, call, values=None, token="") -> CallForm:
    token = token or appeals.token_for(operator, call)
    return call_forms.register(values or SAID, operator=operator, token=token, tz=TZ)


def read(values):
    return forms.read(forms.in_force(forms.CALL), values, TODAY)


def test_form_2_asks_what_the_terms_of_reference_ask():
    fields = forms.product(forms.CALL).fields
    assert [field.called("uz_Latn") for field in fields] == [
        *("Familiya", "Ism", "Hudud", "Manzil", "Qoʻngʻiroq turi", "Jins"),
        *("Murojaatning qisqacha mazmuni", "Operator javobi", "Qoʻngʻiroq yoʻnalishi"),
        "Murojaat yoʻnalishi",
    ]


def test_a_call_is_registered_with_what_was_typed(nilufar, call):
    made = register_call(nilufar, call)
    assert (made.number, made.call_id, made.phone) == (f"Q-{TODAY.year}-000001", call.id, PHONE)
    assert (made.region_id, made.direction, made.gist) == ("1718", "subsidies", SAID["gist"])
    assert made.received_at == call.arrived_at
    assert call_forms.values_of(made)["surname"] == "Karimova"


def test_numbers_have_no_gaps_and_a_second_sending_counts_once(nilufar, call):
    token = appeals.token_for(nilufar, call)
    first = register_call(nilufar, call, token=token)
    assert register_call(nilufar, call, token=token) == first
    again = a_call("2.1")
    speaks(nilufar, again)
    assert register_call(nilufar, again).number.endswith("000002")
    assert CallForm.select().count() == 2


def test_25_operators_at_once_leave_no_gap_and_lose_nothing(settings):
    spoken = []
    for number in range(25):
        operator, call = user(f"op{number}"), a_call(f"{number}.7")
        speaks(operator, call)
        spoken.append((operator, call))
    begin = threading.Barrier(25)

    def send(pair: tuple[User, Call]) -> None:
        operator, call = pair
        try:
            token = appeals.token_for(operator, call)
            begin.wait(30)
            register_call(operator, call, SAID | {"gist": operator.login}, token)
            appeals.register(FULL, operator=operator, token=token, tz=TZ)
        finally:
            db.database.close()

    with ThreadPoolExecutor(25) as pool:
        assert len(list(pool.map(send, spoken))) == 25
    numbers = sorted(int(form.number.split("-")[2]) for form in CallForm.select())
    assert numbers == list(range(1, 26))
    assert {form.gist for form in CallForm.select()} == {one.login for one, _ in spoken}
    assert Appeal.select().count() == CallForm.select().where(CallForm.appeal_number != "").count()


def test_an_operator_has_one_form_of_a_call(nilufar, call):
    first = register_call(nilufar, call)
    assert register_call(nilufar, call, SAID | {"gist": "boshqa"}) == first
    assert CallForm.get().gist == SAID["gist"]


def test_without_a_call_there_is_no_form_2(nilufar):
    with pytest.raises(call_forms.NoCall):
        call_forms.register(SAID, operator=nilufar, token="0" * 32, tz=TZ)


def test_an_appeal_makes_form_2_of_its_call(nilufar, call):
    token = appeals.token_for(nilufar, call)
    appeals.save_draft(nilufar, token, {"operator_answer": "Yozib olindi"}, form=forms.CALL)
    appeal = register(nilufar, FULL, call=call)
    made = CallForm.get()
    assert (made.appeal_number, made.gist, made.surname) == (
        appeal.number,
        appeal.gist,
        appeal.surname,
    )
    assert (made.operator_answer, made.call_direction) == ("Yozib olindi", "incoming")
    assert made.direction == appeal.direction == "subsidies"
    assert not Draft.select().exists()


def test_a_form_that_was_there_before_the_appeal_keeps_its_words(nilufar, call):
    first = register_call(nilufar, call)
    appeal = register(nilufar, FULL, call=call)
    kept = CallForm.get()
    assert (kept.id, kept.gist, kept.appeal_number) == (first.id, SAID["gist"], appeal.number)
    assert Appeal.select().count() == 1


def test_an_appeal_without_a_call_makes_none(nilufar):
    register(nilufar)
    assert not CallForm.select().exists()


def test_what_the_ledger_knows_stands_in_the_form():
    call = a_call()
    assert call_forms.prefilled(call) == {"call_direction": "incoming"}
    call.topic = "subsidies"
    call.save()
    assert call_forms.prefilled(call)["direction"] == "subsidies"


@pytest.mark.parametrize(
    ("direction", "reason", "employee", "told"),
    [
        *(("inbound", reason, False, "incoming") for reason in ("", "callback")),
        *(("inbound", reason, True, "transferred") for reason in ("", "callback")),
        *(("internal", "", employee, ("incoming", "transferred")[employee]) for employee in (0, 1)),
        *(("outbound", reason, e, "callback") for reason in CALLED_BACK for e in (False, True)),
        *(("outbound", reason, e, "outgoing") for reason in ("page", "") for e in (False, True)),
    ],
)
def test_a_form_begins_with_the_direction_that_reports_count(
    settings, direction, reason, employee, told
):
    call = a_call()
    Call.update(direction=direction, reason=reason or None).where(Call.id == call.id).execute()
    if employee:
        Talk.create(call=call, position=1, party="employee", who="x", started_at=call.arrived_at)
    call = Call.get_by_id(call.id)
    assert call_forms.prefilled(call)["call_direction"] == told
    asked = Call.select(call_filters.call_direction()).where(Call.id == call.id)
    assert asked.scalar() == told


def test_a_draft_of_one_form_keeps_what_the_other_asks(nilufar, call):
    token = appeals.token_for(nilufar, call)
    appeals.save_draft(nilufar, token, {"pinfl": "1", "surname": "A"}, form=forms.APPEAL)
    appeals.save_draft(nilufar, token, {"surname": "B", "operator_answer": "ha"}, form=forms.CALL)
    assert Draft.get().values == {"pinfl": "1", "surname": "B", "operator_answer": "ha"}
    assert Draft.get().form == forms.CALL
    appeals.save_draft(nilufar, token, {"pinfl": "2"}, form=forms.APPEAL)
    assert Draft.get().values == {"pinfl": "2", "operator_answer": "ha"}


def test_a_save_that_comes_after_registering_says_so(nilufar, call):
    token = appeals.token_for(nilufar, call)
    made = register_call(nilufar, call, token=token)
    with pytest.raises(appeals.AlreadyRegistered) as told:
        appeals.save_draft(nilufar, token, SAID, form=forms.CALL)
    assert told.value.registered == made
    assert appeals.token_for(nilufar, call) != token


def test_a_call_waits_on_the_list_until_it_has_a_form(nilufar, call):
    now = call.arrived_at + dt.timedelta(hours=1)
    assert call_forms.to_register(nilufar, now) == []  # it goes on
    Call.update(ended_at=now, stage="ended", outcome="answered").execute()
    call.talks.model.update(ended_at=now).execute()
    assert [one.id for one in call_forms.to_register(nilufar, now)] == [call.id]
    assert call_forms.to_register(nilufar, now + dt.timedelta(days=8)) == []
    register_call(nilufar, call)
    assert call_forms.to_register(nilufar, now) == []


def test_a_correction_keeps_what_stood_before(nilufar, call, settings):
    made = register_call(nilufar, call)
    calendar = catalogs.working_calendar(settings)
    values = call_forms.values_of(made) | {"gist": "Boshqa gap", "surname": "Karimova-Rahimova"}
    changes = call_forms.correct(made, values, "sherzod", calendar)
    assert changes == {
        "surname": ["Karimova", "Karimova-Rahimova"],
        "gist": [SAID["gist"], "Boshqa gap"],
    }
    assert CallForm.get().gist == "Boshqa gap"
    (past,) = call_forms.wordings(made)
    assert (past.values["gist"], past.replaced_by) == (SAID["gist"], "sherzod")
    assert call_forms.correct(CallForm.get(), values, "sherzod", calendar) == {}
    assert len(call_forms.wordings(made)) == 1


def test_who_sees_a_registered_call(nilufar, sardor, dilnoza, bahodir, rustam, call):
    made = register_call(nilufar, call)
    for who, sees in ((nilufar, 1), (sardor, 0), (dilnoza, 1), (bahodir, 1), (rustam, 0)):
        assert call_forms.visible_to(who).count() == sees, who.login
        assert bool(call_forms.find(made.number, who)) == bool(sees)


def test_it_is_found_by_number_phone_name_and_gist(nilufar, sherzod, call):
    made = register_call(nilufar, call)
    for text in (made.number, "9355501", "каримова", "nafaqa", "tartib karimova"):
        assert call_forms.counted(sherzod, call_forms.Filters(text=text)) == 1, text
    for text in ("9999999", "qwerty", "nafaqa qwerty"):
        assert call_forms.counted(sherzod, call_forms.Filters(text=text)) == 0, text
    assert call_forms.counted(sherzod, call_forms.Filters(direction="training")) == 0
    assert call_forms.listed(sherzod, call_forms.Filters(region="1718"), 10) == [made]
    assert [one for piece in call_forms.pieces(sherzod, call_forms.Filters()) for one in piece]


def test_registrations_leave_with_codes_and_texts(nilufar, call):
    appeal = register(nilufar, FULL, call=call)
    now = clock.now() + dt.timedelta(minutes=1)
    then = now - dt.timedelta(hours=1)
    (first,) = call_forms.registrations(forms.APPEAL, then, now)
    (second,) = call_forms.registrations(forms.CALL, then, now)
    assert (first["number"], first["form"], first["version"]) == (appeal.number, "1", 1)
    assert (second["form"], second["call"], second["operator"]) == ("2", call.id, "nilufar")
    assert first["fields"]["region"] == {"code": "1718", "text": "Samarqand viloyati"}
    assert first["fields"]["sex"] == {"code": "f", "text": "Ayol"}
    assert second["fields"]["direction"]["code"] == "subsidies"
    assert first["fields"]["mahalla"]["text"] == FULL["mahalla_text"]
    assert json.loads(json.dumps([first, second])) == [first, second]


# fields that the manager adds


def with_fields(*fields: dict, form: str = forms.CALL) -> None:
    """A newer version of a form, with more fields."""
    document = definition.document_of(forms.in_force(form))
    document["fields"] += [{"label": dict.fromkeys(LABELS, f["name"])} | f for f in fields]
    number = forms.in_force(form).version + 1
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


@pytest.mark.parametrize(("field", "typed", "kept", "doubt"), KINDS)
def test_a_field_of_each_kind_is_read(field, typed, kept, doubt):
    with_fields({"name": "more"} | field)
    reading = read({"more": typed})
    assert reading.columns["extra"]["more"] == (kept or {"code": typed, "text": ""})
    assert [d.code for d in reading.doubts if d.field == "more"] == ([doubt] if doubt else [])


def test_a_field_of_some_directions_is_asked_only_there():
    with_fields({"name": "trade", "kind": "text", "topics": ["training"], "required": True})
    asked = forms.in_force(forms.CALL)
    assert "trade" not in {f.name for f in forms.fields_of(asked, {"direction": "subsidies"})}
    assert "trade" in {f.name for f in forms.fields_of(asked, {"direction": "training"})}
    assert read({"trade": "x", "direction": "subsidies"}).columns["extra"] == {}
    doubts = {str(doubt) for doubt in read({"direction": "training"}).doubts}
    assert "trade:empty" in doubts


def test_what_was_registered_shows_the_form_it_was_written_in(nilufar, call):
    with_fields({"name": "trade", "kind": "text"})
    made = register_call(nilufar, call, SAID | {"trade": "tikuvchi"})
    document = definition.document_of(forms.product(forms.CALL))
    now = clock.now()
    FormVersion.create(form="2", number=9, fields=document, since=now, made_at=now)
    assert "trade" not in forms.in_force(forms.CALL).names
    assert call_forms.values_of(made)["trade"] == "tikuvchi"
    assert call_forms.fields_of(forms.of("2", made.version), made, "uz_Latn")["trade"] == {
        "code": "",
        "text": "tikuvchi",
    }


def test_a_version_of_later_is_not_in_force_yet():
    later = clock.now() + dt.timedelta(days=1)
    document = definition.document_of(forms.product(forms.CALL))
    FormVersion.create(form="2", number=7, fields=document, since=later, made_at=clock.now())
    FormVersion.create(form="2", number=8, fields=document, since=None, made_at=clock.now())
    assert forms.in_force(forms.CALL).version == 1


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
def test_a_document_that_is_no_form_says_why(change, code):
    document = definition.document_of(forms.product(forms.CALL))
    field = {"name": "more", "kind": "text", "label": dict.fromkeys(LABELS, "x")}
    document["fields"].append(field | change)
    with pytest.raises(forms.DefinitionError) as told:
        definition.parse("2", 2, document)
    assert told.value.code == code


@pytest.mark.parametrize("form", forms.FORMS)
def test_a_definition_and_its_document_are_the_same(form):
    product = forms.product(form)
    assert definition.parse(form, 1, definition.document_of(product)) == product


@trying(suppress_health_check=[HealthCheck.function_scoped_fixture])  # the lists stay as they are
@given(values=st.dictionaries(st.sampled_from([*SAID, "region", "direction", "more"]), st.text()))
def test_reading_refuses_nothing(settings, values):
    reading = read(values)
    text = values.get("gist", "").strip()
    assert reading.columns["gist"] == text
    assert set(reading.columns) <= set(CallForm._meta.fields)
