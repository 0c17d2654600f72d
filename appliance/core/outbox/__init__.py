"""What must leave the box, until it is known what became of it.

A message is put in the transaction of its cause, claimed by one sender at a time, and ends as
delivered, refused or expired. Nothing is dropped silently.
"""

from appliance.core.outbox.claiming import (
    claim,
    claim_alike,
    claim_caused,
    claim_waiting,
    redirect,
    tried,
)
from appliance.core.outbox.gsm import parts, plain, segments
from appliance.core.outbox.listing import ASKED_FOR, OPEN, Ages, ages, expired, listed, message
from appliance.core.outbox.purposes import PURPOSES
from appliance.core.outbox.putting import (
    by_day,
    put,
    put_sms,
    room_at,
    wait_for_morning,
    withdraw,
)
from appliance.core.outbox.review import (
    WORDS,
    drop,
    hold_if_old,
    messages_to_review,
    note,
    release,
    review_count,
    to_ask,
)
from appliance.core.outbox.sending import (
    NEVER_LEFT,
    declined,
    delivered,
    expire,
    forget_early_reports,
    hasten,
    key_of,
    pause,
    recover,
    refused,
    reported,
    retry,
    sent,
    try_again,
)
from appliance.core.outbox.words import TROUBLES

STATES = ("pending", "claimed", "held", "sent", "delivered", "refused", "expired")

__all__ = [
    "ASKED_FOR",
    "NEVER_LEFT",
    "OPEN",
    "PURPOSES",
    "STATES",
    "TROUBLES",
    "WORDS",
    "Ages",
    "ages",
    "by_day",
    "claim",
    "claim_alike",
    "claim_caused",
    "claim_waiting",
    "declined",
    "delivered",
    "drop",
    "expire",
    "expired",
    "forget_early_reports",
    "hasten",
    "review_count",
    "hold_if_old",
    "key_of",
    "listed",
    "message",
    "messages_to_review",
    "note",
    "parts",
    "pause",
    "plain",
    "put",
    "put_sms",
    "recover",
    "redirect",
    "refused",
    "release",
    "reported",
    "retry",
    "room_at",
    "segments",
    "sent",
    "to_ask",
    "tried",
    "try_again",
    "wait_for_morning",
    "withdraw",
]
