"""What citizens ask about their own data: what is stored, correct it, mask it (law OʻRQ-547).

The law that we have before us names no term of its own; what an information request is owed by law
OʻRQ-445 (article 24) and an explained answer (article 31) holds here too: ten days. They are
calendar days, and an answer that would be due on a day off is due on the working day before.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from appliance.casework.appeals import personal
from appliance.core import audit, clock, live, phone_numbers
from appliance.core.clock import WorkingCalendar
from appliance.core.db import writing
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

KINDS = ("tell", "correct", "mask")
STATES = ("open", "done", "refused")
LANGUAGES = ("uz", "ru")
TERM = dt.timedelta(days=10)
NEAR = dt.timedelta(days=3)  # before its end a term presses
TOPIC = "data_requests"
MOST = 200  # records of a kind that are looked at
_LONGEST = 200  # letters of a name


class RequestError(ValueError):
    """It cannot be done; `number`: of the appeal that hinders it.

    `code`: "kind", "person", "phone" (nor an appeal), "proof", "what", "answer" is missing;
    "records": none chosen; "closed": a personal appeal among them was not opened;
    "changed": it is answered already; "open", "held": an appeal that must stay.
    """

    def __init__(self, code: str, number: str = "") -> None:
        super().__init__(code)
        self.code, self.number = code, number


@dataclass(frozen=True)
class Stored:
    """What is stored that may be a citizen's; a personal appeal is veiled until it is opened."""

    appeals: list[Appeal] = field(default_factory=list)
    call_forms: list[CallForm] = field(default_factory=list)
    calls: list[Any] = field(default_factory=list)  # Call
    recordings: int = 0
    messages: list[Message] = field(default_factory=list)
    notes: list[NumberNote] = field(default_factory=list)
    callbacks: int = 0


def may_answer(user: User) -> bool:
    """Whether somebody sees to these requests."""
    return rights.scope_of(user, "data_request.answer") == rights.ALL


def ask(user: User, sent: dict[str, str], calendar: WorkingCalendar) -> DataRequest:
    """Write down a request: kind, person, phone, number (of an appeal), proof, language, what.

    Raises RequestError, PermissionError.
    """
    if not may_answer(user):
        raise PermissionError(user.login)
    facts = {name: text.strip() for name, text in sent.items()}
    if facts.get("kind") not in KINDS:
        raise RequestError("kind")
    if not facts.get("person"):
        raise RequestError("person")
    phone = phone_numbers.canonical(facts.get("phone", "")) or ""
    number = facts.get("number", "")
    if bool(facts.get("phone")) != bool(phone) or not (phone or number):
        raise RequestError("phone")
    if number and not Appeal.select().where(Appeal.number == number).exists():
        raise RequestError("phone")
    if not facts.get("proof"):
        raise RequestError("proof")
    if facts["kind"] == "correct" and not facts.get("what"):
        raise RequestError("what")
    with writing():
        now = clock.now()
        request = DataRequest.create(
            kind=facts["kind"],
            person=facts["person"][:_LONGEST],
            phone=phone,
            proof=facts["proof"],
            language=facts.get("language") if facts.get("language") in LANGUAGES else "uz",
            what=facts.get("what", ""),
            asked_at=now,
            due_on=due(now, calendar),
            by=user.login,
            records={"named": [number] if number else []},
        )
        audit.record(user.login, f"data_request.{request.kind}", str(request.id))
        live.publish(TOPIC)
    return request


def due(asked_at: dt.datetime, calendar: WorkingCalendar) -> dt.date:
    """The last day on which a request is answered."""
    day = asked_at.astimezone(calendar.tz).date() + TERM
    while not calendar.works_on(day):
        day -= dt.timedelta(days=1)
    return day


def find(number: int, user: User) -> DataRequest | None:
    """The request of this number, if the user sees to them."""
    return DataRequest.get_or_none(DataRequest.id == number) if may_answer(user) else None


def listed(user: User, limit: int = 200) -> list[DataRequest]:
    """All requests: the open ones first, the most urgent before, then the newest."""
    if not may_answer(user):
        return []
    rows = DataRequest.select().order_by(
        DataRequest.state != "open", DataRequest.due_on, DataRequest.id.desc()
    )
    return list(rows.limit(limit))


def pressing(today: dt.date) -> tuple[int, int, int]:
    """How many are open, of those how many end soon, and how many are overdue."""
    ends = [row.due_on for row in DataRequest.select().where(DataRequest.state == "open")]
    near = sum(today <= end <= today + NEAR for end in ends)
    return len(ends), near, sum(end < today for end in ends)


def stored(request: DataRequest, user: User) -> Stored:
    """What may be of the citizen: of his number, of appeals he named, of the same applicants."""
    phone, records = request.phone, request.records
    named = [*records.get("named", []), *records.get("appeal", [])]
    about = Appeal.number.in_(named)
    if phone:
        about |= (Appeal.phone == phone) | (Appeal.phone_at_hand == phone)
    first = list(Appeal.select().where(about).limit(MOST))
    same = Appeal.applicant.in_({appeal.applicant_id for appeal in first})
    found = list(Appeal.select().where(about | same).order_by(Appeal.id.desc()).limit(MOST))
    numbers = [appeal.number for appeal in found]
    forms = CallForm.appeal_number.in_(numbers) | CallForm.number.in_(records.get("call_form", []))
    if phone:
        forms |= CallForm.phone == phone
    made = list(CallForm.select().where(forms).order_by(CallForm.id.desc()).limit(MOST))
    spoken = calls.of_number(phone, MOST) if phone else []
    ids = {call.id for call in spoken} | {row.call_id for row in (*found, *made) if row.call_id}
    causes = [*numbers, *ids]
    to_him = Message.cause.in_(causes)
    if phone:
        to_him |= Message.recipient == phone
    sent = Message.select().where(to_him, Message.channel == "sms", Message.purpose != "duty")
    notes = NumberNote.select().where(NumberNote.number == phone, NumberNote.text != "")
    promised = ScheduledCallback.select().where(ScheduledCallback.number == phone)
    return Stored(
        personal.veil(user, found),
        personal.veil_forms(user, made),
        spoken,
        _recorded(ids),
        list(sent.order_by(Message.id.desc()).limit(MOST)),
        list(notes) if phone else [],
        promised.count() if phone else 0,
    )


def chosen(request: DataRequest, user: User, records: Iterable[str]) -> Stored:
    """Of what is stored, what somebody says is his: "appeal:2026-000001", "call_form:…", "number"
    for what hangs on his number alone. Raises RequestError: "records", "closed"."""
    found, ticked = stored(request, user), set(records)
    mine = [appeal for appeal in found.appeals if f"appeal:{appeal.number}" in ticked]
    forms = [made for made in found.call_forms if f"call_form:{made.number}" in ticked]
    if veiled := next((one for one in (*mine, *forms) if one.veiled), None):
        raise RequestError("closed", veiled.number)
    numbers = {appeal.number for appeal in mine}
    forms += [
        made for made in found.call_forms if made.appeal_number in numbers and made not in forms
    ]
    if not mine and not forms and "number" not in ticked:
        raise RequestError("records")
    ids = {row.call_id for row in (*mine, *forms) if row.call_id}
    own = "number" in ticked
    spoken = [call for call in found.calls if own or call.id in ids]
    return Stored(
        mine,
        forms,
        spoken,
        _recorded(ids | {call.id for call in spoken}),
        [one for one in found.messages if own or one.cause in numbers | ids],
        found.notes if own else [],
        found.callbacks if own else 0,
    )


def close(
    request: DataRequest, user: User, state: str, answer: str, his: Stored, own: bool
) -> None:
    """Write down how a request was answered, once. Raises RequestError: "changed", "answer"."""
    answer = answer.strip()
    if not answer and (state == "refused" or request.kind == "correct"):
        raise RequestError("answer")
    records = {
        "appeal": [appeal.number for appeal in his.appeals],
        "call_form": [made.number for made in his.call_forms],
        "number": own,
    }
    with writing():
        columns = {
            "state": state,
            "answer": answer,
            "done_at": clock.now(),
            "done_by": user.login,
            "records": records,
        }
        still = (DataRequest.id == request.id, DataRequest.state == "open")
        if not DataRequest.update(columns).where(*still).execute():
            raise RequestError("changed")
        audit.record(user.login, f"data_request.{state}", str(request.id), **records)
        live.publish(TOPIC)


def forget(request: DataRequest) -> None:
    """Take who asked out of a request that was to mask him. Call it in a write transaction."""
    blank = {"person": "", "phone": "", "proof": "", "what": ""}
    DataRequest.update(blank).where(DataRequest.id == request.id).execute()


def _recorded(ids: set[str]) -> int:
    heard = Recording.select().where(Recording.call_id.in_(sorted(ids)), recordings.there())
    return int(heard.count())
