"""Lists of appeals: filtered, searched, the overdue first, a piece at a time."""

import datetime as dt
import functools
import operator
from collections.abc import Iterator
from dataclasses import dataclass, field

from peewee import JOIN, Case, Expression, ModelSelect, fn

from appliance.casework.appeals import personal, searching, states
from appliance.core.db import in_pieces
from appliance.core.intervals import Interval
from appliance.models import Appeal, CatalogItem, Department, Handling, Region, User

# How the deadlines of open appeals are told apart; the three days include the third.
WHENS = ("overdue", "today", "soon", "later")
SOON = dt.timedelta(days=3)
NONE = "-"
NOBODY = 0
ANSWERS = ("in_time", "late", "none")  # of answered appeals; closed without an answer
_OPEN = Handling.is_open == 1  # compared, so that an index answers


@dataclass(frozen=True)
class Filters:
    """Which appeals; what is empty or None does not narrow. Dates are of registering, included.

    `region`, `direction`, `appeal_type` may be NONE: appeals that have none of the list;
    `department` NOBODY: those that are with no department.

    `state` is one of states.STATES, or "open"; `when` one of WHENS, of open appeals only;
    `answer` one of ANSWERS.
    """

    state: str = ""
    when: str = ""
    answer: str = ""
    region: str = ""
    district: str = ""
    direction: str = ""
    appeal_type: str = ""
    department: int | None = None
    holder: str = ""
    since: dt.date | None = None
    until: dt.date | None = None
    words: list[str] = field(default_factory=list)  # searching.terms
    received: tuple[Interval, ...] | None = None  # when their calls arrived, oldest first
    reader: User | None = None  # whose eyes they are for; None: they are only counted


def whole(within: int | None = None, reader: User | None = None) -> ModelSelect:
    """Every appeal with its handling, or those of one department and those that `reader` is named
    to read."""
    query = Appeal.select(Appeal, Handling).join(Handling, on=Handling.appeal, attr="handling")
    return query.where(_of(within, reader)) if within else query


def find(number: str, within: int | None, reader: User) -> Appeal | None:
    """The appeal of this number with its handling, if it is one of the department's; veiled, if
    the reader does not read it."""
    found = whole(within, reader).where(Appeal.number == number).limit(1)
    return next(iter(personal.veil(reader, found)), None)


def listed(
    filters: Filters, today: dt.date, within: int | None, limit: int, offset: int = 0
) -> list[Appeal]:
    """Appeals with `handling`, its department and the region: open ones by deadline, else newest.

    `within` is the department that whoever asks belongs to.
    """
    query = (
        whole(within, filters.reader)
        .select_extend(Region, Department, User)
        .join_from(Appeal, Region, JOIN.LEFT_OUTER)
        .join_from(Handling, Department, JOIN.LEFT_OUTER)
        .join_from(Appeal, User)
    )
    query = _narrowed(query, _where(filters, today))
    if filters.when or filters.state in ("open", *states.OPEN):
        query = query.order_by(Handling.due_on, Handling.appeal)
    else:
        query = query.order_by(Handling.appeal.desc())
    return _veiled(filters, list(query.limit(limit).offset(offset)))


def next_overdue(today: dt.date, within: int | None, by: str, besides: Appeal) -> Appeal | None:
    """The longest overdue appeal in work but one, with `handling`; none that a colleague holds."""
    free = Handling.holder.in_(("", by)) | (Handling.state == "registered")
    query = whole(within).where(
        _OPEN, Handling.due_on < today, Handling.state.in_(states.IN_WORK), free
    )
    return query.where(Appeal.id != besides.id).order_by(Handling.due_on, Handling.appeal).first()


def counted(filters: Filters, today: dt.date, within: int | None) -> dict[str, int]:
    """How many appeals stand in each state and, under a key of WHENS, how near the deadline is.

    State and nearness of the filters are left out: the counts are those of the other choices.
    """
    facts = _narrowed(_facts(filters, within), _where(filters, today, whole=True))
    columns = Handling.state, when_of(today)
    rows = facts.select(*columns, fn.COUNT(Handling.appeal)).group_by(*columns).tuples()
    counts: dict[str, int] = dict.fromkeys((*states.STATES, *WHENS), 0)
    for state, when, count in rows:
        counts[state] += count
        if state in states.OPEN:
            counts[when] += count
    return counts | {"open": sum(counts[state] for state in states.OPEN)}


def pieces(
    filters: Filters, today: dt.date, within: int | None, size: int = 500
) -> Iterator[list[Appeal]]:
    """The filtered appeals oldest first, some at a time."""
    rows = whole(within, filters.reader).select_extend(User).join_from(Appeal, User)
    for piece in in_pieces(_narrowed(rows, _where(filters, today)), Handling.appeal, size):
        yield _veiled(filters, piece)


def changed(
    filters: Filters,
    today: dt.date,
    within: int | None,
    after: tuple[int, int],
    limit: int,
) -> list[Appeal]:
    """Appeals in the order of their last change, after (microseconds, id) of one of them."""
    moment, number = after
    later = (Handling.changed_at > moment) | (
        (Handling.changed_at == moment) & (Handling.appeal > number)
    )
    query = whole(within, filters.reader).where(
        *_where(filters, today), Handling.changed_at >= moment, later
    )
    return _veiled(filters, list(query.order_by(Handling.changed_at, Handling.appeal).limit(limit)))


def when_of(today: dt.date) -> Case:
    """The key of WHENS of an open appeal's deadline, as an expression."""
    return Case(
        None,
        (
            (Handling.due_on < today, "overdue"),
            (Handling.due_on == today, "today"),
            (Handling.due_on <= today + SOON, "soon"),
        ),
        "later",
    )


def _veiled(filters: Filters, found: list[Appeal]) -> list[Appeal]:
    return personal.veil(filters.reader, found) if filters.reader else found


def _facts(filters: Filters, within: int | None) -> ModelSelect:
    """Handling, with the appeal only where a filter looks at it: counting is then by index."""
    query = Handling.select()
    of_appeal = filters.region, filters.district, filters.direction, filters.appeal_type
    if any(of_appeal) or filters.received is not None:
        query = query.join(Appeal)
    return query.where(_of(within, filters.reader)) if within else query


def _of(within: int, reader: User | None) -> Expression:
    """The condition on Handling of a department's appeals, and of those that a reader is named for.

    They are few, and most readers have none: then the department's index answers alone.
    """
    theirs = Handling.department == within
    named = [id for (id,) in personal.named(reader).tuples()] if reader else []
    return theirs | Handling.appeal.in_(named) if named else theirs


def _narrowed(query: ModelSelect, conditions: list[Expression]) -> ModelSelect:
    return query.where(*conditions) if conditions else query


def _where(filters: Filters, today: dt.date, *, whole: bool = False) -> list[Expression]:
    found = [
        column == value
        for column, value in (
            (Appeal.district, filters.district),
            (Appeal.appeal_type, filters.appeal_type if filters.appeal_type != NONE else ""),
            (Handling.department, filters.department),
            (Handling.holder, filters.holder),
        )
        if value
    ]
    found += _of_lists(filters)
    if filters.answer:
        found += _answered(filters.answer)
    if filters.received is not None:
        found.append(_received(filters.received))
    if filters.since:
        found.append(Handling.registered_on >= filters.since)
    if filters.until:
        found.append(Handling.registered_on <= filters.until)
    if filters.words:
        found.append(Handling.appeal.in_(searching.found(filters.words)))
    if filters.reader and (filters.words or filters.district):  # what is veiled answers to neither
        numbered = Appeal.select(Appeal.id).where(Appeal.number == " ".join(filters.words))
        closed = personal.closed_to(filters.reader)
        found.append(Handling.appeal.not_in(closed) | Handling.appeal.in_(numbered))
    if whole:
        return found
    if filters.when:
        found += [_OPEN, *_due(filters.when, today)]
    if filters.state == "open":
        found.append(_OPEN)
    elif filters.state:
        found.append(Handling.state == filters.state)
        if filters.state in states.OPEN:  # few: said for the index; those done are read in order
            found.append(_OPEN)
    return found


def _of_lists(filters: Filters) -> list[Expression]:
    found = []
    if filters.region:
        none = filters.region == NONE
        found.append(Appeal.region.is_null() if none else Appeal.region == filters.region)
    if filters.appeal_type == NONE:
        found.append(Appeal.appeal_type == "")
    if filters.department == NOBODY:
        found.append(Handling.department.is_null())
    if filters.direction == NONE:
        listed = CatalogItem.select(CatalogItem.code).where(CatalogItem.catalog == "direction")
        found.append(Appeal.direction.not_in(listed))
    elif filters.direction:
        found.append(Appeal.direction == filters.direction)
    return found


def _answered(answer: str) -> list[Expression]:
    on = Handling.answered_on
    return {
        "in_time": [on.is_null(False), on <= Handling.due_on],
        "late": [on.is_null(False), on > Handling.due_on],
        "none": [on.is_null(), Handling.is_open == 0],
    }[answer]


def _received(intervals: tuple[Interval, ...]) -> Expression:
    """The first and the last bound stand apart: they are what the index serves."""
    moment = Appeal.received_at
    if not intervals:
        return Appeal.id.is_null()
    within = [(moment >= begin) & (moment < end) for begin, end in intervals]
    whole = (moment >= intervals[0][0]) & (moment < intervals[-1][1])
    return whole & functools.reduce(operator.or_, within)


def _due(when: str, today: dt.date) -> list[Expression]:
    due = Handling.due_on
    return {
        "overdue": [due < today],
        "today": [due == today],
        "soon": [due > today, due <= today + SOON],
        "later": [due > today + SOON],
    }[when]
