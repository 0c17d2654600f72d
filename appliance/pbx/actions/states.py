"""Operators' states, and their transfer to Asterisk's queues."""

import contextlib
import dataclasses
import datetime as dt
import time

from appliance.box import selftests
from appliance.core import clock
from appliance.core.settings import Settings
from appliance.models import Presence, User
from appliance.pbx.ami import ActionRefused, Connection
from appliance.people import accounts, presence
from appliance.telephony import routing

# res_pjsip_endpoint_identifier_ip recognises the trunks by their addresses.
_RELOADED_MODULES = (
    *("res_pjsip.so", "res_pjsip_endpoint_identifier_ip.so"),
    *("res_pjsip_outbound_registration.so", "pbx_config.so", "app_queue.so"),
    *("res_musiconhold.so", "app_confbridge.so"),
)
# Not yet in modules.conf when an older release started Asterisk, so they may not be loaded.
_NEW_MODULES = ("func_env.so", "app_echo.so")
_MAX_ROUNDS = 25  # of corrections: other processes may change states at the same time
_RELOAD_TIMEOUT_SECONDS, _RETRY_SECONDS = 20.0, 0.1  # wait for another reload; between attempts
AUTOPAUSE = "Auto-Pause"  # Asterisk's reason for pausing a phone that did not answer


def choose_state(
    settings: Settings, user: User, state: str, *, reason: str = "", by: str = ""
) -> None:
    """Record an operator's state and update Asterisk's queues.

    `state` is one of those in `apply_states`, `reason` that of a pause. `by` is the login of the
    user who set the state; "" if it was the operator themselves. Raises Unreachable if Asterisk
    does not answer: the state is recorded nevertheless, and is applied when Asterisk is back.
    """
    presence.choose_state(user, state, reason=reason, by=by)
    apply_states(settings)


def apply_states(settings: Settings) -> None:
    """Make the members of Asterisk's queues match the states that the operators chose.

    The phone of a "ready" operator rings. In the states "pause", "back_office" and wrap-up, an
    operator stays a member, but paused with the same reason; in "off", they are no member. An
    operator who became ready after a talk is rung at once, whatever the queue's own wrap-up time.
    If Asterisk paused a phone that did not answer since its operator was last ready, the operator's
    state becomes a pause.
    """
    with Connection(settings) as asterisk:
        sync_queue_members(settings, asterisk)


def sync_queue_members(settings: Settings, asterisk: Connection) -> None:
    """Make the members of Asterisk's queues match the operators' states, as `apply_states` does.

    Other processes may do so at the same time: Asterisk then refuses a change that was made
    already, and another round corrects what this one read too early. Raises ActionRefused if
    Asterisk still refuses in the last round.
    """
    for _ in range(_MAX_ROUNDS):
        refusal = None
        actions = _queue_sync_actions(settings, asterisk)
        for action, fields in actions:
            try:
                asterisk.send_action(action, **fields)
            except ActionRefused as error:
                refusal = error
        if not actions:
            return
    if refusal:
        raise refusal


def _queue_sync_actions(
    settings: Settings, asterisk: Connection
) -> list[tuple[str, dict[str, str]]]:
    """Return (AMI action, fields) for each change that makes queue members match the states.

    First, operators whose phones Asterisk paused for not answering get the state "pause".
    """
    members = {
        (event["Queue"], event["Location"]): event
        for event in asterisk.list_events("QueueStatus", "QueueStatusComplete")
        if event.get("Event") == "QueueMember" and event["Queue"] != selftests.TEST_QUEUE
    }
    for member in members.values():
        if member["Paused"] == "1" and member.get("PausedReason") == AUTOPAUSE:
            paused_at = dt.datetime.fromtimestamp(int(member.get("LastPause") or 0), dt.UTC)
            pause_unanswered_phone(member["Location"], paused_at)
    expected = _expected_members(settings)
    wrap_up = routing.current_plan(settings).queueing.wrap_up
    actions = []
    for (queue, phone), (login, presence_row) in expected.items():
        reason = _expected_pause_reason(presence_row)
        fields = {"Queue": queue, "Interface": phone, "Paused": str(bool(reason)).lower()}
        queue_member = members.get((queue, phone))
        if not queue_member:
            actions.append(("QueueAdd", fields | {"MemberName": login}))
        elif _pause_reason(queue_member) != reason:
            actions.append(("QueuePause", fields | ({"Reason": reason} if reason else {})))
        elif not reason and _is_resting(queue_member, presence_row.since, wrap_up):
            actions.append(("QueueRemove", {"Queue": queue, "Interface": phone}))
            actions.append(("QueueAdd", fields | {"MemberName": login}))
    for queue, phone in members.keys() - expected.keys():
        actions.append(("QueueRemove", {"Queue": queue, "Interface": phone}))
    return actions


def _pause_reason(member: dict[str, str]) -> str:
    """Return why a queue member (an event of AMI) is paused; "" if it is not."""
    return member.get("PausedReason") or "paused" if member["Paused"] == "1" else ""


def _is_resting(member: dict[str, str], ready_since: dt.datetime, wrap_up: int) -> bool:
    """Return True if the queue does not yet ring a member after a talk, although they are ready.

    They became ready at `ready_since`, after the talk. Removing the member and adding it again ends
    this, as it then has had no talk. Asterisk reports the end of the talk in whole seconds: a state
    of the same second may be older than the end, and does not count.
    """
    last_call_at = dt.datetime.fromtimestamp(int(member.get("LastCall") or 0), dt.UTC)
    is_within_wrap_up = clock.now() - last_call_at < dt.timedelta(seconds=wrap_up)
    return is_within_wrap_up and ready_since >= last_call_at + dt.timedelta(seconds=1)


def pause_unanswered_phone(phone: str, moment: dt.datetime) -> bool:
    """Pause the operator of a phone ("PJSIP/1001") that Asterisk paused because nobody answered.

    `moment` is when Asterisk paused it. Returns True if the state changed: an operator who is no
    longer ready, or became so after `moment`, keeps their state. (`moment` has whole seconds, which
    is exact enough: no phone rings for less.)
    """
    extension = phone.partition("/")[2]
    for user in accounts.active_operators():
        if user.extension == extension:
            state = presence.state_of(user)
            if state and state.state == "ready" and state.since < moment:
                presence.choose_state(user, "pause", reason=presence.NO_ANSWER, by="asterisk")
                return True
    return False


def _expected_members(settings: Settings) -> dict[tuple[str, str], tuple[str, Presence]]:
    """Return the login and chosen state of every operator at work, by (queue, phone).

    An operator is in several queues; the phone is "PJSIP/" and their extension.
    """
    plan = routing.current_plan(settings)
    return {
        (queue, f"PJSIP/{user.extension}"): (user.login, presence_row)
        for user, presence_row in presence.current_states()
        if presence_row and presence_row.state != "off"
        for queue in routing.operator_queues(plan, user)
    }


def _expected_pause_reason(presence_row: Presence) -> str:
    """Return the reason for which a queue member must be paused; "" if it must ring."""
    if presence_row.state == "ready":
        return ""
    if presence_row.reason == presence.NO_ANSWER:
        return AUTOPAUSE
    reason: str = presence_row.reason or presence_row.state
    return reason


def reload_asterisk(settings: Settings, ami_secret: str = "") -> None:
    """Have Asterisk load its configuration again; calls in progress are not touched.

    `ami_secret` is the password that the running Asterisk still expects, if it was changed in the
    files.
    """
    current_secret = ami_secret or settings.asterisk.ami_secret
    asterisk_settings = dataclasses.replace(settings.asterisk, ami_secret=current_secret)
    with Connection(dataclasses.replace(settings, asterisk=asterisk_settings)) as asterisk:
        for module in _NEW_MODULES:
            # If it is loaded already, nothing is left to do: it has no configuration.
            with contextlib.suppress(ActionRefused):
                asterisk.send_action("ModuleLoad", Module=module, LoadType="load")
        for module in _RELOADED_MODULES:
            _reload_module(asterisk, module)
        if any(trunk.kind == "e1" for trunk in routing.current_plan(settings).trunks):
            _load_module(asterisk, "chan_dahdi.so")
        _reload_module(asterisk, "manager")  # last: the password may differ from then on


def _reload_module(asterisk: Connection, module: str) -> None:
    """Have a module load its configuration again; if another reload is in progress, wait for it."""
    deadline = time.monotonic() + _RELOAD_TIMEOUT_SECONDS
    while True:
        try:
            asterisk.send_action("Reload", Module=module)
            return
        except ActionRefused as error:
            if "in progress" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(_RETRY_SECONDS)


def _load_module(asterisk: Connection, module: str) -> None:
    """Load a module, or have it load its configuration again."""
    try:
        asterisk.send_action("ModuleLoad", Module=module, LoadType="load")
    except ActionRefused:  # it is loaded already
        asterisk.send_action("ModuleLoad", Module=module, LoadType="reload")
