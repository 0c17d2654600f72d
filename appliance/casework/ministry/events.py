"""Processes the ministry's events about appeals: each once, in the transaction of its effect.

A step that an event reports is performed by appeals.handling. Events that cannot be processed are
stored, and listed for a person.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from typing import Any

import peewee

from appliance.casework.appeals import handling, states
from appliance.casework.ministry import queue
from appliance.casework.ministry.queue import MINISTRY_ACTOR
from appliance.core import audit, clock, live
from appliance.core.db import write_transaction
from appliance.core.refusals import Refused
from appliance.core.settings import MINISTRY_ACTIONS, Settings
from appliance.models import Appeal, AppealStep, Handling, MinistryEvent

log = logging.getLogger(__name__)

# events that report whether a version of an appeal, which we sent, was registered
RECEIPT_ACTIONS = ("acknowledged", "refused")
# events that report a step which the ministry took on an appeal
STEP_ACTIONS = tuple(action for action in MINISTRY_ACTIONS if action not in RECEIPT_ACTIONS)
FINAL_OUTCOMES = ("done", "again")  # outcomes that need no attention
_MAX_TEXT_LENGTH, _MAX_NAME_LENGTH, _MAX_VERSION_DIGITS = 20_000, 200, 18  # of stored values


def process_event(settings: Settings, event: object) -> str:
    """Process one event once; returns the outcome.

    The outcome is "done"; "again" if the event was processed before or its step was done before;
    "unknown" if there is no such appeal or version; "no_sense" if the event is invalid; "failed" if
    the appliance had an error; or the code with which appeals.handling refused the step. An event
    is an object with id, number, action and, depending on the action, text and version, as in
    data/ministry-openapi.json.
    """
    fields = event if isinstance(event, Mapping) else {}
    number, action = _short_value(fields, "number"), _short_value(fields, "action")
    action = settings.ministry.actions.get(action, action) if settings.ministry else action
    identity = event_identity(event)
    with write_transaction():
        if MinistryEvent.get_or_none(MinistryEvent.id == identity):
            return "again"
        outcome = (
            _apply_event(settings, number, action, fields) if _event_id(fields) else "no_sense"
        )
        # an event without an id is invalid: it is listed completely
        text = _text_field(fields) if _event_id(fields) else _event_json(event)
        record_event(identity, number, action, outcome, "" if outcome in FINAL_OUTCOMES else text)
    return outcome


def record_event(identity: str, number: str, action: str, outcome: str, text: str) -> None:
    """Store an event and its outcome, as returned by process_event().

    `identity` is that of event_identity(), `number` the appeal's number, `action` what the event
    reports. If the outcome is not one of FINAL_OUTCOMES, the event is listed with its text until a
    person marks it as seen.
    """
    with write_transaction():
        is_final = outcome in FINAL_OUTCOMES
        MinistryEvent.create(
            id=identity,
            number=number,
            action=action,
            outcome=outcome,
            text=text,
            at=clock.now(),
            seen=is_final,
        )
        audit.record_entry(
            MINISTRY_ACTOR, "ministry.event", number, event=identity, told=action, outcome=outcome
        )
        live.publish_topics("outbox")


def event_identity(event: object) -> str:
    """Return the identity by which a repeated event is recognised.

    It is the event's id; a hash of the id if it is too long to be stored; a hash of the whole event
    if it has no id.
    """
    event_id = _event_id(event) if isinstance(event, Mapping) else ""
    hash_source = (
        event_id if len(event_id) > _MAX_NAME_LENGTH else "" if event_id else _event_json(event)
    )
    return f"sha256:{hashlib.sha256(hash_source.encode()).hexdigest()}" if hash_source else event_id


def storable_text(text: str) -> str:
    """Return the text without code points that cannot be stored or written (lone surrogates)."""
    return text.encode("utf-8", "replace").decode()


def unprocessed_events(limit: int = 100) -> list[MinistryEvent]:
    """Return the events that could not be processed and await a person, oldest first."""
    events = MinistryEvent.select().where(MinistryEvent.seen == 0)
    return list(events.order_by(MinistryEvent.at).limit(limit))


def mark_event_seen(event_id: str, actor: str) -> None:
    """Mark an event that could not be processed as dealt with by the user `actor`.

    Nothing happens if there is no event with this id.
    """
    with write_transaction():
        if MinistryEvent.update(seen=True).where(MinistryEvent.id == event_id).execute():
            audit.record_entry(actor, "ministry.seen", event_id)
            live.publish_topics("outbox")


def _apply_event(
    settings: Settings,
    number: str,
    action: str,
    fields: Mapping[str, Any],
) -> str:
    """Apply an event to its appeal; returns the outcome, as process_event() does.

    `action` is our own name of the event's action, `fields` are the event's fields.
    """
    appeal = Appeal.get_or_none(Appeal.number == number)
    if not appeal:
        return "unknown"
    if action in RECEIPT_ACTIONS:
        version = fields.get("version")
        if isinstance(version, str) and version.isdecimal():
            version = int(version[:_MAX_VERSION_DIGITS])
        if version is not None and type(version) is not int:  # isinstance() would accept True
            return "no_sense"
        trouble = "declined" if action == "refused" else ""
        return (
            "done"
            if queue.record_receipt(number, version, trouble, _text_field(fields))
            else "unknown"
        )
    if action not in STEP_ACTIONS:
        return "no_sense"
    try:
        with write_transaction():  # all of it, or nothing
            _perform_step(settings, appeal, action, _text_field(fields))
    except Refused as error:
        return "again" if _is_repeated_step(appeal, action, _text_field(fields)) else error.code
    except peewee.OperationalError:  # no writing now: the event is delivered again
        raise
    except Exception:  # boundary of one event: it is listed, and must not hold up the next
        log.exception("ministry: %s of %s could not be done", action, number)
        return "failed"
    return "done"


def _perform_step(settings: Settings, appeal: Appeal, action: str, text: str) -> None:
    """Perform the ministry's step `action`, with its text, on an appeal.

    If another user holds the appeal, or it was returned, and only its holder may do the step, the
    ministry's system takes it over first. Raises Refused as handling.perform_step() does.
    """
    current = Handling.get_by_id(appeal.id)
    if states.WORKFLOW.moves[action].blocked_by_holder and (
        current.holder not in ("", MINISTRY_ACTOR) or current.state == "returned"
    ):
        handling.take_over(appeal, MINISTRY_ACTOR, current.version)
        current = Handling.get_by_id(appeal.id)
    today = clock.now().astimezone(settings.tz).date()
    handling.perform_step(
        appeal,
        action,
        actor=MINISTRY_ACTOR,
        expected_version=current.version,
        today=today,
        text=text,
    )


def _is_repeated_step(appeal: Appeal, action: str, text: str) -> bool:
    """Return True if the last step of the ministry's system on the appeal had this action and text.

    Then a repeated event was refused because its step is done already.
    """
    steps = AppealStep.select().where(AppealStep.appeal == appeal, AppealStep.who == MINISTRY_ACTOR)
    last = steps.order_by(AppealStep.id.desc()).first()
    return bool(last and (last.action, last.text) == (action, text.strip()))


def _event_id(fields: Mapping[str, Any]) -> str:
    """Return the event's id as a text; "" if it is missing, or neither a text nor a number."""
    value = fields.get("id")
    return (
        storable_text(str(value))
        if isinstance(value, str | int) and not isinstance(value, bool)
        else ""
    )


def _event_json(event: object) -> str:
    """Return the event as JSON, cut to _MAX_TEXT_LENGTH; an event that is a text, unchanged."""
    if not isinstance(event, str):
        event = json.dumps(event, ensure_ascii=False, sort_keys=True)
    return storable_text(event)[:_MAX_TEXT_LENGTH]


def _short_value(fields: Mapping[str, Any], name: str) -> str:
    """Return the text in the field `name` of an event, cut to _MAX_NAME_LENGTH.

    Return "" if it is missing or not a text.
    """
    value = fields.get(name)
    return storable_text(value)[:_MAX_NAME_LENGTH] if isinstance(value, str) else ""


def _text_field(fields: Mapping[str, Any]) -> str:
    """Return the field `text` of an event, cut to _MAX_TEXT_LENGTH; "" if missing or not a text."""
    value = fields.get("text")
    return storable_text(value)[:_MAX_TEXT_LENGTH] if isinstance(value, str) else ""
