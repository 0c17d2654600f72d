"""Alerts of calls that are registered on form №2 out of hours, when the manager chose their topic.

They take the road of an appeal's alert (duty.py). What became of one stands in the outbox: each
asking is a message under a key of its own, and so is the word of who took it.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from appliance.core import audit, clock
from appliance.core.db import writing
from appliance.models import CallForm, Message, NoticeRule

_RULE = "call:"  # begins the name of a rule: one of each direction that is told
_LOOKED_AT = dt.timedelta(days=2)  # how long an alert that nobody took is followed


@dataclass(frozen=True)
class CallAlert:
    """How an alert stands: how often it was asked, when last, and who has it ("": nobody)."""

    number: str  # of form №2
    asked: int
    asked_at: dt.datetime
    taken_by: str = ""
    taken_at: dt.datetime | None = None


def directions() -> set[str]:
    """The directions whose calls are told; none unless the manager chose some."""
    rows = NoticeRule.select().where(NoticeRule.purpose.startswith(_RULE), NoticeRule.told)
    return {row.purpose.removeprefix(_RULE) for row in rows}


def choose(codes: Collection[str], by: str) -> None:
    """Tell calls of these directions from now on, and of no other."""
    with writing():
        NoticeRule.delete().where(NoticeRule.purpose.startswith(_RULE)).execute()
        for code in sorted(codes):
            NoticeRule.create(purpose=f"{_RULE}{code}")
        audit.record(by, "notice.calls", "", directions=sorted(codes))


def alert_of(number: str) -> CallAlert | None:
    """The alert of a registered call; None when none went out."""
    messages = Message.select().where(Message.cause == number).order_by(Message.id)
    alerts = [message for message in messages if message.purpose == "alert"]
    if not alerts:
        return None
    alert = CallAlert(number, len(alerts), alerts[-1].created_at)
    taken = next((message for message in messages if message.purpose == "taken"), None)
    if not taken:
        return alert
    return CallAlert(
        number, alert.asked, alert.asked_at, taken.payload.get("name", ""), taken.created_at
    )


def waiting(wait: dt.timedelta) -> list[tuple[CallForm, CallAlert]]:
    """Alerts of the last days that nobody took within `wait` of the last asking, and that became
    no appeal; oldest first."""
    now = clock.now()
    since = Message.created_at > now - _LOOKED_AT
    causes = Message.select(Message.cause).where(
        Message.cause > "Q-", Message.cause < "Q.", Message.purpose == "alert", since
    )
    forms = CallForm.select().where(CallForm.number.in_(causes), CallForm.appeal_number == "")
    found = [(form, alert_of(form.number)) for form in forms.order_by(CallForm.id)]
    return [
        (form, alert)
        for form, alert in found
        if alert and not alert.taken_at and alert.asked_at + wait <= now
    ]
