"""What a citizen is told of his appeal, by short message.

Called inside the transaction of the cause. A site without an SMS account tells nothing.
"""

import datetime as dt
import re
from collections.abc import Collection

from appliance.casework import data_requests
from appliance.core import audit, clock, outbox, phone_numbers
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.core.statements import Question, value
from appliance.messaging.notices import texts
from appliance.messaging.sms import rules
from appliance.models import Appeal, Call, DataRequest, Handling, Message, SmsOptOut, User

NOW = dt.timedelta()
# Numbers of Uzbekistan that stand on a desk begin with 6 or 7, but for the mobile 77.
_MOBILE = re.compile(r"\+998(?!6|7[^7])\d{9}", re.ASCII)
_HANDLING = Question(lambda: Handling.select().where(Handling.appeal == value("appeal")))


def registered(settings: Settings, appeal: Appeal) -> Message | None:
    """Tell the number of an appeal and until when it is answered."""
    due = _HANDLING.first(appeal=appeal.id).due_on
    return _notify(settings, "registered", appeal, "", {"due": f"{due:%d.%m.%Y}"})


def answered(settings: Settings, appeal: Appeal, delay: dt.timedelta = NOW) -> Message | None:
    """Tell, after `delay`, that the answer is there; again, when it is answered anew."""
    version = Handling.get_by_id(appeal.id).version
    return _notify(settings, "answered", appeal, f":{version}", {}, delay)


def own_data(settings: Settings, request: DataRequest) -> Message | None:
    """Tell that a request about his own data is answered; to his number, if it is a mobile one."""
    to = mobile(request.phone)
    if not to:
        return None
    cause = f"data-request:{request.id}"
    values = {"number": str(request.id)}
    return notify(settings, "own_data", to, request.language, values, key=cause, cause=cause)


def answer_own_data(
    settings: Settings,
    request: DataRequest,
    user: User,
    state: str,
    answer: str,
    records: Collection[str],
) -> None:
    """Answer such a request, `done` or `refused`, and tell him. Raises data_requests.RequestError.

    What is to be masked is done by box.retention.mask.
    """
    with writing():
        his = data_requests.Stored()
        if state == "done":
            his = data_requests.chosen(request, user, records)
        data_requests.close(request, user, state, answer, his, "number" in records)
        own_data(settings, request)


def of_appeal(appeal: Appeal) -> list[Message]:
    """The short messages that went to the applicant about an appeal, and those that were written
    by hand about its call or form; the newest first."""
    whence = [cause for cause in (appeal.call_id, appeal.token) if cause]
    about = (Message.cause == appeal.number) & (Message.purpose != "duty")
    by_hand = Message.cause.in_(whence) & (Message.purpose == "manual")
    found = Message.select().where(Message.channel == "sms", about | by_hand)
    return list(found.order_by(Message.id.desc()))


def opt_out(number: str, by: str) -> str | None:
    """Send a number no more messages; the number as it is kept, or None when it is none."""
    known = phone_numbers.canonical(number)
    if known:
        with writing():
            row = {"number": known, "at": clock.now(), "by": by}
            SmsOptOut.insert(row).on_conflict_ignore().execute()
            audit.record(by, "sms.opt_out", known)
    return known


def opt_in(number: str, by: str) -> None:
    """Send a number messages again."""
    with writing():
        if SmsOptOut.delete().where(SmsOptOut.number == number).execute():
            audit.record(by, "sms.opt_in", number)


def opted_out() -> list[SmsOptOut]:
    """Numbers that want no messages, the newest first."""
    return list(SmsOptOut.select().order_by(SmsOptOut.at.desc()))


def notify(
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
    delay: dt.timedelta = NOW,
) -> Message | None:
    """Write down a message by the text in force; None when there is nobody to tell, or it is off.

    `text_of`: the text, when it is not the purpose's own. `reply`: an answer is waited for. What
    somebody asked for is told also to a number that wants no messages.
    """
    unwanted = SmsOptOut.get_or_none(SmsOptOut.number == number)
    if not settings.sms or not rules.is_sent(purpose) or (unwanted and purpose not in rules.ALWAYS):
        return None
    template = texts.text(text_of or purpose, language)
    filled = values | {"hotline": settings.calls.hotline_number}
    return outbox.put_sms(
        purpose,
        number,
        texts.fill(template, filled),
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


def mobile(number: str | None) -> str | None:
    """The number as it is kept when it can take a short message, else None."""
    known = phone_numbers.canonical(number or "")
    return known if known and _MOBILE.fullmatch(known) else None


def number_of(appeal: Appeal) -> str | None:
    """The mobile number that he gave, else the one at hand."""
    return mobile(appeal.phone) or mobile(appeal.phone_at_hand)


def language_of(appeal: Appeal) -> str:
    """The language that its caller chose: uz or ru."""
    call = Call.get_or_none(Call.id == appeal.call_id) if appeal.call_id else None
    return "ru" if call and call.language == "ru" else "uz"


def _notify(
    settings: Settings,
    purpose: str,
    appeal: Appeal,
    again: str,
    values: dict[str, str],
    delay: dt.timedelta = NOW,
) -> Message | None:
    number = number_of(appeal)
    if not number:
        return None
    return notify(
        settings,
        purpose,
        number,
        language_of(appeal),
        values | {"number": appeal.number},
        key=f"{purpose}:{appeal.number}{again}",
        cause=appeal.number,
        delay=delay,
    )
