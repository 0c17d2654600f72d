"""SMS from citizens: a rating, the number of their appeal, or a request for no more messages.

An appeal's state is sent only to a number that is recorded in it.
"""

import re
import uuid

from appliance.core import clock, outbox, phone_numbers
from appliance.core.db import write_transaction
from appliance.core.i18n import base_language
from appliance.core.settings import Settings
from appliance.messaging.notices import citizens, ratings, texts
from appliance.models import Appeal, Call, Handling, Message

_STOP = frozenset({"stop", "стоп", "toxta", "to'xta", "тухта", "тўхта"})
_START = frozenset({"start", "старт"})
_APPEAL = re.compile(r"(?:№|n)?\s*(?:(\d{4})\s*-\s*)?0*(\d{1,6})", re.ASCII | re.IGNORECASE)


def handle_message(settings: Settings, number: str, text: str) -> str:
    """Process an incoming message; returns what was done.

    "stop" or "start": the number opted out or in; "rating": a rating was stored; "status" or
    "unknown": a reply with the appeal's state, or that it was not found, was queued; "nothing".
    """
    sender_number, text_folded = (
        phone_numbers.canonical_number(number),
        outbox.use_ascii_quotes(text).casefold().rstrip(".!"),
    )
    if not sender_number or not text_folded:
        return "nothing"
    word, *rest = text_folded.split()
    if word in _STOP | _START and len(rest) < 2:  # STOP, or STOP 1282
        change = citizens.opt_out_number if word in _STOP else citizens.opt_in_number
        change(sender_number, "sms")
        return "stop" if word in _STOP else "start"
    if re.fullmatch(r"[1-5]", text_folded, re.ASCII) and ratings.expects_rating(sender_number):
        return "rating" if ratings.record_reply(sender_number, int(text_folded)) else "nothing"
    appeal_match = _APPEAL.fullmatch(text_folded)
    if not appeal_match or not citizens.mobile_number(sender_number):
        return "nothing"
    with write_transaction():
        if _recent_message_count(sender_number) >= settings.messages.per_number:
            return "nothing"
        year = appeal_match[1] or str(clock.now().astimezone(settings.tz).year)
        appeal = Appeal.get_or_none(Appeal.number == f"{year}-{int(appeal_match[2]):06d}")
        if appeal and sender_number in (
            phone_numbers.canonical_number(appeal.phone),
            phone_numbers.canonical_number(appeal.phone_at_hand),
        ):
            _reply_with_state(settings, appeal, sender_number)
            return "status"
        _reply_unknown(settings, sender_number)
    return "unknown"


def _reply_with_state(settings: Settings, appeal: Appeal, number: str) -> None:
    now, language = Handling.get_by_id(appeal.id), citizens.applicant_language(appeal)
    values = {
        "number": appeal.number,
        "state": texts.state_name(now.state, language),
        "due": f"{now.due_on:%d.%m.%Y}",
    }
    citizens.queue_notice(
        settings, "status", number, language, values, key=_reply_key(), cause=appeal.number
    )


def _reply_unknown(settings: Settings, number: str) -> None:
    call = Call.select().where(Call.caller == number).order_by(Call.arrived_at.desc()).first()
    language = base_language(call.language if call else None)
    citizens.queue_notice(
        settings, "status", number, language, {}, key=_reply_key(), text_of="unknown"
    )


def _reply_key() -> str:
    return f"status:{uuid.uuid4()}"


def _recent_message_count(number: str) -> int:
    """Return the number of messages to a number within the last day."""
    recent = Message.select().where(
        Message.recipient == number,
        Message.channel == "sms",
        Message.created_at > clock.now() - ratings.REPEAT_INTERVAL,
    )
    return int(recent.count())
