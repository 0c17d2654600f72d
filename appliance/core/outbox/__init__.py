"""The outbox: messages that must leave the appliance, kept until their outcome is known.

A message is queued in the transaction of its cause, claimed by one sender at a time, and ends as
delivered, refused or expired. No message is dropped silently.
"""

from appliance.core.outbox.claiming import (
    claim_for_cause,
    claim_next,
    claim_similar,
    claim_waiting,
    recent_attempts,
    redirect_messages,
)
from appliance.core.outbox.gsm import part_count, split_parts, use_ascii_quotes
from appliance.core.outbox.listing import (
    OPEN_STATES,
    STATUS_QUERY_PERIOD,
    QueueAge,
    expired_count,
    find_message,
    list_messages,
    queue_ages,
)
from appliance.core.outbox.purposes import PURPOSES
from appliance.core.outbox.queueing import (
    postpone_until_morning,
    queue_message,
    queue_sms,
    time_outside_quiet_hours,
    time_within_recipient_limit,
    withdraw_messages,
)
from appliance.core.outbox.review import (
    SERVICE_STATUSES,
    drop_messages,
    hold_if_old,
    messages_to_query,
    messages_to_review,
    record_status,
    release_messages,
    review_count,
)
from appliance.core.outbox.sending import (
    OFFLINE_TROUBLES,
    expire_messages,
    gateway_key,
    hasten_retries,
    mark_declined,
    mark_delivered,
    mark_sent,
    mark_undelivered,
    record_delivery_report,
    release_stale_claims,
    remove_unmatched_early_reports,
    resend_message,
    retry_delay,
    schedule_retry,
)
from appliance.core.outbox.tables import EarlyReport, HeldMessage, Message, SendAttempt
from appliance.core.outbox.trouble_labels import TROUBLES

# `held`: on hold after a restore (review.py); `sent`: a gateway has accepted it, and the outcome is
# not known yet; `refused`: by the service or at the recipient, or dropped by a person.
STATES = ("pending", "claimed", "held", "sent", "delivered", "refused", "expired")

__all__ = [
    "STATUS_QUERY_PERIOD",
    "OFFLINE_TROUBLES",
    "OPEN_STATES",
    "PURPOSES",
    "STATES",
    "TROUBLES",
    "SERVICE_STATUSES",
    "QueueAge",
    "queue_ages",
    "time_outside_quiet_hours",
    "claim_next",
    "claim_similar",
    "claim_for_cause",
    "claim_waiting",
    "mark_declined",
    "mark_delivered",
    "drop_messages",
    "expire_messages",
    "expired_count",
    "remove_unmatched_early_reports",
    "hasten_retries",
    "review_count",
    "hold_if_old",
    "gateway_key",
    "list_messages",
    "find_message",
    "messages_to_review",
    "record_status",
    "split_parts",
    "retry_delay",
    "use_ascii_quotes",
    "queue_message",
    "queue_sms",
    "release_stale_claims",
    "redirect_messages",
    "mark_undelivered",
    "release_messages",
    "record_delivery_report",
    "schedule_retry",
    "time_within_recipient_limit",
    "part_count",
    "mark_sent",
    "messages_to_query",
    "recent_attempts",
    "resend_message",
    "postpone_until_morning",
    "withdraw_messages",
    "EarlyReport",
    "HeldMessage",
    "Message",
    "SendAttempt",
]
