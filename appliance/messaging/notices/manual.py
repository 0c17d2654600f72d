"""Short messages written by hand: about a call, its form, an appeal (requirement T6)."""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from appliance.casework import applicants, catalogs
from appliance.casework.appeals import queries
from appliance.casework.appeals.desk import OperatorDesk
from appliance.core import audit, clock, outbox, phone_numbers
from appliance.core.db import write_transaction
from appliance.core.i18n import base_language, localized_name
from appliance.core.refusals import Refused
from appliance.core.settings import Settings
from appliance.core.statements import PreparedQuery, find_row, query_parameter
from appliance.messaging.notices import citizens, templates, texts
from appliance.messaging.sms import rules
from appliance.models import Appeal, Call, Handling, Message, SmsOptOut, SmsTemplate

_LOCALE_BY_LANGUAGE = {"uz": "uz_Latn", "ru": "ru"}
_SENT_MESSAGES = PreparedQuery(
    lambda: (
        Message.select()
        .where(
            *(Message.recipient == query_parameter("number"), Message.channel == "sms"),
            *(Message.state.in_(("sent", "delivered")), Message.purpose != "duty"),
        )
        .order_by(Message.id.desc())
        .limit(query_parameter("limit"))
    )
)


@dataclass(frozen=True)
class Subject:
    """What a message is about.

    `cause` is an appeal's number, a call's id or the token of a form; `number` is the recipient
    proposed, or ""; `values` has the values of the placeholders by language and name.
    """

    cause: str
    number: str
    language: str  # the citizen's: uz | ru
    values: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Preview:
    """A message before it is sent.

    `parts` is the number of SMS that it consists of; `price` is their price in tiyin, if known.
    `trouble` is the code of the reason why it cannot be sent, or "". `due_at` is when it will be
    sent, if not at once.
    """

    text: str
    parts: int
    price: int | None
    trouble: str
    due_at: dt.datetime | None


def appeal_subject(settings: Settings, appeal: Appeal) -> Subject:
    """Return the subject for a registered appeal."""
    number = citizens.applicant_number(appeal) or ""
    values = _appeal_values(settings, appeal)
    return Subject(appeal.number, number, citizens.applicant_language(appeal), values)


def call_subject(settings: Settings, call: Call) -> Subject:
    """Return the subject for a call, with the values of the last appeal registered from it."""
    call_appeals = queries.appeals_of_call(call.id)
    values = (
        _appeal_values(settings, call_appeals[-1])
        if call_appeals
        else _values_by_language(settings, {})
    )
    return Subject(
        call.id, citizens.mobile_number(call.citizen) or "", _call_language(call), values
    )


def desk_subject(settings: Settings, desk: OperatorDesk) -> Subject:
    """Return the subject for the form that an operator is filling in, as saved, and its call."""
    form_values: dict[str, str] = desk.draft.values if desk.draft else {}
    appeal = desk.registered[-1] if desk.registered else None
    values = (
        _appeal_values(settings, appeal)
        if appeal and not form_values
        else _draft_values(settings, form_values)
    )
    form_number = citizens.mobile_number(form_values.get("phone")) or citizens.mobile_number(
        form_values.get("phone_at_hand")
    )
    number = citizens.mobile_number(desk.call.citizen) if desk.call else form_number
    cause = desk.call.id if desk.call else desk.token
    return Subject(cause, number or form_number or "", _call_language(desk.call), values)


def fill_template(subject: Subject, template: SmsTemplate, language: str) -> str:
    """Return the template's text with the known values; other placeholders remain in braces."""
    return templates.fill_known(getattr(template, language), subject.values[language])


def preview_message(
    settings: Settings,
    subject: Subject,
    text: str,
    number: str,
    template: SmsTemplate | None = None,
    language: str = "",
) -> Preview:
    """Return a preview of a message to a number as typed."""
    text = outbox.use_ascii_quotes(text)
    parts = outbox.part_count(text) if text else 0
    trouble, due_at = _refusal_code(settings, text, number), None
    if canonical_number := phone_numbers.canonical_number(number):
        now = clock.now()
        possible_at = outbox.time_within_recipient_limit(
            canonical_number, now, settings.tz, settings.messages
        )
        due_at = possible_at if possible_at > now else None
    payload = _template_payload(subject, text, template, language)
    return Preview(
        text, parts, rules.manual_message_price(settings, parts, payload), trouble, due_at
    )


def queue_manual_message(
    settings: Settings,
    subject: Subject,
    text: str,
    number: str,
    actor: str,
    token: str,
    template: SmsTemplate | None = None,
    language: str = "",
) -> Message:
    """Queue a text to a number as typed; the same text with the same `token` is queued only once.

    If the number has reached its daily limit, it receives the text on a later day. Raises Refused
    with the code "empty" or "long" for such a text, "unfilled" if a placeholder is still in braces,
    "phone" if this is not a number, "nobody" if it is not a mobile number or the site has no SMS
    account, or "unwanted" if the recipient has opted out.
    """
    text = outbox.use_ascii_quotes(text)
    if code := _refusal_code(settings, text, number):
        raise Refused(code)
    recipient = citizens.mobile_number(number) or ""
    digest = hashlib.sha256(f"{recipient}\n{text}".encode()).hexdigest()[:16]
    key = f"manual:{actor}:{token}:{digest}"
    with write_transaction():
        if queued := find_row(Message, key=key):
            return queued
        message = outbox.queue_sms(
            "manual",
            recipient,
            text,
            key=key,
            cause=subject.cause,
            tz=settings.tz,
            limits=settings.messages,
            payload=_template_payload(subject, text, template, language),
        )
        if not message:
            raise Refused("phone")
        audit.record_entry(actor, "sms.write", subject.cause, message=message.id)
    return message


def messages_about(
    call_id: str | None, call_appeals: Sequence[Appeal], token: str = ""
) -> list[Message]:
    """Return the short messages about a call and its appeals, newest first.

    If the form has no call, `token` identifies it. Messages to any recipient are included.
    """
    causes = [
        call_id,
        token,
        *(appeal.number for appeal in call_appeals),
        *(appeal.token for appeal in call_appeals),
    ]
    conditions = (
        Message.channel == "sms",
        Message.cause.in_([cause for cause in causes if cause]),
        Message.purpose != "duty",
    )
    return list(Message.select().where(*conditions).order_by(Message.id.desc()))


def messages_to(number: str | None, limit: int = 5) -> list[Message]:
    """Return the short messages sent to a citizen's number, about any subject, newest first."""
    if not number:
        return []
    return _SENT_MESSAGES.fetch_objects(number=number, limit=limit)


def _refusal_code(settings: Settings, text: str, number: str) -> str:
    """Return the code of the reason why this cannot be sent; "" if it can."""
    canonical_number = phone_numbers.canonical_number(number)
    mobile = citizens.mobile_number(number)
    opt_outs = SmsOptOut.select().where(SmsOptOut.number == mobile)
    for code, is_refused in (
        ("empty", not text),
        ("long", outbox.part_count(text) > texts.MAX_PARTS),
        ("unfilled", bool(templates.unfilled_placeholders(text))),
        ("phone", bool(number.strip()) and not canonical_number),
        ("nobody", not settings.sms or not mobile),
        ("unwanted", opt_outs.exists()),
    ):
        if is_refused:
            return code
    return ""


def _template_payload(
    subject: Subject, text: str, template: SmsTemplate | None, language: str
) -> dict[str, str]:
    """Return a message's payload that names its template; empty if the text was changed.

    Services that accept only approved texts need the template.
    """
    if (
        not template
        or language not in subject.values
        or text != fill_template(subject, template, language)
    ):
        return {}
    return {
        "template": getattr(template, language),
        "text_of": templates.approval_purpose(template.id),
        "language": language,
    }


def _call_language(call: Call | None) -> str:
    return base_language(call.language if call else None)


def _appeal_values(settings: Settings, appeal: Appeal) -> dict[str, dict[str, str]]:
    handling = Handling.get_or_none(Handling.appeal == appeal)
    values = {
        "name": applicants.display_name(appeal),
        "number": appeal.number,
        "due": f"{handling.due_on:%d.%m.%Y}" if handling else "",
    }
    return _values_by_language(
        settings, values, {"region": appeal.region, "district": appeal.district}
    )


def _draft_values(settings: Settings, values: dict[str, str]) -> dict[str, dict[str, str]]:
    name = f"{values.get('first_name', '')} {values.get('surname', '')}".strip()
    if values.get("applicant_kind") == "entity":
        name = values.get("entity_name", "")
    places = {kind: catalogs.find_place(kind, values.get(kind)) for kind in ("region", "district")}
    return _values_by_language(settings, {"name": name}, places)


def _values_by_language(
    settings: Settings, facts: dict[str, str], places: Mapping[str, object] | None = None
) -> dict[str, dict[str, str]]:
    """Return the values of the placeholders by language, with places named in that language."""
    shared = facts | {"hotline": settings.calls.hotline_number}
    return {
        language: shared
        | {kind: localized_name(place, locale) for kind, place in (places or {}).items() if place}
        for language, locale in _LOCALE_BY_LANGUAGE.items()
    }
