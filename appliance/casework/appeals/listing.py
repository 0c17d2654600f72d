"""Lists of appeals: filtered, searched and ordered, in pages or in batches.

A department (`department_id`) always is that of the user who asks: they get its appeals only, and
those that they are named to read (appeals.personal). Without a department, they get all appeals.
"""

import datetime as dt
import functools
import operator
from collections.abc import Iterator
from dataclasses import dataclass, field

from peewee import JOIN, Case, Expression, ModelSelect, fn

from appliance.casework.appeals import personal, searching, states
from appliance.core.db import row_batches
from appliance.core.intervals import Interval
from appliance.models import Appeal, CatalogItem, Department, Handling, Region, User

# How close the deadline of an open appeal is; "soon" is up to three days ahead, inclusive.
DEADLINE_CLASSES = ("overdue", "today", "soon", "later")
SOON_PERIOD = dt.timedelta(days=3)
NO_VALUE = "-"
NO_DEPARTMENT = 0
# how an appeal was answered; "none": closed without an answer
ANSWER_CLASSES = (
    "in_time",
    "late",
    "none",
)
_IS_OPEN = Handling.is_open == 1  # compared with 1, so that SQLite uses the index


@dataclass(frozen=True)
class Filters:
    """Which appeals to list; an empty or missing value does not filter.

    `state` is a state of states.WORKFLOW, or "open"; `when` is one of DEADLINE_CLASSES, which only
    open appeals have; `answer` is one of ANSWER_CLASSES. `since` and `until` are dates of
    registration, both included. NO_VALUE as `region`, `direction` or `appeal_type` selects appeals
    without a value of the list, NO_DEPARTMENT as `department` appeals without a department.
    """

    state: str = ""
    when: str = ""
    answer: str = ""
    region: str = ""  # a SOATO code
    district: str = ""  # a SOATO code
    direction: str = ""  # a code on its list
    appeal_type: str = ""  # a code on its list
    department: int | None = None  # an id
    holder: str = ""  # the login of the user who holds the appeal
    since: dt.date | None = None
    until: dt.date | None = None
    words: list[str] = field(default_factory=list)  # from searching.search_terms
    received: tuple[Interval, ...] | None = None  # when their calls arrived, oldest first
    reader: User | None = None  # the user who reads the result, unless appeals are only counted


def appeals_with_handling(
    department_id: int | None = None, reader: User | None = None
) -> ModelSelect:
    """Return the query of all appeals with their handling.

    If a department is given: only its appeals, and those that `reader` is named to read.
    """
    query = Appeal.select(Appeal, Handling).join(Handling, on=Handling.appeal, attr="handling")
    return query.where(_department_condition(department_id, reader)) if department_id else query


def find_in_department(number: str, department_id: int | None, reader: User) -> Appeal | None:
    """Return the appeal of this number, if any, with its handling.

    If a department is given, it must handle the appeal, unless `reader` is named to read it. The
    contents are removed if `reader` may not read them.
    """
    query = appeals_with_handling(department_id, reader).where(Appeal.number == number).limit(1)
    return next(iter(personal.veil_appeals(reader, query)), None)


def list_appeals(
    filters: Filters, today: dt.date, department_id: int | None, limit: int, offset: int = 0
) -> list[Appeal]:
    """Return the filtered appeals with their `handling`, department, region and operator.

    If a department is given, only its appeals are returned, and those that the filters' reader is
    named to read. If the filters select open appeals only, they are ordered by deadline, else
    newest first.
    """
    query = (
        appeals_with_handling(department_id, filters.reader)
        .select_extend(Region, Department, User)
        .join_from(Appeal, Region, JOIN.LEFT_OUTER)
        .join_from(Handling, Department, JOIN.LEFT_OUTER)
        .join_from(Appeal, User)
    )
    query = _apply_conditions(query, _filter_conditions(filters, today))
    if filters.when or filters.state in ("open", *states.WORKFLOW.open_state_codes):
        query = query.order_by(Handling.due_on, Handling.appeal)
    else:
        query = query.order_by(Handling.appeal.desc())
    return _veil_for_reader(filters, list(query.limit(limit).offset(offset)))


def next_overdue_appeal(
    today: dt.date, department_id: int | None, actor: str, excluded: Appeal
) -> Appeal | None:
    """Return the appeal in the ministry's work that has been overdue longest, with its `handling`.

    It is offered to the user `actor` (a login) when they have finished with the appeal `excluded`,
    which is skipped, like appeals in progress that a colleague holds. Returns None without one.
    """
    available = Handling.holder.in_(("", actor)) | (Handling.state == "registered")
    query = appeals_with_handling(department_id).where(
        _IS_OPEN, Handling.due_on < today, Handling.state.in_(states.IN_WORK_STATE_CODES), available
    )
    query = query.where(Appeal.id != excluded.id).order_by(Handling.due_on, Handling.appeal)
    appeal: Appeal | None = query.first()
    return appeal


def count_by_state_and_deadline(
    filters: Filters, today: dt.date, department_id: int | None
) -> dict[str, int]:
    """Return the number of appeals in each state and, for open ones, in each deadline class.

    The keys are the codes of states and DEADLINE_CLASSES, all of them also without appeals. The
    filters `state` and `when` are ignored: the counts are shown next to the choices for them. The
    key "open" is the sum of all open states.
    """
    query = _apply_conditions(
        _counting_query(filters, department_id),
        _filter_conditions(filters, today, ignore_state=True),
    )
    columns = Handling.state, deadline_class(today)
    rows = query.select(*columns, fn.COUNT(Handling.appeal)).group_by(*columns).tuples()
    counts: dict[str, int] = dict.fromkeys((*states.WORKFLOW.state_codes, *DEADLINE_CLASSES), 0)
    for state, when, count in rows:
        counts[state] += count
        if state in states.WORKFLOW.open_state_codes:
            counts[when] += count
    return counts | {"open": sum(counts[state] for state in states.WORKFLOW.open_state_codes)}


def iterate_batches(
    filters: Filters, today: dt.date, department_id: int | None, size: int = 500
) -> Iterator[list[Appeal]]:
    """Yield the filtered appeals oldest first, in batches of `size`, with `handling` and operator.

    `department_id` is the department of the user who asks, unless they see all appeals. `today` is
    the date on which the filters' deadline classes depend.
    """
    rows = (
        appeals_with_handling(department_id, filters.reader)
        .select_extend(User)
        .join_from(Appeal, User)
    )
    for batch in row_batches(
        _apply_conditions(rows, _filter_conditions(filters, today)), Handling.appeal, size
    ):
        yield _veil_for_reader(filters, batch)


def list_changed_after(
    filters: Filters,
    today: dt.date,
    department_id: int | None,
    position: tuple[int, int],
    limit: int,
) -> list[Appeal]:
    """Return the filtered appeals, at most `limit`, in the order of their last change.

    They begin after `position`: the time of the change in microseconds since 1970, and the id, of
    the last appeal that was read before.
    """
    changed_at, appeal_id = position
    is_later = (Handling.changed_at > changed_at) | (
        (Handling.changed_at == changed_at) & (Handling.appeal > appeal_id)
    )
    query = appeals_with_handling(department_id, filters.reader).where(
        *_filter_conditions(filters, today), Handling.changed_at >= changed_at, is_later
    )
    return _veil_for_reader(
        filters, list(query.order_by(Handling.changed_at, Handling.appeal).limit(limit))
    )


def deadline_class(today: dt.date) -> Case:
    """Return the SQL expression of an open appeal's deadline class, one of DEADLINE_CLASSES."""
    return Case(
        None,
        (
            (Handling.due_on < today, "overdue"),
            (Handling.due_on == today, "today"),
            (Handling.due_on <= today + SOON_PERIOD, "soon"),
        ),
        "later",
    )


def _veil_for_reader(filters: Filters, appeals: list[Appeal]) -> list[Appeal]:
    """Return the appeals, without the contents of those that the filters' reader may not read.

    Without a reader, nothing is removed.
    """
    return personal.veil_appeals(filters.reader, appeals) if filters.reader else appeals


def _counting_query(filters: Filters, department_id: int | None) -> ModelSelect:
    """Return a query of Handling, joined with Appeal only if a filter needs it.

    Without the join, SQLite can count by the index alone.
    """
    query = Handling.select()
    appeal_filters = filters.region, filters.district, filters.direction, filters.appeal_type
    if any(appeal_filters) or filters.received is not None:
        query = query.join(Appeal)
    return (
        query.where(_department_condition(department_id, filters.reader))
        if department_id
        else query
    )


def _department_condition(department_id: int, reader: User | None) -> Expression:
    """Return the condition on Handling for a department's appeals and those `reader` is named for.

    Most readers are named for no appeal; SQLite then uses the department's index alone.
    """
    of_department = Handling.department == department_id
    appeal_ids = (
        [appeal_id for (appeal_id,) in personal.named_appeal_ids(reader).tuples()] if reader else []
    )
    return of_department | Handling.appeal.in_(appeal_ids) if appeal_ids else of_department


def _apply_conditions(query: ModelSelect, conditions: list[Expression]) -> ModelSelect:
    """Return the query with these conditions; peewee's where() fails without any."""
    return query.where(*conditions) if conditions else query


def _filter_conditions(
    filters: Filters, today: dt.date, *, ignore_state: bool = False
) -> list[Expression]:
    """Return the conditions, on Handling and Appeal, of all filters that are set.

    With `ignore_state`, those of `state` and `when` are left out.
    """
    conditions = [
        column == value
        for column, value in (
            (Appeal.district, filters.district),
            (Appeal.appeal_type, filters.appeal_type if filters.appeal_type != NO_VALUE else ""),
            (Handling.department, filters.department),
            (Handling.holder, filters.holder),
        )
        if value
    ]
    conditions += _choice_conditions(filters)
    if filters.answer:
        conditions += _answer_conditions(filters.answer)
    if filters.received is not None:
        conditions.append(_received_condition(filters.received))
    if filters.since:
        conditions.append(Handling.registered_on >= filters.since)
    if filters.until:
        conditions.append(Handling.registered_on <= filters.until)
    if filters.words:
        conditions.append(Handling.appeal.in_(searching.matching_ids(filters.words)))
    if filters.reader and (
        filters.words or filters.district
    ):  # a veiled appeal must not match its text or district, only its number
        exact_number = Appeal.select(Appeal.id).where(Appeal.number == " ".join(filters.words))
        unreadable = personal.unreadable_appeal_ids(filters.reader)
        conditions.append(Handling.appeal.not_in(unreadable) | Handling.appeal.in_(exact_number))
    if ignore_state:
        return conditions
    if filters.when:
        conditions += [_IS_OPEN, *_deadline_conditions(filters.when, today)]
    if filters.state == "open":
        conditions.append(_IS_OPEN)
    elif filters.state:
        conditions.append(Handling.state == filters.state)
        if (
            filters.state in states.WORKFLOW.open_state_codes
        ):  # few rows: added for the index; closed appeals are read in order anyway
            conditions.append(_IS_OPEN)
    return conditions


def _choice_conditions(filters: Filters) -> list[Expression]:
    """Return the conditions of the filters that may be NO_VALUE or NO_DEPARTMENT."""
    conditions = []
    if filters.region:
        without_region = filters.region == NO_VALUE
        conditions.append(
            Appeal.region.is_null() if without_region else Appeal.region == filters.region
        )
    if filters.appeal_type == NO_VALUE:
        conditions.append(Appeal.appeal_type == "")
    if filters.department == NO_DEPARTMENT:
        conditions.append(Handling.department.is_null())
    if filters.direction == NO_VALUE:
        direction_codes = CatalogItem.select(CatalogItem.code).where(
            CatalogItem.catalog == "direction"
        )
        conditions.append(Appeal.direction.not_in(direction_codes))
    elif filters.direction:
        conditions.append(Appeal.direction == filters.direction)
    return conditions


def _answer_conditions(answer: str) -> list[Expression]:
    """Return the conditions on Handling for one of ANSWER_CLASSES."""
    answered_on = Handling.answered_on
    return {
        "in_time": [answered_on.is_null(False), answered_on <= Handling.due_on],
        "late": [answered_on.is_null(False), answered_on > Handling.due_on],
        "none": [answered_on.is_null(), Handling.is_open == 0],
    }[answer]


def _received_condition(intervals: tuple[Interval, ...]) -> Expression:
    """Return the condition that an appeal was received within one of the intervals.

    The intervals are in order, the oldest first; without any, no appeal matches. The condition also
    contains the bounds of all intervals together, so that SQLite uses the index.
    """
    received_at = Appeal.received_at
    if not intervals:
        return Appeal.id.is_null()
    in_intervals = [(received_at >= begin) & (received_at < end) for begin, end in intervals]
    in_outer_bounds = (received_at >= intervals[0][0]) & (received_at < intervals[-1][1])
    return in_outer_bounds & functools.reduce(operator.or_, in_intervals)


def _deadline_conditions(when: str, today: dt.date) -> list[Expression]:
    """Return the conditions on Handling for one of DEADLINE_CLASSES, apart from being open."""
    due_on = Handling.due_on
    return {
        "overdue": [due_on < today],
        "today": [due_on == today],
        "soon": [due_on > today, due_on <= today + SOON_PERIOD],
        "later": [due_on > today + SOON_PERIOD],
    }[when]
