"""One appeal put back out of a snapshot into the database that is in use.

With its form, steps, former wordings and messages, the registered calls that it belongs to, and the
rows of these calls and of their recordings. What is there already stays: an appeal with that number
is a reason to refuse, a call that the event log has restored is kept unchanged.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from appliance.box import mask_journal
from appliance.box.snapshots import records
from appliance.box.snapshots.contents import Tell, nothing
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.numbers import A_DAY
from appliance.box.snapshots.requests import Wish
from appliance.casework import applicants, catalogs
from appliance.casework.appeals import searching
from appliance.core import audit, clock, live
from appliance.core.db import writing
from appliance.core.outbox.tables import HeldMessage
from appliance.core.settings import Settings
from appliance.core.tables import Table
from appliance.models import (
    AnswerDraft,
    Appeal,
    AppealReader,
    AppealReveal,
    AppealStep,
    AppealWording,
    Applicant,
    Call,
    CallForm,
    CallFormWording,
    CallNumberSeries,
    Consultation,
    Department,
    DialAttempt,
    District,
    DutyAlert,
    EventRow,
    FieldValue,
    FormVersion,
    Gap,
    Handling,
    Mahalla,
    MergedCall,
    Message,
    MinistryEvent,
    NumberSeries,
    QueueVisit,
    Recording,
    Region,
    Ring,
    Talk,
    Transfer,
    User,
)

type Row = dict[str, Any]
type Rows = dict[type[Table], list[Row]]

# Rows that belong to an appeal alone.
_OF_APPEAL = (Handling, AppealStep, Consultation, AppealWording, AppealReveal, AppealReader)
_OF_CALL = (QueueVisit, Talk, Transfer, DialAttempt)
_WAITING_STATES = ("pending", "claimed", "held")  # Message.state: it had not left yet


_MASKED_FORMS = ("call_form", "call_form_person")  # mask_journal.KINDS


@dataclass
class AppealReturn:
    """The result."""

    number: str
    snapshot: str
    rows: dict[str, int] = field(default_factory=dict)  # table → how many were put back
    present: list[str] = field(default_factory=list)  # what was there already, and stays unchanged
    on_hold: int = 0  # messages that waited then: they are on hold for review, and not sent


@dataclass
class _Copy:
    """One appeal's rows as a snapshot has them, and the names of what they refer to."""

    appeal: Row
    applicant: Row
    mahalla: Row | None
    calls: list[str]  # ids
    rows: Rows
    logins: dict[int, str]  # id of an account → login
    departments: dict[int, str]  # id → code


def return_appeal(
    settings: Settings, number: str, wish: Wish, by: str, reason: str = "", tell: Tell = nothing
) -> AppealReturn:
    """Put an appeal back into the open database, in one transaction, and write that in the audit.

    Raises SnapshotError: unknown (the snapshot lacks it, or the database lacks what it refers to),
    there (the number, its form or a registered call is there), masked (its personal data were
    removed at the citizen's request).
    """
    _refuse_existing(number)
    with records.opened(settings, wish, tell) as snapshot:
        copy = _take(number)
    _refuse_masked(settings, copy)
    report = AppealReturn(number, snapshot)
    with writing():
        _refuse_existing(number)
        appeal = _insert_appeal(copy, report)
        _insert_children(appeal, copy, report)
        _insert_registered_calls(copy, report)
        for call in copy.calls:
            _insert_call(call, copy, report)
        _insert_messages(copy, report)
        _insert(MinistryEvent, copy.rows[MinistryEvent], report, missing_only=True)
        _leave_number_out(NumberSeries, number)
        audit.record(by, "appeal.restore", number, **_detail(report, reason))
        searching.remember(appeal)
        live.publish("appeals", "calls", "outbox")
    return report


def _detail(report: AppealReturn, reason: str) -> dict[str, Any]:
    why = {"reason": reason.strip()} if reason.strip() else {}
    return {"snapshot": report.snapshot, "rows": report.rows, **why}


def _refuse_existing(number: str) -> None:
    if Appeal.select().where(Appeal.number == number).exists():
        raise SnapshotError("there", f"appeal {number} is there already: nothing was changed")


def _refuse_masked(settings: Settings, copy: _Copy) -> None:
    """Refuse to restore personal data that were removed at a citizen's request."""
    subjects = {
        *(("appeal", copy.appeal["number"]), ("appeal_person", copy.appeal["number"])),
        *((kind, row["number"]) for row in copy.rows[CallForm] for kind in _MASKED_FORMS),
        *(("call_person", call) for call in copy.calls),
    }
    for masked in mask_journal.collect(settings):
        if (masked.kind, masked.subject) in subjects:
            raise SnapshotError("masked", f"{masked.subject} was masked at a citizen's request")


def _take(number: str) -> _Copy:
    """Read an appeal out of the database that is open: the snapshot's."""
    matches = list(Appeal.select().where(Appeal.number == number).dicts())
    if not matches:
        raise SnapshotError("unknown", f"the snapshot has no appeal {number}")
    [appeal] = matches
    rows: Rows = {
        table: _rows(table, table.appeal == appeal["id"])
        for table in (*_OF_APPEAL, DutyAlert, AnswerDraft)
    }
    rows[CallForm] = _rows(CallForm, CallForm.appeal_number == number)
    ids = [row["id"] for row in rows[CallForm]]
    rows[CallFormWording] = _rows(CallFormWording, CallFormWording.call_form.in_(ids))
    numbers = [number, *(row["number"] for row in rows[CallForm])]
    rows[FieldValue] = _rows(FieldValue, FieldValue.number.in_(numbers))
    rows[Message] = _rows(Message, Message.cause == number)
    rows[MinistryEvent] = _rows(MinistryEvent, MinistryEvent.number == number)
    calls = list(
        dict.fromkeys(filter(None, (appeal["call_id"], *(r["call_id"] for r in rows[CallForm]))))
    )
    rows[Call] = _rows(Call, Call.id.in_(calls))
    for table in _OF_CALL:
        rows[table] = _rows(table, table.call.in_(calls))
    rows[Ring] = _rows(Ring, Ring.visit.in_([row["id"] for row in rows[QueueVisit]]))
    rows[Gap] = _rows(Gap, Gap.talk.in_([row["id"] for row in rows[Talk]]))
    for table in (MergedCall, Recording):
        rows[table] = _rows(table, table.call_id.in_(calls))
    linkedids = [*calls, *(row["linkedid"] for row in rows[MergedCall])]
    rows[EventRow] = _rows(EventRow, EventRow.linkedid.in_(linkedids))
    mahallas = _rows(Mahalla, Mahalla.id == appeal["mahalla"])
    return _Copy(
        appeal,
        _rows(Applicant, Applicant.id == appeal["applicant"])[0],
        mahallas[0] if mahallas else None,
        calls,
        rows,
        dict(User.select(User.id, User.login).tuples()),
        dict(Department.select(Department.id, Department.code).tuples()),
    )


def _rows(table: Any, where: Any) -> list[Row]:
    return list(table.select().where(where).dicts())


def _insert_appeal(copy: _Copy, report: AppealReturn) -> Appeal:
    values = dict(copy.appeal)
    token = values["token"]
    if token and (existing := Appeal.get_or_none(Appeal.token == token)):
        raise SnapshotError("there", f"its form is registered already, as {existing.number}")
    _require_form("1", values["form_version"])
    for table, name in ((Region, "region"), (District, "district")):
        if values[name] and table.get_or_none(table.soato == values[name]) is None:
            raise SnapshotError("unknown", f"there is no {name} {values[name]} in the lists")
    values["operator"] = _user(copy, values["operator"])
    values["mahalla"] = _mahalla(copy.mahalla)
    existing = applicants.match(values)
    if existing is None:
        ids = _insert(Applicant, [copy.applicant], report)
        values["applicant"] = ids[copy.applicant["id"]]
    else:
        values["applicant"] = existing.id
    ids = _insert(Appeal, [values], report)
    appeal: Appeal = Appeal.get_by_id(ids[copy.appeal["id"]])
    if existing is None:  # the snapshot's may know more, of appeals that were masked since
        applicants.refresh(appeal.applicant_id)
    return appeal


def _insert_children(appeal: Appeal, copy: _Copy, report: AppealReturn) -> None:
    for handling in copy.rows[Handling]:
        if handling["department"]:
            code = copy.departments[handling["department"]]
            department = Department.get_or_none(Department.code == code)
            if department is None:
                raise SnapshotError("unknown", f"there is no department {code}")
            handling["department"] = department.id
        # Others know versions that were given after the snapshot: as after a whole restore. Who
        # asks for what has changed since a moment finds it.
        days = max(0, (clock.now() - handling["changed_at"]).days) + 1
        handling["version"] += A_DAY["versions"] * days
        handling["changed_at"] = clock.now()
    for alert in copy.rows[DutyAlert]:
        alert["next_at"] = None  # no second call out of hours
    for draft in copy.rows[AnswerDraft]:
        draft["user"] = _user(copy, draft["user"])
    for table in (*_OF_APPEAL, DutyAlert, AnswerDraft):
        _insert(table, copy.rows[table], report, appeal=appeal.id)


def _insert_registered_calls(copy: _Copy, report: AppealReturn) -> None:
    """Form №2 of its calls, with the values that reports count."""
    numbers = {copy.appeal["number"]}
    for row in copy.rows[CallForm]:
        existing = CallForm.get_or_none(CallForm.number == row["number"])
        if existing and (existing.call_id, existing.registered_at) == (
            row["call_id"],
            row["registered_at"],
        ):
            report.present.append(f"registered call {row['number']}")
            continue
        user = _user(copy, row["operator"])
        existing = existing or CallForm.get_or_none(
            CallForm.call_id == row["call_id"], CallForm.operator == user
        )
        if existing:
            raise SnapshotError(
                "there", f"registered call {existing.number} is there, and is another"
            )
        _require_form("2", row["version"])
        numbers.add(row["number"])
        ids = _insert(CallForm, [row | {"operator": user}], report)
        former = [
            wording for wording in copy.rows[CallFormWording] if wording["call_form"] == row["id"]
        ]
        _insert(CallFormWording, former, report, call_form=ids[row["id"]])
        _leave_number_out(CallNumberSeries, row["number"].removeprefix("Q-"))
    values = [row for row in copy.rows[FieldValue] if row["number"] in numbers]
    _insert(FieldValue, values, report)


def _insert_call(call: str, copy: _Copy, report: AppealReturn) -> None:
    """A call's rows, unless the event log brought it back; its recordings' rows in any case."""
    sounds = [row for row in copy.rows[Recording] if row["call_id"] == call]
    _insert(Recording, sounds, report, missing_only=True)
    if Call.get_or_none(Call.id == call):
        report.present.append(f"call {call}")
        return
    _insert(Call, [row for row in copy.rows[Call] if row["id"] == call], report)
    for table, child, parent in ((QueueVisit, Ring, "visit"), (Talk, Gap, "talk")):
        of_call = [row for row in copy.rows[table] if row["call"] == call]
        for old, new in _insert(table, of_call, report).items():
            rows = [row for row in copy.rows[child] if row[parent] == old]
            _insert(child, rows, report, **{parent: new})
    for table in (Transfer, DialAttempt):
        _insert(table, [row for row in copy.rows[table] if row["call"] == call], report)
    aliases = [row for row in copy.rows[MergedCall] if row["call_id"] == call]
    _insert(MergedCall, aliases, report, missing_only=True)
    linkedids = {call, *(row["linkedid"] for row in aliases)}
    events = [row for row in copy.rows[EventRow] if row["linkedid"] in linkedids]
    _insert(EventRow, events, report, missing_only=True)


def _insert_messages(copy: _Copy, report: AppealReturn) -> None:
    """Each under its id where that is free. One that waited is put on hold for review: it may have
    gone out since."""
    for row in copy.rows[Message]:
        if Message.get_or_none(Message.key == row["key"]):
            report.present.append(f"message {row['key']}")
            continue
        values = dict(row)
        if values["state"] in _WAITING_STATES:
            report.on_hold += 1
            values |= {"state": "held", "claimed_until": None}
        # A restore put a row there that is no message, so that ids go on above it. It also says
        # when the restore was (outbox.hold_if_old): it goes above this message.
        marks = _rows(Message, (Message.id == row["id"]) & (Message.channel == "none"))
        Message.delete().where(Message.id.in_([mark["id"] for mark in marks])).execute()
        keep_id = Message.get_or_none(Message.id == row["id"]) is None
        ids = _insert(Message, [values], report, keep_id=keep_id)
        for mark in marks:
            Message.insert({name: mark[name] for name in mark if name != "id"}).execute()
        if values["state"] == "held":
            hold = {"message": ids[row["id"]], "held_at": clock.now()}
            HeldMessage.insert(hold).execute()


def _insert(
    table: Any,
    rows: Iterable[Row],
    report: AppealReturn,
    *,
    missing_only: bool = False,
    keep_id: bool = False,
    **replacements: object,
) -> dict[Any, Any]:
    """Insert rows, numbered by this database; returns the former id of each → the new one.

    `missing_only`: leaves out those whose primary key is there.
    """
    key = table._meta.primary_key
    ids: dict[Any, Any] = {}
    for row in rows:
        values = row | replacements
        if missing_only and table.get_or_none(key == values[key.name]):
            continue
        has_number = key.name == "id" and isinstance(row["id"], int)
        if has_number and not keep_id:
            del values["id"]
        new = table.insert(values).execute()
        ids[row.get("id")] = new if has_number else row.get("id")
        name = table._meta.table_name
        report.rows[name] = report.rows.get(name, 0) + 1
    return ids


def _leave_number_out(series: Any, number: str) -> None:
    """Keep the restored number from being given to another appeal."""
    year, last = map(int, number.split("-"))
    row = series.get_or_none(series.year == year)
    if row is None or row.last < last:
        series.insert(year=year, last=last).on_conflict_replace().execute()


def _require_form(form: str, version: int) -> None:
    existing = FormVersion.select().where(FormVersion.form == form, FormVersion.number == version)
    if not existing.exists():
        raise SnapshotError("unknown", f"form {form} has no version {version} here")


def _user(copy: _Copy, id: int) -> int:
    login = copy.logins[id]
    user = User.get_or_none(User.login == login)
    if user is None:
        raise SnapshotError("unknown", f"there is no account {login}: add it first")
    user_id: int = user.id
    return user_id


def _mahalla(row: Row | None) -> int | None:
    if row is None:
        return None
    existing = Mahalla.get_or_none(Mahalla.code == row["code"]) if row["code"] else None
    existing = existing or catalogs.remember_mahalla(row["name_uz_latn"], row["district"])
    mahalla_id: int = existing.id
    return mahalla_id
