"""Short messages to citizens about their appeals.

They are queued inside the transaction of the change that causes them. A site without an SMS account
sends nothing.
"""

import datetime as dt
import re
from collections.abc import Collection

from appliance.casework import data_requests
from appliance.casework.hooks import AppealChange
from appliance.core import audit, clock, outbox, phone_numbers
from appliance.core.db import write_transaction
from appliance.core.i18n import base_language
from appliance.core.settings import Settings
from appliance.core.statements import PreparedQuery, query_parameter
from appliance.messaging.notices import texts
from appliance.messaging.sms import rules
from appliance.models import Appeal, Call, DataRequest, Handling, Message, SmsOptOut, User

NO_DELAY = dt.timedelta()
# Landline numbers of Uzbekistan begin with 6 or 7, except the mobile prefix 77.
_MOBILE = re.compile(r"\+998(?!6|7[^7])\d{9}", re.ASCII)
_HANDLING_OF_APPEAL = PreparedQuery(
    lambda: Handling.select().where(Handling.appeal == query_parameter("appeal"))
)


def notify_registered(settings: Settings, appeal: Appeal) -> Message | None:
    """Queue the message with an appeal's number and deadline."""
    due = _HANDLING_OF_APPEAL.fetch_first(appeal=appeal.id).due_on
    return _queue_appeal_notice(settings, "registered", appeal, "", {"due": f"{due:%d.%m.%Y}"})


def notify_answered(settings: Settings, change: AppealChange) -> Message | None:
    """Queue the message that the answer is ready, if the change of the appeal is an answer.

    It is sent after the delay of the change. Each new answer has its own message.
    """
    if change.action != "answer":
        return None
    version = Handling.get_by_id(change.appeal.id).version
    return _queue_appeal_notice(
        settings, "answered", change.appeal, f":{version}", {}, change.delay
    )


def notify_own_data(settings: Settings, request: DataRequest) -> Message | None:
    """Queue the message that a data request is answered, if its number is a mobile one."""
    recipient = mobile_number(request.phone)
    if not recipient:
        return None
    cause = f"data-request:{request.id}"
    values = {"number": str(request.id)}
    return queue_notice(
        settings, "own_data", recipient, request.language, values, key=cause, cause=cause
    )


def answer_data_request(
    settings: Settings,
    request: DataRequest,
    user: User,
    state: str,
    answer: str,
    records: Collection[str],
) -> None:
    """Answer a data request, `done` or `refused`, and notify the citizen.

    `records` are the selected ones; box.retention.mask_citizen masks their data later. Raises
    Refused with the codes of `data_requests`.
    """
    with write_transaction():
        selected = data_requests.StoredRecords()
        if state == "done":
            selected = data_requests.selected_records(request, user, records)
        data_requests.close_data_request(
            request, user, state, answer, selected, "number" in records
        )
        notify_own_data(settings, request)


def messages_of_appeal(appeal: Appeal) -> list[Message]:
    """Return the short messages to the applicant about an appeal, newest first.

    Those written by hand about its call or form are included.
    """
    manual_causes = [cause for cause in (appeal.call_id, appeal.token) if cause]
    about = (Message.cause == appeal.number) & (Message.purpose != "duty")
    by_hand = Message.cause.in_(manual_causes) & (Message.purpose == "manual")
    messages = Message.select().where(Message.channel == "sms", about | by_hand)
    return list(messages.order_by(Message.id.desc()))


def opt_out_number(number: str, actor: str) -> str | None:
    """Stop messages to a number; returns its canonical form, if it is a number."""
    canonical_number = phone_numbers.canonical_number(number)
    if canonical_number:
        with write_transaction():
            row = {"number": canonical_number, "at": clock.now(), "by": actor}
            SmsOptOut.insert(row).on_conflict_ignore().execute()
            audit.record_entry(actor, "sms.opt_out", canonical_number)
    return canonical_number


def opt_in_number(number: str, actor: str) -> None:
    """Allow messages to a number again."""
    with write_transaction():
        if SmsOptOut.delete().where(SmsOptOut.number == number).execute():
            audit.record_entry(actor, "sms.opt_in", number)


def list_opt_outs() -> list[SmsOptOut]:
    """Return the numbers that receive no messages, newest first."""
    return list(SmsOptOut.select().order_by(SmsOptOut.at.desc()))


def queue_notice(
    settings: Settings,
    purpose: str,
    number: str,
    language: str,
    values: dict[str, str],
    *,
    key: str,
    cause: str = "",
    text_of: str = "",
    reply: bool = False,
    delay: dt.timedelta = NO_DELAY,
) -> Message | None:
    """Queue a message with the text in force for its purpose.

    Returns None if nothing is sent, because the site has no SMS account, the purpose is disabled or
    the number has opted out; opting out does not concern MANDATORY_PURPOSES. `text_of` is another
    purpose whose text is used instead. `reply`: the recipient is asked to reply.
    """
    opt_out_row = SmsOptOut.get_or_none(SmsOptOut.number == number)
    if (
        not settings.sms
        or not rules.is_enabled(purpose)
        or (opt_out_row and purpose not in rules.MANDATORY_PURPOSES)
    ):
        return None
    template = texts.text_in_force(text_of or purpose, language)
    all_values = values | {"hotline": settings.calls.hotline_number}
    return outbox.queue_sms(
        purpose,
        number,
        texts.fill_text(template, all_values),
        key=key,
        cause=cause,
        tz=settings.tz,
        limits=settings.messages,
        delay=delay,
        payload={
            "template": template,
            "text_of": text_of or purpose,
            "language": language,
            "reply": reply,
        },
    )


def mobile_number(number: str | None) -> str | None:
    """Return the number in its canonical form, if it is a mobile number."""
    canonical_number = phone_numbers.canonical_number(number or "")
    return canonical_number if canonical_number and _MOBILE.fullmatch(canonical_number) else None


def applicant_number(appeal: Appeal) -> str | None:
    """Return the applicant's mobile number, or else their second number if that is mobile."""
    return mobile_number(appeal.phone) or mobile_number(appeal.phone_at_hand)


def applicant_language(appeal: Appeal) -> str:
    """Return the language that the caller selected: uz or ru."""
    call = Call.get_or_none(Call.id == appeal.call_id) if appeal.call_id else None
    return base_language(call.language if call else None)


def _queue_appeal_notice(
    settings: Settings,
    purpose: str,
    appeal: Appeal,
    key_suffix: str,
    values: dict[str, str],
    delay: dt.timedelta = NO_DELAY,
) -> Message | None:
    number = applicant_number(appeal)
    if not number:
        return None
    return queue_notice(
        settings,
        purpose,
        number,
        applicant_language(appeal),
        values | {"number": appeal.number},
        key=f"{purpose}:{appeal.number}{key_suffix}",
        cause=appeal.number,
        delay=delay,
    )
