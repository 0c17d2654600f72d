"""Restores one appeal from a snapshot into the database that is in use.

It is restored with its form, steps, earlier wordings and messages, the registered calls that belong
to it, and the rows of these calls and of their recordings. Existing rows stay: an appeal with that
number is a reason to refuse, and a call that the event log has restored is kept unchanged.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from appliance.box import mask_journal
from appliance.box.snapshots import records
from appliance.box.snapshots.contents import ProgressReport, ignore_progress
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.numbers import NUMBERS_PER_DAY
from appliance.box.snapshots.requests import RestoreRequest
from appliance.casework import applicants, catalogs
from appliance.casework.appeals import searching
from appliance.core import audit, clock, live
from appliance.core.db import write_transaction
from appliance.core.outbox import HeldMessage
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

# Tables whose rows belong to a single appeal.
_APPEAL_TABLES = (Handling, AppealStep, Consultation, AppealWording, AppealReveal, AppealReader)
_CALL_TABLES = (QueueVisit, Talk, Transfer, DialAttempt)
_UNSENT_STATES = ("pending", "claimed", "held")  # Message.state before a message is sent


_MASKED_FORMS = ("call_form", "call_form_person")  # among mask_journal.MASKED_KINDS


@dataclass
class AppealRestoration:
    """The result of restoring one appeal."""

    number: str
    snapshot: str
    rows: dict[str, int] = field(default_factory=dict)  # number of restored rows, by table
    present: list[str] = field(default_factory=list)  # rows that existed already and stay unchanged
    on_hold: int = 0  # messages that were unsent then: they are on hold for review, and not sent


@dataclass
class _AppealCopy:
    """One appeal's rows in a snapshot, and the names of what they refer to."""

    appeal: Row
    applicant: Row
    mahalla: Row | None
    calls: list[str]  # ids
    rows: Rows
    logins: dict[int, str]  # login of each account, by id
    departments: dict[int, str]  # code of each department, by id


def restore_appeal(
    settings: Settings,
    number: str,
    request: RestoreRequest,
    by: str,
    reason: str = "",
    report_progress: ProgressReport = ignore_progress,
) -> AppealRestoration:
    """Restore an appeal into the open database, in one transaction, and record it in the audit.

    Raises SnapshotError: "unknown" if the snapshot lacks it, or the database what it refers to;
    "there" if the number, its form or a registered call exists; "masked" if its personal data were
    removed at the citizen's request.
    """
    _refuse_existing(number)
    with records.open_snapshot_database(settings, request, report_progress) as snapshot:
        copy = _read_appeal_copy(number)
    _refuse_masked(settings, copy)
    report = AppealRestoration(number, snapshot)
    with write_transaction():
        _refuse_existing(number)
        appeal = _insert_appeal(copy, report)
        _insert_children(appeal, copy, report)
        _insert_registered_calls(copy, report)
        for call in copy.calls:
            _insert_call(call, copy, report)
        _insert_messages(copy, report)
        _insert_rows(MinistryEvent, copy.rows[MinistryEvent], report, missing_only=True)
        _reserve_number(NumberSeries, number)
        audit.record_entry(by, "appeal.restore", number, **_audit_detail(report, reason))
        searching.index_appeal(appeal)
        live.publish_topics("appeals", "calls", "outbox")
    return report


def _audit_detail(report: AppealRestoration, reason: str) -> dict[str, Any]:
    reason_detail = {"reason": reason.strip()} if reason.strip() else {}
    return {"snapshot": report.snapshot, "rows": report.rows, **reason_detail}


def _refuse_existing(number: str) -> None:
    """Raise SnapshotError if the database has an appeal with this number."""
    if Appeal.select().where(Appeal.number == number).exists():
        raise SnapshotError("there", f"appeal {number} is there already: nothing was changed")


def _refuse_masked(settings: Settings, copy: _AppealCopy) -> None:
    """Refuse to restore personal data that were removed at a citizen's request."""
    subjects = {
        *(("appeal", copy.appeal["number"]), ("appeal_person", copy.appeal["number"])),
        *((kind, row["number"]) for row in copy.rows[CallForm] for kind in _MASKED_FORMS),
        *(("call_person", call) for call in copy.calls),
    }
    for mask in mask_journal.collect_masks(settings):
        if (mask.kind, mask.subject) in subjects:
            raise SnapshotError("masked", f"{mask.subject} was masked at a citizen's request")


def _read_appeal_copy(number: str) -> _AppealCopy:
    """Read an appeal from the database that is currently open, which is the snapshot's."""
    matches = list(Appeal.select().where(Appeal.number == number).dicts())
    if not matches:
        raise SnapshotError("unknown", f"the snapshot has no appeal {number}")
    [appeal] = matches
    rows: Rows = {
        table: _select_rows(table, table.appeal == appeal["id"])
        for table in (*_APPEAL_TABLES, DutyAlert, AnswerDraft)
    }
    rows[CallForm] = _select_rows(CallForm, CallForm.appeal_number == number)
    ids = [row["id"] for row in rows[CallForm]]
    rows[CallFormWording] = _select_rows(CallFormWording, CallFormWording.call_form.in_(ids))
    numbers = [number, *(row["number"] for row in rows[CallForm])]
    rows[FieldValue] = _select_rows(FieldValue, FieldValue.number.in_(numbers))
    rows[Message] = _select_rows(Message, Message.cause == number)
    rows[MinistryEvent] = _select_rows(MinistryEvent, MinistryEvent.number == number)
    calls = list(
        dict.fromkeys(filter(None, (appeal["call_id"], *(r["call_id"] for r in rows[CallForm]))))
    )
    rows[Call] = _select_rows(Call, Call.id.in_(calls))
    for table in _CALL_TABLES:
        rows[table] = _select_rows(table, table.call.in_(calls))
    rows[Ring] = _select_rows(Ring, Ring.visit.in_([row["id"] for row in rows[QueueVisit]]))
    rows[Gap] = _select_rows(Gap, Gap.talk.in_([row["id"] for row in rows[Talk]]))
    for table in (MergedCall, Recording):
        rows[table] = _select_rows(table, table.call_id.in_(calls))
    linkedids = [*calls, *(row["linkedid"] for row in rows[MergedCall])]
    rows[EventRow] = _select_rows(EventRow, EventRow.linkedid.in_(linkedids))
    mahallas = _select_rows(Mahalla, Mahalla.id == appeal["mahalla"])
    return _AppealCopy(
        appeal,
        _select_rows(Applicant, Applicant.id == appeal["applicant"])[0],
        mahallas[0] if mahallas else None,
        calls,
        rows,
        dict(User.select(User.id, User.login).tuples()),
        dict(Department.select(Department.id, Department.code).tuples()),
    )


def _select_rows(table: Any, condition: Any) -> list[Row]:
    return list(table.select().where(condition).dicts())


def _insert_appeal(copy: _AppealCopy, report: AppealRestoration) -> Appeal:
    """Insert the appeal, and its applicant if there is no matching one."""
    values = dict(copy.appeal)
    token = values["token"]
    if token and (existing := Appeal.get_or_none(Appeal.token == token)):
        raise SnapshotError("there", f"its form is registered already, as {existing.number}")
    _require_form_version("1", values["form_version"])
    for table, name in ((Region, "region"), (District, "district")):
        if values[name] and table.get_or_none(table.soato == values[name]) is None:
            raise SnapshotError("unknown", f"there is no {name} {values[name]} in the lists")
    values["operator"] = _user_id(copy, values["operator"])
    values["mahalla"] = _mahalla_id(copy.mahalla)
    existing = applicants.matching_applicant(values)
    if existing is None:
        ids = _insert_rows(Applicant, [copy.applicant], report)
        values["applicant"] = ids[copy.applicant["id"]]
    else:
        values["applicant"] = existing.id
    ids = _insert_rows(Appeal, [values], report)
    appeal: Appeal = Appeal.get_by_id(ids[copy.appeal["id"]])
    if existing is None:  # the snapshot's row may hold data of appeals that were masked since
        applicants.refresh_from_appeals(appeal.applicant_id)
    return appeal


def _insert_children(appeal: Appeal, copy: _AppealCopy, report: AppealRestoration) -> None:
    """Insert the rows that belong to the appeal alone."""
    for handling in copy.rows[Handling]:
        if handling["department"]:
            code = copy.departments[handling["department"]]
            department = Department.get_or_none(Department.code == code)
            if department is None:
                raise SnapshotError("unknown", f"there is no department {code}")
            handling["department"] = department.id
        # Others may have received versions issued after the snapshot, as after a complete restore:
        # the version is raised. The time of change is now, so that queries for recent changes
        # include it.
        days = max(0, (clock.now() - handling["changed_at"]).days) + 1
        handling["version"] += NUMBERS_PER_DAY["versions"] * days
        handling["changed_at"] = clock.now()
    for alert in copy.rows[DutyAlert]:
        alert["next_at"] = None  # prevents a second notification out of hours
    for draft in copy.rows[AnswerDraft]:
        draft["user"] = _user_id(copy, draft["user"])
    for table in (*_APPEAL_TABLES, DutyAlert, AnswerDraft):
        _insert_rows(table, copy.rows[table], report, appeal=appeal.id)


def _insert_registered_calls(copy: _AppealCopy, report: AppealRestoration) -> None:
    """Insert the forms №2 of the appeal's calls, with the values that reports count."""
    numbers = {copy.appeal["number"]}
    for row in copy.rows[CallForm]:
        existing = CallForm.get_or_none(CallForm.number == row["number"])
        if existing and (existing.call_id, existing.registered_at) == (
            row["call_id"],
            row["registered_at"],
        ):
            report.present.append(f"registered call {row['number']}")
            continue
        user = _user_id(copy, row["operator"])
        existing = existing or CallForm.get_or_none(
            CallForm.call_id == row["call_id"], CallForm.operator == user
        )
        if existing:
            raise SnapshotError(
                "there", f"registered call {existing.number} is there, and is another"
            )
        _require_form_version("2", row["version"])
        numbers.add(row["number"])
        ids = _insert_rows(CallForm, [row | {"operator": user}], report)
        wordings = [
            wording for wording in copy.rows[CallFormWording] if wording["call_form"] == row["id"]
        ]
        _insert_rows(CallFormWording, wordings, report, call_form=ids[row["id"]])
        _reserve_number(CallNumberSeries, row["number"].removeprefix("Q-"))
    values = [row for row in copy.rows[FieldValue] if row["number"] in numbers]
    _insert_rows(FieldValue, values, report)


def _insert_call(call: str, copy: _AppealCopy, report: AppealRestoration) -> None:
    """Insert a call's rows unless the event log restored it; its recordings' rows in any case."""
    recordings = [row for row in copy.rows[Recording] if row["call_id"] == call]
    _insert_rows(Recording, recordings, report, missing_only=True)
    if Call.get_or_none(Call.id == call):
        report.present.append(f"call {call}")
        return
    _insert_rows(Call, [row for row in copy.rows[Call] if row["id"] == call], report)
    for table, child, parent in ((QueueVisit, Ring, "visit"), (Talk, Gap, "talk")):
        call_rows = [row for row in copy.rows[table] if row["call"] == call]
        for old_id, new_id in _insert_rows(table, call_rows, report).items():
            rows = [row for row in copy.rows[child] if row[parent] == old_id]
            _insert_rows(child, rows, report, **{parent: new_id})
    for table in (Transfer, DialAttempt):
        _insert_rows(table, [row for row in copy.rows[table] if row["call"] == call], report)
    aliases = [row for row in copy.rows[MergedCall] if row["call_id"] == call]
    _insert_rows(MergedCall, aliases, report, missing_only=True)
    linkedids = {call, *(row["linkedid"] for row in aliases)}
    events = [row for row in copy.rows[EventRow] if row["linkedid"] in linkedids]
    _insert_rows(EventRow, events, report, missing_only=True)


def _insert_messages(copy: _AppealCopy, report: AppealRestoration) -> None:
    """Insert the messages, each under its old id if that is free.

    A message that was unsent is put on hold for review, because it may have been sent since.
    """
    for row in copy.rows[Message]:
        if Message.get_or_none(Message.key == row["key"]):
            report.present.append(f"message {row['key']}")
            continue
        values = dict(row)
        if values["state"] in _UNSENT_STATES:
            report.on_hold += 1
            values |= {"state": "held", "claimed_until": None}
        # An earlier restore inserted a placeholder row, so that new ids continue above it. Its time
        # also shows when that restore was (outbox.hold_if_old): it gets a new id above the message.
        marks = _select_rows(Message, (Message.id == row["id"]) & (Message.channel == "none"))
        Message.delete().where(Message.id.in_([mark["id"] for mark in marks])).execute()
        keep_id = Message.get_or_none(Message.id == row["id"]) is None
        ids = _insert_rows(Message, [values], report, keep_id=keep_id)
        for mark in marks:
            Message.insert({name: mark[name] for name in mark if name != "id"}).execute()
        if values["state"] == "held":
            hold = {"message": ids[row["id"]], "held_at": clock.now()}
            HeldMessage.insert(hold).execute()


def _insert_rows(
    table: Any,
    rows: Iterable[Row],
    report: AppealRestoration,
    *,
    missing_only: bool = False,
    keep_id: bool = False,
    **replacements: object,
) -> dict[Any, Any]:
    """Insert rows under new ids; returns the new id of each row, by its id in the snapshot.

    `missing_only` leaves out rows whose primary key exists; `keep_id` keeps their ids;
    `replacements` are values to insert in place of those in each row.
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
        new_id = table.insert(values).execute()
        ids[row.get("id")] = new_id if has_number else row.get("id")
        name = table._meta.table_name
        report.rows[name] = report.rows.get(name, 0) + 1
    return ids


def _reserve_number(series: Any, number: str) -> None:
    """Prevent the restored number from being issued to another appeal."""
    year, last = map(int, number.split("-"))
    row = series.get_or_none(series.year == year)
    if row is None or row.last < last:
        series.insert(year=year, last=last).on_conflict_replace().execute()


def _require_form_version(form: str, version: int) -> None:
    existing = FormVersion.select().where(FormVersion.form == form, FormVersion.number == version)
    if not existing.exists():
        raise SnapshotError("unknown", f"form {form} has no version {version} here")


def _user_id(copy: _AppealCopy, id: int) -> int:
    """Return the id of the account with the same login. Raises SnapshotError if it is missing."""
    login = copy.logins[id]
    user = User.get_or_none(User.login == login)
    if user is None:
        raise SnapshotError("unknown", f"there is no account {login}: add it first")
    user_id: int = user.id
    return user_id


def _mahalla_id(row: Row | None) -> int | None:
    """Return the id of the current mahalla with the same code or name; it is added if missing."""
    if row is None:
        return None
    existing = Mahalla.get_or_none(Mahalla.code == row["code"]) if row["code"] else None
    existing = existing or catalogs.get_or_create_mahalla(row["name_uz_latn"], row["district"])
    mahalla_id: int = existing.id
    return mahalla_id
