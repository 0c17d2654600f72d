"""Daily goals of operators: common ones, and personal ones that replace them."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from appliance.core import audit
from appliance.core.db import write_transaction
from appliance.core.refusals import Refused
from appliance.core.statements import PreparedQuery, find_row
from appliance.models import Goal, User

MAX_CALLS = 1000
_COMMON_GOALS = PreparedQuery(lambda: Goal.select().where(Goal.user.is_null()).limit(1))


@dataclass(frozen=True)
class Goals:
    """The goals of an operator for one day; each may be missing."""

    calls: int | None = None  # answered
    mark: float | None = None  # mean rating by callers, 1 to 5
    forms: int | None = None  # percentage of the operator's calls that are registered

    def with_defaults(self, defaults: "Goals") -> "Goals":
        """Return these goals, with missing ones taken from `defaults`."""
        own_values, default_values = asdict(self), asdict(defaults)
        return Goals(
            **{
                name: default_values[name] if own_values[name] is None else own_values[name]
                for name in own_values
            }
        )


def common_goals() -> Goals:
    """The goals of operators who have no personal ones."""
    return _goals_from_row(_COMMON_GOALS.fetch_first())


def personal_goals() -> dict[int, Goals]:
    """Return the personal goals of each operator that has any, by the user's id."""
    return {
        row.user_id: _goals_from_row(row) for row in Goal.select().where(Goal.user.is_null(False))
    }


def operator_goals(user: User) -> Goals:
    """The goals that apply to this operator."""
    return _goals_from_row(find_row(Goal, user=user.id)).with_defaults(common_goals())


def store_goals(rows: Iterable[tuple[User | None, Goals]], by: str) -> None:
    """Store the goals of operators; the row without a user has the common goals.

    Unchanged goals are not written. If a value is out of bounds, nothing is stored and Refused is
    raised with the name of the field of Goals as its code.
    """
    rows = list(rows)
    for _, goals in rows:
        _require_valid_goals(goals)
    with write_transaction():
        for user, goals in rows:
            condition = Goal.user.is_null() if user is None else Goal.user == user
            row = Goal.get_or_none(condition)
            if goals == _goals_from_row(row):
                continue
            if row:
                Goal.update(asdict(goals)).where(Goal.id == row.id).execute()
            else:
                Goal.create(user=user, **asdict(goals))
            audit.record_entry(by, "operator.goals", user.login if user else "", **asdict(goals))


def _require_valid_goals(goals: Goals) -> None:
    """Raise Refused for a value out of bounds."""
    bounds = {"calls": (1, MAX_CALLS), "mark": (1, 5), "forms": (1, 100)}
    for name, number in asdict(goals).items():
        low, high = bounds[name]
        if number is not None and not low <= number <= high:
            raise Refused(name, f"{name} is {low} to {high}")


def _goals_from_row(row: Goal | None) -> Goals:
    """Return the goals in a row; without a row, there are no goals."""
    return Goals(row.calls, row.mark, row.forms) if row else Goals()
