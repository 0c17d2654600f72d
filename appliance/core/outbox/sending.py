"""The outcome of an attempt to send a message: sent, delivered, refused, or to be retried."""

import datetime as dt
import random
import re
from collections.abc import Collection

from peewee import fn

from appliance.core import audit, clock, live, process_id
from appliance.core.db import write_transaction
from appliance.core.outbox.tables import EarlyReport, Message, SendAttempt
from appliance.core.statements import find_row

_FIRST_RETRY_SECONDS, _MAX_RETRY_SECONDS = 15.0, 1800.0  # seconds between attempts
OFFLINE_TROUBLES = ("unreachable", "certificate")  # troubles in which nothing left the appliance
_ATTEMPT_RETENTION = dt.timedelta(minutes=5)  # how long attempts are stored
_MAX_OFFLINE_RETRY_SECONDS = 30.0  # between attempts while offline: an attempt costs nothing
_REQUEUED_LIFETIME = dt.timedelta(days=1)  # for which a requeued message is useful at least
_MAX_DETAIL_LENGTH = 500  # stored characters of a text from outside
_MAX_FOREIGN_ID_LENGTH = 100  # stored characters of a reported id; a forged one could be long


def mark_sent(message: Message, gateway: str, foreign_id: str = "") -> None:
    """Record that the gateway accepted the message; `foreign_id` is the gateway's id for it, or "".

    `gateway` is the name of the account. Whether the message was delivered is reported later, or
    never; a report that has arrived already is applied now. The record is made even if another
    sender has claimed the message since.
    """
    with write_transaction():
        now = clock.now()
        # Its claim may have ended during the sending: then it is pending, or expired.
        _change_state(
            message,
            ("pending", "claimed", "expired"),
            "sent",
            sent_at=now,
            ended_at=None,
            gateway=gateway,
            foreign_id=foreign_id,
            trouble="",
            trouble_text="",
        )
        report_key = (EarlyReport.gateway == gateway, EarlyReport.foreign_id == foreign_id)
        if foreign_id and (report := EarlyReport.get_or_none(*report_key)):
            report.delete_instance()
            _apply_report(message, report.outcome)


def gateway_key(message: Message) -> str:
    """Return the key by which a gateway recognizes a message that is sent to it a second time.

    It is the same in each attempt, and changes only if a user resends a message that had ended.
    """
    tries = message.payload.get("tries", 0)
    return f"m{message.id}-{tries}" if tries else f"m{message.id}"


def record_delivery_report(
    gateway: str, reported_id: str, outcome: str, *, is_own_key: bool
) -> bool:
    """Record a gateway's report whether it delivered a message.

    `outcome` is "delivered" or "refused". `reported_id` identifies the message: by the appliance's
    own key (see `gateway_key`) if `is_own_key`, otherwise by the gateway's id. A second report
    about it changes nothing.

    Returns True if the report is done with: it was applied, or is a refusal of an earlier attempt,
    which is ignored. Returns False if there is no such own key, and if `gateway` has not confirmed
    yet that it accepted the message: then the report is stored, and `mark_sent` applies it. By the
    appliance's own key a message is found even before that, unless another gateway accepted it, or
    may have.
    """
    with write_transaction():
        if is_own_key:
            message = _find_by_own_key(reported_id)
            if not message:
                return False
            if outcome == "refused" and gateway_key(message) != reported_id:
                return True  # about an attempt before a user resent the message
            if message.gateway in ("", gateway):
                return _apply_report(message, outcome)
        else:
            conditions = (Message.gateway == gateway, Message.foreign_id == reported_id)
            newest = Message.select().where(*conditions).order_by(Message.id.desc())
            if reported_id and (message := newest.first()):  # a modem eventually reuses an id
                return _apply_report(message, outcome)
        # If it is an own key, the gateway uses it as its id, with which `mark_sent` finds the row.
        row = {
            "gateway": gateway,
            "foreign_id": reported_id[:_MAX_FOREIGN_ID_LENGTH],
            "outcome": outcome,
        }
        EarlyReport.insert(row | {"at": clock.now()}).on_conflict_ignore().execute()
    return False


def remove_unmatched_early_reports() -> int:
    """Remove stored delivery reports whose message is still unknown after a day; returns how many.

    A report whose message became known in that time was removed when it was applied.
    """
    with write_transaction():
        day_ago = clock.now() - dt.timedelta(days=1)
        count: int = EarlyReport.delete().where(EarlyReport.at < day_ago).execute()
    return count


def schedule_retry(
    message: Message,
    trouble: str,
    detail: str = "",
    *,
    perhaps_sent: bool = False,
    gateway: str = "",
    wait_seconds: float | None = None,
) -> None:
    """Schedule another attempt to send a message after a failed or uncertain one.

    The delay grows with the attempts. `trouble` is the reason, one of TROUBLES, and `detail` the
    service's own text. `perhaps_sent`: `gateway` may have accepted the message, and the next
    attempt goes to the same one. `wait_seconds`: the delay for which the service asks, instead of
    the usual one. Nothing changes if another sender has claimed the message since.
    """
    if wait_seconds is None:
        wait_seconds = retry_delay(message, trouble)
    duplicate_columns = {"perhaps_twice": True, "gateway": gateway} if perhaps_sent else {}
    _change_state(
        message,
        ("claimed",),
        "pending",
        only_own_claim=True,
        due_at=clock.now() + dt.timedelta(seconds=wait_seconds),
        trouble=trouble,
        trouble_text=detail[:_MAX_DETAIL_LENGTH],
        **duplicate_columns,
    )


def retry_delay(message: Message, trouble: str) -> float:
    """Return the seconds until the next attempt to send a message: more after each attempt.

    `trouble` is the reason of the failure, one of TROUBLES: while the appliance is offline, the
    wait stays short. The result varies at random, so that not all messages are retried together.
    """
    # It is doubled with each attempt; after 10 times it exceeds the maximum anyway.
    longest = _MAX_OFFLINE_RETRY_SECONDS if trouble in OFFLINE_TROUBLES else _MAX_RETRY_SECONDS
    seconds: float = min(_FIRST_RETRY_SECONDS * 2 ** min(message.attempts - 1, 10), longest)
    return seconds * random.uniform(0.8, 1.2)  # noqa: S311  a jitter, no secret


def mark_refused(message: Message, trouble: str, detail: str = "") -> None:
    """Record that a claimed message is given up for good: it is not sent again.

    The service has declined it, or it is no longer wanted, because the recipient has opted out. Its
    state becomes `refused`, unless another sender has claimed it since. `trouble` is the reason,
    one of TROUBLES, and `detail` the service's own text, or "".
    """
    now = clock.now()
    _change_state(
        message,
        ("claimed",),
        "refused",
        only_own_claim=True,
        ended_at=now,
        trouble=trouble,
        trouble_text=detail[:_MAX_DETAIL_LENGTH],
    )


def mark_undelivered(message: Message, trouble: str, detail: str = "") -> None:
    """Record that an accepted message did not reach its recipient, or was refused there.

    Its state becomes `refused`, unless an outcome is already recorded. `trouble` is the reason, one
    of TROUBLES, and `detail` the gateway's own text.
    """
    _finish_message(message, "refused", trouble=trouble, trouble_text=detail[:_MAX_DETAIL_LENGTH])


def mark_delivered(message: Message) -> None:
    """Record that the message was delivered, or need not be, because a later one replaces it.

    It need not be marked as sent: a report can arrive before the gateway's answer. If it has a
    final outcome already, nothing changes.
    """
    _finish_message(message, "delivered", trouble="", trouble_text="")


def release_stale_claims() -> int:
    """Let the messages that a sender claimed and left be sent by another one; returns how many.

    These are claimed by a process that no longer runs, or for longer than claiming.CLAIM_LEASE.
    They become pending, and are marked as perhaps sent twice, because the sender may have sent
    them.

    It also corrects times in the future, written while the clock was fast, so that no message waits
    too long, and removes attempts too old to count towards a sending limit.
    """
    rows = Message.select(Message.claimed_by).where(Message.state == "claimed").distinct()
    dead_senders = [
        row.claimed_by for row in rows if not process_id.is_process_alive(row.claimed_by)
    ]
    with write_transaction():
        # Read after the lock was taken: no time that another process wrote before is in the future.
        now = clock.now()
        is_overdue = Message.claimed_until < now
        conditions = (Message.state == "claimed", Message.claimed_by.in_(dead_senders) | is_overdue)
        _correct_future_times(now)
        SendAttempt.delete().where(~SendAttempt.at.between(now - _ATTEMPT_RETENTION, now)).execute()
        count: int = (
            Message.update(
                state="pending", claimed_until=None, trouble="sender_died", perhaps_twice=True
            )
            .where(*conditions)
            .execute()
        )
    return count


def expire_messages() -> int:
    """End the pending messages that are too late to be useful; returns how many.

    They are not sent, but stay in the list of messages, as expired.
    """
    now = clock.now()
    with write_transaction():
        count: int = (
            Message.update(state="expired", ended_at=now)
            .where(Message.state == "pending", Message.expires_at <= now)
            .execute()
        )
        if count:
            live.publish_topics("outbox")
    return count


def requeue_message(message: Message, by: str = "") -> bool:
    """Make a refused, expired or pending message due now, so that its sender sends it soon.

    Returns False if it has another state: then nothing changes. The message expires after a day at
    the earliest. `by` is the user who requeues this one message, for the audit; with "" no audit
    entry is written. An SMS that had ended gets a new key (see `gateway_key`), so that the service
    does not take it for a copy.
    """
    now = clock.now()
    # A message that is due already keeps its planned time, from which its waiting time counts.
    was_due = message.state == "pending" and message.wanted_at < now
    if message.channel == "sms" and message.state != "pending":
        tries = message.payload.get("tries", 0) + 1
        payload = message.payload | {"tries": tries}
    else:
        payload = message.payload
    with write_transaction():
        updated = (
            Message.update(
                state="pending",
                payload=payload,
                wanted_at=message.wanted_at if was_due else now,
                due_at=now,
                expires_at=max(message.expires_at, now + _REQUEUED_LIFETIME),
                ended_at=None,
                foreign_id="",  # a late report by the earlier id must not find it
            )
            .where(Message.id == message.id, Message.state.in_(["pending", "refused", "expired"]))
            .execute()
        )
        if updated and by:
            audit.record_entry(by, "outbox.retry", str(message.id))
        live.publish_topics("outbox")
    return bool(updated)


def hasten_retries(channel: str, recipient: str) -> int:
    """Make the messages that wait for another attempt to reach a recipient due now.

    Returns their number. Call it when the recipient can be reached again. Messages that were never
    tried are left unchanged: they wait for their planned time.
    """
    now = clock.now()
    conditions = (Message.state == "pending", Message.attempts > 0, Message.due_at > now)
    with write_transaction():
        count: int = (
            Message.update(due_at=now)
            .where(Message.channel == channel, Message.recipient == recipient, *conditions)
            .execute()
        )
    return count


def _find_by_own_key(key: str) -> Message | None:
    """Return the SMS that had this key (see `gateway_key`) in one of its attempts, or None."""
    # The lengths are those of an id that SQLite can store, and of more tries than there will be.
    match = re.fullmatch(r"m(\d{1,15})(-\d{1,4})?", key, re.ASCII)
    if not match:
        return None
    # Without its number of tries: a report of an earlier attempt finds the message too.
    return find_row(Message, id=int(match[1]), channel="sms")


def _correct_future_times(now: dt.datetime) -> None:
    """Correct messages' times in the future, so that no message waits longer than planned.

    Times are in the future after a clock that was fast has been corrected, or if the clock is wrong
    now. A message that was never tried is moved by its time of creation, another by its last try.
    """
    is_waiting = Message.state == "pending"
    ahead = Message.created_at - now
    Message.update(
        created_at=now, wanted_at=Message.wanted_at - ahead, due_at=Message.due_at - ahead
    ).where(is_waiting, Message.created_at > now, Message.tried_at.is_null()).execute()
    Message.update(
        tried_at=now,
        wanted_at=fn.MIN(Message.wanted_at, Message.wanted_at.db_value(now)),
        due_at=Message.due_at - (Message.tried_at - now),
    ).where(is_waiting, Message.tried_at > now).execute()


def _apply_report(message: Message, outcome: str) -> bool:
    """Record a reported outcome, "delivered" or "refused", of a known message.

    Always returns True, which `record_delivery_report` returns for an applied report.
    """
    if outcome == "delivered":
        mark_delivered(message)
    else:
        mark_undelivered(message, "undelivered")
    return True


def _change_state(
    message: Message,
    from_states: Collection[str],
    to_state: str,
    *,
    only_own_claim: bool = False,
    **columns: object,
) -> None:
    """Change a message's state and other columns, if its present state is one of `from_states`.

    With `only_own_claim`, also only if no other sender has claimed the message since `message` was
    read. Otherwise nothing changes, without an error.
    """
    # Each claim adds 1 to `attempts`, so an equal number means that the claim is still the same.
    claim_condition = (Message.attempts == message.attempts,) if only_own_claim else ()
    with write_transaction():
        Message.update(state=to_state, claimed_until=None, **columns).where(
            Message.id == message.id, Message.state.in_(list(from_states)), *claim_condition
        ).execute()
        live.publish_topics("outbox")


def _finish_message(message: Message, state: str, **columns: object) -> None:
    """Give a message its final `state` and other columns, unless it is delivered or refused."""
    with write_transaction():
        Message.update(state=state, ended_at=clock.now(), claimed_until=None, **columns).where(
            Message.id == message.id, Message.state.not_in(["delivered", "refused"])
        ).execute()
        live.publish_topics("outbox")
