"""What an operator's day should come to: everybody's goals, and a person's own in their place."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from appliance.core import audit
from appliance.core.db import writing
from appliance.core.statements import Question, row_with
from appliance.models import Goal, User
from appliance.people.accounts import StaffError

MOST_CALLS = 1000
_OF_EVERYBODY = Question(lambda: Goal.select().where(Goal.user.is_null()).limit(1))


@dataclass(frozen=True)
class Goals:
    """Calls answered, mean mark, per cent of his calls registered; None: no goal."""

    calls: int | None = None
    mark: float | None = None  # 1 to 5
    forms: int | None = None

    def over(self, others: "Goals") -> "Goals":
        """These, and the others' where there are none here."""
        mine, theirs = asdict(self), asdict(others)
        return Goals(**{name: theirs[name] if mine[name] is None else mine[name] for name in mine})


def of_everybody() -> Goals:
    """Those of operators who have none of their own."""
    return _goals(_OF_EVERYBODY.first())


def own() -> dict[int, Goals]:
    """User's id → goals of his own."""
    return {row.user_id: _goals(row) for row in Goal.select().where(Goal.user.is_null(False))}


def of(user: User) -> Goals:
    """What this operator's day should come to."""
    return _goals(row_with(Goal, user=user.id)).over(of_everybody())


def store(rows: Iterable[tuple[User | None, Goals]], by: str) -> None:
    """Give operators goals of their own, and (None) everybody: all of them, or none.

    Raises StaffError, its code a field of Goals. What is as it was is not written down.
    """
    rows = list(rows)
    for _, goals in rows:
        _check(goals)
    with writing():
        for user, goals in rows:
            mine = Goal.user.is_null() if user is None else Goal.user == user
            row = Goal.get_or_none(mine)
            if goals == _goals(row):
                continue
            if row:
                Goal.update(asdict(goals)).where(Goal.id == row.id).execute()
            else:
                Goal.create(user=user, **asdict(goals))
            audit.record(by, "operator.goals", user.login if user else "", **asdict(goals))


def _check(goals: Goals) -> None:
    bounds = {"calls": (1, MOST_CALLS), "mark": (1, 5), "forms": (1, 100)}
    for name, number in asdict(goals).items():
        low, high = bounds[name]
        if number is not None and not low <= number <= high:
            raise StaffError(name, f"{name} is {low} to {high}")


def _goals(row: Goal | None) -> Goals:
    return Goals(row.calls, row.mark, row.forms) if row else Goals()
