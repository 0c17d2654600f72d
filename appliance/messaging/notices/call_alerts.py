"""Alerts of calls registered on form №2 out of hours, for topics that the manager selected.

They are sent like the alerts of appeals (duty.py). Their state is derived from the outbox: each
alert is a message with its own key, and so is the notice that somebody took it.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from appliance.core import audit, clock
from appliance.core.db import write_transaction
from appliance.models import CallForm, Message, NoticeRule

_RULE_PREFIX = "call:"  # prefix of a rule's name: one rule for each direction with alerts
_FOLLOWED_FOR = dt.timedelta(days=2)  # how long an alert that nobody took is followed up


@dataclass(frozen=True)
class CallAlert:
    """The state of a call's alert: how often and when it was sent, and who took it ("": nobody)."""

    number: str  # of form №2
    alerts_sent: int
    last_sent_at: dt.datetime
    taken_by: str = ""
    taken_at: dt.datetime | None = None


def alert_directions() -> set[str]:
    """Return the directions whose calls cause alerts; empty unless the manager selected some."""
    rows = NoticeRule.select().where(NoticeRule.purpose.startswith(_RULE_PREFIX), NoticeRule.told)
    return {row.purpose.removeprefix(_RULE_PREFIX) for row in rows}


def set_alert_directions(codes: Collection[str], actor: str) -> None:
    """Set the directions whose calls cause alerts."""
    with write_transaction():
        NoticeRule.delete().where(NoticeRule.purpose.startswith(_RULE_PREFIX)).execute()
        for code in sorted(codes):
            NoticeRule.create(purpose=f"{_RULE_PREFIX}{code}")
        audit.record_entry(actor, "notice.calls", "", directions=sorted(codes))


def find_call_alert(number: str) -> CallAlert | None:
    """Return the alert of a registered call, if any."""
    messages = Message.select().where(Message.cause == number).order_by(Message.id)
    alerts = [message for message in messages if message.purpose == "alert"]
    if not alerts:
        return None
    alert = CallAlert(number, len(alerts), alerts[-1].created_at)
    taken_message = next((message for message in messages if message.purpose == "taken"), None)
    if not taken_message:
        return alert
    return CallAlert(
        number,
        alert.alerts_sent,
        alert.last_sent_at,
        taken_message.payload.get("name", ""),
        taken_message.created_at,
    )


def overdue_alerts(timeout: dt.timedelta) -> list[tuple[CallForm, CallAlert]]:
    """Return alerts of the last days that nobody took within `timeout` of the last sending.

    Calls that became an appeal are left out; oldest first.
    """
    now = clock.now()
    since = Message.created_at > now - _FOLLOWED_FOR
    causes = Message.select(Message.cause).where(
        Message.cause > "Q-", Message.cause < "Q.", Message.purpose == "alert", since
    )
    forms = CallForm.select().where(CallForm.number.in_(causes), CallForm.appeal_number == "")
    alerts = [(form, find_call_alert(form.number)) for form in forms.order_by(CallForm.id)]
    return [
        (form, alert)
        for form, alert in alerts
        if alert and not alert.taken_at and alert.last_sent_at + timeout <= now
    ]
