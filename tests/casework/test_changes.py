"""Change requests: terms across holidays, the table of states, concurrent steps, differences."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from appliance.casework import catalogs
from appliance.casework.changes import files, links, states, summary, terms
from appliance.casework.changes.files import UploadedFile
from appliance.casework.changes.requests import (
    RequestCounts,
    count_requests,
    create_change_request,
    find_change_request,
    list_request_steps,
    perform_request_action,
)
from appliance.core import clock, db
from appliance.core.refusals import Refused
from appliance.models import AuditEntry, ChangeFile, ChangeRequest, ChangeStep, User


@pytest.fixture
def calendar(settings):
    return catalogs.working_calendar(settings)


@pytest.fixture
def set_clock(calendar, monkeypatch):
    """Set the clock to a local time of the site, such as 2026-12-02 10:00."""

    def set_clock(moment: str) -> dt.datetime:
        now = dt.datetime.fromisoformat(moment).replace(tzinfo=calendar.tz).astimezone(dt.UTC)
        monkeypatch.setattr(clock, "now", lambda: now)
        return now

    return set_clock


@pytest.fixture
def create_request(bahodir, calendar, set_clock):
    """Create a change request at the given time; returns the request."""

    def create_request(kind: str = "interface", moment: str = "2026-12-02 10:00") -> ChangeRequest:
        set_clock(moment)
        return create_change_request(bahodir, kind, "Tugma nomi", "Tushunarsiz", calendar)

    return create_request


def perform_step(action, request, user, text="Matn", version=None) -> None:
    now = ChangeRequest.get_by_id(request.id)
    perform_request_action(action, now, user, version or now.version, text)


def current_state(request) -> str:
    return ChangeRequest.get_by_id(request.id).state


# terms


@pytest.mark.parametrize(
    ("kind", "submitted_at", "ends", "reminded"),
    [
        # the 8th is a holiday, Saturday the 12th is worked
        ("interface", "2026-12-02 10:00", "2026-12-12 18:00", "2026-12-11 09:00"),
        ("other", "2026-12-02 10:00", "2026-12-03 18:00", "2026-12-03 09:00"),
        ("other", "2026-12-07 23:59", "2026-12-09 18:00", "2026-12-09 09:00"),
        ("other", "2026-12-11 10:00", "2026-12-12 18:00", "2026-12-12 09:00"),
        ("other", "2026-12-06 10:00", "2026-12-07 18:00", "2026-12-07 09:00"),  # a Sunday
        # New Year: 31 December is swapped, 1 January a holiday
        ("routing", "2026-12-25 17:00", "2027-01-07 18:00", "2027-01-06 09:00"),
        ("other", "2026-12-30 10:00", "2027-01-04 18:00", "2027-01-04 09:00"),
        # Qurbon hayit, with two days off by decree and a week-end after it
        ("statistics", "2026-05-22 10:00", "2026-06-05 18:00", "2026-06-04 09:00"),
        ("other", "2026-05-26 00:00", "2026-06-01 18:00", "2026-06-01 09:00"),
        # the seventh day follows days off: the reminder is sent before them
        ("interface", "2026-05-18 10:00", "2026-06-01 18:00", "2026-05-26 09:00"),
    ],
)
def test_the_term_counts_working_days(kind, submitted_at, ends, reminded, create_request, calendar):
    request, days = create_request(kind, submitted_at), terms.KINDS_BY_CODE[kind].days

    def local_time(moment: dt.datetime) -> str:
        return f"{moment.astimezone(calendar.tz):%Y-%m-%d %H:%M}"

    assert local_time(request.due_at) == ends
    assert local_time(terms.reminder_time(request.due_at, days, calendar)) == reminded


def test_every_term_of_two_years_ends_after_its_number_of_working_days(calendar):
    for number in range(730):
        day = dt.date(2025, 12, 1) + dt.timedelta(days=number)
        submitted_at = dt.datetime.combine(day, dt.time(23, 30), calendar.tz)
        for days in (1, 7):
            last = terms.due_time(submitted_at, days, calendar).astimezone(calendar.tz).date()
            between = [day + dt.timedelta(n) for n in range(1, (last - day).days + 1)]
            assert sum(calendar.is_working_day(between_day) for between_day in between) == days
            assert calendar.is_working_day(last)


# states, listed here and not read from the product's own table

REQUEST_STATES = ("asked", "returned", "accepted", "doing", "done", "approved")
OPEN_REQUEST_STATES = ("asked", "returned", "accepted", "doing")
IMPLEMENTERS, REQUESTERS = ("sherzod", "rustam"), ("bahodir",)
# action: who may take it, the states in which it is possible, the state to which it leads
STEPS = {
    "ask": ((), (), ""),
    "accept": (IMPLEMENTERS, ("asked",), "accepted"),
    "begin": (IMPLEMENTERS, ("asked", "accepted"), "doing"),
    "finish": (IMPLEMENTERS, ("accepted", "doing"), "done"),
    "question": (IMPLEMENTERS, ("asked", "accepted", "doing"), "returned"),
    "answer": (REQUESTERS, ("returned",), "asked"),
    "approve": (REQUESTERS, ("done",), "approved"),
    "send_back": (REQUESTERS, ("done",), "doing"),
}
STEPS_WITH_TEXT = ("finish", "question", "answer", "send_back")


def test_the_workflow_has_exactly_the_known_steps_and_states():
    assert set(states.WORKFLOW.moves) == set(STEPS) - {"ask"}
    assert states.WORKFLOW.state_codes == REQUEST_STATES
    assert states.WORKFLOW.open_state_codes == OPEN_REQUEST_STATES


def test_a_request_passes_through_all_states(create_request, bahodir, sherzod, rustam):
    request = create_request()
    for action, user, state in [
        ("question", sherzod, "returned"),
        ("answer", bahodir, "asked"),
        ("accept", rustam, "accepted"),
        ("begin", rustam, "doing"),
        ("finish", rustam, "done"),
        ("send_back", bahodir, "doing"),
        ("finish", sherzod, "done"),
        ("approve", bahodir, "approved"),
    ]:
        perform_step(action, request, user)
        assert current_state(request) == state
        assert ChangeRequest.get_by_id(request.id).is_open == (state in OPEN_REQUEST_STATES)
    actions_done = [row.action for row in list_request_steps(request)]
    assert actions_done[::-1][:3] == ["ask", "question", "answer"]
    assert ChangeRequest.get_by_id(request.id).responsible == "rustam"
    audited = AuditEntry.select().where(AuditEntry.subject == str(request.id))
    actions = [entry.action for entry in audited if entry.action.startswith("change.")]
    assert actions == [f"change.{action}" for action in actions_done[::-1]]


@pytest.mark.parametrize("state", REQUEST_STATES)
@pytest.mark.parametrize("action", STEPS)
@pytest.mark.parametrize("who", ["bahodir", "sherzod", "rustam", "dilnoza", "nilufar"])
def test_only_permitted_roles_perform_a_step_in_its_permitted_states(
    state, action, who, create_request, request
):
    user, request_made = request.getfixturevalue(who), create_request()
    permitted_people, possible_states, next_state = STEPS[action]
    ChangeRequest.update(state=state).where(ChangeRequest.id == request_made.id).execute()
    is_possible = who in permitted_people and state in possible_states
    offered = states.WORKFLOW.possible_actions(state, user.role)
    assert (action in offered) == is_possible
    if is_possible:
        perform_step(action, request_made, user)
        assert current_state(request_made) == next_state
        return
    with pytest.raises(Refused) as error:
        perform_step(action, request_made, user)
    assert error.value.code == ("changed" if who in permitted_people else "action")
    assert current_state(request_made) == state
    assert ChangeStep.select().count() == 1


@pytest.mark.parametrize("action", STEPS)
def test_only_some_steps_are_refused_without_a_text(action, create_request, request):
    (permitted_people, possible_states, next_state), request_made = STEPS[action], create_request()
    if not permitted_people:
        return
    user = request.getfixturevalue(permitted_people[0])
    ChangeRequest.update(state=possible_states[0]).where(
        ChangeRequest.id == request_made.id
    ).execute()
    if action in STEPS_WITH_TEXT:
        with pytest.raises(Refused, match="words"):
            perform_step(action, request_made, user, text="  \n")
    else:
        perform_step(action, request_made, user, text="  \n")
        assert current_state(request_made) == next_state


@pytest.mark.parametrize(
    ("kind", "what", "why", "code"),
    [("", "x", "y", "kind"), ("other", " ", "y", "what"), ("other", "x", "\n", "why")],
)
def test_a_request_must_state_its_kind_content_and_reason(kind, what, why, code, bahodir, calendar):
    with pytest.raises(Refused, match=code):
        create_change_request(bahodir, kind, what, why, calendar)
    assert ChangeRequest.select().count() == 0


def test_only_the_ministry_creates_requests(sherzod, rustam, dilnoza, calendar):
    for user in (sherzod, rustam, dilnoza):
        with pytest.raises(Refused, match="action"):
            create_change_request(user, "other", "x", "y", calendar)


def test_other_roles_cannot_find_a_request(create_request, bahodir, dilnoza, nilufar, oybek):
    request = create_request()
    assert find_change_request(request.id, bahodir) == request
    assert [find_change_request(request.id, user) for user in (dilnoza, nilufar, oybek)] == [
        None
    ] * 3
    assert find_change_request(request.id + 1, bahodir) is None


def test_of_two_simultaneous_steps_one_is_refused(create_request, sherzod, rustam):
    request, outcomes = create_request(), []
    gate = threading.Barrier(2)

    def accept(user) -> None:
        try:
            gate.wait()
            perform_request_action("accept", request, user, 1)
            outcomes.append(user.login)
        except Refused as error:
            outcomes.append(error.code)
        finally:
            db.database.close()

    threads = [threading.Thread(target=accept, args=(user,)) for user in (sherzod, rustam)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winner = ChangeRequest.get_by_id(request.id).responsible
    assert sorted(outcomes) == sorted(["changed", winner])


@pytest.mark.parametrize("version", [0, -1, 2, 2**31, 2**80])
def test_a_step_on_an_outdated_version_is_refused(version, create_request, sherzod):
    request = create_request()
    with pytest.raises(Refused, match="changed"):
        perform_request_action("accept", request, sherzod, version)


# files


def sent_file(name: str, content: bytes) -> UploadedFile:
    return UploadedFile(name, len(content), lambda: content)


def test_files_are_stored_unchanged(create_request, bahodir, calendar):
    sent = [sent_file("C:\\docs\\../taklif\u202e.docx", b"PK\x00\xff"), sent_file("b.txt", b"x")]
    request = create_change_request(bahodir, "other", "x", "y", calendar, sent)
    stored_files = files.files_of_request(request)
    assert [(file.name, file.size) for file in stored_files] == [("taklif.docx", 4), ("b.txt", 1)]
    assert bytes(files.find_file(request, stored_files[0].id).content) == b"PK\x00\xff"
    # belongs to another request
    assert files.find_file(create_request(), stored_files[0].id) is None


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ([sent_file("a", b"x")] * (files.MAX_FILES_PER_UPLOAD + 1), "files"),
        ([sent_file("a", b"")], "file"),
        ([sent_file("a", b"x" * (files.MAX_FILE_BYTES + 1))], "file"),
    ],
)
def test_too_many_or_invalid_files_are_refused(sent, code, bahodir, calendar):
    with pytest.raises(Refused, match=code):
        create_change_request(bahodir, "other", "x", "y", calendar, sent)
    assert (ChangeRequest.select().count(), ChangeFile.select().count()) == (0, 0)


def test_the_size_of_files_is_limited_per_request_and_per_user_and_day(
    bahodir, calendar, monkeypatch
):
    monkeypatch.setattr(files, "MAX_REQUEST_BYTES", 10)
    monkeypatch.setattr(files, "MAX_DAILY_BYTES", 25)
    seven_bytes, no_files = [sent_file("a", b"x" * 7)], []

    def fail_if_read() -> bytes:
        raise AssertionError("a file that is refused is read")

    request = create_change_request(bahodir, "other", "x", "y", calendar, seven_bytes)
    perform_request_action("question", request, User.get(User.role == "manager"), 1, "?")
    with pytest.raises(Refused, match="full"):
        perform_request_action(
            "answer", request, bahodir, 2, "x", [files.UploadedFile("a", 4, fail_if_read)]
        )
    perform_request_action("answer", request, bahodir, 2, "x", [sent_file("a", b"xxx")])
    for _ in range(2):
        create_change_request(bahodir, "other", "x", "y", calendar, seven_bytes)
    with pytest.raises(Refused, match="day"):
        create_change_request(
            bahodir, "other", "x", "y", calendar, [files.UploadedFile("a", 7, fail_if_read)]
        )
    assert ChangeRequest.select().count() == 3
    # a request without files is never refused
    create_change_request(bahodir, "other", "x", "y", calendar, no_files)
    ChangeFile.update(at=clock.now() - files.UPLOAD_WINDOW).execute()
    assert create_change_request(bahodir, "other", "x", "y", calendar, seven_bytes)


def test_simultaneous_uploads_do_not_exceed_the_limit(bahodir, calendar, monkeypatch):
    monkeypatch.setattr(files, "MAX_DAILY_BYTES", 20)
    seven_bytes = [sent_file("a", b"x" * 7)]

    def send_request(_: int) -> bool:
        with db.database.connection_context():
            try:
                create_change_request(bahodir, "other", "x", "y", calendar, seven_bytes)
            except Refused:
                return False
            return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(send_request, range(12))) == 2
    assert ChangeFile.select().count() == 2


def test_a_file_without_a_name_is_given_one(bahodir, calendar):
    request = create_change_request(bahodir, "other", "x", "y", calendar, [sent_file("../", b"x")])
    assert [file.name for file in files.files_of_request(request)] == ["file"]


# links to what was changed


def test_a_link_stores_only_the_differences(create_request, sherzod):
    request = create_request("routing")
    before, after = {"name": "A", "number": "1", "hours": ""}, {"name": "A", "number": "2"}
    links.link_change(request, sherzod, "employee", "7", "A", before, after)
    [link] = links.links_of_request(request)
    assert (link.before, link.after) == ({"number": "1"}, {"number": "2"})
    assert (link.who, link.kind, link.ref) == ("sherzod", "employee", "7")
    assert AuditEntry.select().where(AuditEntry.action == "change.link").count() == 1


def test_no_link_is_stored_without_differences_or_after_the_request_is_done(create_request, rustam):
    request = create_request()
    assert (
        links.link_change(request, rustam, "prompt", "uz/menu", "Menyu", {"a": None}, {"a": ""})
        is None
    )
    perform_step("accept", request, rustam)
    perform_step("finish", request, rustam)
    assert links.link_change(request, rustam, "prompt", "uz/menu", "Menyu", {}, {"a": "b"}) is None
    assert links.links_of_request(request) == []
    with pytest.raises(ValueError, match="tariff"):
        links.link_change(request, rustam, "tariff", "1", "x", {}, {"a": "b"})


# counts


def test_counts_include_open_urgent_and_overdue_requests(
    create_request, set_clock, calendar, sherzod
):
    create_request("interface", "2026-12-02 10:00")  # until the 12th
    create_request("other", "2026-12-09 10:00")  # until the 10th
    finished = create_request("other", "2026-12-09 10:00")
    perform_step("accept", finished, sherzod)
    perform_step("finish", finished, sherzod)
    counts = {}
    for moment in ("2026-12-09 17:00", "2026-12-10 09:00", "2026-12-11 09:00", "2026-12-12 18:01"):
        set_clock(moment)
        counts[moment[8:10]] = count_requests(calendar)
    assert counts == {
        "09": RequestCounts(2, 0, 0),
        "10": RequestCounts(2, 1, 0),
        "11": RequestCounts(2, 1, 1),
        "12": RequestCounts(2, 0, 2),
    }


def test_the_monthly_summary_balances_and_does_not_change_later(
    create_request, set_clock, bahodir, sherzod
):
    def finish(request, moment: str) -> None:
        set_clock(moment)
        perform_step("finish", request, sherzod)

    requests = {}
    for name, kind, moment in [
        ("carried", "routing", "2026-10-28 10:00"),
        ("before", "routing", "2026-10-01 10:00"),
        ("kept", "routing", "2026-11-02 10:00"),
        ("broken", "routing", "2026-11-02 10:00"),
        ("again", "other", "2026-11-10 10:00"),
        ("over", "other", "2026-11-12 10:00"),
        ("running", "interface", "2026-11-30 10:00"),
        ("later", "interface", "2026-12-01 10:00"),
    ]:
        requests[name] = create_request(kind, moment)
        perform_step("accept", requests[name], sherzod)
    finish(requests["before"], "2026-10-30 10:00")
    finish(requests["carried"], "2026-11-06 18:00")
    finish(requests["kept"], "2026-11-11 17:59")
    finish(requests["broken"], "2026-11-11 18:01")
    finish(requests["again"], "2026-11-11 10:00")
    tz = dt.timezone(dt.timedelta(hours=5))
    november = (dt.datetime(2026, 11, 1, tzinfo=tz), dt.datetime(2026, 12, 1, tzinfo=tz))
    set_clock("2026-12-01 01:00")
    rows = {row.kind: row for row in summary.summary_rows(*november)}
    assert rows == {
        "interface": summary.SummaryRow("interface", asked=1, open=1),
        "routing": summary.SummaryRow("routing", carried=1, asked=2, in_time=2, late=1),
        "statistics": summary.SummaryRow("statistics"),
        "other": summary.SummaryRow("other", asked=2, in_time=1, overdue=1),
    }
    for row in rows.values():
        assert row.carried + row.asked == row.in_time + row.late + row.open + row.overdue
    set_clock("2026-12-05 10:00")
    perform_step("send_back", requests["again"], bahodir)
    finish(requests["running"], "2026-12-06 10:00")
    assert {row.kind: row for row in summary.summary_rows(*november)} == rows
