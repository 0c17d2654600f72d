"""Calls out from a page, and the end of a call."""

from appliance.core.settings import Settings
from appliance.models import User
from appliance.pbx.actions.lines import Lines, dialled, see, turn
from appliance.pbx.ami import Connection, Refused

RINGS = 20_000  # milliseconds that the phone of who dials rings until he takes it up
_OFF = ("UNAVAILABLE", "INVALID")


def dial(settings: Settings, user: User, number: str, reason: str, serves: str = "") -> None:
    """Ring the user's phone; when he takes it up, the number is called.

    `reason`: page | follow_up | ministry. `serves`: the id of what the call is for.

    Raises Refused: "number", "barred", "no_phone", "phone_off", "phone_busy"; Unreachable.
    """
    to = dialled(settings, number)
    variables = f"OUT_REASON={reason},OUT_FOR={serves},OUT_BY={user.login}"
    with turn(settings, user.extension) as asterisk:
        ring(asterisk, user, "from-operator", to, variables)


def ring(asterisk: Connection, user: User, context: str, extension: str, variables: str) -> None:
    """Ring a user's own phone and lead it to a place of the dialplan.

    `variables`: "NAME=value,NAME=value". Raises Refused as `dial` does.
    """
    if not user.extension:
        raise Refused(f"{user.login} has no phone", "no_phone")
    device = f"PJSIP/{user.extension}"
    for state in asterisk.listed("DeviceStateList", "DeviceStateListComplete"):
        if state["Device"] == device and state["State"] in _OFF:
            raise Refused(f"the phone {user.extension} is off", "phone_off")
    if Lines(asterisk).of(user.extension):
        raise Refused(f"the phone {user.extension} is in use", "phone_busy")
    if user.phone == "page":  # he has asked for the call: his phone takes it by itself
        variables += ",PJSIP_HEADER(add,X-Hotline-Answer)=yes"
    asterisk.act(
        "Originate",
        Channel=device,
        Context=context,
        Exten=extension,
        Priority="1",
        CallerID=f"<{extension}>" if extension.lstrip("+").isdigit() else f"<{user.extension}>",
        Variable=variables,
        Timeout=RINGS,
        Async="true",
    )
    see(asterisk, lambda lines: lines.of(user.extension))


def hang_up(settings: Settings, call_id: str, extension: str) -> None:
    """End an operator's talk or ringing in this call, as if his phone had hung up.

    Asterisk is told whose doing it is, so that the ledger says the operator ended the talk.

    Raises Refused when his phone has no part in the call any more, Unreachable.
    """
    with turn(settings, extension) as asterisk:
        for channel in Lines(asterisk).channels:
            if channel.call_id == call_id and channel.name.startswith(f"PJSIP/{extension}-"):
                source = {"Variable": "CHANNEL(hangupsource)", "Value": channel.name}
                asterisk.act("Setvar", Channel=channel.name, **source)
                asterisk.act("Hangup", Channel=channel.name, Cause="16")
                return
    raise Refused("the call is over", "over")
