"""What the ministry's system tells of an appeal: done once with the appeal, in one transaction.

It takes the road of every step (appeals.handling). What cannot be done is kept and listed.
"""

import logging
from collections.abc import Mapping
from typing import Any

import peewee

from appliance import audit, clock, live, notices
from appliance.appeals import handling, states
from appliance.db import writing
from appliance.ministry import queue
from appliance.models import Appeal, AppealStep, Handling, MinistryEvent
from appliance.settings import Settings

log = logging.getLogger(__name__)

WHO = "ministry:system"  # in the audit and on the appeal
STEPS = ("take", "answer", "interim", "return", "extend", "dismiss", "close", "reopen")
RECEIPTS = ("acknowledged", "refused")
DONE = ("done", "again")  # outcomes that leave nothing to do
_TEXT, _NAME = 20_000, 200


def take_in(settings: Settings, event: object) -> str:
    """Do what one event says, once; returns the outcome.

    "done"; "again": it was known or done before; "unknown": no such appeal; "no_sense": the event
    is none; "failed": a fault of ours; or a code of handling.HandlingError. An event is an object
    with id, number, action and, by action, text and version, as in data/ministry-openapi.json.
    """
    told = event if isinstance(event, Mapping) else {}
    id, number = _word(told, "id"), _word(told, "number")
    if not id:
        log.warning("the ministry's system tells something without an id")
        return "no_sense"
    action = _word(told, "action")
    action = settings.ministry.actions.get(action, action) if settings.ministry else action
    with writing():
        if MinistryEvent.get_or_none(MinistryEvent.id == id):
            return "again"
        outcome = _outcome(settings, number, action, told)
        done = outcome in DONE
        MinistryEvent.create(
            id=id,
            number=number,
            action=action,
            outcome=outcome,
            text="" if done else _text(told),
            at=clock.now(),
            seen=done,
        )
        audit.record(WHO, "ministry.event", number, event=id, told=action, outcome=outcome)
        live.publish("outbox")
    return outcome


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


def _outcome(settings: Settings, number: str, action: str, told: Mapping[str, Any]) -> str:
    appeal = Appeal.get_or_none(Appeal.number == number)
    if not appeal:
        return "unknown"
    if action in RECEIPTS:
        version = told.get("version")
        version = version if isinstance(version, int) else None
        trouble = "declined" if action == "refused" else ""
        return "done" if queue.told(number, version, trouble, _text(told)) else "unknown"
    if action not in STEPS:
        return "no_sense"
    try:
        with writing():  # all of it, or nothing
            _step(settings, appeal, action, _text(told))
    except handling.HandlingError as error:
        return "again" if _was_done(appeal, action, _text(told)) else error.code
    except peewee.OperationalError:  # the database takes no change now: all of it comes again
        raise
    except Exception:  # the boundary of one event: it is listed, and must not hold up the next
        log.exception("ministry: %s of %s could not be done", action, number)
        return "failed"
    return "done"


def _step(settings: Settings, appeal: Appeal, action: str, text: str) -> None:
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
        tell=lambda answered: notices.answered(settings, answered),
    )


def _was_done(appeal: Appeal, action: str, text: str) -> bool:
    """Whether the system's last word on the appeal was the same."""
    steps = AppealStep.select().where(AppealStep.appeal == appeal, AppealStep.who == WHO)
    last = steps.order_by(AppealStep.id.desc()).first()
    return bool(last and (last.action, last.text) == (action, text.strip()))


def _word(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    return _kept(value)[:_NAME] if isinstance(value, str) else ""


def _text(told: Mapping[str, Any]) -> str:
    value = told.get("text")
    return _kept(value)[:_TEXT] if isinstance(value, str) else ""


def _kept(text: str) -> str:
    """The text without what no database keeps (halves of a character)."""
    return text.encode("utf-8", "replace").decode()
