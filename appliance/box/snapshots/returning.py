"""One appeal put back out of a snapshot into the database that is in use.

With its form, steps, former wordings and messages, the registered calls that it belongs to, and the
rows of these calls and of their recordings. What is there already stays: an appeal with that number
is a reason to refuse, a call that the event log brought back is kept as it is.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from appliance.box.snapshots import records
from appliance.box.snapshots.contents import Tell, nothing
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.numbers import A_DAY
from appliance.box.snapshots.requests import Wish
from appliance.casework import applicants, catalogs
from appliance.casework.appeals import searching
from appliance.core import audit, clock, live
from appliance.core.db import writing
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
    DataRequest,
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

# Rows of an appeal that hang on it alone.
_OF_APPEAL = (Handling, AppealStep, Consultation, AppealWording, AppealReveal, AppealReader)
_OF_CALL = (QueueVisit, Talk, Transfer, DialAttempt)
_WAITED = ("pending", "claimed")  # Message.state: the citizen has not been told


@dataclass
class Returned:
    """What came of it."""

    number: str
    snapshot: str
    rows: dict[str, int] = field(default_factory=dict)  # table → how many were put back
    there: list[str] = field(default_factory=list)  # what was there already, and stays as it is
    not_sent: int = 0  # messages that waited then: they are kept as expired, and not sent


@dataclass
class _Taken:
    """One appeal's rows as a snapshot has them, and the names of what they refer to."""

    appeal: Row
    applicant: Row
    mahalla: Row | None
    calls: list[str]  # ids
    rows: Rows
    logins: dict[int, str]  # id of an account → login
    departments: dict[int, str]  # id → code


def put_back(
    settings: Settings, number: str, wish: Wish, by: str, reason: str = "", tell: Tell = nothing
) -> Returned:
    """Put an appeal back into the open database, in one transaction, and write that in the audit.

    Raises SnapshotError: unknown (the snapshot lacks it, or the database lacks what it refers to),
    there (the number, its form or a registered call is there), masked (its personal data were
    removed at the citizen's request).
    """
    _refuse_known(number)
    with records.opened(settings, wish, tell) as snapshot:
        taken = _take(number)
    returned = Returned(number, snapshot)
    with writing():
        _refuse_known(number)
        appeal = _insert_appeal(taken, returned)
        _insert_what_hangs_on(appeal, taken, returned)
        _insert_registered_calls(taken, returned)
        for call in taken.calls:
            _insert_call(call, taken, returned)
        _insert_messages(taken, returned)
        _insert(MinistryEvent, taken.rows[MinistryEvent], returned, missing_only=True)
        _leave_number_out(NumberSeries, number)
        audit.record(by, "appeal.restore", number, **_detail(returned, reason))
        searching.remember(appeal)
        live.publish("appeals", "calls", "outbox")
    return returned


def _detail(returned: Returned, reason: str) -> dict[str, Any]:
    why = {"reason": reason.strip()} if reason.strip() else {}
    return {"snapshot": returned.snapshot, "rows": returned.rows, **why}


def _refuse_known(number: str) -> None:
    if Appeal.select().where(Appeal.number == number).exists():
        raise SnapshotError("there", f"appeal {number} is there already: nothing was changed")
    for request in DataRequest.select().where(
        DataRequest.kind == "mask", DataRequest.state == "done"
    ):
        if any(number in numbers for numbers in request.records.values()):
            raise SnapshotError("masked", f"the data of {number} were removed at a request")


def _take(number: str) -> _Taken:
    """Read an appeal out of the database that is open: the snapshot's."""
    found = list(Appeal.select().where(Appeal.number == number).dicts())
    if not found:
        raise SnapshotError("unknown", f"the snapshot has no appeal {number}")
    [appeal] = found
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
    linked = [*calls, *(row["linkedid"] for row in rows[MergedCall])]
    rows[EventRow] = _rows(EventRow, EventRow.linkedid.in_(linked))
    mahallas = _rows(Mahalla, Mahalla.id == appeal["mahalla"])
    return _Taken(
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


def _insert_appeal(taken: _Taken, returned: Returned) -> Appeal:
    values = dict(taken.appeal)
    token = values["token"]
    if token and (known := Appeal.get_or_none(Appeal.token == token)):
        raise SnapshotError("there", f"its form is registered already, as {known.number}")
    _require_form("1", values["form_version"])
    for table, name in ((Region, "region"), (District, "district")):
        if values[name] and table.get_or_none(table.soato == values[name]) is None:
            raise SnapshotError("unknown", f"there is no {name} {values[name]} in the lists")
    values["operator"] = _user(taken, values["operator"])
    values["mahalla"] = _mahalla(taken.mahalla)
    known = applicants.match(values)
    if known is None:
        ids = _insert(Applicant, [taken.applicant], returned)
        values["applicant"] = ids[taken.applicant["id"]]
    else:
        values["applicant"] = known.id
    ids = _insert(Appeal, [values], returned)
    appeal: Appeal = Appeal.get_by_id(ids[taken.appeal["id"]])
    return appeal


def _insert_what_hangs_on(appeal: Appeal, taken: _Taken, returned: Returned) -> None:
    for handling in taken.rows[Handling]:
        if handling["department"]:
            code = taken.departments[handling["department"]]
            department = Department.get_or_none(Department.code == code)
            if department is None:
                raise SnapshotError("unknown", f"there is no department {code}")
            handling["department"] = department.id
        # Others know versions that were given after the snapshot: as after a whole restore. Who
        # asks for what has changed since a moment finds it.
        days = max(0, (clock.now() - handling["changed_at"]).days) + 1
        handling["version"] += A_DAY["versions"] * days
        handling["changed_at"] = clock.now()
    for alert in taken.rows[DutyAlert]:
        alert["next_at"] = None  # nobody is called out of hours for it once more
    for draft in taken.rows[AnswerDraft]:
        draft["user"] = _user(taken, draft["user"])
    for table in (*_OF_APPEAL, DutyAlert, AnswerDraft):
        _insert(table, taken.rows[table], returned, appeal=appeal.id)


def _insert_registered_calls(taken: _Taken, returned: Returned) -> None:
    """Form №2 of its calls, with the values that reports count."""
    numbers = {taken.appeal["number"]}
    for row in taken.rows[CallForm]:
        known = CallForm.get_or_none(CallForm.number == row["number"])
        if known and (known.call_id, known.registered_at) == (row["call_id"], row["registered_at"]):
            returned.there.append(f"registered call {row['number']}")
            continue
        user = _user(taken, row["operator"])
        same = CallForm.get_or_none(CallForm.call_id == row["call_id"], CallForm.operator == user)
        if known or same:
            raise SnapshotError(
                "there", f"registered call {(known or same).number} is there, and is another"
            )
        _require_form("2", row["version"])
        numbers.add(row["number"])
        ids = _insert(CallForm, [row | {"operator": user}], returned)
        former = [one for one in taken.rows[CallFormWording] if one["call_form"] == row["id"]]
        _insert(CallFormWording, former, returned, call_form=ids[row["id"]])
        _leave_number_out(CallNumberSeries, row["number"].removeprefix("Q-"))
    values = [row for row in taken.rows[FieldValue] if row["number"] in numbers]
    _insert(FieldValue, values, returned)


def _insert_call(call: str, taken: _Taken, returned: Returned) -> None:
    """A call's rows, unless the event log brought it back; its recordings' rows in any case."""
    sounds = [row for row in taken.rows[Recording] if row["call_id"] == call]
    _insert(Recording, sounds, returned, missing_only=True)
    if Call.get_or_none(Call.id == call):
        returned.there.append(f"call {call}")
        return
    _insert(Call, [row for row in taken.rows[Call] if row["id"] == call], returned)
    for table, child, parent in ((QueueVisit, Ring, "visit"), (Talk, Gap, "talk")):
        of_call = [row for row in taken.rows[table] if row["call"] == call]
        for old, new in _insert(table, of_call, returned).items():
            rows = [row for row in taken.rows[child] if row[parent] == old]
            _insert(child, rows, returned, **{parent: new})
    for table in (Transfer, DialAttempt):
        _insert(table, [row for row in taken.rows[table] if row["call"] == call], returned)
    merged = [row for row in taken.rows[MergedCall] if row["call_id"] == call]
    _insert(MergedCall, merged, returned, missing_only=True)
    linked = {call, *(row["linkedid"] for row in merged)}
    events = [row for row in taken.rows[EventRow] if row["linkedid"] in linked]
    _insert(EventRow, events, returned, missing_only=True)


def _insert_messages(taken: _Taken, returned: Returned) -> None:
    """Each under its id where that is free. None is sent by being put back."""
    for row in taken.rows[Message]:
        if Message.get_or_none(Message.key == row["key"]):
            returned.there.append(f"message {row['key']}")
            continue
        values = dict(row)
        if values["state"] in _WAITED:
            returned.not_sent += 1
            values |= {"state": "expired", "ended_at": clock.now(), "claimed_until": None}
            values["trouble_text"] = f"out of snapshot {returned.snapshot}: was not sent"
        # A restore put a row there that is no message, so that ids go on above it.
        Message.delete().where(Message.id == row["id"], Message.channel == "none").execute()
        keep_id = Message.get_or_none(Message.id == row["id"]) is None
        _insert(Message, [values], returned, keep_id=keep_id)


def _insert(
    table: Any,
    rows: Iterable[Row],
    returned: Returned,
    *,
    missing_only: bool = False,
    keep_id: bool = False,
    **changed: object,
) -> dict[Any, Any]:
    """Insert rows, numbered by this database; returns the former id of each → the new one.

    `missing_only`: leaves out those whose primary key is there.
    """
    key = table._meta.primary_key
    ids: dict[Any, Any] = {}
    for row in rows:
        values = row | changed
        if missing_only and table.get_or_none(key == values[key.name]):
            continue
        numbered = key.name == "id" and isinstance(row["id"], int)
        if numbered and not keep_id:
            del values["id"]
        new = table.insert(values).execute()
        ids[row.get("id")] = new if numbered else row.get("id")
        name = table._meta.table_name
        returned.rows[name] = returned.rows.get(name, 0) + 1
    return ids


def _leave_number_out(series: Any, number: str) -> None:
    """The number that was put back is not given to another."""
    year, last = map(int, number.split("-"))
    row = series.get_or_none(series.year == year)
    if row is None or row.last < last:
        series.insert(year=year, last=last).on_conflict_replace().execute()


def _require_form(form: str, version: int) -> None:
    known = FormVersion.select().where(FormVersion.form == form, FormVersion.number == version)
    if not known.exists():
        raise SnapshotError("unknown", f"form {form} has no version {version} here")


def _user(taken: _Taken, id: int) -> int:
    login = taken.logins[id]
    user = User.get_or_none(User.login == login)
    if user is None:
        raise SnapshotError("unknown", f"there is no account {login}: add it first")
    found: int = user.id
    return found


def _mahalla(row: Row | None) -> int | None:
    if row is None:
        return None
    known = Mahalla.get_or_none(Mahalla.code == row["code"]) if row["code"] else None
    known = known or catalogs.remember_mahalla(row["name_uz_latn"], row["district"])
    found: int = known.id
    return found
