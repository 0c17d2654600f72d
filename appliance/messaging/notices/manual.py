"""Short messages that somebody writes by hand: about a call, its form, an appeal (T6)."""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from appliance.casework import appeals, applicants, catalogs
from appliance.core import audit, clock, outbox, phone_numbers
from appliance.core.db import writing
from appliance.core.i18n import named
from appliance.core.settings import Settings
from appliance.core.statements import Question, value
from appliance.messaging.notices import citizens, templates, texts
from appliance.messaging.sms import rules
from appliance.models import Appeal, Call, Handling, Message, SmsOptOut, SmsTemplate

_LOCALES = {"uz": "uz_Latn", "ru": "ru"}
_SENT = Question(
    lambda: (
        Message.select()
        .where(
            *(Message.recipient == value("number"), Message.channel == "sms"),
            *(Message.state.in_(("sent", "delivered")), Message.purpose != "duty"),
        )
        .order_by(Message.id.desc())
        .limit(value("limit"))
    )
)


@dataclass(frozen=True)
class Subject:
    """What a message is about; `cause` as its row keeps it: an appeal's number, a call's id, or
    the name of a form without a call.

    `number`: whom it goes to if nobody else is chosen, "" when that is not known; `values`:
    language → what fills the words in braces.
    """

    cause: str
    number: str
    language: str  # the citizen's: uz | ru
    values: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Preview:
    """A message before it is sent: in how many parts, what they cost (tiyin; None: not known),
    why it cannot be sent ("" when it can), when it goes if that is not at once."""

    text: str
    parts: int
    price: int | None
    trouble: str
    due_at: dt.datetime | None


def of_appeal(settings: Settings, appeal: Appeal) -> Subject:
    """About a registered appeal."""
    number = citizens.number_of(appeal) or ""
    values = _of_appeals(settings, appeal)
    return Subject(appeal.number, number, citizens.language_of(appeal), values)


def of_call(settings: Settings, call: Call) -> Subject:
    """About a call, in the words of the appeal that it led to."""
    made = appeals.of_call(call.id)
    values = _of_appeals(settings, made[-1]) if made else _values(settings, {})
    return Subject(call.id, citizens.mobile(call.citizen) or "", _language(call), values)


def of_desk(settings: Settings, desk: appeals.Desk) -> Subject:
    """About the form that an operator fills in, as far as it is kept, and its call."""
    typed: dict[str, str] = desk.draft.values if desk.draft else {}
    made = desk.registered[-1] if desk.registered else None
    values = _of_appeals(settings, made) if made and not typed else _of_form(settings, typed)
    told = citizens.mobile(typed.get("phone")) or citizens.mobile(typed.get("phone_at_hand"))
    number = citizens.mobile(desk.call.citizen) if desk.call else told
    cause = desk.call.id if desk.call else desk.token
    return Subject(cause, number or told or "", _language(desk.call), values)


def fill(subject: Subject, template: SmsTemplate, language: str) -> str:
    """The template's text with what is known; what is not stays in braces."""
    return templates.filled(getattr(template, language), subject.values[language])


def preview(
    settings: Settings,
    subject: Subject,
    text: str,
    number: str,
    template: SmsTemplate | None = None,
    language: str = "",
) -> Preview:
    """What would become of a message to a number as typed."""
    text = outbox.plain(text)
    parts = outbox.segments(text) if text else 0
    trouble, due = _trouble(settings, text, number), None
    if known := phone_numbers.canonical(number):
        now = clock.now()
        later = outbox.room_at(known, now, settings.tz, settings.messages)
        due = later if later > now else None
    payload = _payload(subject, text, template, language)
    return Preview(text, parts, rules.price(settings, parts, payload), trouble, due)


def write(
    settings: Settings,
    subject: Subject,
    text: str,
    number: str,
    by: str,
    token: str,
    template: SmsTemplate | None = None,
    language: str = "",
) -> Message:
    """Send a text to a number as typed; the same one sent twice with a token goes once.

    Raises texts.TextError. A number that has had its messages of the day gets it on a later one.
    """
    text = outbox.plain(text)
    if code := _trouble(settings, text, number):
        raise texts.TextError(code)
    recipient = citizens.mobile(number) or ""
    digest = hashlib.sha256(f"{recipient}\n{text}".encode()).hexdigest()[:16]
    key = f"manual:{by}:{token}:{digest}"
    with writing():
        before = Message.get_or_none(Message.key == key)
        if before:
            return before
        message = outbox.put_sms(
            "manual",
            recipient,
            text,
            key=key,
            cause=subject.cause,
            tz=settings.tz,
            limits=settings.messages,
            payload=_payload(subject, text, template, language),
        )
        if not message:
            raise texts.TextError("phone")
        audit.record(by, "sms.write", subject.cause, message=message.id)
    return message


def sent_about(call_id: str | None, made: Sequence[Appeal], token: str = "") -> list[Message]:
    """The short messages about a call and the appeals it led to, or about a form without a call,
    whoever got them; the newest first."""
    causes = [call_id, token, *(a.number for a in made), *(a.token for a in made)]
    about = (
        Message.channel == "sms",
        Message.cause.in_([cause for cause in causes if cause]),
        Message.purpose != "duty",
    )
    return list(Message.select().where(*about).order_by(Message.id.desc()))


def sent_to(number: str | None, limit: int = 5) -> list[Message]:
    """The short messages to a citizen's number that went out, whatever they were about; newest
    first."""
    if not number:
        return []
    return _SENT.rows(number=number, limit=limit)


def _trouble(settings: Settings, text: str, number: str) -> str:
    """The code of why this cannot be sent; "" when it can."""
    known = phone_numbers.canonical(number)
    mobile = citizens.mobile(number)
    unwanted = SmsOptOut.select().where(SmsOptOut.number == mobile)
    for code, wrong in (
        ("empty", not text),
        ("long", outbox.segments(text) > texts.LONGEST),
        ("unfilled", bool(templates.unfilled(text))),
        ("phone", bool(number.strip()) and not known),
        ("nobody", not settings.sms or not mobile),
        ("unwanted", unwanted.exists()),
    ):
        if wrong:
            return code
    return ""


def _payload(
    subject: Subject, text: str, template: SmsTemplate | None, language: str
) -> dict[str, str]:
    """Names the template that a text still is, for services that take approved texts only."""
    if not template or language not in subject.values or text != fill(subject, template, language):
        return {}
    return {
        "template": getattr(template, language),
        "text_of": templates.purpose(template.id),
        "language": language,
    }


def _language(call: Call | None) -> str:
    return "ru" if call and call.language == "ru" else "uz"


def _of_appeals(settings: Settings, appeal: Appeal) -> dict[str, dict[str, str]]:
    now = Handling.get_or_none(Handling.appeal == appeal)
    values = {
        "name": applicants.name_of(appeal),
        "number": appeal.number,
        "due": f"{now.due_on:%d.%m.%Y}" if now else "",
    }
    return _values(settings, values, {"region": appeal.region, "district": appeal.district})


def _of_form(settings: Settings, typed: dict[str, str]) -> dict[str, dict[str, str]]:
    name = f"{typed.get('first_name', '')} {typed.get('surname', '')}".strip()
    if typed.get("applicant_kind") == "entity":
        name = typed.get("entity_name", "")
    places = {kind: catalogs.place(kind, typed.get(kind)) for kind in ("region", "district")}
    return _values(settings, {"name": name}, places)


def _values(
    settings: Settings, facts: dict[str, str], places: Mapping[str, object] | None = None
) -> dict[str, dict[str, str]]:
    """The values by language; places are named in it."""
    shared = facts | {"hotline": settings.calls.hotline_number}
    return {
        language: shared
        | {kind: named(place, locale) for kind, place in (places or {}).items() if place}
        for language, locale in _LOCALES.items()
    }
