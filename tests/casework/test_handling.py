"""Handling an appeal: the table of states, concurrent steps, nothing lost between states."""

import datetime as dt
import threading
from typing import Any

import pytest

from appliance.casework import catalogs, departments
from appliance.casework.appeals import (
    correcting,
    deadlines,
    handling,
    listing,
    queries,
    registering,
    searching,
    states,
)
from appliance.casework.appeals.listing import Filters
from appliance.casework.appeals.statistics import appeal_statistics
from appliance.casework.forms import drafts
from appliance.core import audit, clock, db, live
from appliance.core.refusals import Refused
from appliance.models import Appeal, AuditEntry, Department, Handling
from appliance.people import accounts, staff
from tests.rig.appeals import FULL_FORM, add_labour_department

TODAY = dt.date(2026, 11, 24)


@pytest.fixture
def calendar(settings):
    return catalogs.working_calendar(settings)


@pytest.fixture
def labour(settings) -> Department:
    """The department for subsidies."""
    return add_labour_department()


@pytest.fixture
def migration(settings) -> Department:
    """A body outside the ministry."""
    return departments.add_department(
        {"name_uz_latn": "Migratsiya agentligi"}, own_body=True, actor="sherzod"
    )


@pytest.fixture
def registered(nilufar, labour, calendar, monkeypatch):
    """Register an appeal at 10:00 on the given day; returns the appeal."""

    def register(day: dt.date = TODAY, **values: str) -> Appeal:
        moment = dt.datetime.combine(day, dt.time(10), calendar.tz).astimezone(dt.UTC)
        with monkeypatch.context() as patched_clock:
            patched_clock.setattr(clock, "now", lambda: moment)
            return registering.register(
                FULL_FORM | values,
                operator=nilufar,
                token=drafts.token_for(nilufar, None),
                tz=calendar.tz,
                calendar=calendar,
            )

    return register


def handling_of(appeal: Appeal) -> Handling:
    return Handling.get_by_id(appeal.id)


def perform_step(
    action: str, appeal: Appeal, by: str = "bahodir", version: int | None = None
) -> None:
    """Perform one step with any text and department it needs."""
    other = Department.get_or_none(Department.code == "migratsiya_agentligi")
    text = "Sababi bor"
    handling.perform_step(
        appeal,
        action,
        actor=by,
        expected_version=version or handling_of(appeal).version,
        today=TODAY,
        text=text,
        department=other,
    )


# registering


def test_registering_sets_department_and_deadline_immediately(registered, labour):
    last_event = live.newest_event_id()
    now = handling_of(registered())
    assert (now.state, now.department, now.holder) == ("registered", labour, "")
    assert (now.registered_on, now.due_on) == (TODAY, dt.date(2026, 12, 9))
    assert now.forward_by == dt.date(2026, 11, 29)
    assert live.newest_event_id() > last_event
    assert handling_of(registered(direction="training")).department is None
    assert handling_of(registered(appeal_type="proposal")).due_on == dt.date(2026, 12, 24)


def test_appeals_without_handling_receive_it(registered, calendar):
    appeal = registered()
    due_on = handling_of(appeal).due_on
    Handling.delete().execute()
    assert handling.start_missing_handling(calendar) == 1
    assert handling_of(appeal).due_on == due_on
    assert handling.start_missing_handling(calendar) == 0


# the states as a table: the state that each path from "registered" leads to, and its possible steps

# None of the cases is read from the product's own table.
ALL_STEPS = (
    *("take", "answer", "interim", "return", "forward", "extend", "dismiss", "close", "undo"),
    *("reopen", "consult", "conclude", "add", "correct", "resend"),
)
STATES = ("registered", "taken", "returned", "answered", "closed")
STEPS_IN_WORK = "take answer interim return forward extend dismiss consult conclude add correct"
PATHS = {
    "": f"registered: {STEPS_IN_WORK}",
    "take": f"taken: {STEPS_IN_WORK}",
    "interim": f"taken: {STEPS_IN_WORK}",
    "extend": f"registered: {STEPS_IN_WORK}",
    "return": "returned: take consult conclude add correct resend",
    "return take": f"taken: {STEPS_IN_WORK}",
    "answer": "answered: close undo reopen consult conclude correct",
    "dismiss": "closed: reopen consult conclude correct",
    "answer close": "closed: reopen consult conclude correct",
    "answer reopen": f"taken: {STEPS_IN_WORK}",
    "answer close reopen": f"taken: {STEPS_IN_WORK}",
    "take forward": f"registered: {STEPS_IN_WORK}",
}


@pytest.mark.parametrize("path", PATHS)
def test_each_path_leads_to_its_state_and_possible_steps(registered, migration, path):
    appeal = registered()
    for action in path.split():
        perform_step(action, appeal)
    now = handling_of(appeal)
    state, possible_steps = PATHS[path].split(": ")
    assert now.state == state
    assert states.WORKFLOW.possible_actions(state) == tuple(possible_steps.split())
    assert now.is_open == (state in ("registered", "taken", "returned"))
    assert [step.action for step in handling.list_steps(appeal)] == path.split()[::-1]
    for action in (
        set(ALL_STEPS)
        - set(possible_steps.split())
        - {"resend", "correct", "consult", "conclude", "undo", "add"}
    ):
        with pytest.raises(Refused, match="state"):
            perform_step(action, appeal)
    assert handling_of(appeal).version == now.version
    assert audit.first_broken_id() is None


# Answers, refusals and steps that affect others need a text.
STEPS_WITH_TEXT = (
    *("answer", "interim", "return", "forward", "extend", "dismiss", "reopen"),
    *("consult", "conclude", "add"),
)
STEPS_OF_HOLDER = ("answer", "interim", "return", "forward", "extend", "dismiss")


def test_the_workflow_has_exactly_the_known_steps_and_states():
    assert tuple(states.WORKFLOW.moves) == ALL_STEPS
    assert states.WORKFLOW.state_codes == STATES
    assert states.WORKFLOW.open_state_codes == ("registered", "taken", "returned")


@pytest.mark.parametrize("action", ALL_STEPS)
def test_each_step_requires_its_text_and_holder(action):
    move = states.WORKFLOW.moves[action]
    assert move.needs_text == (action in STEPS_WITH_TEXT)
    assert move.blocked_by_holder == (action in STEPS_OF_HOLDER)


@pytest.mark.parametrize("action", STEPS_WITH_TEXT)
def test_a_step_without_its_required_text_is_refused(registered, action):
    with pytest.raises(Refused, match="words"):
        handling._apply_step(registered(), action, "bahodir", 1, text=" \n")


def test_of_simultaneous_users_only_one_takes_the_appeal(registered):
    appeal = registered()
    start, won, errors = threading.Barrier(8), [], []

    def take_appeal(who: str) -> None:
        start.wait(30)
        try:
            handling.take_over(appeal, who, 1)
            won.append(who)
        except Refused as error:
            errors.append(error.code)
        finally:
            db.database.close()

    threads = [threading.Thread(target=take_appeal, args=(f"person{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == ["changed"] * 7
    assert [handling_of(appeal).holder] == won == [step.who for step in handling.list_steps(appeal)]


def test_a_colleague_must_take_the_appeal_over_first(registered):
    appeal = registered()
    perform_step("take", appeal)
    for action in ("answer", "return", "extend", "dismiss"):
        with pytest.raises(Refused, match="held"):
            perform_step(action, appeal, by="gulnora")
    perform_step("take", appeal, by="gulnora")
    assert handling.list_steps(appeal)[0].detail == {"from": "bahodir"}
    perform_step("answer", appeal, by="gulnora")


# terms


def test_a_term_is_extended_at_most_twice_and_not_when_overdue(registered):
    appeal = registered()
    perform_step("extend", appeal)
    assert handling_of(appeal).due_on == dt.date(2026, 12, 24)
    perform_step("extend", appeal)
    assert handling_of(appeal).due_on == dt.date(2027, 1, 24)
    assert handling.list_steps(appeal)[0].detail == {"from": "2026-12-24", "to": "2027-01-24"}
    with pytest.raises(Refused, match="term"):
        perform_step("extend", appeal)
    with pytest.raises(Refused, match="overdue"):
        perform_step("extend", registered(TODAY - dt.timedelta(days=20)))


def test_forwarding_within_the_ministry_keeps_the_term(registered, labour):
    appeal = registered(TODAY - dt.timedelta(days=7), direction="training")
    due_on = handling_of(appeal).due_on
    handling.forward_to_department(appeal, labour, "Ularning ishi", "bahodir", 1, TODAY)
    now = handling_of(appeal)
    assert (now.department, now.due_on, now.state) == (labour, due_on, "registered")
    assert handling.list_steps(appeal)[0].detail["late"]
    with pytest.raises(Refused, match="department"):
        handling.forward_to_department(appeal, labour, "Yana", "bahodir", 2, TODAY)


def test_forwarding_to_an_outside_body_restarts_the_term(registered, migration):
    appeal = registered(TODAY - dt.timedelta(days=2))
    perform_step("take", appeal)
    perform_step("forward", appeal)
    now = handling_of(appeal)
    assert (now.department, now.holder, now.counts_from) == (migration, "", TODAY)
    assert now.due_on == TODAY + deadlines.BASIC_TERM
    assert not handling.list_steps(appeal)[0].detail["late"]


def test_an_explanation_is_due_in_ten_days(registered):
    appeal = registered()
    perform_step("answer", appeal)
    assert handling_of(appeal).answered_on == TODAY
    perform_step("reopen", appeal)
    now = handling_of(appeal)
    assert (now.due_on, now.answered_on) == (TODAY + deadlines.EXPLANATION_TERM, None)


def test_contacted_specialists_are_recorded_with_their_times(registered):
    appeal = registered(consultation="1")
    for number, contact in enumerate(("A. Sobirov", "B. Olimova"), 1):
        handling.record_specialist_contact(appeal, contact, "bahodir", number)
    stored = Appeal.get_by_id(appeal.id)
    assert (stored.consultation, stored.consultation_contact) == (True, "A. Sobirov; B. Olimova")
    assert [(s.text, s.who) for s in handling.list_steps(appeal)] == [
        ("B. Olimova", "bahodir"),
        ("A. Sobirov", "bahodir"),
    ]
    with pytest.raises(Refused, match="changed"):
        handling.record_specialist_contact(appeal, "C", "bahodir", 1)
    assert Appeal.get_by_id(appeal.id).consultation_contact == "A. Sobirov; B. Olimova"


# correcting


def test_a_returned_appeal_is_corrected_and_sent_back(registered, nilufar, calendar):
    appeal = registered()
    perform_step("return", appeal)
    assert queries.appeals_returned_to(nilufar) == [appeal]
    values = FULL_FORM | {"address": "Yangi koʻcha, 1", "gist": "Boshqa mazmun"}
    changes = correcting.correct_appeal(
        appeal, values, "nilufar", handling_of(appeal).version, calendar
    )
    assert changes == {
        "address": ["Navroʻz koʻchasi, 12-uy", "Yangi koʻcha, 1"],
        "gist": ["Tikuv mashinasi uchun subsidiya soʻragan.", "Boshqa mazmun"],
    }
    now = handling_of(appeal)
    assert (now.state, now.holder, now.is_open) == ("taken", "bahodir", True)
    assert queries.appeals_returned_to(nilufar) == []
    step = handling.list_steps(appeal)[0]
    assert (step.action, step.who, step.detail) == ("resend", "nilufar", {"changes": changes})
    assert Appeal.get_by_id(appeal.id).address == "Yangi koʻcha, 1"
    assert searching.matching_ids(["boshqa"]).count() == 1


def test_every_previous_wording_is_stored(registered, calendar):
    appeal = registered()
    for number, street in enumerate(("Bir", "Ikki", "Ikki", "Uch")):
        appeal = Appeal.get_by_id(appeal.id)
        version = handling_of(appeal).version
        correcting.correct_appeal(
            appeal, FULL_FORM | {"address": street}, "dilnoza", version, calendar
        )
        assert handling_of(appeal).version == version + (number != 2)  # no changes: no step
    stored = [(w.number, w.values["address"]) for w in correcting.list_previous_values(appeal)]
    assert stored == [(1, "Navroʻz koʻchasi, 12-uy"), (2, "Bir"), (3, "Ikki")]
    assert appeal.number == Appeal.get_by_id(appeal.id).number


def test_of_two_corrections_the_later_is_refused(registered, calendar):
    appeal = registered()
    correcting.correct_appeal(appeal, FULL_FORM | {"gist": "Birinchi"}, "nilufar", 1, calendar)
    with pytest.raises(Refused, match="changed"):
        correcting.correct_appeal(appeal, FULL_FORM | {"gist": "Ikkinchi"}, "dilnoza", 1, calendar)
    assert Appeal.get_by_id(appeal.id).gist == "Birinchi"
    assert len(correcting.list_previous_values(appeal)) == 1


def test_changing_the_kind_changes_the_term(registered, calendar):
    appeal = registered()
    correcting.correct_appeal(
        appeal, FULL_FORM | {"appeal_type": "proposal"}, "dilnoza", 1, calendar
    )
    assert handling_of(appeal).due_on == dt.date(2026, 12, 24)


def test_an_unchanged_form_changes_nothing(registered, calendar):
    values_typed = {
        "consultation": "1",
        "consultation_issue": "Nafaqa",
        "born": "bahorda",
        "sex": "",
    }
    appeal = registered(**values_typed)
    values = correcting.values_with_consultation(Appeal.get_by_id(appeal.id))
    assert correcting.correct_appeal(appeal, values, "nilufar", 1, calendar) == {}


# lists


def appeal_ids(filters: Filters, within: int | None = None) -> list[int]:
    return [a.id for a in listing.list_appeals(filters, TODAY, within, 50)]


def test_overdue_appeals_are_listed_first(registered):
    ages = (1, 30, 15, 12, 18)
    ids_by_age = {age: registered(TODAY - dt.timedelta(days=age)).id for age in ages}
    assert appeal_ids(Filters(state="open")) == [ids_by_age[age] for age in (30, 18, 15, 12, 1)]
    assert appeal_ids(Filters(when="overdue")) == [ids_by_age[30], ids_by_age[18]]
    assert appeal_ids(Filters(when="today")) == [ids_by_age[15]]
    assert appeal_ids(Filters(when="soon")) == [ids_by_age[12]]
    counts = listing.count_by_state_and_deadline(Filters(), TODAY, None)
    assert {c: counts[c] for c in (*listing.DEADLINE_CLASSES, "open", "answered")} == {
        **{"overdue": 2, "today": 1, "soon": 1, "later": 1, "open": 5},
        "answered": 0,
    }


def test_the_list_is_filtered(registered, labour):
    first = registered()
    second = registered(
        direction="training", region="1703", district="", mahalla_text="", appeal_type="complaint"
    )
    perform_step("take", second)
    assert appeal_ids(Filters()) == [second.id, first.id]
    for filters, expected in (
        (Filters(direction="training"), [second.id]),
        (Filters(region="1718"), [first.id]),
        (Filters(district="1718236"), [first.id]),
        (Filters(appeal_type="complaint"), [second.id]),
        (Filters(holder="bahodir"), [second.id]),
        (Filters(state="taken"), [second.id]),
        (Filters(department=labour.id), [first.id]),
        (Filters(since=TODAY + dt.timedelta(days=1)), []),
        (Filters(until=TODAY, region="1703"), [second.id]),
    ):
        assert appeal_ids(filters) == expected, filters
        assert (
            sum(listing.count_by_state_and_deadline(filters, TODAY, None)[s] for s in STATES) >= 0
        )
    assert appeal_ids(Filters(), within=labour.id) == [first.id]
    assert listing.count_by_state_and_deadline(Filters(), TODAY, labour.id)["open"] == 1


@pytest.mark.parametrize(
    "typed",
    [
        *("yoldosheva", "Yo'ldosheva", "Йўлдошева", "GULCHEHRA yoldo", "Гулчеҳра"),
        *("93 555 01 47", "5550147", "+998 (93) 555-01-47", "mashina", "Тикув", "2026-000001"),
    ],
)
def test_search_works_in_either_script(registered, typed):
    appeal = registered()
    registered(surname="Karimov", first_name="Oybek", phone="901112233", gist="Ish", pinfl="")
    assert appeal_ids(Filters(words=searching.search_terms(typed))) == [appeal.id]


def test_terms_too_short_to_search_are_ignored():
    assert searching.search_terms("ab 12") == []
    assert searching.search_terms('"; drop ') == ["drop"]


def test_the_entire_list_is_read_in_pieces(registered):
    ids = [registered().id for _ in range(5)]
    pieces = list(listing.iterate_batches(Filters(), TODAY, None, size=2))
    assert [[a.id for a in piece] for piece in pieces] == [ids[:2], ids[2:4], ids[4:]]


def test_lists_and_searches_use_an_index(registered, labour):
    """No step of a query plan scans a whole table of appeals, with any filter for open appeals."""
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
            query_plan_of(lambda f=filters, w=within: listing.list_appeals(f, TODAY, w, 50)),
            query_plan_of(lambda f=filters, w=within: list(listing.iterate_batches(f, TODAY, w))),
        ):
            assert any("VIRTUAL TABLE INDEX" in step for step in plan) == bool(filters.words)
            scans = [step for step in plan if step.startswith(full_scans) and "INDEX" not in step]
            assert not scans, (filters, plan)


def query_plan_of(query: Any) -> list[str]:
    """The steps of SQLite's plan for every SELECT that `query` executes."""
    plan_steps: list[str] = []
    execute = db.database.execute_sql

    def execute_with_plan(sql: str, params: Any = None, *rest: Any, **more: Any) -> Any:
        if sql.startswith("SELECT"):
            rows = execute(f"EXPLAIN QUERY PLAN {sql}", params).fetchall()
            plan_steps.extend(row[3] for row in rows)
        return execute(sql, params, *rest, **more)

    db.database.execute_sql = execute_with_plan
    try:
        query()
    finally:
        del db.database.execute_sql
    return plan_steps


# figures, departments


def test_statistics_count_states_terms_and_groups(registered, labour, migration):
    late, in_time = registered(TODAY - dt.timedelta(days=20)), registered(region="1703")
    registered(TODAY - dt.timedelta(days=18), direction="training")
    perform_step("answer", late)
    perform_step("answer", in_time)
    perform_step("dismiss", registered())
    figures = appeal_statistics(TODAY - dt.timedelta(days=30), TODAY, TODAY, None)
    counts = figures.overall
    assert (counts.total, counts.open, counts.overdue) == (4, 1, 1)
    assert (counts.answered, counts.late, counts.in_time, counts.dismissed) == (2, 1, 1, 1)
    assert figures.states["answered"] == 2
    assert figures.by_grouping["department"][None].total == 1
    assert figures.by_grouping["region"]["1703"].in_time == 1
    for counts_by_key in figures.by_grouping.values():
        assert sum(counts.total for counts in counts_by_key.values()) == 4
    assert appeal_statistics(TODAY, TODAY, TODAY, labour.id).overall.total == 2


def test_departments_are_added_assigned_and_deactivated(labour, sherzod, bahodir):
    with pytest.raises(Refused):
        departments.add_department(
            {"name_uz_latn": " bandlik  boshqarmasi "}, own_body=False, actor="x"
        )
    with pytest.raises(Refused):
        departments.add_department({"name_uz_latn": "  "}, own_body=False, actor="x")
    staff.assign_department(bahodir, labour.id, by="sherzod")
    assert accounts.department_of(bahodir) == labour.id
    staff.assign_department(bahodir, None, by="sherzod")
    assert accounts.department_of(bahodir) is None
    departments.change_department(labour, {"active": False}, actor="sherzod")
    assert departments.list_departments() == []
    assert departments.department_of_direction("subsidies") is None
    actions = [e.action for e in AuditEntry.select() if e.action.startswith("department")]
    assert actions.count("department.member") == 2


def test_a_member_of_a_department_sees_only_its_appeals(registered, labour, bahodir):
    departments_own, elsewhere = registered(), registered(direction="training")
    assert set(queries.visible_appeals(bahodir)) == {departments_own, elsewhere}
    staff.assign_department(bahodir, labour.id, by="sherzod")
    assert set(queries.visible_appeals(bahodir)) == {departments_own}
