"""A caller who hung up first is asked for a mark by SMS; he gives it by a link or by an answer.

The mark is kept beside the ledger, and calls.storing joins it whenever the call is told anew.
"""

import datetime as dt
import secrets

from appliance.core import clock, live, outbox
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.messaging.notices import citizens
from appliance.messaging.sms import rules
from appliance.models import Call, SmsRating, Talk

FRESH = dt.timedelta(hours=2)  # after the call; later nobody remembers
SETTLED = dt.timedelta(seconds=30)  # until which the ledger may still learn of a mark by keypad
OPEN = dt.timedelta(days=3)  # in which a mark is taken
AGAIN = dt.timedelta(days=1)  # before the same number is asked again
_KNOWN = dt.timedelta(days=30)  # for which the number is kept


def ask_due(settings: Settings) -> int:
    """Ask whoever hung up first of late and gave no mark; returns how many."""
    how = _how(settings)
    if not how or not rules.is_sent("rating"):
        return 0
    now = clock.now()
    due = Call.select().where(
        Call.direction == "inbound",
        Call.outcome == "answered",
        Call.ended_by == "caller",
        Call.rating.is_null(),
        ~Call.synthetic,
        Call.ended_at > now - FRESH,
        Call.ended_at <= now - SETTLED,
        Call.id.not_in(SmsRating.select(SmsRating.call_id)),
    )
    return sum(_ask(settings, call, how) for call in due.order_by(Call.ended_at))


def find(token: str) -> SmsRating | None:
    """What a link stands for."""
    return SmsRating.get_or_none(SmsRating.token == token)


def state_of(asked: SmsRating) -> str:
    """open | used (a mark was given, by whatever way) | expired."""
    call = Call.get_or_none(Call.id == asked.call_id)
    if asked.mark or (call and call.rating):
        return "used"
    return "open" if asked.expires_at > clock.now() else "expired"


def mark(asked: SmsRating, mark: int, how: str) -> str:
    """Take a mark of 1 to 5 once, never over one given by keypad; the state before (state_of)."""
    with writing():
        state = state_of(SmsRating.get_by_id(asked.call_id))
        if state == "open":
            SmsRating.update(mark=mark, marked_at=clock.now(), how=how).where(
                SmsRating.call_id == asked.call_id
            ).execute()
            Call.update(rating=mark, rating_channel="sms").where(
                Call.id == asked.call_id, Call.rating.is_null()
            ).execute()
            spoke = Talk.select(Talk.who).where(
                Talk.call == asked.call_id, Talk.party == "operator"
            )
            logins = sorted({talk.who for talk in spoke})
            live.publish("calls", *(f"operator:{login}" for login in logins))
    return state


def was_asked(number: str) -> bool:
    """Whether a mark is, or was just, waited for from a number."""
    open_ones = (SmsRating.number == number, SmsRating.expires_at > clock.now())
    return SmsRating.select().where(*open_ones).exists()


def answered(number: str, value: int) -> bool:
    """Take a mark that a number sent as an answer; whether it was asked for one."""
    rows = SmsRating.select().where(
        SmsRating.number == number, SmsRating.mark.is_null(), SmsRating.expires_at > clock.now()
    )
    newest = rows.order_by(SmsRating.asked_at.desc()).first()
    return bool(newest) and mark(newest, value, "reply") == "open"


def forget_numbers() -> int:
    """Take out the numbers of marks asked for long ago; returns how many."""
    with writing():
        old = (SmsRating.asked_at < clock.now() - _KNOWN, SmsRating.number != "")
        return SmsRating.update(number="").where(*old).execute()


def _how(settings: Settings) -> str:
    """By link where citizens reach the site, else by answer where one reaches us, else "" (not)."""
    if settings.messages.public_url:
        return "link"
    return "reply" if any(account.takes_replies for account in settings.sms) else ""


def _ask(settings: Settings, call: Call, how: str) -> bool:
    number, now = citizens.mobile(call.caller), clock.now()
    if not number:
        return False
    with writing():
        lately = (SmsRating.number == number, SmsRating.asked_at > now - AGAIN)
        if SmsRating.select().where(*lately).exists():
            return False
        token = secrets.token_urlsafe(8)
        language = "ru" if call.language == "ru" else "uz"
        link = f"{settings.messages.public_url.rstrip('/')}/r/{token}"
        message = citizens.notify(
            settings,
            "rating",
            number,
            language,
            {"link": link} if how == "link" else {},
            key=f"rating:{call.id}",
            cause=call.id,
            text_of="rating" if how == "link" else "rating_reply",
            reply=how == "reply",
        )
        if not message:
            return False
        outbox.hold_if_old(message, call.ended_at)
        SmsRating.create(
            call_id=call.id,
            token=token,
            number=number,
            language=language,
            asked_at=now,
            expires_at=message.due_at + OPEN,
        )
    return True
