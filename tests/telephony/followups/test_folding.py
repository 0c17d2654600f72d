"""The contacts with one number, as a table, and the tasks that result from them."""

import datetime as dt

import pytest

from appliance.telephony.followups.tasks import Contact, Task, fold_contacts

PHONE_NUMBER = "+998901112233"
NINE_OCLOCK = dt.datetime(2026, 11, 16, 9, 0, tzinfo=dt.UTC)

# minute what, … | opened kind calls attempts closed outcome, …
CONTACT_TABLE = """
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


def contact_time(minute: str) -> dt.datetime:
    return NINE_OCLOCK + dt.timedelta(minutes=int(minute))


def minute_text(moment: dt.datetime | None) -> str:
    return "-" if moment is None else str((moment - NINE_OCLOCK) // dt.timedelta(minutes=1))


def parse_contacts(text: str) -> list[Contact]:
    pairs = (item.split() for item in text.split(","))
    return [Contact(contact_time(when), what, f"call-{when}") for when, what in pairs]


def task_text(task: Task) -> str:
    facts = (task.kind, task.calls, task.attempts, minute_text(task.closed_at), task.outcome or "-")
    return " ".join(str(fact) for fact in (minute_text(task.opened_at), *facts))


@pytest.mark.parametrize(
    ("contact_list", "tasks"),
    [[cell.strip() for cell in line.split("|")] for line in CONTACT_TABLE.strip().splitlines()],
)
def test_contacts_result_in_tasks_in_any_order(contact_list: str, tasks: str) -> None:
    assert (
        ", ".join(
            task_text(task) for task in fold_contacts(PHONE_NUMBER, parse_contacts(contact_list))
        )
        == tasks
    )
    backwards = fold_contacts(PHONE_NUMBER, reversed(parse_contacts(contact_list)))
    assert ", ".join(task_text(task) for task in backwards) == tasks


def test_a_repeated_caller_keeps_their_place_in_the_queue() -> None:
    first = Contact(
        NINE_OCLOCK,
        "queue",
        "a",
        joined_at=contact_time("1"),
        until=contact_time("2"),
        language="ru",
    )
    second = Contact(
        contact_time("9"), "callback", "b", joined_at=contact_time("10"), until=contact_time("12")
    )
    (task,) = fold_contacts(PHONE_NUMBER, [first, second])
    assert task.joined_at == contact_time("1")
    assert task.missed_at == contact_time("12")
    assert (task.language, task.kind, task.call_id) == ("ru", "callback", "a")
