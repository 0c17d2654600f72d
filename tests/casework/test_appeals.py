"""Appeals: what form №1 holds, numbers without gaps, drafts, who sees what."""

import datetime as dt
import multiprocessing
import threading
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from appliance.casework import appeals, catalogs
from appliance.casework.appeals import form
from appliance.core import audit, clock, db, live
from appliance.models import Appeal, AuditEntry, Call, Draft, Mahalla, QueueVisit, Ring, Talk, User

TZ = ZoneInfo("Asia/Tashkent")
TODAY = dt.date(2026, 11, 24)
ARRIVED = dt.datetime(2026, 11, 24, 9, 30, tzinfo=TZ)
PHONE = "+998935550147"
FULL = {
    "applicant_kind": "person",
    "appeal_type": "application",
    "first_name": "Gulchehra",
    "surname": "Yoʻldosheva",
    "call_type": "appeal",
    "region": "1718",
    "district": "1718236",
    "mahalla_text": "Koʻktepa yangi",
    "address": "Navroʻz koʻchasi, 12-uy",
    "passport": "AB 1234567",
    "pinfl": "4 020190 205 001 0",
    "sex": "f",
    "born": "02.01.1990",
    "group": "low_income_family",
    "phone": "93 555 01 47",
    "phone_at_hand": "",
    "employment_text": "Vaqtincha ishsiz",
    "openness": "open",
    "direction": "subsidies",
    "gist": "Tikuv mashinasi uchun subsidiya soʻragan.",
}


pytestmark = pytest.mark.usefixtures("settings")


def user(login: str, role: str = "operator") -> User:
    return User.create(
        login=login, name=login.title(), role=role, password_hash="", created_at=clock.now()
    )


def a_call(id: str = "1.1", caller: str | None = PHONE) -> Call:
    return Call.create(
        id=id, direction="inbound", arrived_at=ARRIVED, caller=caller, stage="talk", menu=[]
    )


def speaks(operator: User, call: Call) -> None:
    Talk.create(
        call=call, position=1, party="operator", who=operator.login, started_at=call.arrived_at
    )


def register(
    operator: User, values: dict[str, str] | None = None, token: str = "", **more
) -> Appeal:
    call = more.pop("call", None)
    return appeals.register(
        FULL if values is None else values,
        operator=operator,
        token=token or appeals.token_for(operator, call),
        tz=TZ,
    )


def doubts(**changes: str) -> list[str]:
    return [str(doubt) for doubt in form.read(FULL | changes, TODAY).doubts]


# what a form holds


def test_the_fields_stand_in_the_forms_order():
    assert form.fields_of("person") == (
        *("applicant_kind", "appeal_type", "first_name", "surname", "call_type", "region"),
        *("district", "mahalla", "address", "passport", "pinfl", "sex", "born", "group"),
        *("phone", "phone_at_hand", "employment", "openness", "direction", "gist"),
    )
    assert {"sex", "born"}.isdisjoint(form.fields_of("entity"))


def test_a_full_form_is_understood():
    reading = form.read(FULL, TODAY)
    assert [str(doubt) for doubt in reading.doubts] == ["mahalla:unlisted"]
    assert reading.columns["phone"] == PHONE
    assert reading.columns["passport"] == "AB1234567"
    assert reading.columns["born_on"] == dt.date(1990, 1, 2)
    assert reading.columns["employment"] == "temporarily_unemployed"
    assert reading.mahalla_text == "Koʻktepa yangi"


def test_an_empty_form_is_understood_too():
    reading = form.read({}, TODAY)
    assert {doubt.code for doubt in reading.doubts} == {"empty"}
    assert [doubt.field for doubt in reading.doubts] == [
        *("appeal_type", "first_name", "surname", "region", "district", "mahalla", "address"),
        *("sex", "born", "group", "phone", "employment", "openness"),
    ]


def test_an_entity_is_asked_for_its_name_and_stir_and_for_no_birth_date():
    said = doubts(applicant_kind="entity", born="x", sex="", stir="12")
    assert said == ["entity_name:empty", "stir:form", "mahalla:unlisted"]


def test_the_narrower_place_tells_the_wider(nilufar):
    mahalla = catalogs.remember_mahalla("Yangi hayot", "1703202")
    columns = form.read({"mahalla": str(mahalla.id)}, TODAY).columns
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
def test_doubts(changes, code):
    assert (code in doubts(**changes)) if code else doubts(**changes) == ["mahalla:unlisted"]


def test_a_mahalla_of_another_district_is_doubted():
    mahalla = catalogs.remember_mahalla("Yangi hayot", "1703202")
    Mahalla.update(typed=False).execute()
    assert doubts(mahalla=str(mahalla.id), mahalla_text="Yangi hayot") == ["mahalla:elsewhere"]


def test_typed_text_is_never_lost():
    changes = {"region": "", "region_text": "Xitoy", "district": "", "district_text": "Shanxay"}
    columns = form.read(FULL | changes | {"born": "bahorda", "group": "", "group_text": "?"}, TODAY)
    kept = columns.columns
    assert (kept["region_text"], kept["district_text"]) == ("Xitoy", "Shanxay")
    assert (kept["born_text"], kept["group"]) == ("bahorda", "?")


# registering


def test_registering_keeps_the_form_and_the_call(nilufar):
    call = a_call()
    speaks(nilufar, call)
    appeals.save_draft(nilufar, appeals.token_for(nilufar, call), FULL)
    before = live.newest()
    appeal = Appeal.get_by_id(register(nilufar, call=call).id)
    year = clock.now().astimezone(TZ).year
    assert appeal.number == f"{year}-000001"
    assert (appeal.call_id, appeal.received_at) == (call.id, ARRIVED)
    assert appeal.mahalla.typed
    assert appeal.mahalla.district_id == "1718236"
    assert appeal.warnings == ["mahalla:unlisted"]
    assert appeal.applicant.surname == "Yoʻldosheva"
    assert Draft.select().count() == 0
    assert AuditEntry.select().order_by(AuditEntry.id.desc()).first().subject == appeal.number
    assert audit.broken_at() is None
    assert live.newest() > before


def test_nothing_blocks(nilufar):
    appeal = register(nilufar, {})
    assert appeal.number.endswith("-000001")
    assert "first_name:empty" in appeal.warnings


def test_sent_twice_it_counts_once(nilufar):
    call = a_call()
    speaks(nilufar, call)
    token = appeals.token_for(nilufar, call)
    assert register(nilufar, token=token, call=call) == register(nilufar, token=token, call=call)
    assert register(nilufar, call=call).number.endswith("-000002")  # a second matter, same call


def test_numbers_begin_anew_in_another_year(nilufar, monkeypatch):
    register(nilufar)
    eve = dt.datetime(2031, 12, 31, 18, 59, tzinfo=dt.UTC)  # 23:59 in Tashkent
    monkeypatch.setattr(clock, "now", lambda: eve)
    assert register(nilufar).number == "2031-000001"
    monkeypatch.setattr(clock, "now", lambda: eve + dt.timedelta(minutes=1))
    assert register(nilufar).number == "2032-000001"


def register_many(path: Path, login: str, count: int) -> None:
    """Runs in a process of its own."""
    db.open_database(path)
    operator = User.get(User.login == login)
    for _ in range(count):
        register(operator)
    db.database.close()


def test_operators_at_the_same_instant_get_two_numbers(tmp_path):
    logins = ["aziza", "bobur", "diyor", "elyor"]
    for login in logins:
        user(login)
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
    found: list[str] = []

    def send() -> None:
        found.append(register(nilufar, token="one").number)
        db.database.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 8
    assert len(set(found)) == Appeal.select().count() == 1


# drafts


def test_a_draft_is_the_operators_own_and_one_a_call(nilufar):
    call, other = a_call(), user("bobur")
    speaks(nilufar, call)
    token = appeals.token_for(nilufar, call)
    appeals.save_draft(nilufar, token, {"first_name": " Aziza ", "evil": "x"})
    appeals.save_draft(nilufar, token, {"first_name": "Aziz"})
    assert appeals.draft_of(nilufar, call.id).values == {"first_name": "Aziz"}
    assert appeals.draft(other, token) is None
    assert appeals.drafts(other) == []
    assert [d.token for d in appeals.drafts(nilufar)] == [token]


def test_nothing_typed_is_no_draft_to_finish(nilufar):
    appeals.save_draft(nilufar, "t", {"applicant_kind": "person", "phone": PHONE})
    assert appeals.drafts(nilufar) == []


def test_a_form_belongs_to_a_call_of_the_operators_own(nilufar):
    call, other = a_call(), user("bobur")
    speaks(nilufar, call)
    assert appeals.call_of(nilufar, appeals.token_for(nilufar, call)) == call
    assert appeals.call_of(other, appeals.token_for(other, call)) is None
    assert appeals.call_of(nilufar, appeals.token_for(nilufar, None)) is None


# the desk


def at_hand(operator: User, after: dt.timedelta = dt.timedelta(0)) -> appeals.Desk | None:
    return appeals.at_hand(operator, ARRIVED + dt.timedelta(minutes=5) + after)


def hang_up(call: Call) -> None:
    ended = ARRIVED + dt.timedelta(minutes=4)
    Talk.update(ended_at=ended).where(Talk.call == call).execute()
    Call.update(ended_at=ended, stage="ended").where(Call.id == call.id).execute()


def rings(operator: User, call: Call) -> None:
    visit = QueueVisit.create(call=call, position=0, queue="uz", joined_at=ARRIVED)
    Ring.create(visit=visit, operator=operator.login, extension="1", started_at=ARRIVED)


def test_a_call_that_rings_lies_on_the_desk_and_leaves_it_when_it_goes_elsewhere(nilufar):
    assert at_hand(nilufar) is None
    rings(nilufar, a_call())
    desk = at_hand(nilufar)
    assert (desk.stage, desk.since, desk.draft) == ("ringing", ARRIVED, None)
    Ring.update(ended_at=ARRIVED, result="no_answer").execute()
    assert at_hand(nilufar) is None


def test_the_form_stays_after_the_call_until_it_is_registered(nilufar):
    call = a_call()
    speaks(nilufar, call)
    assert at_hand(nilufar).stage == "talk"
    hang_up(call)
    desk = at_hand(nilufar)
    assert (desk.stage, desk.since) == ("wrap_up", ARRIVED + dt.timedelta(minutes=4))
    register(nilufar, token=desk.token)
    assert at_hand(nilufar) is None


def test_a_form_without_a_call_has_a_name_before_it_is_begun(nilufar):
    token = appeals.token_for(nilufar, None)
    assert appeals.of_form(nilufar, token).token == token
    appeals.save_draft(nilufar, token, FULL)
    assert appeals.of_form(nilufar, token).draft.values["first_name"] == "Gulchehra"
    register(nilufar, token=token)
    assert appeals.of_form(nilufar, token) is None
    assert appeals.of_form(nilufar, "../etc") is None


def test_a_form_put_aside_comes_back_when_it_is_taken_up(nilufar):
    call = a_call()
    speaks(nilufar, call)
    hang_up(call)
    token = at_hand(nilufar).token
    appeals.save_draft(nilufar, token, FULL, aside=True)
    assert at_hand(nilufar) is None
    assert appeals.of_form(nilufar, token).call == call
    appeals.save_draft(nilufar, token, FULL)
    assert at_hand(nilufar).token == token


def test_a_new_call_takes_the_desk_and_the_older_form_stays_in_the_list(nilufar):
    first = a_call()
    speaks(nilufar, first)
    hang_up(first)
    appeals.save_draft(nilufar, at_hand(nilufar).token, FULL)
    rings(nilufar, second := a_call("2.1"))
    assert at_hand(nilufar).call == second
    assert [d.call_id for d in appeals.drafts(nilufar)] == [first.id]


def test_nothing_typed_is_forgotten_after_the_shift_and_what_was_typed_is_not(nilufar):
    call = a_call()
    speaks(nilufar, call)
    hang_up(call)
    assert at_hand(nilufar, dt.timedelta(hours=13)) is None
    appeals.save_draft(nilufar, at_hand(nilufar).token, FULL)
    assert at_hand(nilufar, dt.timedelta(hours=13)).call == call


def test_in_a_call_one_may_register_and_begin_another_form(nilufar):
    call = a_call()
    speaks(nilufar, call)
    register(nilufar, call=call)
    desk = at_hand(nilufar)
    assert desk.done
    assert desk.closed
    appeals.save_draft(nilufar, desk.token, FULL)
    assert not at_hand(nilufar).done


def test_a_draft_that_comes_after_registering_says_so(nilufar):
    appeal = register(nilufar, token="t")
    with pytest.raises(appeals.AlreadyRegistered) as told:
        appeals.save_draft(nilufar, "t", FULL)
    assert told.value.registered == appeal
    assert Draft.select().count() == 0


def test_what_a_browser_kept_does_not_overwrite_what_was_saved_later(nilufar):
    saved = appeals.save_draft(nilufar, "t", {"first_name": "new"})
    before = saved.updated_at - dt.timedelta(seconds=1)
    appeals.save_draft(nilufar, "t", {"first_name": "old"}, typed_at=before)
    assert appeals.draft(nilufar, "t").values == {"first_name": "new"}


def test_what_is_saved_late_is_as_old_as_it_was_typed(nilufar):
    """So what a browser has kept since is newer."""
    now = clock.now()
    kept = appeals.save_draft(nilufar, "t", {"gist": "new"}, typed_at=now)
    earlier = now - dt.timedelta(seconds=2)
    late = {"gist": "new", "surname": "Karimova"}
    again = appeals.save_draft(nilufar, "t", late, typed_at=earlier, base={"gist": "new"})
    ahead = now + dt.timedelta(hours=1)  # by the clock of a computer
    last = appeals.save_draft(nilufar, "u", {"gist": "x"}, typed_at=ahead)
    assert (kept.updated_at, again.updated_at, again.values) == (now, now, late)
    assert last.updated_at < ahead


def test_of_what_two_pages_changed_the_later_typed_stays_whichever_comes_first(nilufar):
    """The save of a page that was loaded anew may come after that of the next one."""
    now = clock.now()
    earlier = now - dt.timedelta(seconds=2)
    appeals.save_draft(
        nilufar, "t", {"gist": "01", "surname": "K"}, typed_at=now, base={"gist": "0"}
    )
    late = {"gist": "0!", "first_name": "A"}
    kept = appeals.save_draft(nilufar, "t", late, typed_at=earlier, base={"gist": "0"})
    assert kept.values == {"gist": "01", "surname": "K", "first_name": "A"}
    newer = appeals.save_draft(nilufar, "t", late, typed_at=clock.now(), base={"gist": "0"})
    assert newer.values["gist"] == "0!"


def test_a_discarded_draft_opens_no_more(nilufar):
    call = a_call()
    speaks(nilufar, call)
    token = appeals.token_for(nilufar, call)
    appeals.save_draft(nilufar, token, FULL)
    appeals.save_draft(nilufar, "without", FULL)
    appeals.discard_draft(nilufar, token)
    appeals.discard_draft(nilufar, "without")
    assert appeals.drafts(nilufar) == []
    assert appeals.draft_of(nilufar, call.id).aside
    assert appeals.draft(nilufar, "without") is None


# who sees what


def test_operators_see_their_own_and_those_of_the_caller_at_hand(nilufar):
    bobur = user("bobur")
    own = register(nilufar, FULL | {"phone": "901112233"})
    theirs = register(bobur)
    hidden = register(bobur, FULL | {"phone": "907776655", "first_name": "Boshqa", "pinfl": ""})
    assert set(appeals.visible_to(nilufar)) == {own}
    speaks(nilufar, a_call())
    assert set(appeals.visible_to(nilufar)) == {own, theirs}
    assert hidden in set(appeals.visible_to(user("boss", "supervisor")))


@pytest.mark.parametrize("role", ["technician", "backup"])
def test_others_see_none(nilufar, role):
    register(nilufar)
    assert list(appeals.visible_to(user("someone", role))) == []


@pytest.mark.parametrize("role", ["supervisor", "manager", "ministry"])
def test_those_in_charge_see_all(nilufar, role):
    assert list(appeals.visible_to(user("boss", role))) == []
    appeal = register(nilufar)
    assert list(appeals.visible_to(User.get(User.login == "boss"))) == [appeal]


def test_appeals_of_a_caller(nilufar):
    first, second = register(nilufar), register(nilufar, FULL | {"phone": "901234567"})
    assert appeals.of_caller("+998901234567") == [second, first]  # known by the PINFL
    assert appeals.of_caller(PHONE) == [first]
    assert appeals.of_caller(None) == []


# spelling


def test_names_and_documents_are_put_right_in_their_spelling():
    typed = {"first_name": "G`ulnora", "surname": " Yo'ldosheva ", "passport": "ab 123456"}
    reading = form.read(
        FULL | typed | {"consultation": "1", "consultation_contact": "O'. A"}, TODAY
    )
    told = {name: reading.columns[name] for name in (*typed, "consultation_contact")}
    assert told == {
        "first_name": "Gʻulnora",
        "surname": "Yoʻldosheva",
        "passport": "AB123456",
        "consultation_contact": "Oʻ. A",
    }
    assert reading.columns["typed"] == {}
    assert "passport:form" in [str(doubt) for doubt in reading.doubts]  # a digit is missing
    assert form.read({"passport": "ab1234567"}, TODAY).columns["passport"] == "AB1234567"
    assert form.read({"passport": "yoʻq"}, TODAY).columns["passport"] == "yoʻq"


def test_what_was_typed_stays_beside_it_when_it_differs_in_more(settings, nilufar):
    cyrillic = "ав 1234567"  # letters that look like Latin ones
    appeal = register(nilufar, values=FULL | {"passport": cyrillic})
    assert (appeal.passport, appeal.typed) == ("AB1234567", {"passport": cyrillic})
    calendar = catalogs.working_calendar(settings)
    values = appeals.values_of(appeal)
    appeals.correct(appeal, values | {"gist": "Boshqa"}, "nilufar", 1, calendar)
    assert Appeal.get_by_id(appeal.id).typed == {"passport": cyrillic}
    appeals.correct(appeal, values | {"passport": "AC1234567"}, "nilufar", 2, calendar)
    assert Appeal.get_by_id(appeal.id).typed == {}


def test_a_typed_mahalla_is_offered_as_it_is_spelt(nilufar):
    appeal = register(nilufar, values=FULL | {"mahalla": "", "mahalla_text": "Ko'k  tosh"})
    assert appeal.mahalla.name_uz_latn == "Koʻk tosh"


def test_what_a_form_gave_is_kept_after_the_other_one(nilufar):
    call = a_call()
    speaks(nilufar, call)
    token = appeals.token_for(nilufar, call)
    appeals.save_draft(nilufar, token, {"surname": "Karimova"}, form="2", base={})
    given = {"surname": "Karimova", "phone": PHONE, "openness": "open"}
    typed = given | {"first_name": "Aziza"}
    assert appeals.save_draft(nilufar, token, typed, form="1", base=given).values == typed
    # Emptied by another page of the same form: it stays so.
    appeals.save_draft(nilufar, token, typed | {"phone": ""}, form="1", base=typed)
    later = appeals.save_draft(nilufar, token, typed | {"gist": "x"}, form="1", base=typed)
    assert "phone" not in later.values
