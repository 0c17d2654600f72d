"""Operators' states, and Asterisk's queues made to agree with them."""

import contextlib
import dataclasses
import datetime as dt
import time

from appliance.box import selftests
from appliance.core import clock
from appliance.core.settings import Settings
from appliance.models import Presence, User
from appliance.pbx.ami import Connection, Refused
from appliance.people import accounts, presence
from appliance.telephony import routing

# Trunks are known by their addresses in a module of its own.
_RELOADED = (
    *("res_pjsip.so", "res_pjsip_endpoint_identifier_ip.so"),
    *("res_pjsip_outbound_registration.so", "pbx_config.so", "app_queue.so"),
    *("res_musiconhold.so", "app_confbridge.so"),
)
_ADDED = ("func_env.so", "app_echo.so")  # that a running Asterisk of an older release may lack
_ROUNDS = 25  # others may be changing all the while
_PATIENCE, _PAUSE = 20.0, 0.1  # seconds: another reload may take, between two tries
AUTOPAUSE = "Auto-Pause"  # why Asterisk paused a phone that did not answer


def choose_state(
    settings: Settings, user: User, state: str, *, reason: str = "", by: str = ""
) -> None:
    """Write down an operator's state and tell Asterisk's queues.

    `by`: who set it, when it was not the operator himself.

    Raises Unreachable when Asterisk does not answer: the state is written down all the same, and
    is put in force when Asterisk is back.
    """
    presence.choose_state(user, state, reason=reason, by=by)
    put_states_in_force(settings)


def put_states_in_force(settings: Settings) -> None:
    """Make the members of Asterisk's queues what the operators chose.

    "ready" rings; "pause", "back_office" and a wrap-up stay in the queue, do not ring, and are
    paused there for the same reason; "off" is no member. Who became ready after a talk is rung at
    once, whatever the queue's own wrap-up. A phone that Asterisk paused since the operator was
    last ready, because it was not answered, makes his state a pause.
    """
    with Connection(settings) as asterisk:
        make_agree(settings, asterisk)


def make_agree(settings: Settings, asterisk: Connection) -> None:
    """The same over a connection that is open already.

    Others may do so at the same moment: what they were quicker with is refused here, and what was
    read too early is made right by looking once more. Raises Refused when Asterisk will not.
    """
    for _ in range(_ROUNDS):
        refused = None
        steps = _steps(settings, asterisk)
        for action, fields in steps:
            try:
                asterisk.act(action, **fields)
            except Refused as error:
                refused = error
        if not steps:
            return
    if refused:
        raise refused


def _steps(settings: Settings, asterisk: Connection) -> list[tuple[str, dict[str, str]]]:
    """What is to be done so that members and states agree: actions with their fields."""
    present = {
        (event["Queue"], event["Location"]): event
        for event in asterisk.listed("QueueStatus", "QueueStatusComplete")
        if event.get("Event") == "QueueMember" and event["Queue"] != selftests.QUEUE
    }
    for member in present.values():
        if member["Paused"] == "1" and member.get("PausedReason") == AUTOPAUSE:
            paused_at = dt.datetime.fromtimestamp(int(member.get("LastPause") or 0), dt.UTC)
            not_answered(member["Location"], paused_at)
    wanted = _wanted(settings)
    wrap_up = routing.current(settings).queueing.wrap_up
    steps = []
    for (queue, phone), (login, chosen) in wanted.items():
        why = _why_not_rung(chosen)
        fields = {"Queue": queue, "Interface": phone, "Paused": str(bool(why)).lower()}
        held = present.get((queue, phone))
        if not held:
            steps.append(("QueueAdd", fields | {"MemberName": login}))
        elif _why_paused(held) != why:
            steps.append(("QueuePause", fields | ({"Reason": why} if why else {})))
        elif not why and _rests(held, chosen.since, wrap_up):
            steps.append(("QueueRemove", {"Queue": queue, "Interface": phone}))
            steps.append(("QueueAdd", fields | {"MemberName": login}))
    for queue, phone in present.keys() - wanted.keys():
        steps.append(("QueueRemove", {"Queue": queue, "Interface": phone}))
    return steps


def _why_paused(member: dict[str, str]) -> str:
    """Why a member does not ring, "" for one that does."""
    return member.get("PausedReason") or "paused" if member["Paused"] == "1" else ""


def _rests(member: dict[str, str], ready_since: dt.datetime, wrap_up: int) -> bool:
    """Whether the queue still leaves a member alone after a talk since which he became ready.

    A member that is taken out and put in again has had no talk. (Asterisk tells whole seconds.)
    """
    ended = dt.datetime.fromtimestamp(int(member.get("LastCall") or 0), dt.UTC)
    lasts = clock.now() - ended < dt.timedelta(seconds=wrap_up)
    return lasts and ready_since >= ended + dt.timedelta(seconds=1)


def not_answered(phone: str, moment: dt.datetime) -> bool:
    """Asterisk paused this phone ("PJSIP/1001") because it rang in vain: so is its operator.

    Returns whether that was news: an operator who is no more ready, or became so after the moment,
    keeps his state. (Asterisk tells the moment in whole seconds, and no phone rings shorter.)
    """
    extension = phone.partition("/")[2]
    for user in accounts.operators():
        if user.extension == extension:
            state = presence.state_of(user)
            if state and state.state == "ready" and state.since < moment:
                presence.choose_state(user, "pause", reason=presence.NO_ANSWER, by="asterisk")
                return True
    return False


def _wanted(settings: Settings) -> dict[tuple[str, str], tuple[str, Presence]]:
    """(queue, phone) → (login, what he chose) of every operator at work."""
    current = routing.current(settings)
    return {
        (queue, f"PJSIP/{user.extension}"): (user.login, chosen)
        for user, chosen in presence.in_force()
        if chosen and chosen.state != "off"
        for queue in routing.queues_of(current, user)
    }


def _why_not_rung(chosen: Presence) -> str:
    """The reason of a member who is paused, "" of one who is rung."""
    if chosen.state == "ready":
        return ""
    if chosen.reason == presence.NO_ANSWER:
        return AUTOPAUSE
    return chosen.reason or chosen.state


def reload(settings: Settings, ami_secret: str = "") -> None:
    """Have Asterisk read its configuration again; calls that go on are not touched.

    `ami_secret`: the password that it asks for until then, where another one was rendered.
    """
    known = ami_secret or settings.asterisk.ami_secret
    asked = dataclasses.replace(settings.asterisk, ami_secret=known)
    with Connection(dataclasses.replace(settings, asterisk=asked)) as asterisk:
        for module in _ADDED:  # there already, as a rule
            with contextlib.suppress(Refused):
                asterisk.act("ModuleLoad", Module=module, LoadType="load")
        for module in _RELOADED:
            _reload(asterisk, module)
        if any(trunk.kind == "e1" for trunk in routing.current(settings).trunks):
            _load(asterisk, "chan_dahdi.so")
        _reload(asterisk, "manager")  # last: the password may be another one from then on


def _reload(asterisk: Connection, module: str) -> None:
    """Have a module read its configuration again, after whoever has one do so right now."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            asterisk.act("Reload", Module=module)
            return
        except Refused as error:
            if "in progress" not in str(error) or time.monotonic() > end:
                raise
        time.sleep(_PAUSE)


def _load(asterisk: Connection, module: str) -> None:
    """Load a module, or have it read its configuration again."""
    try:
        asterisk.act("ModuleLoad", Module=module, LoadType="load")
    except Refused:
        asterisk.act("ModuleLoad", Module=module, LoadType="reload")
