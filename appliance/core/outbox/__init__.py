"""The outbox: messages that must leave the appliance, kept until their outcome is known.

A message is queued in the transaction of its cause, claimed by one sender at a time, and ends as
delivered, refused or expired. No message is dropped silently.
"""

from appliance.core.outbox.claiming import (
    claim_for_cause,
    claim_next,
    claim_pending,
    claim_similar,
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
    held_message_count,
    held_messages_to_look_up,
    hold_if_old,
    messages_to_review,
    record_service_status,
    release_messages,
)
from appliance.core.outbox.sending import (
    OFFLINE_TROUBLES,
    expire_messages,
    gateway_key,
    hasten_retries,
    mark_delivered,
    mark_refused,
    mark_sent,
    mark_undelivered,
    record_delivery_report,
    release_stale_claims,
    remove_unmatched_early_reports,
    requeue_message,
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
    "claim_pending",
    "mark_refused",
    "mark_delivered",
    "drop_messages",
    "expire_messages",
    "expired_count",
    "remove_unmatched_early_reports",
    "hasten_retries",
    "held_message_count",
    "hold_if_old",
    "gateway_key",
    "list_messages",
    "find_message",
    "messages_to_review",
    "record_service_status",
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
    "held_messages_to_look_up",
    "recent_attempts",
    "requeue_message",
    "postpone_until_morning",
    "withdraw_messages",
    "EarlyReport",
    "HeldMessage",
    "Message",
    "SendAttempt",
]
