"""What pages, jobs and commands may ask of Asterisk."""

from appliance import plan, staff
from appliance.models import User
from appliance.pbx.ami import Connection, Refused, Unreachable
from appliance.settings import Settings

__all__ = [
    "Refused",
    "Unreachable",
    "choose_state",
    "hang_up",
    "put_states_in_force",
    "reload",
]


def choose_state(settings: Settings, user: User, state: str) -> None:
    """Write down an operator's state and tell Asterisk's queues.

    Raises Unreachable when Asterisk does not answer: the state is written down all the same, and
    is put in force when Asterisk is back.
    """
    staff.choose_state(user, state)
    put_states_in_force(settings)


def put_states_in_force(settings: Settings) -> None:
    """Make the members of Asterisk's queues what the operators chose.

    "ready" rings, "pause" stays in the queue but does not ring, "off" is no member.
    """
    wanted = _wanted(settings)
    with Connection(settings) as asterisk:
        present = {
            (event["Queue"], event["Location"]): event
            for event in asterisk.listed("QueueStatus", "QueueStatusComplete")
            if event.get("Event") == "QueueMember"
        }
        for (queue, phone), (login, paused) in wanted.items():
            member = {"Queue": queue, "Interface": phone}
            held = present.get((queue, phone))
            if not held:
                asterisk.act("QueueAdd", **member, MemberName=login, Paused=str(paused).lower())
            elif (held["Paused"] == "1") != paused:
                asterisk.act("QueuePause", **member, Paused=str(paused).lower())
        for queue, phone in present.keys() - wanted.keys():
            asterisk.act("QueueRemove", Queue=queue, Interface=phone)


def hang_up(settings: Settings, call_id: str, extension: str) -> None:
    """End an operator's talk or ringing in this call, as if his phone had hung up.

    Asterisk is told whose doing it is, so that the ledger says the operator ended the talk.

    Raises Refused when his phone has no part in the call any more, Unreachable.
    """
    with Connection(settings) as asterisk:
        channels = asterisk.listed("CoreShowChannels", "CoreShowChannelsComplete")
        for channel in channels:
            name = channel["Channel"]
            if channel["Linkedid"] == call_id and name.startswith(f"PJSIP/{extension}-"):
                source = {"Variable": "CHANNEL(hangupsource)", "Value": name}
                asterisk.act("Setvar", Channel=name, **source)
                asterisk.act("Hangup", Channel=name, Cause="16")
                return
    raise Refused("the call is over")


def _wanted(settings: Settings) -> dict[tuple[str, str], tuple[str, bool]]:
    """(queue, phone) → (login, paused) of every operator who is at work."""
    states, current = staff.states(), plan.current(settings)
    return {
        (queue, f"PJSIP/{user.extension}"): (user.login, states[user.login] == "pause")
        for user in staff.operators()
        if states[user.login] != "off"
        for queue in plan.queues_of(current, user)
    }


def reload(settings: Settings) -> None:
    """Have Asterisk read its configuration again; calls that go on are not touched."""
    with Connection(settings) as asterisk:
        for module in ("res_pjsip.so", "pbx_config.so", "app_queue.so", "res_musiconhold.so"):
            asterisk.act("Reload", Module=module)
