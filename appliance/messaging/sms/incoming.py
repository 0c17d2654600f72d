"""What citizens send to us by SMS: a mark, the number of their appeal, or that they want no more.

An appeal's state is told only to a number that stands in it.
"""

import re
import uuid

from appliance.core import clock, outbox, phone_numbers
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.messaging.notices import citizens, ratings, texts
from appliance.models import Appeal, Call, Handling, Message

_STOP = frozenset({"stop", "стоп", "toxta", "to'xta", "тухта", "тўхта"})
_START = frozenset({"start", "старт"})
_APPEAL = re.compile(r"(?:№|n)?\s*(?:(\d{4})\s*-\s*)?0*(\d{1,6})", re.ASCII | re.IGNORECASE)


def take(settings: Settings, number: str, text: str) -> str:
    """Do what an incoming message asks: stop | start | rating | status | unknown | nothing."""
    known, words = phone_numbers.canonical(number), outbox.plain(text).casefold().rstrip(".!")
    if not known or not words:
        return "nothing"
    word, *rest = words.split()
    if word in _STOP | _START and len(rest) < 2:  # STOP, or STOP 1282
        change = citizens.opt_out if word in _STOP else citizens.opt_in
        change(known, "sms")
        return "stop" if word in _STOP else "start"
    if re.fullmatch(r"[1-5]", words, re.ASCII) and ratings.was_asked(known):
        return "rating" if ratings.answered(known, int(words)) else "nothing"
    numbered = _APPEAL.fullmatch(words)
    if not numbered or not citizens.mobile(known):
        return "nothing"
    with writing():
        if _told_lately(known) >= settings.messages.per_number:
            return "nothing"
        year = numbered[1] or str(clock.now().astimezone(settings.tz).year)
        appeal = Appeal.get_or_none(Appeal.number == f"{year}-{int(numbered[2]):06d}")
        if appeal and known in (
            phone_numbers.canonical(appeal.phone),
            phone_numbers.canonical(appeal.phone_at_hand),
        ):
            _tell_state(settings, appeal, known)
            return "status"
        _tell_unknown(settings, known)
    return "unknown"


def _tell_state(settings: Settings, appeal: Appeal, number: str) -> None:
    now, language = Handling.get_by_id(appeal.id), citizens.language_of(appeal)
    values = {
        "number": appeal.number,
        "state": texts.state_word(now.state, language),
        "due": f"{now.due_on:%d.%m.%Y}",
    }
    citizens.notify(settings, "status", number, language, values, key=_key(), cause=appeal.number)


def _tell_unknown(settings: Settings, number: str) -> None:
    call = Call.select().where(Call.caller == number).order_by(Call.arrived_at.desc()).first()
    language = "ru" if call and call.language == "ru" else "uz"
    citizens.notify(settings, "status", number, language, {}, key=_key(), text_of="unknown")


def _key() -> str:
    return f"status:{uuid.uuid4()}"


def _told_lately(number: str) -> int:
    """How many were sent to it within a day."""
    return (
        Message.select()
        .where(
            Message.recipient == number,
            Message.channel == "sms",
            Message.created_at > clock.now() - ratings.AGAIN,
        )
        .count()
    )
