"""The project manager's records for table 2 of report form №1: education, courses, shifts.

The figures count the operators employed on a period's last day, and the courses and disciplinary
measures of the whole period.
"""

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from peewee import Expression

from appliance.core import audit, clock
from appliance.core.db import write_transaction
from appliance.core.intervals import Interval, merge_intervals
from appliance.core.refusals import Refused
from appliance.core.statements import find_row
from appliance.models import QuarterAnswer, Shift, ShiftPlace, StaffEvent, StaffRecord, User

EDUCATION = ("secondary", "incomplete_higher", "higher")
EVENTS = ("training", "measure")
_MAX_NOTE_CHARS = 500


@dataclass(frozen=True)
class Qualification:
    """The counts of table 2; None: unknown, because the records are incomplete."""

    operators: int
    incomplete_higher: int | None
    secondary: int | None
    unrecorded: int  # operators whose education was not recorded
    upskilled: int | None
    disciplined: int | None


@dataclass(frozen=True)
class StaffedHours:
    """A shift from `opens` to `closes` (HH:MM), and its number of operators.

    `staff` is None if nobody was assigned.
    """

    opens: str
    closes: str
    staff: int | None

    def covers_time(self, time: dt.time) -> bool:
        """Returns True if a time of the day is in the shift."""
        opens, closes = dt.time.fromisoformat(self.opens), dt.time.fromisoformat(self.closes)
        if opens < closes:
            return opens <= time < closes
        return time >= opens or time < closes


@dataclass(frozen=True)
class OperatorRecord:
    """The record of one operator, as edited on the page."""

    user: User
    education: str  # one of EDUCATION, or ""
    hired_on: dt.date | None
    left_on: dt.date | None
    shift: Shift | None


def all_records() -> list[tuple[User, StaffRecord]]:
    """Every operator with their record (an empty one if nothing was stored), by name."""
    records = {record.user_id: record for record in StaffRecord.select()}
    users = User.select().where(User.role == "operator").order_by(User.name, User.login)
    return [(user, records.get(user.id) or StaffRecord(user=user)) for user in users]


def employed_on(day: dt.date) -> list[tuple[User, StaffRecord]]:
    """Return the operators employed on a date.

    Those whose account is closed are included only if their leaving date was recorded.
    """
    return [
        (user, record)
        for user, record in all_records()
        if not (record.hired_on and record.hired_on > day)
        and not (record.left_on and record.left_on < day)
        and (user.active or record.left_on)
    ]


def qualification_counts(first: dt.date, last: dt.date, complete: bool) -> Qualification:
    """Return the counts of the period from `first` to `last`.

    `complete`: the manager stated that courses and measures are fully recorded, so 0 means 0.
    """
    staff = employed_on(last)
    education = Counter(record.education for _, record in staff)
    events: dict[str, set[int]] = {kind: set() for kind in EVENTS}
    for event in StaffEvent.select().where(StaffEvent.date.between(first, last)):
        events[event.kind].add(event.user_id)
    trained_count = len(events["training"] & {user.id for user, _ in staff})
    unrecorded = education[""]

    def known_count(count: int, is_certain: bool) -> int | None:
        return count if count or is_certain else None

    return Qualification(
        operators=len(staff),
        incomplete_higher=known_count(education["incomplete_higher"], not unrecorded),
        secondary=known_count(education["secondary"], not unrecorded),
        unrecorded=unrecorded,
        upskilled=known_count(trained_count, complete),
        disciplined=known_count(len(events["measure"]), complete),
    )


def staffed_hours(day: dt.date) -> list[StaffedHours]:
    """The shifts in force on a date with their staff, the earliest first."""
    employed_ids = {user.id for user, _ in employed_on(day)}
    staff_by_shift = Counter(
        place.shift_id
        for place in ShiftPlace.select().where(*_in_force_on(ShiftPlace, day))
        if place.user_id in employed_ids
    )
    return [
        StaffedHours(shift.opens, shift.closes, staff_by_shift[shift.id] or None)
        for shift in shifts_on(day)
    ]


def shifts_on(day: dt.date) -> list[Shift]:
    """The shifts in force on a date, the earliest first."""
    return list(
        Shift.select()
        .where(*_in_force_on(Shift, day))
        .order_by(Shift.opens, Shift.closes, Shift.id)
    )


def find_shift(shift_id: int) -> Shift | None:
    """The shift with this id, if any, in force or not."""
    return find_row(Shift, id=shift_id)


def shift_ids_on(day: dt.date) -> dict[int, int]:
    """Return the id of each user's shift on a date, by the user's id."""
    rows = ShiftPlace.select().where(*_in_force_on(ShiftPlace, day)).order_by(ShiftPlace.id)
    return {place.user_id: place.shift_id for place in rows}


def planned_intervals(
    begin: dt.datetime, end: dt.datetime, tz: dt.tzinfo
) -> dict[str, list[Interval]]:
    """Return the intervals of each person's shifts within [begin, end), in order, by login."""
    rows = list(
        ShiftPlace.select(ShiftPlace, Shift, User)
        .join_from(ShiftPlace, Shift)
        .join_from(ShiftPlace, User)
    )
    intervals: dict[str, list[Interval]] = {}
    # The night shift of the day before extends into the first day.
    day, last = begin.astimezone(tz).date() - dt.timedelta(days=1), end.astimezone(tz).date()
    while day <= last:
        for place in rows:
            if all(_is_in_force(row, day) for row in (place, place.shift)):
                opens, closes = map(dt.time.fromisoformat, (place.shift.opens, place.shift.closes))
                last_day = day + dt.timedelta(days=closes <= opens)
                starts_at = max(begin, dt.datetime.combine(day, opens, tz))
                ends_at = min(end, dt.datetime.combine(last_day, closes, tz))
                if starts_at < ends_at:
                    intervals.setdefault(place.user.login, []).append((starts_at, ends_at))
        day += dt.timedelta(days=1)
    return {login: merge_intervals(shifts) for login, shifts in intervals.items()}


def quarter_answer(quarter: str) -> QuarterAnswer | None:
    """Return the manager's answers for a quarter ("2026-Q3"), if they were stored."""
    return find_row(QuarterAnswer, quarter=quarter)


def store_records(rows: Iterable[OperatorRecord], day: dt.date, by: str) -> None:
    """Store operators' records, and their shifts from `day` on.

    Raises Refused, and stores nothing, with the code "education" if this is not one of EDUCATION or
    "", or "dates" if an operator left before they were hired.
    """
    with write_transaction():
        for row in rows:
            _store_record(row, day, by)


def newest_events(limit: int) -> list[StaffEvent]:
    """Return the newest courses and disciplinary measures, the newest first."""
    query = StaffEvent.select().order_by(StaffEvent.date.desc(), StaffEvent.id)
    return list(query.limit(limit))


def find_event(event_id: int) -> StaffEvent | None:
    """The course or measure with this id, if any."""
    return find_row(StaffEvent, id=event_id)


def add_event(user: User, kind: str, date: dt.date | None, note: str, by: str) -> StaffEvent:
    """Record a course or a disciplinary measure.

    Raises Refused with the code "kind" if the kind is unknown, or "date" if the date is missing.
    """
    if kind not in EVENTS:
        raise Refused("kind")
    if date is None:
        raise Refused("date")
    with write_transaction():
        event: StaffEvent = StaffEvent.create(
            user=user, kind=kind, date=date, note=note.strip()[:_MAX_NOTE_CHARS]
        )
        audit.record_entry(by, f"staff.{kind}", user.login, date=str(date), note=event.note)
    return event


def remove_event(event: StaffEvent, by: str) -> None:
    """Delete a course or measure that was recorded by mistake."""
    with write_transaction():
        event.delete_instance()
        audit.record_entry(by, f"staff.{event.kind}.remove", event.user.login, date=str(event.date))


def add_shift(opens: str, closes: str, since: dt.date | None, by: str) -> Shift:
    """Create a shift.

    Raises Refused with the code "time" if a time is invalid or both are equal, or "date" if the
    first day is missing.
    """
    if not (_is_time(opens) and _is_time(closes)) or opens == closes:
        raise Refused("time")
    if since is None:
        raise Refused("date")
    with write_transaction():
        shift: Shift = Shift.create(opens=opens, closes=closes, since=since)
        audit.record_entry(by, "staff.shift", f"{opens}-{closes}", since=str(since))
    return shift


def end_shift(shift: Shift, last: dt.date, by: str) -> None:
    """Make `last` the last day of a shift and its assignments.

    A shift that was not yet in force on that day is deleted.
    """
    with write_transaction():
        if last < shift.since:
            ShiftPlace.delete().where(ShiftPlace.shift == shift).execute()
            shift.delete_instance()
        else:
            Shift.update(until=last).where(Shift.id == shift.id).execute()
            for place in ShiftPlace.select().where(ShiftPlace.shift == shift):
                _end_assignment(place, last)
        audit.record_entry(by, "staff.shift.end", f"{shift.opens}-{shift.closes}", last=str(last))


def store_answer(
    quarter: str,
    published: bool | None,
    published_note: str,
    numbers: str,
    complete: bool,
    by: User,
) -> None:
    """Store the answers for a quarter that only a person can give.

    `published` is None if that is not known yet.
    """
    with write_transaction():
        QuarterAnswer.replace(
            quarter=quarter,
            published=published,
            published_note=published_note.strip()[:_MAX_NOTE_CHARS],
            numbers=numbers.strip()[:_MAX_NOTE_CHARS],
            complete=complete,
            by=by,
            at=clock.now(),
        ).execute()
        audit.record_entry(by.login, "staff.answer", quarter, complete=complete)


def _store_record(row: OperatorRecord, day: dt.date, by: str) -> None:
    """Store one operator's record and shift, and audit what changed."""
    if row.education not in ("", *EDUCATION):
        raise Refused("education")
    if row.hired_on and row.left_on and row.left_on < row.hired_on:
        raise Refused("dates")
    record = StaffRecord.get_or_none(StaffRecord.user == row.user) or StaffRecord(user=row.user)
    changes = {}
    for name in ("education", "hired_on", "left_on"):
        value = getattr(row, name)
        if getattr(record, name) != value:
            changes[name] = str(value or "")
            setattr(record, name, value)
    if changes:
        record.save()
    if shift_ids_on(day).get(row.user.id) != (row.shift.id if row.shift else None):
        _assign_shift(row, day)
        changes["shift"] = f"{row.shift.opens}-{row.shift.closes}" if row.shift else ""
    if changes:
        audit.record_entry(by, "staff.record", row.user.login, **changes)


def _assign_shift(row: OperatorRecord, day: dt.date) -> None:
    """Assign another shift to an operator from `day` on.

    The operator's first shift is assigned from an earlier day: since both the shift and the
    operator exist.
    """
    assignments = ShiftPlace.select().where(ShiftPlace.user == row.user)
    if row.shift and not assignments.exists():
        day = min(day, max(row.shift.since, row.hired_on or row.shift.since))
    for place in assignments.where(ShiftPlace.until.is_null() | (ShiftPlace.until >= day)):
        _end_assignment(place, day - dt.timedelta(days=1))
    if row.shift:
        ShiftPlace.create(shift=row.shift, user=row.user, since=day)


def _end_assignment(place: ShiftPlace, last: dt.date) -> None:
    """Make `last` the last day of an assignment; delete it if it would end before it began."""
    if last < place.since:
        place.delete_instance()
    elif place.until is None or place.until > last:
        ShiftPlace.update(until=last).where(ShiftPlace.id == place.id).execute()


def _in_force_on(table: type[Shift] | type[ShiftPlace], day: dt.date) -> tuple[Expression, ...]:
    """The conditions that a row is in force on a date."""
    return (table.since <= day, table.until.is_null() | (table.until >= day))


def _is_in_force(row: Shift | ShiftPlace, day: dt.date) -> bool:
    """Returns True if the row is in force on a date."""
    return row.since <= day and (row.until is None or day <= row.until)


def _is_time(text: str) -> bool:
    """Returns True for a time as HH:MM."""
    return bool(re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text, re.ASCII))
