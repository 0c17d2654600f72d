"""Citizens' requests about their own data: list it, correct it, mask it (law OʻRQ-547).

The text of that law available to us sets no term. The ten days that law OʻRQ-445 sets for an
information request (article 24) and for the explanation of an answer (article 31) are applied here
too. They are calendar days; an answer that would be due on a day off is due on the working day
before it.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from appliance.casework.appeals import personal
from appliance.core import audit, clock, live, phone_numbers
from appliance.core.clock import WorkingCalendar
from appliance.core.db import write_transaction
from appliance.core.refusals import Refused
from appliance.models import (
    Appeal,
    CallForm,
    DataRequest,
    Message,
    NumberNote,
    Recording,
    ScheduledCallback,
    User,
)
from appliance.people import rights
from appliance.telephony import calls, recordings

KINDS = ("tell", "correct", "mask")  # list the stored data, correct them, remove them
STATES = ("open", "done", "refused")
LANGUAGES = ("uz", "ru")
ANSWER_TERM = dt.timedelta(days=10)
WARNING_PERIOD = dt.timedelta(days=3)  # before the end of a term, in which it counts as urgent
TOPIC = "data_requests"  # under which core.live reports changes to open pages
MAX_RECORDS_PER_KIND = 200  # records of one kind that are searched
_MAX_NAME_LENGTH = 200  # characters


@dataclass(frozen=True)
class StoredRecords:
    """Stored records that may concern a citizen.

    Personal appeals that the user may not read are without their contents (personal.veil_appeals).
    """

    appeals: list[Appeal] = field(default_factory=list)
    call_forms: list[CallForm] = field(default_factory=list)
    calls: list[Any] = field(default_factory=list)  # of Call
    recordings: int = 0  # how many recordings of the calls still have sound
    messages: list[Message] = field(default_factory=list)  # SMS messages to the citizen
    notes: list[NumberNote] = field(default_factory=list)  # operators' notes on the phone number
    callbacks: int = 0  # how many callbacks to the phone number were scheduled


def can_answer_requests(user: User) -> bool:
    """Return True if the user's role handles these requests."""
    return rights.scope_of(user, "data_request.answer") == rights.ALL_RECORDS


def register_data_request(
    user: User, fields: dict[str, str], calendar: WorkingCalendar
) -> DataRequest:
    """Record a request from the values of its form, and return it.

    `fields` are kind, person, phone, number (of an appeal), proof (of identity), language and what
    (is to be corrected). Raises Refused with the code "kind", "person" or "proof" if it is missing,
    "what" if it is missing in a request to correct, "phone" if there is neither a phone nor an
    appeal or one of them is invalid; PermissionError if the user may not answer requests.
    """
    if not can_answer_requests(user):
        raise PermissionError(user.login)
    facts = {name: text.strip() for name, text in fields.items()}
    if facts.get("kind") not in KINDS:
        raise Refused("kind")
    if not facts.get("person"):
        raise Refused("person")
    phone = phone_numbers.canonical_number(facts.get("phone", "")) or ""
    number = facts.get("number", "")
    # a phone that was typed must be valid, even if an appeal is named, too
    if bool(facts.get("phone")) != bool(phone) or not (phone or number):
        raise Refused("phone")
    if number and not Appeal.select().where(Appeal.number == number).exists():
        raise Refused("phone")
    if not facts.get("proof"):
        raise Refused("proof")
    if facts["kind"] == "correct" and not facts.get("what"):
        raise Refused("what")
    with write_transaction():
        now = clock.now()
        request: DataRequest = DataRequest.create(
            kind=facts["kind"],
            person=facts["person"][:_MAX_NAME_LENGTH],
            phone=phone,
            proof=facts["proof"],
            language=facts.get("language") if facts.get("language") in LANGUAGES else "uz",
            what=facts.get("what", ""),
            asked_at=now,
            due_on=due_date(now, calendar),
            by=user.login,
            records={"named": [number] if number else []},
        )
        audit.record_entry(user.login, f"data_request.{request.kind}", str(request.id))
        live.publish_topics(TOPIC)
    return request


def due_date(asked_at: dt.datetime, calendar: WorkingCalendar) -> dt.date:
    """Return the last day on which a request made at `asked_at` can be answered in time."""
    day = asked_at.astimezone(calendar.tz).date() + ANSWER_TERM
    while not calendar.is_working_day(day):
        day -= dt.timedelta(days=1)
    return day


def find_data_request(number: int, user: User) -> DataRequest | None:
    """Return the request with the id `number`, if it exists and the user may see requests."""
    return DataRequest.get_or_none(DataRequest.id == number) if can_answer_requests(user) else None


def list_data_requests(user: User, limit: int = 200) -> list[DataRequest]:
    """Return the requests: open ones before closed ones, each by due date, then newest first.

    The list is empty if the user may not answer requests.
    """
    if not can_answer_requests(user):
        return []
    rows = DataRequest.select().order_by(
        DataRequest.state != "open", DataRequest.due_on, DataRequest.id.desc()
    )
    return list(rows.limit(limit))


def count_by_urgency(today: dt.date) -> tuple[int, int, int]:
    """Return how many requests are open, how many of these are due soon, and how many overdue.

    Due soon are those whose term ends today or within WARNING_PERIOD.
    """
    due_dates = [row.due_on for row in DataRequest.select().where(DataRequest.state == "open")]
    due_soon = sum(today <= due_on <= today + WARNING_PERIOD for due_on in due_dates)
    return len(due_dates), due_soon, sum(due_on < today for due_on in due_dates)


def stored_records(request: DataRequest, user: User) -> StoredRecords:
    """Return the records that may be the citizen's.

    They are found by the phone number, by the appeals that the request names, and by the applicants
    of these appeals.
    """
    phone, records = request.phone, request.records
    # "named": the appeal that the citizen stated; the other keys exist once the request is closed
    appeal_numbers = [*records.get("named", []), *records.get("appeal", [])]
    condition = Appeal.number.in_(appeal_numbers)
    if phone:
        condition |= (Appeal.phone == phone) | (Appeal.phone_at_hand == phone)
    direct_appeals = list(Appeal.select().where(condition).limit(MAX_RECORDS_PER_KIND))
    same_applicant = Appeal.applicant.in_({appeal.applicant_id for appeal in direct_appeals})
    appeals = list(
        Appeal.select()
        .where(condition | same_applicant)
        .order_by(Appeal.id.desc())
        .limit(MAX_RECORDS_PER_KIND)
    )
    numbers = [appeal.number for appeal in appeals]
    form_condition = CallForm.appeal_number.in_(numbers) | CallForm.number.in_(
        records.get("call_form", [])
    )
    if phone:
        form_condition |= CallForm.phone == phone
    call_forms = list(
        CallForm.select()
        .where(form_condition)
        .order_by(CallForm.id.desc())
        .limit(MAX_RECORDS_PER_KIND)
    )
    citizen_calls = calls.calls_of_number(phone, MAX_RECORDS_PER_KIND) if phone else []
    ids = {call.id for call in citizen_calls} | {
        row.call_id for row in (*appeals, *call_forms) if row.call_id
    }
    causes = [*numbers, *ids]
    message_condition = Message.cause.in_(causes)
    if phone:
        message_condition |= Message.recipient == phone
    messages = Message.select().where(
        message_condition, Message.channel == "sms", Message.purpose != "duty"
    )
    notes = NumberNote.select().where(NumberNote.number == phone, NumberNote.text != "")
    callbacks = ScheduledCallback.select().where(ScheduledCallback.number == phone)
    return StoredRecords(
        personal.veil_appeals(user, appeals),
        personal.veil_call_forms(user, call_forms),
        citizen_calls,
        _count_recordings(ids),
        list(messages.order_by(Message.id.desc()).limit(MAX_RECORDS_PER_KIND)),
        list(notes) if phone else [],
        callbacks.count() if phone else 0,
    )


def selected_records(request: DataRequest, user: User, records: Iterable[str]) -> StoredRecords:
    """Return those of the stored records that the user ticked as the citizen's.

    What belongs to a ticked appeal (its call forms, calls and messages) is included. `records` are
    "appeal:2026-000001", "call_form:…", and "number" for what is linked to the phone number only.
    Raises Refused with the code "records" if no record was selected, "closed" if the user has not
    opened a selected personal appeal, whose number is the refusal's subject.
    """
    available, ticked = stored_records(request, user), set(records)
    selected_appeals = [
        appeal for appeal in available.appeals if f"appeal:{appeal.number}" in ticked
    ]
    selected_forms = [form for form in available.call_forms if f"call_form:{form.number}" in ticked]
    if veiled := next((item for item in (*selected_appeals, *selected_forms) if item.veiled), None):
        raise Refused("closed", subject=veiled.number)
    numbers = {appeal.number for appeal in selected_appeals}
    selected_forms += [
        form
        for form in available.call_forms
        if form.appeal_number in numbers and form not in selected_forms
    ]
    if not selected_appeals and not selected_forms and "number" not in ticked:
        raise Refused("records")
    ids = {row.call_id for row in (*selected_appeals, *selected_forms) if row.call_id}
    includes_number = "number" in ticked
    selected_calls = [call for call in available.calls if includes_number or call.id in ids]
    return StoredRecords(
        selected_appeals,
        selected_forms,
        selected_calls,
        _count_recordings(ids | {call.id for call in selected_calls}),
        [item for item in available.messages if includes_number or item.cause in numbers | ids],
        available.notes if includes_number else [],
        available.callbacks if includes_number else 0,
    )


def close_data_request(
    request: DataRequest,
    user: User,
    state: str,
    answer: str,
    selected: StoredRecords,
    includes_number: bool,
) -> None:
    """Record the outcome of an open request.

    `state` is "done" or "refused". `selected` are the citizen's records: their numbers are stored
    with the outcome. `includes_number`: records linked to the phone number alone were included. An
    `answer` that consists of blanks is empty. Raises Refused with the code "answer" if a refusal or
    a correction has no answer, "changed" if the request is closed already.
    """
    answer = answer.strip()
    if not answer and (state == "refused" or request.kind == "correct"):
        raise Refused("answer")
    records = {
        "appeal": [appeal.number for appeal in selected.appeals],
        "call_form": [form.number for form in selected.call_forms],
        "number": includes_number,
    }
    with write_transaction():
        columns = {
            "state": state,
            "answer": answer,
            "done_at": clock.now(),
            "done_by": user.login,
            "records": records,
        }
        still_open = (DataRequest.id == request.id, DataRequest.state == "open")
        if not DataRequest.update(columns).where(*still_open).execute():
            raise Refused("changed")
        audit.record_entry(user.login, f"data_request.{state}", str(request.id), **records)
        live.publish_topics(TOPIC)


def anonymise_request(request: DataRequest) -> None:
    """Erase the requester's data from a masking request. Call it in a write transaction."""
    blank = {"person": "", "phone": "", "proof": "", "what": ""}
    DataRequest.update(blank).where(DataRequest.id == request.id).execute()


def _count_recordings(call_ids: set[str]) -> int:
    """Return how many recordings of these calls have sound that was not removed yet."""
    existing = Recording.select().where(
        Recording.call_id.in_(sorted(call_ids)), recordings.has_sound()
    )
    return int(existing.count())
