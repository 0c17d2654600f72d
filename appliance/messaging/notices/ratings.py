"""Ratings by SMS from callers who hung up before giving one: by a link or by a reply.

The rating is stored outside the ledger; calls.storing adds it whenever it stores the call again.
"""

import datetime as dt
import secrets

from appliance.core import clock, live, outbox
from appliance.core.db import write_transaction
from appliance.core.i18n import base_language
from appliance.core.settings import Settings
from appliance.core.statements import find_row
from appliance.messaging.notices import citizens
from appliance.messaging.sms import rules
from appliance.models import Call, SmsRating, Talk

REQUEST_WITHIN = dt.timedelta(hours=2)  # after the call; later, callers no longer remember it
# After the call; until then, the ledger may still receive a rating by keypad.
REQUEST_AFTER = dt.timedelta(seconds=30)
ANSWER_PERIOD = dt.timedelta(days=3)  # how long a rating is accepted
REPEAT_INTERVAL = dt.timedelta(days=1)  # between two requests to the same number
_NUMBER_RETENTION = dt.timedelta(days=30)  # how long the number is stored


def request_ratings(settings: Settings) -> int:
    """Ask for a rating from recent callers who hung up before giving one; returns how many."""
    channel = _rating_channel(settings)
    if not channel or not rules.is_enabled("rating"):
        return 0
    now = clock.now()
    due = Call.select().where(
        Call.direction == "inbound",
        Call.outcome == "answered",
        Call.ended_by == "caller",
        Call.rating.is_null(),
        ~Call.synthetic,
        Call.ended_at > now - REQUEST_WITHIN,
        Call.ended_at <= now - REQUEST_AFTER,
        Call.id.not_in(SmsRating.select(SmsRating.call_id)),
    )
    return sum(_request_rating(settings, call, channel) for call in due.order_by(Call.ended_at))


def find_rating_request(token: str) -> SmsRating | None:
    """Return the rating request of a link's token, if any."""
    return find_row(SmsRating, token=token)


def rating_request_state(request: SmsRating) -> str:
    """Return "open", "used" (a rating was given, by whatever channel) or "expired"."""
    call = Call.get_or_none(Call.id == request.call_id)
    if request.mark or (call and call.rating):
        return "used"
    return "open" if request.expires_at > clock.now() else "expired"


def record_rating(request: SmsRating, mark: int, channel: str) -> str:
    """Store a rating of 1 to 5, unless the request was used before or has expired.

    Returns the earlier state of the request: "open" if the rating was stored. A rating by keypad is
    never replaced.
    """
    with write_transaction():
        state = rating_request_state(SmsRating.get_by_id(request.call_id))
        if state == "open":
            SmsRating.update(mark=mark, marked_at=clock.now(), how=channel).where(
                SmsRating.call_id == request.call_id
            ).execute()
            Call.update(rating=mark, rating_channel="sms").where(
                Call.id == request.call_id, Call.rating.is_null()
            ).execute()
            talks = Talk.select(Talk.who).where(
                Talk.call == request.call_id, Talk.party == "operator"
            )
            logins = sorted({talk.who for talk in talks})
            live.publish_topics("calls", *(f"operator:{login}" for login in logins))
    return state


def expects_rating(number: str) -> bool:
    """Return True if the number has a rating request that has not expired, answered or not."""
    conditions = (SmsRating.number == number, SmsRating.expires_at > clock.now())
    return bool(SmsRating.select().where(*conditions).exists())


def record_reply(number: str, value: int) -> bool:
    """Store a rating that a number sent as a reply; returns True if it was stored."""
    rows = SmsRating.select().where(
        SmsRating.number == number, SmsRating.mark.is_null(), SmsRating.expires_at > clock.now()
    )
    newest = rows.order_by(SmsRating.asked_at.desc()).first()
    return bool(newest) and record_rating(newest, value, "reply") == "open"


def erase_old_numbers() -> int:
    """Erase the numbers of old rating requests; returns how many."""
    with write_transaction():
        conditions = (SmsRating.asked_at < clock.now() - _NUMBER_RETENTION, SmsRating.number != "")
        return int(SmsRating.update(number="").where(*conditions).execute())


def _rating_channel(settings: Settings) -> str:
    """Return how citizens can give a rating: by "link", by "reply" or not at all ("").

    A link needs a public address of the site, a reply an SMS account that receives messages.
    """
    if settings.messages.public_url:
        return "link"
    return "reply" if any(account.receives_replies for account in settings.sms) else ""


def _request_rating(settings: Settings, call: Call, channel: str) -> bool:
    number, now = citizens.mobile_number(call.caller), clock.now()
    if not number:
        return False
    with write_transaction():
        recent_request = (SmsRating.number == number, SmsRating.asked_at > now - REPEAT_INTERVAL)
        if SmsRating.select().where(*recent_request).exists():
            return False
        token = secrets.token_urlsafe(8)
        language = base_language(call.language)
        link = f"{settings.messages.public_url.rstrip('/')}/r/{token}"
        message = citizens.queue_notice(
            settings,
            "rating",
            number,
            language,
            {"link": link} if channel == "link" else {},
            key=f"rating:{call.id}",
            cause=call.id,
            text_of="rating" if channel == "link" else "rating_reply",
            reply=channel == "reply",
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
            expires_at=message.due_at + ANSWER_PERIOD,
        )
    return True
