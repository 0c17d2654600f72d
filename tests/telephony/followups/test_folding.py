"""What happened with one number, as a table, and the tasks that it makes."""

import datetime as dt

import pytest

from appliance.telephony.followups.tasks import Contact, Task, fold

NUMBER = "+998901112233"
NINE = dt.datetime(2026, 11, 16, 9, 0, tzinfo=dt.UTC)

# minute what, … | opened kind calls attempts closed outcome, …
STORIES = """
0 queue                             | 0 queue 1 0 - -
0 menu, 5 queue, 9 menu             | 0 queue 3 0 - -
0 queue, 5 callback                 | 0 callback 2 0 - -
0 called_again                      |
0 queue, 7 called_again             | 0 queue 1 0 7 called_again
0 queue, 5 tried, 9 spoken          | 0 queue 1 1 9 spoken
0 queue, 5 spoken, 9 menu           | 0 queue 1 0 5 spoken, 9 menu 1 0 - -
0 tried, 5 queue                    | 5 queue 1 0 - -
0 menu, 1 tried, 2 given_up, 3 menu | 0 menu 1 1 2 given_up, 3 menu 1 0 - -
0 queue, 5 done, 6 spoken           | 0 queue 1 0 5 done
"""


def at(minute: str) -> dt.datetime:
    return NINE + dt.timedelta(minutes=int(minute))


def minute(moment: dt.datetime | None) -> str:
    return "-" if moment is None else str((moment - NINE) // dt.timedelta(minutes=1))


def contacts(told: str) -> list[Contact]:
    pairs = (one.split() for one in told.split(","))
    return [Contact(at(when), what, f"call-{when}") for when, what in pairs]


def shown(task: Task) -> str:
    facts = (task.kind, task.calls, task.attempts, minute(task.closed_at), task.outcome or "-")
    return " ".join(str(fact) for fact in (minute(task.opened_at), *facts))


@pytest.mark.parametrize(
    ("told", "tasks"),
    [[cell.strip() for cell in line.split("|")] for line in STORIES.strip().splitlines()],
)
def test_tasks_of_a_number(told: str, tasks: str) -> None:
    assert ", ".join(shown(task) for task in fold(NUMBER, contacts(told))) == tasks
    backwards = fold(NUMBER, reversed(contacts(told)))
    assert ", ".join(shown(task) for task in backwards) == tasks


def test_who_calls_again_keeps_his_place_in_line() -> None:
    first = Contact(NINE, "queue", "a", joined_at=at("1"), until=at("2"), language="ru")
    again = Contact(at("9"), "callback", "b", joined_at=at("10"), until=at("12"))
    (task,) = fold(NUMBER, [first, again])
    assert task.joined_at == at("1")
    assert task.missed_at == at("12")
    assert (task.language, task.kind, task.call_id) == ("ru", "callback", "a")
