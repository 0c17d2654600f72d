"""Missed callers in the ledger: one task per number, rebuilt identically, claimed by one user."""

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
from appliance.telephony.followups import CallingRules

TASHKENT = ZoneInfo("Asia/Tashkent")
OTHER_NUMBER = "+998907776655"
OUTCOMES = ("abandoned_menu", "abandoned_queue", "callback", "answered", "no_answer")


def rules_with(**options: Any) -> CallingRules:
    """Return rules that permit calls at any hour, unless `options` change them."""
    defaults: dict[str, Any] = {
        "kinds": ("callback", "queue"),
        "attempts": 3,
        "pause": dt.timedelta(minutes=15),
        "opens": dt.time(0),
        "closes": dt.time.max,
        "tz": TASHKENT,
        "outgoing": Outgoing(),
    }
    return CallingRules(**(defaults | options))


def task_rows() -> list[dict[str, Any]]:
    return [model_to_dict(row) for row in FollowUp.select().order_by(FollowUp.id)]


def test_each_missed_number_is_one_task(add_ended_call) -> None:
    add_ended_call(90, "abandoned_menu")
    add_ended_call(60, "abandoned_queue")
    add_ended_call(50, "timed_out", number=OTHER_NUMBER)
    add_ended_call(40, "self_served", number="+998901000001")
    add_ended_call(40, "rejected", number="+998901000002")
    add_ended_call(40, "abandoned_queue", number=None)
    add_ended_call(40, "abandoned_queue", number="+998901000003", synthetic=True)
    assert [(row.number, row.kind, row.calls) for row in FollowUp.select()] == [
        ("+998901112233", "queue", 2),
        (OTHER_NUMBER, "queue", 1),
    ]
    add_ended_call(5, "answered")
    assert FollowUp.get(number="+998901112233").outcome == "called_again"


def test_rebuilt_tasks_are_the_same(add_ended_call) -> None:
    add_ended_call(90, "abandoned_queue")
    add_ended_call(70, "no_answer", direction="outbound")
    add_ended_call(60, "callback", number=OTHER_NUMBER, callee=OTHER_NUMBER)
    followups.close_task(
        FollowUp.get(number=OTHER_NUMBER), "done", by="nilufar", note="  spoke at  the desk "
    )
    FollowUpMark.update(at=clock.now() - dt.timedelta(minutes=55)).execute()
    add_ended_call(50, "answered", direction="outbound")
    add_ended_call(9, "abandoned_menu", number=OTHER_NUMBER)
    before = task_rows()
    assert [row["outcome"] for row in before] == ["spoken", "done", None]
    assert [row["attempts"] for row in before] == [1, 0, 0]
    assert before[1]["note"] == "spoke at the desk"
    assert followups.rebuild_tasks() == 2
    assert task_rows() == before
    FollowUp.delete().execute()
    followups.rebuild_tasks()
    assert [row | {"id": 0} for row in task_rows()] == [row | {"id": 0} for row in before]


def test_a_callback_goes_to_the_number_that_the_caller_entered(add_ended_call) -> None:
    add_ended_call(5, "callback", number=None, callee=OTHER_NUMBER)
    assert [(row.number, row.kind) for row in FollowUp.select()] == [(OTHER_NUMBER, "callback")]


def test_an_outbound_call_without_an_operator_does_not_close_the_task(add_ended_call) -> None:
    add_ended_call(90, "callback")
    # the citizen answered, and hung up in the queue
    add_ended_call(80, "answered", direction="outbound", talks=[])
    task = FollowUp.get()
    assert (task.attempts, task.closed_at) == (1, None)


def test_the_interval_between_attempts_grows(add_ended_call) -> None:
    add_ended_call(600, "callback")
    task = FollowUp.get()
    assert followups.next_call_time(task, rules_with()) == task.missed_at
    for ago, pause in ((500, 15), (400, 45)):
        add_ended_call(ago, "no_answer", direction="outbound")
        task = FollowUp.get()
        expected = task.tried_at + dt.timedelta(minutes=pause)
        assert followups.next_call_time(task, rules_with()) == expected
    assert followups.exhausted_tasks(rules_with()) == []
    add_ended_call(300, "busy", direction="outbound")
    assert followups.next_call_time(FollowUp.get(), rules_with()) is None
    (task,) = followups.exhausted_tasks(rules_with())
    assert followups.close_task(task, "given_up")
    assert not followups.close_task(task, "done", by="nilufar")
    assert FollowUp.get().outcome == "given_up"
    add_ended_call(-1, "callback")
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
def test_attempts_are_due_only_at_permitted_hours(missed: str, due: str) -> None:
    moment, expected = (
        dt.datetime.fromisoformat(text).replace(tzinfo=TASHKENT) for text in (missed, due)
    )
    task = FollowUp(kind="callback", number=OTHER_NUMBER, attempts=0, missed_at=moment)
    hours = rules_with(opens=dt.time(8), closes=dt.time(20))
    assert followups.next_call_time(task, hours) == expected


def test_callback_requests_come_first_in_the_order_of_their_time(add_ended_call) -> None:
    add_ended_call(30, "callback", number="+998901000001")
    add_ended_call(60, "callback", number="+998901000002")
    add_ended_call(90, "abandoned_queue", number="+998901000003")
    add_ended_call(95, "abandoned_menu", number="+998901000004")
    add_ended_call(5 * 24 * 60, "callback", number="+998901000005")
    order = [task.number[-1] for task in followups.due_tasks(rules_with())]
    assert order == ["2", "1", "3"]
    assert [task.number[-1] for task in followups.due_tasks(rules_with(kinds=("callback",)))] == [
        "2",
        "1",
    ]


def test_only_one_operator_can_claim_a_task(add_ended_call) -> None:
    add_ended_call(5, "callback")
    task, claimants, start = FollowUp.get(), [], threading.Barrier(4)

    def claim_task(name: str) -> None:
        with db.database.connection_context():
            start.wait()
            if followups.claim_task(task, name):
                claimants.append(name)

    threads = [threading.Thread(target=claim_task, args=(f"op0{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimants) == 1
    assert FollowUp.get().claimed_by == claimants[0]
    assert followups.due_tasks(rules_with()) == []
    followups.release_claim(task)
    assert followups.due_tasks(rules_with()) == [task]


def test_a_claim_expires_and_ends_with_its_call(add_ended_call, monkeypatch) -> None:
    add_ended_call(60, "callback")
    assert followups.claim_task(FollowUp.get())
    add_ended_call(30, "no_answer", direction="outbound")
    assert FollowUp.get().claimed_until is None
    stale = FollowUp.get()
    stale.attempts = 0
    assert not followups.claim_task(stale)  # it was called in the meantime
    assert followups.claim_task(FollowUp.get())
    later = clock.now() + followups.CLAIM_DURATION
    monkeypatch.setattr(clock, "now", lambda: later)
    assert followups.claim_task(FollowUp.get())


def test_recovery_is_counted_from_the_first_missed_call(add_ended_call) -> None:
    add_ended_call(180, "abandoned_queue", number="+998901000001")
    add_ended_call(120, "answered", number="+998901000001")
    add_ended_call(300, "callback", number="+998901000002")
    add_ended_call(60, "answered", number="+998901000002", direction="outbound")
    add_ended_call(200, "abandoned_menu", number="+998901000003")
    now = clock.now()
    recovery = followups.recovery_of_period(now - dt.timedelta(days=1), now)
    assert (recovery.missed, recovery.recovered, recovery.open) == (3, 2, 1)
    assert recovery.share == pytest.approx(66.67, abs=0.01)
    assert recovery.mean_hours == pytest.approx((1 + 4) / 2, abs=0.02)
    nothing = followups.recovery_of_period(now - dt.timedelta(days=9), now - dt.timedelta(days=8))
    assert (nothing.share, nothing.mean_hours) == (None, None)


def test_only_permitted_roles_see_the_register(add_ended_call) -> None:
    add_ended_call(5, "abandoned_queue")
    for role, expected in (("operator", 1), ("manager", 1), ("ministry", 0), ("technician", 0)):
        assert len(followups.open_tasks(User(role=role))) == expected


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.usefixtures("at_noon")
def test_the_order_of_the_calls_does_not_change_the_tasks(add_ended_call, seed) -> None:
    chance = random.Random(seed)  # noqa: S311  a story, no secret
    story = [
        (100 - number, chance.choice(OUTCOMES), chance.choice(("inbound", "inbound", "outbound")))
        for number in range(14)
    ]
    task_lists = []
    for _ in range(2):
        Call.delete().execute()
        FollowUp.delete().execute()
        chance.shuffle(story)
        for ago, outcome, direction in story:
            add_ended_call(ago, outcome, direction=direction)
        task_lists.append([row | {"id": 0} for row in task_rows()])
    FollowUp.delete().execute()
    followups.rebuild_tasks()
    task_lists.append([row | {"id": 0} for row in task_rows()])
    first, second, rebuilt = (sorted(tasks, key=repr) for tasks in task_lists)
    assert first == second == rebuilt


def test_the_machine_calls_only_permitted_numbers(add_ended_call) -> None:
    for number in ("+883510001234", "+74951234567", OTHER_NUMBER):
        add_ended_call(30, "callback", number=number, callee=number)
    assert [task.number for task in followups.due_tasks(rules_with())] == [OTHER_NUMBER]
    wider_rules = rules_with(outgoing=Outgoing(machine=("+998", "+7")))
    assert [task.number for task in followups.due_tasks(wider_rules)] == [
        "+74951234567",
        OTHER_NUMBER,
    ]


def test_the_machines_calls_of_today_are_counted(add_ended_call, monkeypatch) -> None:
    noon = dt.datetime(2026, 11, 27, 12, 0, tzinfo=TASHKENT)
    monkeypatch.setattr(clock, "now", lambda: noon)
    few = rules_with(outgoing=Outgoing(machine_calls=3, machine_minutes=10))
    outbound = {"direction": "outbound", "number": OTHER_NUMBER}
    add_ended_call(13 * 60, "answered", **outbound, reason="callback")  # yesterday
    add_ended_call(90, "answered", **outbound, reason="phone", by="op01")
    add_ended_call(80, "answered", **outbound, reason="follow_up", by="op01")
    add_ended_call(70, "no_answer", **outbound, reason="callback")
    add_ended_call(60, "answered", **outbound, reason="follow_up")
    spent = followups.daily_usage(few)
    assert (spent.calls, spent.minutes, spent.remaining_calls) == (2, 1, 1)
    add_ended_call(50, "answered", **outbound, reason="callback")
    assert followups.daily_usage(few).remaining_calls == 0
    long = rules_with(outgoing=Outgoing(machine_calls=100, machine_minutes=2))
    assert followups.daily_usage(long).remaining_calls == 0
    going_on = noon - dt.timedelta(minutes=9)
    add_ended_call(40, "answered", **outbound, reason="callback")
    Call.update(arrived_at=going_on, ended_at=None).where(
        Call.arrived_at > noon - dt.timedelta(minutes=45)
    ).execute()
    assert followups.daily_usage(few).minutes == 11
