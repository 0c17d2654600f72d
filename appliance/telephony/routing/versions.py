"""The versions of the plan: the one in force, saving, going back."""

import datetime as dt
import functools
import json
from collections.abc import Callable

from appliance.core import audit, clock, live
from appliance.core.clock import moment
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.core.statements import Question
from appliance.models import PlanVersion
from appliance.telephony.routing.checks import require
from appliance.telephony.routing.differences import Difference, differences
from appliance.telephony.routing.shape import Plan, first

TOPIC = "plan"  # published with each version

_NEWEST = Question(
    lambda: PlanVersion.select(PlanVersion.document).order_by(PlanVersion.id.desc()).limit(1)
)

_SAVED = Question(
    lambda: PlanVersion.select(PlanVersion.saved_at, PlanVersion.document).order_by(PlanVersion.id)
)


@functools.lru_cache(maxsize=1)
def _plan(document: str) -> Plan:
    """The plan of a document as the table keeps it; nobody changes a plan once it is made."""
    return Plan.from_json(json.loads(document))


def current(settings: Settings) -> Plan:
    """The plan in force; before the first was saved, what the settings say."""
    return next((_plan(document) for (document,) in _NEWEST.ask()), None) or first(settings)


def newest() -> PlanVersion | None:
    """The version in force, or None before the first was saved."""
    return PlanVersion.select().order_by(PlanVersion.id.desc()).first()


def version(number: int) -> PlanVersion | None:
    """The version of this number; None when there is none."""
    return PlanVersion.get_or_none(PlanVersion.id == number)


def versions(limit: int = 50) -> list[PlanVersion]:
    """Versions, the one in force first."""
    return list(PlanVersion.select().order_by(PlanVersion.id.desc()).limit(limit))


def wrap_ups(settings: Settings) -> Callable[[dt.datetime], float]:
    """Tells how many seconds after a talk the queue left an operator alone, at a moment."""
    known = [(moment(saved), _wrap_up_of(document)) for saved, document in _SAVED.ask()]
    if not known:
        always = float(first(settings).queueing.wrap_up)
        return lambda _moment: always

    def at(then: dt.datetime) -> float:
        before = [seconds for since, seconds in known if since <= then]
        return float(before[-1] if before else known[0][1])

    return at


@functools.lru_cache(maxsize=256)
def _wrap_up_of(document: str) -> int:
    """What a version's plan, as its row keeps it, leaves an operator after a talk, in seconds."""
    return Plan.from_json(json.loads(document)).queueing.wrap_up


def keep_first(settings: Settings) -> None:
    """Write down what was in force before anybody changed anything, once."""
    with writing():
        if not newest():
            PlanVersion.create(
                saved_at=clock.now(), author="", note="", document=first(settings).as_json()
            )


def changes(settings: Settings, saved: PlanVersion) -> list[Difference]:
    """What a version changed; nothing for the one that came with the settings."""
    before = (
        PlanVersion.select()
        .where(PlanVersion.id < saved.id)
        .order_by(PlanVersion.id.desc())
        .first()
    )
    if not before and not saved.author:
        return []
    former = Plan.from_json(before.document) if before else first(settings)
    return differences(former, Plan.from_json(saved.document))


def save(plan: Plan, by: str, note: str = "") -> PlanVersion:
    """Write down a plan as the newest version; Asterisk is told by pbx.actions.

    Raises Faults when a field holds what cannot be.
    """
    require(plan)
    with writing():
        saved = PlanVersion.create(
            saved_at=clock.now(), author=by, note=note.strip(), document=plan.as_json()
        )
        audit.record(by, "plan.save", str(saved.id), note=note.strip())
        live.publish(TOPIC)
    return saved
