"""Missed callers in the ledger: one task a number, rebuilt alike, claimed by one at a time."""

import datetime as dt
import random
import threading
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playhouse.shortcuts import model_to_dict

from appliance.core import clock, db
from appliance.core.settings import Outgoing
from appliance.models import Call, FollowUp, FollowUpMark, User
from appliance.telephony import followups
from appliance.telephony.followups import Rules

TASHKENT = ZoneInfo("Asia/Tashkent")
OTHER = "+998907776655"
OUTCOMES = ("abandoned_menu", "abandoned_queue", "callback", "answered", "no_answer")


def rules(**given: Any) -> Rules:
    """At any hour, unless the test gives others."""
    asked: dict[str, Any] = {
        "kinds": ("callback", "queue"),
        "attempts": 3,
        "pause": dt.timedelta(minutes=15),
        "opens": dt.time(0),
        "closes": dt.time.max,
        "tz": TASHKENT,
        "outgoing": Outgoing(),
    }
    return Rules(**(asked | given))


def rows() -> list[dict[str, Any]]:
    return [model_to_dict(row) for row in FollowUp.select().order_by(FollowUp.id)]


def test_each_missed_number_is_one_task(called) -> None:
    called(90, "abandoned_menu")
    called(60, "abandoned_queue")
    called(50, "timed_out", number=OTHER)
    called(40, "self_served", number="+998901000001")
    called(40, "rejected", number="+998901000002")
    called(40, "abandoned_queue", number=None)
    called(40, "abandoned_queue", number="+998901000003", synthetic=True)
    assert [(row.number, row.kind, row.calls) for row in FollowUp.select()] == [
        ("+998901112233", "queue", 2),
        (OTHER, "queue", 1),
    ]
    called(5, "answered")
    assert FollowUp.get(number="+998901112233").outcome == "called_again"


def test_told_again_and_rebuilt_the_tasks_are_the_same(called) -> None:
    called(90, "abandoned_queue")
    called(70, "no_answer", direction="outbound")
    called(60, "callback", number=OTHER, callee=OTHER)
    followups.mark(FollowUp.get(number=OTHER), "done", by="nilufar", note="  spoke at  the desk ")
    FollowUpMark.update(at=clock.now() - dt.timedelta(minutes=55)).execute()
    called(50, "answered", direction="outbound")
    called(9, "abandoned_menu", number=OTHER)
    before = rows()
    assert [row["outcome"] for row in before] == ["spoken", "done", None]
    assert [row["attempts"] for row in before] == [1, 0, 0]
    assert before[1]["note"] == "spoke at the desk"
    assert followups.rebuild() == 2
    assert rows() == before
    FollowUp.delete().execute()
    followups.rebuild()
    assert [row | {"id": 0} for row in rows()] == [row | {"id": 0} for row in before]


def test_who_asks_for_another_number_is_called_there(called) -> None:
    called(5, "callback", number=None, callee=OTHER)
    assert [(row.number, row.kind) for row in FollowUp.select()] == [(OTHER, "callback")]


def test_a_call_of_ours_that_an_operator_was_not_in_reaches_nobody(called) -> None:
    called(90, "callback")
    called(80, "answered", direction="outbound", talks=[])  # took it up, hung up in the queue
    task = FollowUp.get()
    assert (task.attempts, task.closed_at) == (1, None)


def test_the_distance_between_attempts_grows(called) -> None:
    called(600, "callback")
    task = FollowUp.get()
    assert followups.due_at(task, rules()) == task.missed_at
    for ago, pause in ((500, 15), (400, 45)):
        called(ago, "no_answer", direction="outbound")
        task = FollowUp.get()
        expected = task.tried_at + dt.timedelta(minutes=pause)
        assert followups.due_at(task, rules()) == expected
    assert followups.exhausted(rules()) == []
    called(300, "busy", direction="outbound")
    assert followups.due_at(FollowUp.get(), rules()) is None
    (task,) = followups.exhausted(rules())
    assert followups.mark(task, "given_up")
    assert not followups.mark(task, "done", by="nilufar")
    assert FollowUp.get().outcome == "given_up"
    called(-1, "callback")
    assert FollowUp.select().where(FollowUp.closed_at.is_null()).count() == 1


@pytest.mark.parametrize(
    ("missed", "due"),
    [
        ("2026-11-16 07:59", "2026-11-16 08:00"),
        ("2026-11-16 08:00", "2026-11-16 08:00"),
        ("2026-11-16 19:59", "2026-11-16 19:59"),
        ("2026-11-16 20:00", "2026-11-17 08:00"),
        ("2026-11-16 23:50", "2026-11-17 08:00"),
    ],
)
def test_only_at_sensible_hours(missed: str, due: str) -> None:
    moment, expected = (
        dt.datetime.fromisoformat(text).replace(tzinfo=TASHKENT) for text in (missed, due)
    )
    task = FollowUp(kind="callback", number=OTHER, attempts=0, missed_at=moment)
    hours = rules(opens=dt.time(8), closes=dt.time(20))
    assert followups.due_at(task, hours) == expected


def test_who_asked_first_is_called_first_and_who_only_waited_after_him(called) -> None:
    called(30, "callback", number="+998901000001")
    called(60, "callback", number="+998901000002")
    called(90, "abandoned_queue", number="+998901000003")
    called(95, "abandoned_menu", number="+998901000004")
    called(5 * 24 * 60, "callback", number="+998901000005")
    order = [task.number[-1] for task in followups.due(rules())]
    assert order == ["2", "1", "3"]
    assert [task.number[-1] for task in followups.due(rules(kinds=("callback",)))] == ["2", "1"]


def test_one_of_many_may_call(called) -> None:
    called(5, "callback")
    task, taken, start = FollowUp.get(), [], threading.Barrier(4)

    def take(name: str) -> None:
        with db.database.connection_context():
            start.wait()
            if followups.claim(task, name):
                taken.append(name)

    threads = [threading.Thread(target=take, args=(f"op0{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 1
    assert FollowUp.get().claimed_by == taken[0]
    assert followups.due(rules()) == []
    followups.release(task)
    assert followups.due(rules()) == [task]


def test_a_claim_lapses_and_ends_with_its_call(called, monkeypatch) -> None:
    called(60, "callback")
    assert followups.claim(FollowUp.get())
    called(30, "no_answer", direction="outbound")
    assert FollowUp.get().claimed_until is None
    stale = FollowUp.get()
    stale.attempts = 0
    assert not followups.claim(stale)  # it was called meanwhile
    assert followups.claim(FollowUp.get())
    later = clock.now() + followups.CLAIM
    monkeypatch.setattr(clock, "now", lambda: later)
    assert followups.claim(FollowUp.get())


def test_recovery_is_counted_from_the_first_missed_call(called) -> None:
    called(180, "abandoned_queue", number="+998901000001")
    called(120, "answered", number="+998901000001")
    called(300, "callback", number="+998901000002")
    called(60, "answered", number="+998901000002", direction="outbound")
    called(200, "abandoned_menu", number="+998901000003")
    now = clock.now()
    told = followups.recovery(now - dt.timedelta(days=1), now)
    assert (told.missed, told.recovered, told.open) == (3, 2, 1)
    assert told.share == pytest.approx(66.67, abs=0.01)
    assert told.mean_hours == pytest.approx((1 + 4) / 2, abs=0.02)
    nothing = followups.recovery(now - dt.timedelta(days=9), now - dt.timedelta(days=8))
    assert (nothing.share, nothing.mean_hours) == (None, None)


def test_who_may_see_the_register(called) -> None:
    called(5, "abandoned_queue")
    for role, seen in (("operator", 1), ("manager", 1), ("ministry", 0), ("technician", 0)):
        assert len(followups.opened(User(role=role))) == seen


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.usefixtures("at_noon")
def test_in_whatever_order_calls_become_known_the_tasks_are_the_same(called, seed) -> None:
    chance = random.Random(seed)  # noqa: S311  a story, no secret
    story = [
        (100 - number, chance.choice(OUTCOMES), chance.choice(("inbound", "inbound", "outbound")))
        for number in range(14)
    ]
    told = []
    for _ in range(2):
        Call.delete().execute()
        FollowUp.delete().execute()
        chance.shuffle(story)
        for ago, outcome, direction in story:
            called(ago, outcome, direction=direction)
        told.append([row | {"id": 0} for row in rows()])
    FollowUp.delete().execute()
    followups.rebuild()
    told.append([row | {"id": 0} for row in rows()])
    first, second, rebuilt = (sorted(tasks, key=repr) for tasks in told)
    assert first == second == rebuilt


def test_the_machine_calls_no_number_that_it_may_not(called) -> None:
    for number in ("+883510001234", "+74951234567", OTHER):
        called(30, "callback", number=number, callee=number)
    assert [task.number for task in followups.due(rules())] == [OTHER]
    also = rules(outgoing=Outgoing(machine=("+998", "+7")))
    assert [task.number for task in followups.due(also)] == ["+74951234567", OTHER]


def test_what_the_machine_has_called_today_is_counted(called, monkeypatch) -> None:
    noon = dt.datetime(2026, 11, 27, 12, 0, tzinfo=TASHKENT)
    monkeypatch.setattr(clock, "now", lambda: noon)
    few = rules(outgoing=Outgoing(machine_calls=3, machine_minutes=10))
    ours = {"direction": "outbound", "number": OTHER}
    called(13 * 60, "answered", **ours, reason="callback")  # yesterday
    called(90, "answered", **ours, reason="phone", by="op01")
    called(80, "answered", **ours, reason="follow_up", by="op01")
    called(70, "no_answer", **ours, reason="callback")
    called(60, "answered", **ours, reason="follow_up")
    spent = followups.spent(few)
    assert (spent.calls, spent.minutes, spent.left) == (2, 1, 1)
    called(50, "answered", **ours, reason="callback")
    assert followups.spent(few).left == 0
    long = rules(outgoing=Outgoing(machine_calls=100, machine_minutes=2))
    assert followups.spent(long).left == 0
    going_on = noon - dt.timedelta(minutes=9)
    called(40, "answered", **ours, reason="callback")
    Call.update(arrived_at=going_on, ended_at=None).where(
        Call.arrived_at > noon - dt.timedelta(minutes=45)
    ).execute()
    assert followups.spent(few).minutes == 11
