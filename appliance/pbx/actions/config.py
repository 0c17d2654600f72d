"""Verifies a new plan (the routing of calls) and puts it in force."""

import dataclasses
import time

from appliance.core import live
from appliance.core.settings import Settings
from appliance.models import PlanVersion
from appliance.pbx import config, rehearsal
from appliance.pbx.actions.states import apply_states, reload_asterisk
from appliance.pbx.ami import Unreachable
from appliance.telephony import routing
from appliance.telephony.routing import Plan

APPLIED_TOPIC = "plan.taken."  # followed by the id of the live event whose change was applied
_APPLY_TIMEOUT_SECONDS, _POLL_SECONDS = 60.0, 0.1  # the pbx process verifies the plan once more


class PlanRejected(RuntimeError):
    """A second Asterisk did not accept the plan; the message is its complaint."""


def apply_plan(settings: Settings, plan: Plan, by: str, note: str = "") -> PlanVersion:
    """Verify a plan with a second Asterisk, store it as the newest version, and put it in force.

    Returns that version. Calls in progress are not touched. Raises routing.PlanFaults if fields are
    invalid, and PlanRejected if the second Asterisk complains: nothing has changed then. Raises
    Unreachable if the running Asterisk does not answer, or the pbx process does not apply the plan
    in time: the plan is stored nevertheless, and comes into force later. `by` is the login of the
    user who changed the plan, `note` their remark.
    """
    routing.require_valid(plan)
    try:
        config.verify_configuration(settings, plan)
    except config.ConfigError as error:
        raise PlanRejected(str(error)) from error
    routing.save_initial_plan(settings)  # the version before a site's first change
    version = routing.save_plan(plan, by, note)
    if settings.asterisk.ami_secret:
        config.install_files(settings, is_verified=True)
        reload_asterisk(settings)
        apply_states(settings)
    else:  # the web process has no access to Asterisk's files: the pbx process applies the plan
        _wait_until_applied(live.newest_topic_event_id(routing.PLAN_TOPIC))
    return version


def _wait_until_applied(event_id: int) -> None:
    """Wait until the pbx process has put in force the change that was published as this live event.

    Raises Unreachable after _APPLY_TIMEOUT_SECONDS.
    """
    deadline = time.monotonic() + _APPLY_TIMEOUT_SECONDS
    while not any(number >= event_id for number in live.topic_numbers(APPLIED_TOPIC)):
        if time.monotonic() > deadline:
            raise Unreachable("the pbx process has not put it in force")
        time.sleep(_POLL_SECONDS)


def change_trunk_password(settings: Settings, name: str, password: str, by: str) -> PlanVersion:
    """Change the password of a trunk's account, by a new version of the plan, which is returned.

    `name` is the trunk's; `by` is the login of the user who changed it. Raises LookupError if there
    is no such trunk or it has no account, and the errors of `apply_plan`.
    """
    plan = routing.current_plan(settings)
    if not any(trunk.name == name and trunk.user for trunk in plan.trunks):
        raise LookupError(name)
    trunks = tuple(
        dataclasses.replace(trunk, password=password) if trunk.name == name else trunk
        for trunk in plan.trunks
    )
    return apply_plan(settings, dataclasses.replace(plan, trunks=trunks), by)


def rehearse_call(
    settings: Settings, call: rehearsal.RehearsalCall
) -> list[rehearsal.RehearsalEvent]:
    """Return what a caller meets in a call with the plan in force; takes about ten seconds.

    Raises PlanRejected if no second Asterisk can place the call.
    """
    try:
        return rehearsal.rehearse_call(settings, routing.current_plan(settings), call)
    except config.ConfigError as error:
        raise PlanRejected(str(error)) from error


def reload_changed_files(settings: Settings) -> int:
    """Install Asterisk's changed configuration files and reload it; returns how many changed.

    This puts changes of accounts, calendar and directory in force; `apply_plan` does it for the
    plan. Raises PlanRejected if a second Asterisk does not accept the files, Unreachable if the
    running one does not answer.
    """
    try:
        changed_files = config.install_files(settings)
    except config.ConfigError as error:
        raise PlanRejected(str(error)) from error
    if changed_files:
        reload_asterisk(settings)
        apply_states(settings)
    return len(changed_files)
