"""What must leave the box, until it is known what became of it.

A message is put in the transaction of its cause, claimed by one sender at a time, and ends as
delivered, refused or expired. Nothing is dropped silently.
"""

from appliance.outbox.gsm import parts, plain, segments
from appliance.outbox.listing import ASKED_FOR, OPEN, Ages, ages, listed
from appliance.outbox.putting import by_day, put, put_sms
from appliance.outbox.sending import (
    claim,
    claim_alike,
    claim_waiting,
    delivered,
    expire,
    forget_early_reports,
    key_of,
    recover,
    redirect,
    refused,
    reported,
    retry,
    sent,
    try_again,
)

STATES = ("pending", "claimed", "sent", "delivered", "refused", "expired")

__all__ = [
    "ASKED_FOR",
    "OPEN",
    "STATES",
    "Ages",
    "ages",
    "by_day",
    "claim",
    "claim_alike",
    "claim_waiting",
    "delivered",
    "expire",
    "forget_early_reports",
    "key_of",
    "listed",
    "parts",
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
    "try_again",
]
