"""Outgoing calls from a page, and hanging up."""

from appliance.core.settings import Settings
from appliance.models import User
from appliance.pbx.actions.lines import (
    ChannelSnapshot,
    dialable_number,
    exclusive_connection,
    wait_for_channels,
)
from appliance.pbx.ami import ActionRefused, Connection

RING_MILLISECONDS = 20_000  # how long the phone of the user who calls rings until they pick it up
_OFFLINE_STATES = ("UNAVAILABLE", "INVALID")


def dial_number(
    settings: Settings, user: User, number: str, reason: str, served_id: str = ""
) -> None:
    """Ring the user's phone and, when they pick it up, call the number.

    `reason`: page | follow_up | ministry. `served_id` is the number of the appeal, or the id of the
    call or task, that the new call is for. Raises ActionRefused with the code "number" (invalid),
    "barred" (not permitted), "no_phone" (the user has no phone), "phone_off" or "phone_busy";
    Unreachable if Asterisk does not answer.
    """
    target = dialable_number(settings, number)
    variables = f"OUT_REASON={reason},OUT_FOR={served_id},OUT_BY={user.login}"
    with exclusive_connection(settings, user.extension) as asterisk:
        ring_phone(asterisk, user, "from-operator", target, variables)


def ring_phone(
    asterisk: Connection, user: User, context: str, extension: str, variables: str
) -> None:
    """Ring a user's own phone and connect it to an extension of the dialplan.

    `variables` are those of the channel, "NAME=value,NAME=value". Raises ActionRefused with the
    code "no_phone" (the user has no phone), "phone_off" or "phone_busy"; Unreachable if Asterisk
    does not answer.
    """
    if not user.extension:
        raise ActionRefused(f"{user.login} has no phone", "no_phone")
    device = f"PJSIP/{user.extension}"
    for state in asterisk.list_events("DeviceStateList", "DeviceStateListComplete"):
        if state["Device"] == device and state["State"] in _OFFLINE_STATES:
            raise ActionRefused(f"the phone {user.extension} is off", "phone_off")
    if ChannelSnapshot(asterisk).phone_channel(user.extension):
        raise ActionRefused(f"the phone {user.extension} is in use", "phone_busy")
    if user.phone == "page":  # the user requested the call: their phone accepts it automatically
        variables += ",PJSIP_HEADER(add,X-Hotline-Answer)=yes"
    asterisk.send_action(
        "Originate",
        Channel=device,
        Context=context,
        Exten=extension,
        Priority="1",
        CallerID=f"<{extension}>" if extension.lstrip("+").isdigit() else f"<{user.extension}>",
        Variable=variables,
        Timeout=RING_MILLISECONDS,
        Async="true",
    )
    wait_for_channels(asterisk, lambda snapshot: snapshot.phone_channel(user.extension))


def hang_up_phone(settings: Settings, call_id: str, extension: str) -> None:
    """End an operator's talk or ringing in this call, as if their phone had hung up.

    Asterisk is given the phone as the source of the hangup, so that the ledger records that the
    operator ended the talk. Raises ActionRefused with the code "over" if their phone no longer
    takes part in the call, Unreachable if Asterisk does not answer.
    """
    with exclusive_connection(settings, extension) as asterisk:
        for channel in ChannelSnapshot(asterisk).channels:
            if channel.call_id == call_id and channel.name.startswith(f"PJSIP/{extension}-"):
                hangup_source = {"Variable": "CHANNEL(hangupsource)", "Value": channel.name}
                asterisk.send_action("Setvar", Channel=channel.name, **hangup_source)
                asterisk.send_action("Hangup", Channel=channel.name, Cause="16")
                return
    raise ActionRefused("the call is over", "over")
