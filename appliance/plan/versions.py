"""The versions of the plan: the one in force, saving, going back."""

from appliance import audit, clock, live
from appliance.db import writing
from appliance.models import PlanVersion
from appliance.plan.checks import require
from appliance.plan.shape import Plan, first
from appliance.settings import Settings


def current(settings: Settings) -> Plan:
    """The plan in force; before the first was saved, what the settings say."""
    version = newest()
    return Plan.from_json(version.document) if version else first(settings)


def newest() -> PlanVersion | None:
    """The version in force, or None before the first was saved."""
    return PlanVersion.select().order_by(PlanVersion.id.desc()).first()


def versions(limit: int = 50) -> list[PlanVersion]:
    """Versions, the one in force first."""
    return list(PlanVersion.select().order_by(PlanVersion.id.desc()).limit(limit))


def save(plan: Plan, by: str, note: str = "") -> PlanVersion:
    """Write down a plan as the newest version; Asterisk is told by pbx.actions.

    Raises Faults when a field holds what cannot be.
    """
    require(plan)
    with writing():
        version = PlanVersion.create(
            saved_at=clock.now(), author=by, note=note.strip(), document=plan.as_json()
        )
        audit.record(by, "plan.save", str(version.id), note=note.strip())
        live.publish("plan")
    return version
