"""Transfers from the operator's page: blind, after a consultation, or as a conference.

The dialplan (ivr/) does the rest: it returns the caller to the operator if the number does not
answer, and to a queue if the operator leaves. All functions raise Unreachable if Asterisk does not
answer.
"""

from appliance.core.settings import Settings
from appliance.models import User
from appliance.pbx.actions.lines import (
    Channel,
    ChannelSnapshot,
    dialable_number,
    exclusive_connection,
    redirect_channels,
    set_variables,
    talk_channels,
    wait_for_channels,
)
from appliance.pbx.ami import ActionRefused


def transfer_blind(settings: Settings, operator: User, number: str) -> None:
    """Send the caller to a number at once; the operator is free.

    Raises ActionRefused with the code "number" (invalid), "barred" (not permitted) or "no_talk"
    (the operator is in no talk).
    """
    target = dialable_number(settings, number)
    with exclusive_connection(settings, operator.extension) as asterisk:
        own_channel, caller = talk_channels(ChannelSnapshot(asterisk), operator.extension)
        set_variables(asterisk, caller, TRANSFER_BY=operator.login)
        asterisk.send_action(
            "BlindTransfer", Channel=own_channel.name, Context="transfer", Exten=target
        )
        wait_for_channels(asterisk, lambda snapshot: not snapshot.find_channel(own_channel.name))


def start_consultation(settings: Settings, operator: User, number: str) -> None:
    """Connect the operator with the number while the caller listens to music.

    Raises ActionRefused with the code "number" (invalid), "barred" (not permitted) or "no_talk"
    (the operator is in no talk).
    """
    target = dialable_number(settings, number)
    with exclusive_connection(settings, operator.extension) as asterisk:
        own_channel, caller = talk_channels(ChannelSnapshot(asterisk), operator.extension)
        facts = {"TRANSFER_BY": operator.login, "TRANSFER_TO": target, "JOINED": ""}
        set_variables(asterisk, own_channel, HELD=caller.name, **facts)
        set_variables(asterisk, caller, TRANSFER_BY=operator.login)
        redirect_channels(
            asterisk, (caller, "held", own_channel.name), (own_channel, "consult", target)
        )
        wait_for_channels(
            asterisk,
            lambda snapshot: (
                _is_in_context(snapshot, own_channel, "consult")
                and _is_in_context(snapshot, caller, "held")
            ),
        )


def join_caller(settings: Settings, operator: User) -> None:
    """Connect the waiting caller with the consulted employee; the operator is free.

    Raises ActionRefused with the code "no_consultation" if nobody is consulted, "not_answered" if
    the employee has not answered.
    """
    with exclusive_connection(settings, operator.extension) as asterisk:
        own_channel, caller, employee = _answered_consultation(
            ChannelSnapshot(asterisk), operator.extension
        )
        set_variables(asterisk, own_channel, JOINED="yes")
        redirect_channels(asterisk, (caller, "joined", employee.name))
        wait_for_channels(asterisk, lambda snapshot: not snapshot.find_channel(own_channel.name))


def start_conference(settings: Settings, operator: User) -> None:
    """Connect caller, employee and operator with each other.

    Raises ActionRefused with the code "no_consultation" if nobody is consulted, "not_answered" if
    the employee has not answered.
    """
    with exclusive_connection(settings, operator.extension) as asterisk:
        own_channel, caller, employee = _answered_consultation(
            ChannelSnapshot(asterisk), operator.extension
        )
        room = own_channel.call_id
        set_variables(asterisk, own_channel, JOINED="yes")
        redirect_channels(
            asterisk, (own_channel, "conference", room), (employee, "conference", room)
        )
        redirect_channels(asterisk, (caller, "conference", room))
        wait_for_channels(asterisk, lambda snapshot: _is_in_context(snapshot, caller, "conference"))


def return_to_caller(settings: Settings, operator: User) -> None:
    """Hang up on the employee, and connect the operator with the caller again.

    Raises ActionRefused with the code "no_consultation" if nobody is consulted.
    """
    with exclusive_connection(settings, operator.extension) as asterisk:
        snapshot = ChannelSnapshot(asterisk)
        own_channel, caller = _consultation_channels(snapshot, operator.extension)
        for leg in snapshot.dialled_legs(own_channel):
            asterisk.send_action("Hangup", Channel=leg.name, Cause="16")
        wait_for_channels(asterisk, lambda latest: not _is_in_context(latest, caller, "held"))


def _consultation_channels(snapshot: ChannelSnapshot, extension: str) -> tuple[Channel, Channel]:
    """Return the operator's channel in a consultation, and that of the caller who waits.

    Raises ActionRefused with the code "no_consultation" if nobody is consulted.
    """
    own_channel = snapshot.phone_channel(extension)
    caller = (
        snapshot.waiting_caller(own_channel)
        if own_channel and own_channel.context == "consult"
        else None
    )
    if not own_channel or not caller:
        raise ActionRefused("nobody is consulted", "no_consultation")
    return own_channel, caller


def _answered_consultation(
    snapshot: ChannelSnapshot, extension: str
) -> tuple[Channel, Channel, Channel]:
    """Return the channels of operator, waiting caller and employee.

    Raises ActionRefused with the code "no_consultation" or "not_answered".
    """
    own_channel, caller = _consultation_channels(snapshot, extension)
    employee = snapshot.talk_partner(own_channel)
    if not employee or not employee.is_up:
        raise ActionRefused("the employee has not answered", "not_answered")
    return own_channel, caller, employee


def _is_in_context(snapshot: ChannelSnapshot, channel: Channel, context: str) -> bool:
    """Return True if the channel exists and is in this context of the dialplan."""
    current = snapshot.find_channel(channel.name)
    return bool(current and current.context == context)
