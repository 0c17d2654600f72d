"""The versions of the plan: the one in force, saving a new one, the history."""

import datetime as dt
import functools
import json
from collections.abc import Callable

from appliance.core import audit, clock, live
from appliance.core.clock import datetime_from_microseconds
from appliance.core.db import write_transaction
from appliance.core.settings import Settings
from appliance.core.statements import PreparedQuery, find_row
from appliance.models import PlanVersion
from appliance.telephony.routing.checks import require_valid
from appliance.telephony.routing.differences import Difference, plan_differences
from appliance.telephony.routing.plan import Plan, initial_plan

PLAN_TOPIC = "plan"  # published with each version

_NEWEST_DOCUMENT = PreparedQuery(
    lambda: PlanVersion.select(PlanVersion.document).order_by(PlanVersion.id.desc()).limit(1)
)

_SAVED_DOCUMENTS = PreparedQuery(
    lambda: PlanVersion.select(PlanVersion.saved_at, PlanVersion.document).order_by(PlanVersion.id)
)


@functools.lru_cache(maxsize=1)
def _parse_plan(document: str) -> Plan:
    """The plan of a stored document; plans are immutable, so the result is cached."""
    return Plan.from_json(json.loads(document))


def current_plan(settings: Settings) -> Plan:
    """Return the plan in force; until a first version is saved, the one made from the settings."""
    return next(
        (_parse_plan(document) for (document,) in _NEWEST_DOCUMENT.fetch_tuples()), None
    ) or initial_plan(settings)


def newest_version() -> PlanVersion | None:
    """Return the version in force, if one was saved yet."""
    version: PlanVersion | None = PlanVersion.select().order_by(PlanVersion.id.desc()).first()
    return version


def find_version(number: int) -> PlanVersion | None:
    """The version with this number, if any."""
    return find_row(PlanVersion, id=number)


def list_versions(limit: int = 50) -> list[PlanVersion]:
    """The newest versions, the one in force first."""
    return list(PlanVersion.select().order_by(PlanVersion.id.desc()).limit(limit))


def wrap_up_rule(settings: Settings) -> Callable[[dt.datetime], float]:
    """Return a function that returns the seconds of wrap-up in force at a given time."""
    versions = [
        (datetime_from_microseconds(saved_at), _wrap_up_seconds(document))
        for saved_at, document in _SAVED_DOCUMENTS.fetch_tuples()
    ]
    if not versions:
        constant_seconds = float(initial_plan(settings).queueing.wrap_up)
        return lambda _moment: constant_seconds

    def seconds_at(time: dt.datetime) -> float:
        earlier = [seconds for since, seconds in versions if since <= time]
        return float(earlier[-1] if earlier else versions[0][1])

    return seconds_at


@functools.lru_cache(maxsize=256)
def _wrap_up_seconds(document: str) -> int:
    """The seconds of wrap-up in the plan of a stored document."""
    return Plan.from_json(json.loads(document)).queueing.wrap_up


def save_initial_plan(settings: Settings) -> None:
    """Save the plan made from the settings as the first version, unless a version exists."""
    with write_transaction():
        if not newest_version():
            PlanVersion.create(
                saved_at=clock.now(), author="", note="", document=initial_plan(settings).as_json()
            )


def version_changes(settings: Settings, version: PlanVersion) -> list[Difference]:
    """Return the differences of a version from the one before it.

    A first version saved by a user is compared with the initial plan; one that was made from the
    settings has no differences.
    """
    previous_version = (
        PlanVersion.select()
        .where(PlanVersion.id < version.id)
        .order_by(PlanVersion.id.desc())
        .first()
    )
    if not previous_version and not version.author:
        return []
    previous_plan = (
        Plan.from_json(previous_version.document) if previous_version else initial_plan(settings)
    )
    return plan_differences(previous_plan, Plan.from_json(version.document))


def save_plan(plan: Plan, by: str, note: str = "") -> PlanVersion:
    """Save a plan as the newest version; the caller has to apply it to Asterisk (pbx.actions).

    Raises PlanFaults if any field has an invalid value.
    """
    require_valid(plan)
    with write_transaction():
        version: PlanVersion = PlanVersion.create(
            saved_at=clock.now(), author=by, note=note.strip(), document=plan.as_json()
        )
        audit.record_entry(by, "plan.save", str(version.id), note=note.strip())
        live.publish_topics(PLAN_TOPIC)
    return version
