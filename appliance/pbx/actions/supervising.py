"""Lets supervisors listen to an operator's talk, whisper, speak, or take it over."""

from appliance.core.settings import Settings
from appliance.models import User
from appliance.pbx.actions.dialling import ring_phone
from appliance.pbx.actions.lines import (
    Channel,
    ChannelSnapshot,
    exclusive_connection,
    redirect_channels,
    set_variables,
    talk_channels,
    wait_for_channels,
)
from appliance.pbx.ami import ActionRefused

SUPERVISION_MODES = ("listen", "whisper", "barge")


def supervise_talk(settings: Settings, supervisor: User, operator: User, mode: str) -> str:
    """Ring the supervisor's phone and connect it to the operator's talk; returns the call's id.

    `mode`: listen (inaudible) | whisper (audible to the operator) | barge (audible to both). If the
    supervisor is connected to a talk already, the mode or the talk changes without their phone
    ringing again. What they say to both is in the recording, whispers are not. Raises ActionRefused
    with the code "mode" (unknown), "no_talk" (the operator is in no talk), "no_phone" (the
    supervisor has no phone), "phone_off" or "phone_busy"; Unreachable if Asterisk does not answer.
    """
    if mode not in SUPERVISION_MODES:
        raise ActionRefused(f"no such mode: {mode}", "mode")
    with exclusive_connection(settings, supervisor.extension or "") as asterisk:
        snapshot = ChannelSnapshot(asterisk)
        operator_channel, caller = talk_channels(snapshot, operator.extension)
        own_channel = snapshot.phone_channel(supervisor.extension) if supervisor.extension else None
        recording = snapshot.channel_variable(caller, "RECORDING") or snapshot.channel_variable(
            operator_channel, "RECORDING"
        )
        recording_name = recording.removesuffix(".wav")
        if own_channel and snapshot.phone_stage(own_channel) == "supervising":
            set_variables(asterisk, own_channel, SPIED=operator_channel.name, SAID=recording_name)
            redirect_channels(asterisk, (own_channel, "spy", mode))
        else:
            ring_phone(
                asterisk,
                supervisor,
                "spy",
                mode,
                f"SPIED={operator_channel.name},SAID={recording_name}",
            )
        return caller.call_id


def take_over_talk(settings: Settings, supervisor: User, operator: User) -> str:
    """Connect the caller with the supervisor, who listens already, instead of the operator.

    Returns the call's id. Raises ActionRefused with the code "no_talk" (the operator is in no talk)
    or "not_listening" (the supervisor is not connected to it); Unreachable if Asterisk does not
    answer.
    """
    with exclusive_connection(settings, supervisor.extension or "") as asterisk:
        snapshot = ChannelSnapshot(asterisk)
        own_channel = snapshot.phone_channel(supervisor.extension) if supervisor.extension else None
        if (
            not own_channel
            or not own_channel.is_up
            or snapshot.phone_stage(own_channel) != "supervising"
        ):
            raise ActionRefused("the supervisor is not in the talk", "not_listening")
        operator_channel, caller = talk_channels(snapshot, operator.extension)
        if snapshot.channel_variable(own_channel, "SPIED") != operator_channel.name:
            raise ActionRefused("the supervisor is in another talk", "not_listening")
        set_variables(asterisk, operator_channel, JOINED="yes")
        set_variables(asterisk, own_channel, TAKEN_OVER=caller.name)
        redirect_channels(asterisk, (caller, "joined", own_channel.name))
        wait_for_channels(asterisk, lambda latest: _are_connected(latest, own_channel, caller))
        return caller.call_id


def stop_supervising(settings: Settings, supervisor: User) -> None:
    """Remove the supervisor from the talk.

    Raises ActionRefused with the code "not_listening" if they are in no talk; Unreachable if
    Asterisk does not answer.
    """
    with exclusive_connection(settings, supervisor.extension or "") as asterisk:
        snapshot = ChannelSnapshot(asterisk)
        own_channel = snapshot.phone_channel(supervisor.extension) if supervisor.extension else None
        if not own_channel or snapshot.phone_stage(own_channel) != "supervising":
            raise ActionRefused("the supervisor is in no talk", "not_listening")
        asterisk.send_action("Hangup", Channel=own_channel.name, Cause="16")
        wait_for_channels(asterisk, lambda latest: not latest.find_channel(own_channel.name))


def _are_connected(snapshot: ChannelSnapshot, own_channel: Channel, caller: Channel) -> bool:
    """Return True if the two channels are in a talk with each other."""
    current = snapshot.find_channel(own_channel.name)
    partner = snapshot.talk_partner(current) if current else None
    return bool(partner and partner.name == caller.name)
