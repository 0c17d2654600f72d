"""A new plan of the telephony, tried out and put in force."""

import dataclasses
import time

from appliance.core import live
from appliance.core.settings import Settings
from appliance.models import PlanVersion
from appliance.pbx import config, rehearsal
from appliance.pbx.actions.states import put_states_in_force, reload
from appliance.pbx.ami import Unreachable
from appliance.telephony import routing
from appliance.telephony.routing import Plan

TAKEN = "plan.taken."  # and the number of the event that the pbx process has put in force
_PATIENCE, _LOOK = 60.0, 0.1  # seconds: a second Asterisk tries it once more there


class NotTaken(RuntimeError):
    """A second Asterisk would not take the plan; the message is its complaint."""


def put_plan(settings: Settings, wanted: Plan, by: str, note: str = "") -> PlanVersion:
    """Try a plan on a second Asterisk, keep it as the newest version, put it in force.

    Calls that go on are not touched. Raises plan.Faults for fields that cannot be, NotTaken when
    the second Asterisk complains: nothing has changed then. Raises Unreachable when the running
    Asterisk does not answer: the plan is kept, and in force when it starts.
    """
    routing.require(wanted)
    try:
        config.try_out(settings, wanted)
    except config.ConfigError as error:
        raise NotTaken(str(error)) from error
    routing.keep_first(settings)
    version = routing.save(wanted, by, note)
    if settings.asterisk.ami_secret:
        config.install(settings, tried=True)
        reload(settings)
        put_states_in_force(settings)
    else:
        _have_taken(live.newest_of(routing.TOPIC))
    return version


def _have_taken(event: int) -> None:
    """Wait until the pbx process has put in force what was published as this event.

    The pages write no file of Asterisk's and reload nothing. Raises Unreachable.
    """
    until = time.monotonic() + _PATIENCE
    while not any(number >= event for number in live.numbered(TAKEN)):
        if time.monotonic() > until:
            raise Unreachable("the pbx process has not put it in force")
        time.sleep(_LOOK)


def change_trunk(settings: Settings, name: str, password: str, by: str) -> PlanVersion:
    """Put another password of a trunk's account in force; calls that go on are not touched.

    Raises LookupError for no such trunk or one without an account, else as put_plan.
    """
    plan = routing.current(settings)
    if not any(one.name == name and one.user for one in plan.trunks):
        raise LookupError(name)
    trunks = tuple(
        dataclasses.replace(one, password=password) if one.name == name else one
        for one in plan.trunks
    )
    return put_plan(settings, dataclasses.replace(plan, trunks=trunks), by)


def rehearse(settings: Settings, call: rehearsal.Rehearsed) -> list[rehearsal.Station]:
    """What would become of a call with the plan in force; takes some ten seconds.

    Raises NotTaken when no second Asterisk can make it.
    """
    try:
        return rehearsal.rehearse(settings, routing.current(settings), call)
    except config.ConfigError as error:
        raise NotTaken(str(error)) from error


def keep_up(settings: Settings) -> int:
    """Put in force what changed besides the plan: accounts, calendar, directory.

    Returns how many files of Asterisk's changed. Raises NotTaken, Unreachable.
    """
    try:
        changed = config.install(settings)
    except config.ConfigError as error:
        raise NotTaken(str(error)) from error
    if changed:
        reload(settings)
        put_states_in_force(settings)
    return len(changed)
