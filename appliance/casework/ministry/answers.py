"""What the ministry's system tells of an appeal: done once with the appeal, in one transaction.

It takes the road of every step (appeals.handling). What cannot be done is kept and listed.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

import peewee

from appliance.casework.appeals import handling, states
from appliance.casework.ministry import queue
from appliance.core import audit, clock, live
from appliance.core.db import writing
from appliance.core.settings import MINISTRY_ACTIONS, Settings
from appliance.models import Appeal, AppealStep, Handling, MinistryEvent

log = logging.getLogger(__name__)

type Answered = Callable[[Settings, Appeal], object]

WHO = "ministry:system"  # in the audit and on the appeal
RECEIPTS = ("acknowledged", "refused")
STEPS = tuple(action for action in MINISTRY_ACTIONS if action not in RECEIPTS)
DONE = ("done", "again")  # outcomes that leave nothing to do
_TEXT, _NAME, _DIGITS = 20_000, 200, 18  # the longest that is kept


def take_in(settings: Settings, event: object, answered: Answered) -> str:
    """Do what one event says, once; returns the outcome. `answered` is called with an appeal that
    was answered, in the same transaction.

    "done"; "again": it was known or done before; "unknown": no such appeal; "no_sense": the event
    is none; "failed": a fault of ours; or a code of handling.HandlingError. An event is an object
    with id, number, action and, by action, text and version, as in data/ministry-openapi.json.
    """
    facts = event if isinstance(event, Mapping) else {}
    number, action = _word(facts, "number"), _word(facts, "action")
    action = settings.ministry.actions.get(action, action) if settings.ministry else action
    name = name_of(event)
    with writing():
        if MinistryEvent.get_or_none(MinistryEvent.id == name):
            return "again"
        outcome = _outcome(settings, number, action, facts, answered) if _id(facts) else "no_sense"
        text = _text(facts) if _id(facts) else _whole(event)
        remember(name, number, action, outcome, "" if outcome in DONE else text)
    return outcome


def remember(name: str, number: str, action: str, outcome: str, text: str) -> None:
    """Write down what was told and what came of it; what is not done is listed with its text."""
    with writing():
        done = outcome in DONE
        MinistryEvent.create(
            id=name,
            number=number,
            action=action,
            outcome=outcome,
            text=text,
            at=clock.now(),
            seen=done,
        )
        audit.record(WHO, "ministry.event", number, event=name, told=action, outcome=outcome)
        live.publish("outbox")


def name_of(event: object) -> str:
    """What makes an event count once: its id, or of one without a usable one a hash of it all."""
    id = _id(event) if isinstance(event, Mapping) else ""
    whole = id if len(id) > _NAME else "" if id else _whole(event)
    return f"sha256:{hashlib.sha256(whole.encode()).hexdigest()}" if whole else id


def storable(text: str) -> str:
    """The text without what no database keeps and no file takes (halves of a character)."""
    return text.encode("utf-8", "replace").decode()


def undone(limit: int = 100) -> list[MinistryEvent]:
    """What was told and could not be done, the oldest first, until somebody has seen to it."""
    waiting = MinistryEvent.select().where(MinistryEvent.seen == 0)
    return list(waiting.order_by(MinistryEvent.at).limit(limit))


def seen(id: str, by: str) -> None:
    """Somebody has seen to what could not be done."""
    with writing():
        if MinistryEvent.update(seen=True).where(MinistryEvent.id == id).execute():
            audit.record(by, "ministry.seen", id)
            live.publish("outbox")


def _outcome(
    settings: Settings,
    number: str,
    action: str,
    facts: Mapping[str, Any],
    answered: Answered,
) -> str:
    appeal = Appeal.get_or_none(Appeal.number == number)
    if not appeal:
        return "unknown"
    if action in RECEIPTS:
        version = facts.get("version")
        if isinstance(version, str) and version.isdecimal():
            version = int(version[:_DIGITS])
        if version is not None and type(version) is not int:
            return "no_sense"
        trouble = "declined" if action == "refused" else ""
        return "done" if queue.set_receipt(number, version, trouble, _text(facts)) else "unknown"
    if action not in STEPS:
        return "no_sense"
    try:
        with writing():  # all of it, or nothing
            _step(settings, appeal, action, _text(facts), answered)
    except handling.HandlingError as error:
        return "again" if _was_done(appeal, action, _text(facts)) else error.code
    except peewee.OperationalError:  # the database takes no change now: all of it comes again
        raise
    except Exception:  # the boundary of one event: it is listed, and must not hold up the next
        log.exception("ministry: %s of %s could not be done", action, number)
        return "failed"
    return "done"


def _step(settings: Settings, appeal: Appeal, action: str, text: str, answered: Answered) -> None:
    """One step; the ministry's own system takes an appeal from whoever holds it there."""
    now = Handling.get_by_id(appeal.id)
    if states.MOVES[action].held and (now.holder not in ("", WHO) or now.state == "returned"):
        handling.take(appeal, WHO, now.version)
        now = Handling.get_by_id(appeal.id)
    today = clock.now().astimezone(settings.tz).date()
    handling.do(
        action,
        appeal,
        WHO,
        now.version,
        today,
        text,
        tell=lambda appeal: answered(settings, appeal),
    )


def _was_done(appeal: Appeal, action: str, text: str) -> bool:
    """Whether the system's last word on the appeal was the same."""
    steps = AppealStep.select().where(AppealStep.appeal == appeal, AppealStep.who == WHO)
    last = steps.order_by(AppealStep.id.desc()).first()
    return bool(last and (last.action, last.text) == (action, text.strip()))


def _id(facts: Mapping[str, Any]) -> str:
    """The event's id as a text; "" when it has none."""
    id = facts.get("id")
    return storable(str(id)) if isinstance(id, str | int) and not isinstance(id, bool) else ""


def _whole(event: object) -> str:
    """All of an event as it was told."""
    if not isinstance(event, str):
        event = json.dumps(event, ensure_ascii=False, sort_keys=True)
    return storable(event)[:_TEXT]


def _word(facts: Mapping[str, Any], name: str) -> str:
    value = facts.get(name)
    return storable(value)[:_NAME] if isinstance(value, str) else ""


def _text(facts: Mapping[str, Any]) -> str:
    value = facts.get("text")
    return storable(value)[:_TEXT] if isinstance(value, str) else ""
