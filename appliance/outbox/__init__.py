"""What must leave the box, until it is known what became of it.

A message is put in the transaction of its cause, claimed by one sender at a time, and ends as
delivered, refused or expired. Nothing is dropped silently.
"""

from appliance.outbox.gsm import parts, plain, segments
from appliance.outbox.listing import ASKED_FOR, OPEN, Ages, ages, expired, listed
from appliance.outbox.putting import by_day, put, put_sms, wait_for_morning
from appliance.outbox.sending import (
    NEVER_LEFT,
    claim,
    claim_alike,
    claim_waiting,
    declined,
    delivered,
    expire,
    forget_early_reports,
    hasten,
    key_of,
    pause,
    recover,
    redirect,
    refused,
    reported,
    retry,
    sent,
    tried,
    try_again,
)
from appliance.outbox.words import TROUBLES

STATES = ("pending", "claimed", "sent", "delivered", "refused", "expired")

__all__ = [
    "ASKED_FOR",
    "NEVER_LEFT",
    "OPEN",
    "STATES",
    "TROUBLES",
    "Ages",
    "ages",
    "by_day",
    "claim",
    "claim_alike",
    "claim_waiting",
    "declined",
    "delivered",
    "expire",
    "expired",
    "forget_early_reports",
    "hasten",
    "key_of",
    "listed",
    "parts",
    "pause",
    "plain",
    "put",
    "put_sms",
    "recover",
    "redirect",
    "refused",
    "reported",
    "retry",
    "segments",
    "sent",
    "tried",
    "try_again",
    "wait_for_morning",
]
