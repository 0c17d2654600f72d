"""Change requests: terms over holidays, states as a table, one winner of two, the difference."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from appliance.casework import catalogs, changes
from appliance.casework.changes import ChangeError, Sent, files, links, states, summary, terms
from appliance.core import clock, db
from appliance.models import AuditEntry, ChangeFile, ChangeRequest, ChangeStep, User


@pytest.fixture
def calendar(settings):
    return catalogs.working_calendar(settings)


@pytest.fixture
def at(calendar, monkeypatch):
    """Set the clock to a moment of the site's, as 2026-12-02 10:00."""

    def at(moment: str) -> dt.datetime:
        now = dt.datetime.fromisoformat(moment).replace(tzinfo=calendar.tz).astimezone(dt.UTC)
        monkeypatch.setattr(clock, "now", lambda: now)
        return now

    return at


@pytest.fixture
def asked(bahodir, calendar, at):
    """Write a request at a moment; gives it back."""

    def asked(kind: str = "interface", moment: str = "2026-12-02 10:00") -> ChangeRequest:
        at(moment)
        return changes.ask(bahodir, kind, "Tugma nomi", "Tushunarsiz", calendar)

    return asked


def step(action, request, user, text="Matn", version=None) -> None:
    now = ChangeRequest.get_by_id(request.id)
    changes.do(action, now, user, version or now.version, text)


def stands(request) -> str:
    return ChangeRequest.get_by_id(request.id).state


# terms


@pytest.mark.parametrize(
    ("kind", "written", "ends", "reminded"),
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
        # the seventh day comes after days off: the reminder before them
        ("interface", "2026-05-18 10:00", "2026-06-01 18:00", "2026-05-26 09:00"),
    ],
)
def test_the_term_counts_working_days(kind, written, ends, reminded, asked, calendar):
    request, days = asked(kind, written), terms.KINDS[kind].days

    def local(moment: dt.datetime) -> str:
        return f"{moment.astimezone(calendar.tz):%Y-%m-%d %H:%M}"

    assert local(request.due_at) == ends
    assert local(terms.remind_at(request.due_at, days, calendar)) == reminded


def test_every_day_of_two_years_has_its_working_days_after_it(calendar):
    for number in range(730):
        day = dt.date(2025, 12, 1) + dt.timedelta(days=number)
        written = dt.datetime.combine(day, dt.time(23, 30), calendar.tz)
        for days in (1, 7):
            last = terms.due(written, days, calendar).astimezone(calendar.tz).date()
            between = [day + dt.timedelta(n) for n in range(1, (last - day).days + 1)]
            assert sum(calendar.works_on(one) for one in between) == days
            assert calendar.works_on(last)


# states


def test_a_request_goes_its_whole_way(asked, bahodir, sherzod, rustam):
    request = asked()
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
        step(action, request, user)
        assert stands(request) == state
        assert ChangeRequest.get_by_id(request.id).is_open == (state in states.OPEN)
    done = [one.action for one in changes.steps(request)]
    assert done[::-1][:3] == ["ask", "question", "answer"]
    assert ChangeRequest.get_by_id(request.id).responsible == "rustam"
    audited = AuditEntry.select().where(AuditEntry.subject == str(request.id))
    actions = [entry.action for entry in audited if entry.action.startswith("change.")]
    assert actions == [f"change.{action}" for action in done[::-1]]


@pytest.mark.parametrize("state", states.STATES)
@pytest.mark.parametrize("action", states.MOVES)
@pytest.mark.parametrize("who", ["bahodir", "sherzod", "rustam", "dilnoza", "nilufar"])
def test_only_who_may_does_what_may_be_done(state, action, who, asked, request):
    user, made, move = request.getfixturevalue(who), asked(), states.MOVES[action]
    ChangeRequest.update(state=state).where(ChangeRequest.id == made.id).execute()
    if user.role in move.roles and state in move.before:
        step(action, made, user)
        assert stands(made) == move.after
        return
    with pytest.raises(ChangeError) as error:
        step(action, made, user)
    role = user.role in move.roles and action != "ask"
    assert error.value.code == ("changed" if role else "action")
    assert stands(made) == state
    assert ChangeStep.select().count() == 1


@pytest.mark.parametrize("action", [name for name, move in states.MOVES.items() if move.words])
def test_a_step_that_needs_words_is_not_done_without(action, asked, bahodir, sherzod):
    made, move = asked(), states.MOVES[action]
    ChangeRequest.update(state=move.before[0]).where(ChangeRequest.id == made.id).execute()
    with pytest.raises(ChangeError, match="words"):
        step(action, made, bahodir if "ministry" in move.roles else sherzod, text="  \n")


@pytest.mark.parametrize(
    ("kind", "what", "why", "code"),
    [("", "x", "y", "kind"), ("other", " ", "y", "what"), ("other", "x", "\n", "why")],
)
def test_a_request_says_what_and_why(kind, what, why, code, bahodir, calendar):
    with pytest.raises(ChangeError, match=code):
        changes.ask(bahodir, kind, what, why, calendar)
    assert ChangeRequest.select().count() == 0


def test_only_the_ministry_asks(sherzod, rustam, dilnoza, calendar):
    for user in (sherzod, rustam, dilnoza):
        with pytest.raises(ChangeError, match="action"):
            changes.ask(user, "other", "x", "y", calendar)


def test_others_find_no_request(asked, bahodir, dilnoza, nilufar, oybek):
    made = asked()
    assert changes.find(made.id, bahodir) == made
    assert [changes.find(made.id, user) for user in (dilnoza, nilufar, oybek)] == [None] * 3
    assert changes.find(made.id + 1, bahodir) is None


def test_of_two_at_once_one_is_told(asked, sherzod, rustam):
    made, told = asked(), []
    gate = threading.Barrier(2)

    def accept(user) -> None:
        try:
            gate.wait()
            changes.do("accept", made, user, 1)
            told.append(user.login)
        except ChangeError as error:
            told.append(error.code)
        finally:
            db.database.close()

    threads = [threading.Thread(target=accept, args=(user,)) for user in (sherzod, rustam)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winner = ChangeRequest.get_by_id(made.id).responsible
    assert sorted(told) == sorted(["changed", winner])


@pytest.mark.parametrize("version", [0, -1, 2, 2**31, 2**80])
def test_a_version_that_is_no_more_does_nothing(version, asked, sherzod):
    made = asked()
    with pytest.raises(ChangeError, match="changed"):
        changes.do("accept", made, sherzod, version)


# files


def sent_file(name: str, content: bytes) -> Sent:
    return Sent(name, len(content), lambda: content)


def test_files_are_kept_as_they_came(asked, bahodir, calendar):
    sent = [sent_file("C:\\docs\\../taklif\u202e.docx", b"PK\x00\xff"), sent_file("b.txt", b"x")]
    made = changes.ask(bahodir, "other", "x", "y", calendar, sent)
    kept = files.of_request(made)
    assert [(one.name, one.size) for one in kept] == [("taklif.docx", 4), ("b.txt", 1)]
    assert bytes(files.found(made, kept[0].id).content) == b"PK\x00\xff"
    assert files.found(asked(), kept[0].id) is None  # another request's


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ([sent_file("a", b"x")] * (files.MOST + 1), "files"),
        ([sent_file("a", b"")], "file"),
        ([sent_file("a", b"x" * (files.LARGEST + 1))], "file"),
    ],
)
def test_too_much_is_not_kept(sent, code, bahodir, calendar):
    with pytest.raises(ChangeError, match=code):
        changes.ask(bahodir, "other", "x", "y", calendar, sent)
    assert (ChangeRequest.select().count(), ChangeFile.select().count()) == (0, 0)


def test_a_request_and_a_persons_day_hold_only_so_much(bahodir, calendar, monkeypatch):
    monkeypatch.setattr(files, "REQUEST_BYTES", 10)
    monkeypatch.setattr(files, "DAY_BYTES", 25)
    seven, none = [sent_file("a", b"x" * 7)], []

    def unread() -> bytes:
        raise AssertionError("a file that is refused is read")

    made = changes.ask(bahodir, "other", "x", "y", calendar, seven)
    changes.do("question", made, User.get(User.role == "manager"), 1, "?")
    with pytest.raises(ChangeError, match="full"):
        changes.do("answer", made, bahodir, 2, "x", [files.Sent("a", 4, unread)])
    changes.do("answer", made, bahodir, 2, "x", [sent_file("a", b"xxx")])
    for _ in range(2):
        changes.ask(bahodir, "other", "x", "y", calendar, seven)
    with pytest.raises(ChangeError, match="day"):
        changes.ask(bahodir, "other", "x", "y", calendar, [files.Sent("a", 7, unread)])
    assert ChangeRequest.select().count() == 3
    changes.ask(bahodir, "other", "x", "y", calendar, none)  # a request itself is never refused
    ChangeFile.update(at=clock.now() - files.DAY).execute()
    assert changes.ask(bahodir, "other", "x", "y", calendar, seven)


def test_many_at_once_do_not_pass_the_bound(bahodir, calendar, monkeypatch):
    monkeypatch.setattr(files, "DAY_BYTES", 20)
    seven = [sent_file("a", b"x" * 7)]

    def send(_: int) -> bool:
        with db.database.connection_context():
            try:
                changes.ask(bahodir, "other", "x", "y", calendar, seven)
            except ChangeError:
                return False
            return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(send, range(12))) == 2
    assert ChangeFile.select().count() == 2


def test_a_nameless_file_has_a_name(bahodir, calendar):
    made = changes.ask(bahodir, "other", "x", "y", calendar, [sent_file("../", b"x")])
    assert [one.name for one in files.of_request(made)] == ["file"]


# what was changed


def test_a_link_keeps_what_differs(asked, sherzod):
    made = asked("routing")
    before, after = {"name": "A", "number": "1", "hours": ""}, {"name": "A", "number": "2"}
    changes.link(made, sherzod, "employee", "7", "A", before, after)
    [link] = links.of_request(made)
    assert (link.before, link.after) == ({"number": "1"}, {"number": "2"})
    assert (link.who, link.kind, link.ref) == ("sherzod", "employee", "7")
    assert AuditEntry.select().where(AuditEntry.action == "change.link").count() == 1


def test_nothing_is_linked_where_nothing_differs_or_the_request_is_done(asked, rustam):
    made = asked()
    assert changes.link(made, rustam, "prompt", "uz/menu", "Menyu", {"a": None}, {"a": ""}) is None
    step("accept", made, rustam)
    step("finish", made, rustam)
    assert changes.link(made, rustam, "prompt", "uz/menu", "Menyu", {}, {"a": "b"}) is None
    assert links.of_request(made) == []
    with pytest.raises(ValueError, match="tariff"):
        changes.link(made, rustam, "tariff", "1", "x", {}, {"a": "b"})


# how many


def test_counts_tell_what_presses(asked, at, calendar, sherzod):
    asked("interface", "2026-12-02 10:00")  # until the 12th
    asked("other", "2026-12-09 10:00")  # until the 10th
    done = asked("other", "2026-12-09 10:00")
    step("accept", done, sherzod)
    step("finish", done, sherzod)
    seen = {}
    for moment in ("2026-12-09 17:00", "2026-12-10 09:00", "2026-12-11 09:00", "2026-12-12 18:01"):
        at(moment)
        seen[moment[8:10]] = changes.counts(calendar)
    assert seen == {
        "09": changes.Counts(2, 0, 0),
        "10": changes.Counts(2, 1, 0),
        "11": changes.Counts(2, 1, 1),
        "12": changes.Counts(2, 0, 2),
    }


def test_the_summary_of_a_month_balances_and_does_not_change_later(asked, at, bahodir, sherzod):
    def finish(request, moment: str) -> None:
        at(moment)
        step("finish", request, sherzod)

    made = {}
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
        made[name] = asked(kind, moment)
        step("accept", made[name], sherzod)
    finish(made["before"], "2026-10-30 10:00")
    finish(made["carried"], "2026-11-06 18:00")
    finish(made["kept"], "2026-11-11 17:59")
    finish(made["broken"], "2026-11-11 18:01")
    finish(made["again"], "2026-11-11 10:00")
    tz = dt.timezone(dt.timedelta(hours=5))
    november = (dt.datetime(2026, 11, 1, tzinfo=tz), dt.datetime(2026, 12, 1, tzinfo=tz))
    at("2026-12-01 01:00")
    rows = {row.kind: row for row in summary.rows(*november)}
    assert rows == {
        "interface": summary.Row("interface", asked=1, open=1),
        "routing": summary.Row("routing", carried=1, asked=2, in_time=2, late=1),
        "statistics": summary.Row("statistics"),
        "other": summary.Row("other", asked=2, in_time=1, overdue=1),
    }
    for row in rows.values():
        assert row.carried + row.asked == row.in_time + row.late + row.open + row.overdue
    at("2026-12-05 10:00")
    step("send_back", made["again"], bahodir)
    finish(made["running"], "2026-12-06 10:00")
    assert {row.kind: row for row in summary.rows(*november)} == rows
