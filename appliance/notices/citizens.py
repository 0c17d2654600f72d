"""What a citizen is told of his appeal, by short message.

Called inside the transaction of the cause. A site without an SMS account tells nothing.
"""

import re

from appliance import audit, clock, identity, outbox
from appliance.db import writing
from appliance.models import Appeal, Call, Handling, Message, SmsOptOut
from appliance.notices import texts
from appliance.settings import Settings

# Numbers of Uzbekistan that stand on a desk begin with 6 or 7, but for the mobile 77.
_MOBILE = re.compile(r"\+998(?!6|7[^7])\d{9}", re.ASCII)


def registered(settings: Settings, appeal: Appeal) -> Message | None:
    """Tell the number of an appeal and until when it is answered."""
    due = Handling.get_by_id(appeal.id).due_on
    return _tell(settings, "registered", appeal, "", {"due": f"{due:%d.%m.%Y}"})


def answered(settings: Settings, appeal: Appeal) -> Message | None:
    """Tell that the answer is there; again, when it is answered anew."""
    version = Handling.get_by_id(appeal.id).version
    return _tell(settings, "answered", appeal, f":{version}", {})


def write(settings: Settings, appeal: Appeal, text: str, by: str, token: str) -> Message:
    """Send a text of one's own to the applicant; sent twice with a token, it goes once.

    Raises texts.TextError.
    """
    text, number = outbox.plain(text), _number(appeal)
    if not text:
        raise texts.TextError("empty")
    if outbox.segments(text) > texts.LONGEST:
        raise texts.TextError("long")
    if not settings.sms or not number:
        raise texts.TextError("nobody")
    if SmsOptOut.get_or_none(SmsOptOut.number == number):
        raise texts.TextError("unwanted")
    with writing():
        message = outbox.put_sms(
            "manual", number, text, key=f"manual:{token}", cause=appeal.number, tz=settings.tz
        )
        if not message:
            raise texts.TextError("nobody")
        audit.record(by, "sms.write", appeal.number, message=message.id)
    return message


def reaches(settings: Settings, appeal: Appeal) -> bool:
    """Whether a short message can be sent to the applicant."""
    return bool(settings.sms and _number(appeal))


def of_appeal(appeal: Appeal) -> list[Message]:
    """The short messages that went to the applicant about an appeal, the newest first."""
    about = (Message.cause == appeal.number, Message.channel == "sms", Message.purpose != "duty")
    return list(Message.select().where(*about).order_by(Message.id.desc()))


def opt_out(number: str, by: str) -> str | None:
    """Send a number no more messages; the number as it is kept, or None when it is none."""
    known = identity.phone(number)
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


def _tell(
    settings: Settings, purpose: str, appeal: Appeal, again: str, values: dict[str, str]
) -> Message | None:
    number = _number(appeal)
    if not settings.sms or not number or SmsOptOut.get_or_none(SmsOptOut.number == number):
        return None
    call = Call.get_or_none(Call.id == appeal.call_id) if appeal.call_id else None
    language = "ru" if call and call.language == "ru" else "uz"
    told = values | {"number": appeal.number, "hotline": settings.calls.hotline_number}
    text = texts.fill(texts.text(purpose, language), told)
    key = f"{purpose}:{appeal.number}{again}"
    return outbox.put_sms(purpose, number, text, key=key, cause=appeal.number, tz=settings.tz)


def _number(appeal: Appeal) -> str | None:
    """The mobile number that he gave, else the one at hand."""
    for said in (appeal.phone, appeal.phone_at_hand):
        number = identity.phone(said or "")
        if number and _MOBILE.fullmatch(number):
            return number
    return None
