"""A supervisor in an operator's talk: hears it, whispers to the operator, speaks, takes it over."""

from appliance.core.settings import Settings
from appliance.models import User
from appliance.pbx.actions.dialling import ring
from appliance.pbx.actions.lines import Channel, Lines, redirect, see, set_variables, talking, turn
from appliance.pbx.ami import Refused

MODES = ("listen", "whisper", "barge")


def supervise(settings: Settings, supervisor: User, operator: User, mode: str) -> str:
    """Ring the supervisor's phone and let him into the operator's talk; returns the call's id.

    `mode`: listen (nobody hears him) | whisper (the operator does) | barge (both do). Who is in a
    talk already changes the mode, or the talk, without his phone ringing again. What he says to
    both is in the recording, what he whispers is not.

    Raises Refused: "mode", "no_talk", "no_phone", "phone_off", "phone_busy"; Unreachable.
    """
    if mode not in MODES:
        raise Refused(f"no such mode: {mode}", "mode")
    with turn(settings, supervisor.extension or "") as asterisk:
        lines = Lines(asterisk)
        spied, caller = talking(lines, operator.extension)
        own = lines.of(supervisor.extension) if supervisor.extension else None
        recording = lines.variable(caller, "RECORDING") or lines.variable(spied, "RECORDING")
        said = recording.removesuffix(".wav")
        if own and lines.stage(own) == "supervising":
            set_variables(asterisk, own, SPIED=spied.name, SAID=said)
            redirect(asterisk, (own, "spy", mode))
        else:
            ring(asterisk, supervisor, "spy", mode, f"SPIED={spied.name},SAID={said}")
        return caller.call_id


def take_over(settings: Settings, supervisor: User, operator: User) -> str:
    """The caller speaks with the supervisor, who listens already, and no more with the operator.

    Returns the call's id. Raises Refused: "no_talk", "not_listening"; Unreachable.
    """
    with turn(settings, supervisor.extension or "") as asterisk:
        lines = Lines(asterisk)
        own = lines.of(supervisor.extension) if supervisor.extension else None
        if not own or not own.up or lines.stage(own) != "supervising":
            raise Refused("the supervisor is not in the talk", "not_listening")
        former, caller = talking(lines, operator.extension)
        if lines.variable(own, "SPIED") != former.name:
            raise Refused("the supervisor is in another talk", "not_listening")
        set_variables(asterisk, former, JOINED="yes")
        set_variables(asterisk, own, TAKEN_OVER=caller.name)
        redirect(asterisk, (caller, "joined", own.name))
        see(asterisk, lambda now: _speaks(now, own, caller))
        return caller.call_id


def stop_supervising(settings: Settings, supervisor: User) -> None:
    """Leave the talk. Raises Refused "not_listening"; Unreachable."""
    with turn(settings, supervisor.extension or "") as asterisk:
        lines = Lines(asterisk)
        own = lines.of(supervisor.extension) if supervisor.extension else None
        if not own or lines.stage(own) != "supervising":
            raise Refused("the supervisor is in no talk", "not_listening")
        asterisk.act("Hangup", Channel=own.name, Cause="16")
        see(asterisk, lambda now: not now.named(own.name))


def _speaks(lines: Lines, own: Channel, caller: Channel) -> bool:
    """Whether the two are together by now."""
    here = lines.named(own.name)
    partner = lines.partner(here) if here else None
    return bool(partner and partner.name == caller.name)
