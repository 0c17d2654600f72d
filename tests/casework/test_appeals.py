"""Appeals: the contents of form №1, numbers without gaps, drafts, who may see which appeals."""

import datetime as dt
import multiprocessing
import threading
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from appliance.casework import catalogs, hooks
from appliance.casework.appeals import correcting, form, prefill, queries, registering
from appliance.casework.appeals import desk as appeal_desk
from appliance.casework.appeals.desk import OperatorDesk, desk_for_unregistered_form
from appliance.casework.forms import drafts
from appliance.core import audit, clock, db, live
from appliance.models import Appeal, AuditEntry, Call, Draft, Mahalla, QueueVisit, Ring, Talk, User
from tests.rig.appeals import ARRIVED, FULL_FORM, create_call, start_talk

TZ = ZoneInfo("Asia/Tashkent")
TODAY = dt.date(2026, 11, 24)
PHONE = "+998935550147"
pytestmark = pytest.mark.usefixtures("settings")


def create_user(login: str, role: str = "operator") -> User:
    return User.create(
        login=login, name=login.title(), role=role, password_hash="", created_at=clock.now()
    )


def register_appeal(
    operator: User, values: dict[str, str] | None = None, token: str = "", **more
) -> Appeal:
    call = more.pop("call", None)
    return registering.register(
        FULL_FORM if values is None else values,
        operator=operator,
        token=token or drafts.token_for(operator, call),
        tz=TZ,
    )


def doubt_codes(**changes: str) -> list[str]:
    return [str(doubt) for doubt in form.read_form(FULL_FORM | changes, TODAY).doubts]


# reading a form


def test_the_fields_are_in_the_order_of_the_form():
    assert form.field_names("person") == (
        *("applicant_kind", "appeal_type", "first_name", "surname", "call_type", "region"),
        *("district", "mahalla", "address", "passport", "pinfl", "sex", "born", "group"),
        *("phone", "phone_at_hand", "employment", "openness", "direction", "gist"),
    )
    assert {"sex", "born"}.isdisjoint(form.field_names("entity"))


def test_a_full_form_is_read_into_columns():
    reading = form.read_form(FULL_FORM, TODAY)
    assert [str(doubt) for doubt in reading.doubts] == ["mahalla:unlisted"]
    assert reading.columns["phone"] == PHONE
    assert reading.columns["passport"] == "AB1234567"
    assert reading.columns["born_on"] == dt.date(1990, 1, 2)
    assert reading.columns["employment"] == "temporarily_unemployed"
    assert reading.mahalla_text == "Koʻktepa yangi"


def test_an_empty_form_is_read_with_a_doubt_for_each_missing_field():
    reading = form.read_form({}, TODAY)
    assert {doubt.code for doubt in reading.doubts} == {"empty"}
    assert [doubt.field for doubt in reading.doubts] == [
        *("appeal_type", "first_name", "surname", "region", "district", "mahalla", "address"),
        *("sex", "born", "group", "phone", "employment", "openness"),
    ]


def test_an_entity_is_asked_for_name_and_stir_but_not_for_a_birth_date():
    codes = doubt_codes(applicant_kind="entity", born="x", sex="", stir="12")
    assert codes == ["entity_name:empty", "stir:form", "mahalla:unlisted"]


def test_a_mahalla_implies_its_district_and_region(nilufar):
    mahalla = catalogs.get_or_create_mahalla("Yangi hayot", "1703202")
    columns = form.read_form({"mahalla": str(mahalla.id)}, TODAY).columns
    assert columns["district"].soato == "1703202"
    assert columns["region"].soato == "1703"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"district": "", "district_text": "Qayerdadir"}, "district:unlisted"),
        ({"region": "", "region_text": "Xitoy", "district": ""}, "region:unlisted"),
        ({"region": "1703"}, "district:elsewhere"),
        ({"group": "", "group_text": "Chavandoz"}, "group:unlisted"),
        ({"pinfl": "31210632040244"}, "pinfl:born"),
        ({"phone": "yoʻq"}, "phone:form"),
        ({"gist": ""}, None),
    ],
)
def test_a_doubtful_value_adds_its_doubt_code(changes, code):
    assert (
        (code in doubt_codes(**changes)) if code else doubt_codes(**changes) == ["mahalla:unlisted"]
    )


def test_a_mahalla_of_another_district_raises_a_doubt():
    mahalla = catalogs.get_or_create_mahalla("Yangi hayot", "1703202")
    Mahalla.update(typed=False).execute()
    assert doubt_codes(mahalla=str(mahalla.id), mahalla_text="Yangi hayot") == ["mahalla:elsewhere"]


def test_typed_text_is_never_lost():
    changes = {"region": "", "region_text": "Xitoy", "district": "", "district_text": "Shanxay"}
    columns = form.read_form(
        FULL_FORM | changes | {"born": "bahorda", "group": "", "group_text": "?"}, TODAY
    )
    columns_read = columns.columns
    assert (columns_read["region_text"], columns_read["district_text"]) == ("Xitoy", "Shanxay")
    assert (columns_read["born_text"], columns_read["group"]) == ("bahorda", "?")


# registering


def test_registering_saves_the_form_and_links_the_call(nilufar):
    call = create_call()
    start_talk(nilufar, call)
    drafts.save_draft(nilufar, drafts.token_for(nilufar, call), FULL_FORM)
    before = live.newest_event_id()
    appeal = Appeal.get_by_id(register_appeal(nilufar, call=call).id)
    year = clock.now().astimezone(TZ).year
    assert appeal.number == f"{year}-000001"
    assert (appeal.call_id, appeal.received_at) == (call.id, ARRIVED)
    assert appeal.mahalla.typed
    assert appeal.mahalla.district_id == "1718236"
    assert appeal.warnings == ["mahalla:unlisted"]
    assert appeal.applicant.surname == "Yoʻldosheva"
    assert Draft.select().count() == 0
    assert AuditEntry.select().order_by(AuditEntry.id.desc()).first().subject == appeal.number
    assert audit.first_broken_id() is None
    assert live.newest_event_id() > before


def test_an_empty_form_can_be_registered(nilufar):
    appeal = register_appeal(nilufar, {})
    assert appeal.number.endswith("-000001")
    assert "first_name:empty" in appeal.warnings


def test_a_form_sent_twice_is_registered_once(nilufar):
    call = create_call()
    start_talk(nilufar, call)
    token = drafts.token_for(nilufar, call)
    assert register_appeal(nilufar, token=token, call=call) == register_appeal(
        nilufar, token=token, call=call
    )
    # a second matter, same call
    assert register_appeal(nilufar, call=call).number.endswith("-000002")


def test_numbering_restarts_each_year(nilufar, monkeypatch):
    register_appeal(nilufar)
    eve = dt.datetime(2031, 12, 31, 18, 59, tzinfo=dt.UTC)  # 23:59 in Tashkent
    monkeypatch.setattr(clock, "now", lambda: eve)
    assert register_appeal(nilufar).number == "2031-000001"
    monkeypatch.setattr(clock, "now", lambda: eve + dt.timedelta(minutes=1))
    assert register_appeal(nilufar).number == "2032-000001"


def register_many(path: Path, login: str, count: int) -> None:
    """Register `count` appeals; runs in a process of its own."""
    db.open_database(path)
    hooks.appeal_registered.connect()
    operator = User.get(User.login == login)
    for _ in range(count):
        register_appeal(operator)
    db.database.close()


def test_operators_registering_at_the_same_time_get_distinct_numbers(tmp_path):
    logins = ["aziza", "bobur", "diyor", "elyor"]
    for login in logins:
        create_user(login)
    db.database.close()
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=register_many, args=(tmp_path / "site.db", login, 10))
        for login in logins
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 4
    db.open_database(tmp_path / "site.db")
    numbers = sorted(int(a.number.split("-")[1]) for a in Appeal.select())
    assert numbers == list(range(1, 41))


def test_one_form_sent_by_many_threads_registers_once(nilufar):
    numbers: list[str] = []

    def send_form() -> None:
        numbers.append(register_appeal(nilufar, token="one").number)
        db.database.close()

    threads = [threading.Thread(target=send_form) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(numbers) == 8
    assert len(set(numbers)) == Appeal.select().count() == 1


# drafts


def test_a_draft_belongs_to_its_operator_and_each_call_has_one(nilufar):
    call, bobur = create_call(), create_user("bobur")
    start_talk(nilufar, call)
    token = drafts.token_for(nilufar, call)
    drafts.save_draft(nilufar, token, {"first_name": " Aziza ", "evil": "x"})
    drafts.save_draft(nilufar, token, {"first_name": "Aziz"})
    assert drafts.find_call_draft(nilufar, call.id).values == {"first_name": "Aziz"}
    assert drafts.find_draft(bobur, token) is None
    assert drafts.operator_drafts(bobur) == []
    assert [d.token for d in drafts.operator_drafts(nilufar)] == [token]


def test_a_form_with_only_prefilled_values_is_not_listed_as_a_draft(nilufar):
    drafts.save_draft(nilufar, "t", {"applicant_kind": "person", "phone": PHONE})
    assert drafts.operator_drafts(nilufar) == []


def test_a_form_is_linked_only_to_a_call_of_its_operator(nilufar):
    call, bobur = create_call(), create_user("bobur")
    start_talk(nilufar, call)
    assert drafts.call_of_token(nilufar, drafts.token_for(nilufar, call)) == call
    assert drafts.call_of_token(bobur, drafts.token_for(bobur, call)) is None
    assert drafts.call_of_token(nilufar, drafts.token_for(nilufar, None)) is None


# the desk


def current_desk(operator: User, after: dt.timedelta = dt.timedelta(0)) -> OperatorDesk | None:
    return appeal_desk.current_desk(operator, ARRIVED + dt.timedelta(minutes=5) + after)


def end_call(call: Call) -> None:
    ended = ARRIVED + dt.timedelta(minutes=4)
    Talk.update(ended_at=ended).where(Talk.call == call).execute()
    Call.update(ended_at=ended, stage="ended").where(Call.id == call.id).execute()


def start_ringing(operator: User, call: Call) -> None:
    visit = QueueVisit.create(call=call, position=0, queue="uz", joined_at=ARRIVED)
    Ring.create(visit=visit, operator=operator.login, extension="1", started_at=ARRIVED)


def test_a_ringing_call_is_on_the_desk_until_it_moves_elsewhere(nilufar):
    assert current_desk(nilufar) is None
    start_ringing(nilufar, create_call())
    desk = current_desk(nilufar)
    assert (desk.stage, desk.since, desk.draft) == ("ringing", ARRIVED, None)
    Ring.update(ended_at=ARRIVED, result="no_answer").execute()
    assert current_desk(nilufar) is None


def test_the_form_stays_on_the_desk_after_the_call_until_it_is_registered(nilufar):
    call = create_call()
    start_talk(nilufar, call)
    assert current_desk(nilufar).stage == "talk"
    end_call(call)
    desk = current_desk(nilufar)
    assert (desk.stage, desk.since) == ("wrap_up", ARRIVED + dt.timedelta(minutes=4))
    register_appeal(nilufar, token=desk.token)
    assert current_desk(nilufar) is None


def test_a_form_without_a_call_has_a_token_before_it_is_started(nilufar):
    token = drafts.token_for(nilufar, None)
    assert desk_for_unregistered_form(nilufar, token).token == token
    drafts.save_draft(nilufar, token, FULL_FORM)
    assert desk_for_unregistered_form(nilufar, token).draft.values["first_name"] == "Gulchehra"
    register_appeal(nilufar, token=token)
    assert desk_for_unregistered_form(nilufar, token) is None
    assert desk_for_unregistered_form(nilufar, "../etc") is None


def test_a_form_set_aside_returns_to_the_desk_when_it_is_resumed(nilufar):
    call = create_call()
    start_talk(nilufar, call)
    end_call(call)
    token = current_desk(nilufar).token
    drafts.save_draft(nilufar, token, FULL_FORM, aside=True)
    assert current_desk(nilufar) is None
    assert desk_for_unregistered_form(nilufar, token).call == call
    drafts.save_draft(nilufar, token, FULL_FORM)
    assert current_desk(nilufar).token == token


def test_a_new_call_takes_over_the_desk_and_the_older_form_stays_in_the_list(nilufar):
    first = create_call()
    start_talk(nilufar, first)
    end_call(first)
    drafts.save_draft(nilufar, current_desk(nilufar).token, FULL_FORM)
    start_ringing(nilufar, second := create_call("2.1"))
    assert current_desk(nilufar).call == second
    assert [d.call_id for d in drafts.operator_drafts(nilufar)] == [first.id]


def test_an_empty_form_leaves_the_desk_after_the_shift_and_a_typed_one_does_not(nilufar):
    call = create_call()
    start_talk(nilufar, call)
    end_call(call)
    assert current_desk(nilufar, dt.timedelta(hours=13)) is None
    drafts.save_draft(nilufar, current_desk(nilufar).token, FULL_FORM)
    assert current_desk(nilufar, dt.timedelta(hours=13)).call == call


def test_another_form_can_be_started_after_registering_during_a_call(nilufar):
    call = create_call()
    start_talk(nilufar, call)
    register_appeal(nilufar, call=call)
    desk = current_desk(nilufar)
    assert desk.is_registered
    assert desk.is_closed
    drafts.save_draft(nilufar, desk.token, FULL_FORM)
    assert not current_desk(nilufar).is_registered


def test_saving_a_draft_after_registering_raises_already_registered(nilufar):
    appeal = register_appeal(nilufar, token="t")
    with pytest.raises(drafts.AlreadyRegistered) as error:
        drafts.save_draft(nilufar, "t", FULL_FORM)
    assert error.value.registration == appeal
    assert Draft.select().count() == 0


def test_an_older_browser_copy_does_not_overwrite_a_later_save(nilufar):
    saved = drafts.save_draft(nilufar, "t", {"first_name": "new"})
    before = saved.updated_at - dt.timedelta(seconds=1)
    drafts.save_draft(nilufar, "t", {"first_name": "old"}, typed_at=before)
    assert drafts.find_draft(nilufar, "t").values == {"first_name": "new"}


def test_a_late_save_is_dated_by_when_it_was_typed(nilufar):
    """A copy that a browser stored after that is therefore newer."""
    now = clock.now()
    saved = drafts.save_draft(nilufar, "t", {"gist": "new"}, typed_at=now)
    earlier = now - dt.timedelta(seconds=2)
    late = {"gist": "new", "surname": "Karimova"}
    merged = drafts.save_draft(nilufar, "t", late, typed_at=earlier, base={"gist": "new"})
    ahead = now + dt.timedelta(hours=1)  # according to the clock of a computer that is ahead
    future = drafts.save_draft(nilufar, "u", {"gist": "x"}, typed_at=ahead)
    assert (saved.updated_at, merged.updated_at, merged.values) == (now, now, late)
    assert future.updated_at < ahead


def test_when_two_pages_change_a_field_the_later_typed_value_wins_in_any_order_of_saving(nilufar):
    """The save of a page before its reload may arrive after that of the reloaded page."""
    now = clock.now()
    earlier = now - dt.timedelta(seconds=2)
    drafts.save_draft(
        nilufar, "t", {"gist": "01", "surname": "K"}, typed_at=now, base={"gist": "0"}
    )
    late = {"gist": "0!", "first_name": "A"}
    saved = drafts.save_draft(nilufar, "t", late, typed_at=earlier, base={"gist": "0"})
    assert saved.values == {"gist": "01", "surname": "K", "first_name": "A"}
    newer = drafts.save_draft(nilufar, "t", late, typed_at=clock.now(), base={"gist": "0"})
    assert newer.values["gist"] == "0!"


def test_a_discarded_draft_does_not_open_again(nilufar):
    call = create_call()
    start_talk(nilufar, call)
    token = drafts.token_for(nilufar, call)
    drafts.save_draft(nilufar, token, FULL_FORM)
    drafts.save_draft(nilufar, "without", FULL_FORM)
    drafts.discard_draft(nilufar, token)
    drafts.discard_draft(nilufar, "without")
    assert drafts.operator_drafts(nilufar) == []
    assert drafts.find_call_draft(nilufar, call.id).aside
    assert drafts.find_draft(nilufar, "without") is None


# who may see which appeals


def test_operators_see_their_own_appeals_and_those_of_the_current_caller(nilufar):
    bobur = create_user("bobur")
    visible = register_appeal(nilufar, FULL_FORM | {"phone": "901112233"})
    theirs = register_appeal(bobur)
    hidden = register_appeal(
        bobur, FULL_FORM | {"phone": "907776655", "first_name": "Boshqa", "pinfl": ""}
    )
    assert set(queries.visible_appeals(nilufar)) == {visible}
    start_talk(nilufar, create_call())
    assert set(queries.visible_appeals(nilufar)) == {visible, theirs}
    assert hidden in set(queries.visible_appeals(create_user("boss", "supervisor")))


@pytest.mark.parametrize("role", ["technician", "backup"])
def test_technicians_and_backup_users_see_no_appeals(nilufar, role):
    register_appeal(nilufar)
    assert list(queries.visible_appeals(create_user("someone", role))) == []


@pytest.mark.parametrize("role", ["supervisor", "manager", "ministry"])
def test_supervisors_managers_and_the_ministry_see_all_appeals(nilufar, role):
    assert list(queries.visible_appeals(create_user("boss", role))) == []
    appeal = register_appeal(nilufar)
    assert list(queries.visible_appeals(User.get(User.login == "boss"))) == [appeal]


def test_appeals_of_a_caller_are_found_by_phone_and_by_pinfl(nilufar):
    first, second = (
        register_appeal(nilufar),
        register_appeal(nilufar, FULL_FORM | {"phone": "901234567"}),
    )
    assert queries.appeals_of_caller("+998901234567") == [second, first]  # linked by the PINFL
    assert queries.appeals_of_caller(PHONE) == [first]
    assert queries.appeals_of_caller(None) == []


# spelling


def test_spelling_of_names_and_documents_is_normalised():
    typed = {"first_name": "G`ulnora", "surname": " Yo'ldosheva ", "passport": "ab 123456"}
    reading = form.read_form(
        FULL_FORM | typed | {"consultation": "1", "consultation_contact": "O'. A"}, TODAY
    )
    columns = {name: reading.columns[name] for name in (*typed, "consultation_contact")}
    assert columns == {
        "first_name": "Gʻulnora",
        "surname": "Yoʻldosheva",
        "passport": "AB123456",
        "consultation_contact": "Oʻ. A",
    }
    assert reading.columns["typed"] == {}
    assert "passport:form" in [str(doubt) for doubt in reading.doubts]  # a digit is missing
    assert form.read_form({"passport": "ab1234567"}, TODAY).columns["passport"] == "AB1234567"
    assert form.read_form({"passport": "yoʻq"}, TODAY).columns["passport"] == "yoʻq"


def test_the_typed_text_is_stored_too_when_it_differs_by_more_than_spelling(settings, nilufar):
    cyrillic = "ав 1234567"  # letters that look like Latin ones
    appeal = register_appeal(nilufar, values=FULL_FORM | {"passport": cyrillic})
    assert (appeal.passport, appeal.typed) == ("AB1234567", {"passport": cyrillic})
    calendar = catalogs.working_calendar(settings)
    values = prefill.form_values(appeal)
    correcting.correct_appeal(appeal, values | {"gist": "Boshqa"}, "nilufar", 1, calendar)
    assert Appeal.get_by_id(appeal.id).typed == {"passport": cyrillic}
    correcting.correct_appeal(appeal, values | {"passport": "AC1234567"}, "nilufar", 2, calendar)
    assert Appeal.get_by_id(appeal.id).typed == {}


def test_a_typed_mahalla_is_added_with_normalised_spelling(nilufar):
    appeal = register_appeal(
        nilufar, values=FULL_FORM | {"mahalla": "", "mahalla_text": "Ko'k  tosh"}
    )
    assert appeal.mahalla.name_uz_latn == "Koʻk tosh"


def test_switching_between_forms_keeps_the_values_of_the_first(nilufar):
    call = create_call()
    start_talk(nilufar, call)
    token = drafts.token_for(nilufar, call)
    drafts.save_draft(nilufar, token, {"surname": "Karimova"}, form="2", base={})
    prefilled = {"surname": "Karimova", "phone": PHONE, "openness": "open"}
    typed = prefilled | {"first_name": "Aziza"}
    assert drafts.save_draft(nilufar, token, typed, form="1", base=prefilled).values == typed
    # Emptied by another page of the same form: it stays empty.
    drafts.save_draft(nilufar, token, typed | {"phone": ""}, form="1", base=typed)
    later = drafts.save_draft(nilufar, token, typed | {"gist": "x"}, form="1", base=typed)
    assert "phone" not in later.values
