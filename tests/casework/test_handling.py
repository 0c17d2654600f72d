"""What is done with an appeal: states as a table, one winner of two, nothing lost on the way."""

import datetime as dt
import threading
from typing import Any

import pytest

from appliance.casework import appeals, catalogs, departments
from appliance.casework.appeals import correcting, deadlines, handling, listing, searching, states
from appliance.casework.appeals.handling import HandlingError
from appliance.casework.appeals.listing import Filters
from appliance.casework.appeals.statistics import statistics
from appliance.core import audit, clock, db, live
from appliance.models import Appeal, AuditEntry, Department, Handling
from appliance.people import accounts, staff
from tests.casework.test_appeals import FULL

TODAY = dt.date(2026, 11, 24)


@pytest.fixture
def calendar(settings):
    return catalogs.working_calendar(settings)


@pytest.fixture
def labour(settings) -> Department:
    """The department for subsidies."""
    made = departments.add({"name_uz_latn": "Bandlik boshqarmasi"}, own_body=False, by="sherzod")
    departments.send_direction("subsidies", made.id, by="sherzod")
    return made


@pytest.fixture
def migration(settings) -> Department:
    """A body of its own."""
    return departments.add({"name_uz_latn": "Migratsiya agentligi"}, own_body=True, by="sherzod")


@pytest.fixture
def registered(nilufar, labour, calendar, monkeypatch):
    """Register an appeal at 10:00 of a day; gives it back."""

    def register(day: dt.date = TODAY, **values: str) -> Appeal:
        moment = dt.datetime.combine(day, dt.time(10), calendar.tz).astimezone(dt.UTC)
        with monkeypatch.context() as at:
            at.setattr(clock, "now", lambda: moment)
            return appeals.register(
                FULL | values,
                operator=nilufar,
                token=appeals.token_for(nilufar, None),
                tz=calendar.tz,
                calendar=calendar,
            )

    return register


def stands(appeal: Appeal) -> Handling:
    return Handling.get_by_id(appeal.id)


def do(action: str, appeal: Appeal, by: str = "bahodir", version: int | None = None) -> None:
    """One step with whatever it needs."""
    other = Department.get_or_none(Department.code == "migratsiya_agentligi")
    text = "Sababi bor"
    version = version or stands(appeal).version
    handling.do(action, appeal, by, version, TODAY, text, other)


# registering


def test_registering_gives_department_and_deadline_at_once(registered, labour):
    before = live.newest()
    now = stands(registered())
    assert (now.state, now.department, now.holder) == ("registered", labour, "")
    assert (now.registered_on, now.due_on) == (TODAY, dt.date(2026, 12, 9))
    assert now.forward_by == dt.date(2026, 11, 29)
    assert live.newest() > before
    assert stands(registered(direction="training")).department is None
    assert stands(registered(appeal_type="proposal")).due_on == dt.date(2026, 12, 24)


def test_appeals_of_before_get_theirs(registered, calendar):
    appeal = registered()
    due_on = stands(appeal).due_on
    Handling.delete().execute()
    assert appeals.begin_missing(calendar) == 1
    assert stands(appeal).due_on == due_on
    assert appeals.begin_missing(calendar) == 0


# states, as a table: where each way leads from registered, and what may be done there

IN_WORK = "take answer interim return forward extend dismiss consult conclude add correct"
WAYS = {
    "": f"registered: {IN_WORK}",
    "take": f"taken: {IN_WORK}",
    "interim": f"taken: {IN_WORK}",
    "extend": f"registered: {IN_WORK}",
    "return": "returned: take consult conclude add correct resend",
    "return take": f"taken: {IN_WORK}",
    "answer": "answered: close undo reopen consult conclude correct",
    "dismiss": "closed: reopen consult conclude correct",
    "answer close": "closed: reopen consult conclude correct",
    "answer reopen": f"taken: {IN_WORK}",
    "answer close reopen": f"taken: {IN_WORK}",
    "take forward": f"registered: {IN_WORK}",
}


@pytest.mark.parametrize("way", WAYS)
def test_states(registered, migration, way):
    appeal = registered()
    for action in way.split():
        do(action, appeal)
    now = stands(appeal)
    assert f"{now.state}: {' '.join(states.possible(now.state))}" == WAYS[way]
    assert now.is_open == (now.state in states.OPEN)
    assert [step.action for step in handling.steps(appeal)] == way.split()[::-1]
    for action in (
        set(states.MOVES)
        - set(states.possible(now.state))
        - {"resend", "correct", "consult", "conclude", "undo", "add"}
    ):
        with pytest.raises(HandlingError, match="state"):
            do(action, appeal)
    assert stands(appeal).version == now.version
    assert audit.broken_at() is None


# Counted by hand, not from the table: an answer, a refusal and what concerns others need a text.
NEED_A_TEXT = (
    *("answer", "interim", "return", "forward", "extend", "dismiss", "reopen"),
    *("consult", "conclude", "add"),
)
ONLY_BY_THEIR_HOLDER = ("answer", "interim", "return", "forward", "extend", "dismiss")


@pytest.mark.parametrize("action", states.MOVES)
def test_each_step_asks_for_what_it_needs(action):
    move = states.MOVES[action]
    assert move.words == (action in NEED_A_TEXT)
    assert move.held == (action in ONLY_BY_THEIR_HOLDER)


@pytest.mark.parametrize("action", NEED_A_TEXT)
def test_words_are_asked_for(registered, action):
    with pytest.raises(HandlingError, match="words"):
        handling._do(registered(), action, "bahodir", 1, text=" \n")


def test_two_at_once_cannot_both_take_it(registered):
    appeal = registered()
    start, won, told = threading.Barrier(8), [], []

    def take(who: str) -> None:
        start.wait(30)
        try:
            handling.take(appeal, who, 1)
            won.append(who)
        except HandlingError as error:
            told.append(error.code)
        finally:
            db.database.close()

    threads = [threading.Thread(target=take, args=(f"person{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert told == ["changed"] * 7
    assert [stands(appeal).holder] == won == [step.who for step in handling.steps(appeal)]


def test_a_colleague_must_take_it_over_first(registered):
    appeal = registered()
    do("take", appeal)
    for action in ("answer", "return", "extend", "dismiss"):
        with pytest.raises(HandlingError, match="held"):
            do(action, appeal, by="gulnora")
    do("take", appeal, by="gulnora")
    assert handling.steps(appeal)[0].detail == {"from": "bahodir"}
    do("answer", appeal, by="gulnora")


# terms


def test_a_term_is_lengthened_twice_and_not_after_it_is_over(registered):
    appeal = registered()
    do("extend", appeal)
    assert stands(appeal).due_on == dt.date(2026, 12, 24)
    do("extend", appeal)
    assert stands(appeal).due_on == dt.date(2027, 1, 24)
    assert handling.steps(appeal)[0].detail == {"from": "2026-12-24", "to": "2027-01-24"}
    with pytest.raises(HandlingError, match="term"):
        do("extend", appeal)
    with pytest.raises(HandlingError, match="overdue"):
        do("extend", registered(TODAY - dt.timedelta(days=20)))


def test_forwarding_within_the_ministry_keeps_the_term(registered, labour):
    appeal = registered(TODAY - dt.timedelta(days=7), direction="training")
    due_on = stands(appeal).due_on
    handling.forward(appeal, labour, "Ularning ishi", "bahodir", 1, TODAY)
    now = stands(appeal)
    assert (now.department, now.due_on, now.state) == (labour, due_on, "registered")
    assert handling.steps(appeal)[0].detail["late"]
    with pytest.raises(HandlingError, match="department"):
        handling.forward(appeal, labour, "Yana", "bahodir", 2, TODAY)


def test_forwarding_to_a_body_of_its_own_begins_the_term_anew(registered, migration):
    appeal = registered(TODAY - dt.timedelta(days=2))
    do("take", appeal)
    do("forward", appeal)
    now = stands(appeal)
    assert (now.department, now.holder, now.counts_from) == (migration, "", TODAY)
    assert now.due_on == TODAY + deadlines.BASIC
    assert not handling.steps(appeal)[0].detail["late"]


def test_an_explanation_is_due_in_ten_days(registered):
    appeal = registered()
    do("answer", appeal)
    assert stands(appeal).answered_on == TODAY
    do("reopen", appeal)
    now = stands(appeal)
    assert (now.due_on, now.answered_on) == (TODAY + deadlines.EXPLAIN, None)


def test_who_was_contacted_and_when_is_noted(registered):
    appeal = registered(consultation="1")
    for number, contact in enumerate(("A. Sobirov", "B. Olimova"), 1):
        handling.consult(appeal, contact, "bahodir", number)
    told = Appeal.get_by_id(appeal.id)
    assert (told.consultation, told.consultation_contact) == (True, "A. Sobirov; B. Olimova")
    assert [(s.text, s.who) for s in handling.steps(appeal)] == [
        ("B. Olimova", "bahodir"),
        ("A. Sobirov", "bahodir"),
    ]
    with pytest.raises(HandlingError, match="changed"):
        handling.consult(appeal, "C", "bahodir", 1)
    assert Appeal.get_by_id(appeal.id).consultation_contact == "A. Sobirov; B. Olimova"


# correcting


def test_a_returned_appeal_is_corrected_and_goes_back(registered, nilufar, calendar):
    appeal = registered()
    do("return", appeal)
    assert appeals.returned_to(nilufar) == [appeal]
    values = FULL | {"address": "Yangi koʻcha, 1", "gist": "Boshqa mazmun"}
    changes = appeals.correct(appeal, values, "nilufar", stands(appeal).version, calendar)
    assert changes == {
        "address": ["Navroʻz koʻchasi, 12-uy", "Yangi koʻcha, 1"],
        "gist": ["Tikuv mashinasi uchun subsidiya soʻragan.", "Boshqa mazmun"],
    }
    now = stands(appeal)
    assert (now.state, now.holder, now.is_open) == ("taken", "bahodir", True)
    assert appeals.returned_to(nilufar) == []
    step = handling.steps(appeal)[0]
    assert (step.action, step.who, step.detail) == ("resend", "nilufar", {"changes": changes})
    assert Appeal.get_by_id(appeal.id).address == "Yangi koʻcha, 1"
    assert searching.found(["boshqa"]).count() == 1


def test_every_wording_is_kept(registered, calendar):
    appeal = registered()
    for number, street in enumerate(("Bir", "Ikki", "Ikki", "Uch")):
        appeal = Appeal.get_by_id(appeal.id)
        version = stands(appeal).version
        appeals.correct(appeal, FULL | {"address": street}, "dilnoza", version, calendar)
        assert stands(appeal).version == version + (number != 2)  # nothing changed: nothing done
    kept = [(w.number, w.values["address"]) for w in appeals.wordings(appeal)]
    assert kept == [(1, "Navroʻz koʻchasi, 12-uy"), (2, "Bir"), (3, "Ikki")]
    assert appeal.number == Appeal.get_by_id(appeal.id).number


def test_of_two_corrections_the_slower_one_changes_nothing(registered, calendar):
    appeal = registered()
    appeals.correct(appeal, FULL | {"gist": "Birinchi"}, "nilufar", 1, calendar)
    with pytest.raises(HandlingError, match="changed"):
        appeals.correct(appeal, FULL | {"gist": "Ikkinchi"}, "dilnoza", 1, calendar)
    assert Appeal.get_by_id(appeal.id).gist == "Birinchi"
    assert len(appeals.wordings(appeal)) == 1


def test_another_kind_has_another_term(registered, calendar):
    appeal = registered()
    appeals.correct(appeal, FULL | {"appeal_type": "proposal"}, "dilnoza", 1, calendar)
    assert stands(appeal).due_on == dt.date(2026, 12, 24)


def test_a_form_sent_as_it_stands_changes_nothing(registered, calendar):
    told = {"consultation": "1", "consultation_issue": "Nafaqa", "born": "bahorda", "sex": ""}
    appeal = registered(**told)
    values = correcting.whole_values(Appeal.get_by_id(appeal.id))
    assert appeals.correct(appeal, values, "nilufar", 1, calendar) == {}


# lists


def numbers(filters: Filters, within: int | None = None) -> list[int]:
    return [a.id for a in listing.listed(filters, TODAY, within, 50)]


def test_the_overdue_stand_first(registered):
    ages = (1, 30, 15, 12, 18)
    made = {age: registered(TODAY - dt.timedelta(days=age)).id for age in ages}
    assert numbers(Filters(state="open")) == [made[age] for age in (30, 18, 15, 12, 1)]
    assert numbers(Filters(when="overdue")) == [made[30], made[18]]
    assert numbers(Filters(when="today")) == [made[15]]
    assert numbers(Filters(when="soon")) == [made[12]]
    counts = listing.counted(Filters(), TODAY, None)
    assert {c: counts[c] for c in (*listing.WHENS, "open", "answered")} == {
        **{"overdue": 2, "today": 1, "soon": 1, "later": 1, "open": 5},
        "answered": 0,
    }


def test_filters(registered, labour):
    one = registered()
    two = registered(
        direction="training", region="1703", district="", mahalla_text="", appeal_type="complaint"
    )
    do("take", two)
    assert numbers(Filters()) == [two.id, one.id]
    for filters, expected in (
        (Filters(direction="training"), [two.id]),
        (Filters(region="1718"), [one.id]),
        (Filters(district="1718236"), [one.id]),
        (Filters(appeal_type="complaint"), [two.id]),
        (Filters(holder="bahodir"), [two.id]),
        (Filters(state="taken"), [two.id]),
        (Filters(department=labour.id), [one.id]),
        (Filters(since=TODAY + dt.timedelta(days=1)), []),
        (Filters(until=TODAY, region="1703"), [two.id]),
    ):
        assert numbers(filters) == expected, filters
        assert sum(listing.counted(filters, TODAY, None)[s] for s in states.STATES) >= 0
    assert numbers(Filters(), within=labour.id) == [one.id]
    assert listing.counted(Filters(), TODAY, labour.id)["open"] == 1


@pytest.mark.parametrize(
    "typed",
    [
        *("yoldosheva", "Yo'ldosheva", "Йўлдошева", "GULCHEHRA yoldo", "Гулчеҳра"),
        *("93 555 01 47", "5550147", "+998 (93) 555-01-47", "mashina", "Тикув", "2026-000001"),
    ],
)
def test_search_knows_no_script(registered, typed):
    one = registered()
    registered(surname="Karimov", first_name="Oybek", phone="901112233", gist="Ish", pinfl="")
    assert numbers(Filters(words=searching.terms(typed))) == [one.id]


def test_what_is_too_short_to_search_is_not_searched():
    assert searching.terms("ab 12") == []
    assert searching.terms('"; drop ') == ["drop"]


def test_the_whole_list_comes_in_pieces(registered):
    made = [registered().id for _ in range(5)]
    pieces = list(listing.pieces(Filters(), TODAY, None, size=2))
    assert [[a.id for a in piece] for piece in pieces] == [made[:2], made[2:4], made[4:]]


def test_lists_and_searches_go_by_an_index(registered, labour):
    """No step of a plan reads a whole table of appeals, whatever the filter of open ones."""
    registered()
    full_scans = ("SCAN t1", "SCAN t2", "SCAN appeal", "SCAN handling")
    for filters, within in (
        (Filters(state="open"), None),
        (Filters(when="overdue"), labour.id),
        (Filters(state="returned"), None),
        (Filters(state="open", words=["karimov"]), None),
        (Filters(words=["karimov"]), labour.id),
        (Filters(holder="bahodir", state="open"), None),
    ):
        for plan in (
            plan_of(lambda f=filters, w=within: listing.listed(f, TODAY, w, 50)),
            plan_of(lambda f=filters, w=within: list(listing.pieces(f, TODAY, w))),
        ):
            assert any("VIRTUAL TABLE INDEX" in step for step in plan) == bool(filters.words)
            scans = [step for step in plan if step.startswith(full_scans) and "INDEX" not in step]
            assert not scans, (filters, plan)


def plan_of(query: Any) -> list[str]:
    """The steps of SQLite's plans of every SELECT that `query` makes."""
    said: list[str] = []
    execute = db.database.execute_sql

    def explained(sql: str, params: Any = None, *rest: Any, **more: Any) -> Any:
        if sql.startswith("SELECT"):
            rows = execute(f"EXPLAIN QUERY PLAN {sql}", params).fetchall()
            said.extend(row[3] for row in rows)
        return execute(sql, params, *rest, **more)

    db.database.execute_sql = explained
    try:
        query()
    finally:
        del db.database.execute_sql
    return said


# figures, departments


def test_statistics(registered, labour, migration):
    late, in_time = registered(TODAY - dt.timedelta(days=20)), registered(region="1703")
    registered(TODAY - dt.timedelta(days=18), direction="training")
    do("answer", late)
    do("answer", in_time)
    do("dismiss", registered())
    whole = statistics(TODAY - dt.timedelta(days=30), TODAY, TODAY, None)
    counts = whole.whole
    assert (counts.total, counts.open, counts.overdue) == (4, 1, 1)
    assert (counts.answered, counts.late, counts.in_time, counts.dismissed) == (2, 1, 1, 1)
    assert whole.states["answered"] == 2
    assert whole.by["department"][None].total == 1
    assert whole.by["region"]["1703"].in_time == 1
    for by in whole.by.values():
        assert sum(c.total for c in by.values()) == 4
    assert statistics(TODAY, TODAY, TODAY, labour.id).whole.total == 2


def test_departments(labour, sherzod, bahodir):
    with pytest.raises(departments.DepartmentError):
        departments.add({"name_uz_latn": " bandlik  boshqarmasi "}, own_body=False, by="x")
    with pytest.raises(departments.DepartmentError):
        departments.add({"name_uz_latn": "  "}, own_body=False, by="x")
    staff.assign(bahodir, labour.id, by="sherzod")
    assert accounts.department_of(bahodir) == labour.id
    staff.assign(bahodir, None, by="sherzod")
    assert accounts.department_of(bahodir) is None
    departments.change(labour, {"active": False}, by="sherzod")
    assert departments.departments() == []
    assert departments.of_direction("subsidies") is None
    actions = [e.action for e in AuditEntry.select() if e.action.startswith("department")]
    assert actions.count("department.member") == 2


def test_a_user_of_a_department_sees_its_appeals_only(registered, labour, bahodir):
    one, other = registered(), registered(direction="training")
    assert set(appeals.visible_to(bahodir)) == {one, other}
    staff.assign(bahodir, labour.id, by="sherzod")
    assert set(appeals.visible_to(bahodir)) == {one}
