"""What the project manager keeps for table 2 of report form №1: education, courses, shifts.

A figure counts who is an operator on a period's last day; courses and measures count in the period.
"""

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from peewee import Expression

from appliance.core import audit, clock
from appliance.core.db import writing
from appliance.core.intervals import Interval, merged
from appliance.models import QuarterAnswer, Shift, ShiftPlace, StaffEvent, StaffRecord, User

EDUCATION = ("secondary", "incomplete_higher", "higher")
EVENTS = ("training", "measure")
_LONGEST = 500  # letters of a note


class RecordError(ValueError):
    """What was typed cannot be kept; `code` names why for the page to say it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Qualification:
    """Counts of table 2; None: unknown, because nobody has recorded it."""

    operators: int
    incomplete_higher: int | None
    secondary: int | None
    unrecorded: int  # operators whose education nobody has recorded
    upskilled: int | None
    disciplined: int | None


@dataclass(frozen=True)
class StaffedHours:
    """A shift as HH:MM to HH:MM, and how many work in it; None: nobody was put into it."""

    opens: str
    closes: str
    staff: int | None

    def covers(self, time: dt.time) -> bool:
        """Whether a time of the day falls into it."""
        opens, closes = dt.time.fromisoformat(self.opens), dt.time.fromisoformat(self.closes)
        if opens < closes:
            return opens <= time < closes
        return time >= opens or time < closes


@dataclass(frozen=True)
class Kept:
    """What the page keeps of one operator."""

    user: User
    education: str  # one of EDUCATION, or ""
    hired_on: dt.date | None
    left_on: dt.date | None
    shift: Shift | None


def everybody() -> list[tuple[User, StaffRecord]]:
    """Every operator with his record (an empty one where none was kept), by name."""
    records = {record.user_id: record for record in StaffRecord.select()}
    users = User.select().where(User.role == "operator").order_by(User.name, User.login)
    return [(user, records.get(user.id) or StaffRecord(user=user)) for user in users]


def employed(day: dt.date) -> list[tuple[User, StaffRecord]]:
    """The operators at work on a date. A closed account counts only with the day he left."""
    return [
        (user, record)
        for user, record in everybody()
        if not (record.hired_on and record.hired_on > day)
        and not (record.left_on and record.left_on < day)
        and (user.active or record.left_on)
    ]


def qualification(first: dt.date, last: dt.date, complete: bool) -> Qualification:
    """The counts of a period. `complete`: the manager said that its records are complete."""
    staff = employed(last)
    education = Counter(record.education for _, record in staff)
    events: dict[str, set[int]] = {kind: set() for kind in EVENTS}
    for event in StaffEvent.select().where(StaffEvent.date.between(first, last)):
        events[event.kind].add(event.user_id)
    trained = len(events["training"] & {user.id for user, _ in staff})
    unrecorded = education[""]

    def known(count: int, certain: bool) -> int | None:
        return count if count or certain else None

    return Qualification(
        operators=len(staff),
        incomplete_higher=known(education["incomplete_higher"], not unrecorded),
        secondary=known(education["secondary"], not unrecorded),
        unrecorded=unrecorded,
        upskilled=known(trained, complete),
        disciplined=known(len(events["measure"]), complete),
    )


def staffed_hours(day: dt.date) -> list[StaffedHours]:
    """The shifts in force on a date, the earliest first."""
    here = {user.id for user, _ in employed(day)}
    places = Counter(
        place.shift_id
        for place in ShiftPlace.select().where(*_in_force(ShiftPlace, day))
        if place.user_id in here
    )
    return [StaffedHours(s.opens, s.closes, places[s.id] or None) for s in shifts(day)]


def shifts(day: dt.date) -> list[Shift]:
    """The shifts in force on a date, the earliest first."""
    return list(
        Shift.select().where(*_in_force(Shift, day)).order_by(Shift.opens, Shift.closes, Shift.id)
    )


def shift(number: int) -> Shift | None:
    """The shift with this id, in force or not; None when there is none."""
    return Shift.get_or_none(Shift.id == number)


def places(day: dt.date) -> dict[int, int]:
    """User's id → id of the shift that he is in on a date."""
    rows = ShiftPlace.select().where(*_in_force(ShiftPlace, day)).order_by(ShiftPlace.id)
    return {place.user_id: place.shift_id for place in rows}


def planned(begin: dt.datetime, end: dt.datetime, tz: dt.tzinfo) -> dict[str, list[Interval]]:
    """Login → his shifts within [begin, end), in order; of everybody who has a place in one."""
    rows = list(
        ShiftPlace.select(ShiftPlace, Shift, User)
        .join_from(ShiftPlace, Shift)
        .join_from(ShiftPlace, User)
    )
    found: dict[str, list[Interval]] = {}
    # the night before the first day reaches into it
    day, last = begin.astimezone(tz).date() - dt.timedelta(days=1), end.astimezone(tz).date()
    while day <= last:
        for place in rows:
            if all(_holds(one, day) for one in (place, place.shift)):
                opens, closes = map(dt.time.fromisoformat, (place.shift.opens, place.shift.closes))
                until = day + dt.timedelta(days=closes <= opens)
                first = max(begin, dt.datetime.combine(day, opens, tz))
                last_one = min(end, dt.datetime.combine(until, closes, tz))
                if first < last_one:
                    found.setdefault(place.user.login, []).append((first, last_one))
        day += dt.timedelta(days=1)
    return {login: merged(shifts) for login, shifts in found.items()}


def answer(quarter: str) -> QuarterAnswer | None:
    """What was answered for a quarter, "2026-Q3"."""
    return QuarterAnswer.get_or_none(QuarterAnswer.quarter == quarter)


def store(rows: Iterable[Kept], day: dt.date, by: str) -> None:
    """Write down operators' records, and their shifts from `day` on: all of them, or none.

    Raises RecordError: "education" (not one of EDUCATION or ""), "dates" (left before hired).
    """
    with writing():
        for row in rows:
            _store(row, day, by)


def events(limit: int) -> list[StaffEvent]:
    """Courses and measures, the newest first."""
    newest = StaffEvent.select().order_by(StaffEvent.date.desc(), StaffEvent.id)
    return list(newest.limit(limit))


def event(number: int) -> StaffEvent | None:
    """The course or measure with this id; None when there is none."""
    return StaffEvent.get_or_none(StaffEvent.id == number)


def add_event(user: User, kind: str, date: dt.date | None, note: str, by: str) -> StaffEvent:
    """Write down a course or a measure. Raises RecordError: "kind", "date"."""
    if kind not in EVENTS:
        raise RecordError("kind")
    if date is None:
        raise RecordError("date")
    with writing():
        event = StaffEvent.create(user=user, kind=kind, date=date, note=note.strip()[:_LONGEST])
        audit.record(by, f"staff.{kind}", user.login, date=str(date), note=event.note)
    return event


def remove_event(event: StaffEvent, by: str) -> None:
    """Take out what was written down by mistake."""
    with writing():
        event.delete_instance()
        audit.record(by, f"staff.{event.kind}.remove", event.user.login, date=str(event.date))


def add_shift(opens: str, closes: str, since: dt.date | None, by: str) -> Shift:
    """A new interval. Raises RecordError: "time", "date"."""
    if not (_is_time(opens) and _is_time(closes)) or opens == closes:
        raise RecordError("time")
    if since is None:
        raise RecordError("date")
    with writing():
        shift = Shift.create(opens=opens, closes=closes, since=since)
        audit.record(by, "staff.shift", f"{opens}-{closes}", since=str(since))
    return shift


def end_shift(shift: Shift, last: dt.date, by: str) -> None:
    """Let a shift and the places in it end with a day; one that never was in force goes."""
    with writing():
        if last < shift.since:
            ShiftPlace.delete().where(ShiftPlace.shift == shift).execute()
            shift.delete_instance()
        else:
            Shift.update(until=last).where(Shift.id == shift.id).execute()
            for place in ShiftPlace.select().where(ShiftPlace.shift == shift):
                _end_place(place, last)
        audit.record(by, "staff.shift.end", f"{shift.opens}-{shift.closes}", last=str(last))


def keep_answer(
    quarter: str,
    published: bool | None,
    published_note: str,
    numbers: str,
    complete: bool,
    by: User,
) -> None:
    """Write down what only a person knows of a quarter; None: not known."""
    with writing():
        QuarterAnswer.replace(
            quarter=quarter,
            published=published,
            published_note=published_note.strip()[:_LONGEST],
            numbers=numbers.strip()[:_LONGEST],
            complete=complete,
            by=by,
            at=clock.now(),
        ).execute()
        audit.record(by.login, "staff.answer", quarter, complete=complete)


def _store(row: Kept, day: dt.date, by: str) -> None:
    if row.education not in ("", *EDUCATION):
        raise RecordError("education")
    if row.hired_on and row.left_on and row.left_on < row.hired_on:
        raise RecordError("dates")
    record = StaffRecord.get_or_none(StaffRecord.user == row.user) or StaffRecord(user=row.user)
    told = {}
    for name in ("education", "hired_on", "left_on"):
        value = getattr(row, name)
        if getattr(record, name) != value:
            told[name] = str(value or "")
            setattr(record, name, value)
    if told:
        record.save()
    if places(day).get(row.user.id) != (row.shift.id if row.shift else None):
        _move(row, day)
        told["shift"] = f"{row.shift.opens}-{row.shift.closes}" if row.shift else ""
    if told:
        audit.record(by, "staff.record", row.user.login, **told)


def _move(row: Kept, day: dt.date) -> None:
    """Another shift from a day on; an operator's first one counts since it, or he, began."""
    held = ShiftPlace.select().where(ShiftPlace.user == row.user)
    if row.shift and not held.exists():
        day = min(day, max(row.shift.since, row.hired_on or row.shift.since))
    for place in held.where(ShiftPlace.until.is_null() | (ShiftPlace.until >= day)):
        _end_place(place, day - dt.timedelta(days=1))
    if row.shift:
        ShiftPlace.create(shift=row.shift, user=row.user, since=day)


def _end_place(place: ShiftPlace, last: dt.date) -> None:
    if last < place.since:
        place.delete_instance()
    elif place.until is None or place.until > last:
        ShiftPlace.update(until=last).where(ShiftPlace.id == place.id).execute()


def _in_force(table: type[Shift] | type[ShiftPlace], day: dt.date) -> tuple[Expression, ...]:
    return (table.since <= day, table.until.is_null() | (table.until >= day))


def _holds(one: Shift | ShiftPlace, day: dt.date) -> bool:
    return one.since <= day and (one.until is None or day <= one.until)


def _is_time(text: str) -> bool:
    return bool(re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text, re.ASCII))
