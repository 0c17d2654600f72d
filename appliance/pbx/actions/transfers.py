"""Passing a caller on from the operator's page: at once, after a word with the employee, or joined.

The dialplan does the rest (ivr/): it brings the caller back when nobody answers or when the
operator leaves.
"""

from appliance.core.settings import Settings
from appliance.models import User
from appliance.pbx.actions.lines import (
    Channel,
    Lines,
    dialled,
    redirect,
    see,
    set_variables,
    talking,
    turn,
)
from appliance.pbx.ami import Refused


def blind(settings: Settings, operator: User, number: str) -> None:
    """Send the caller on to a number at once; the operator is free.

    Raises Refused: "number", "barred", "no_talk"; Unreachable.
    """
    to = dialled(settings, number)
    with turn(settings, operator.extension) as asterisk:
        own, caller = talking(Lines(asterisk), operator.extension)
        set_variables(asterisk, caller, TRANSFER_BY=operator.login)
        asterisk.act("BlindTransfer", Channel=own.name, Context="transfer", Exten=to)
        see(asterisk, lambda lines: not lines.named(own.name))


def consult(settings: Settings, operator: User, number: str) -> None:
    """The caller hears music while the operator speaks with the number.

    Raises Refused: "number", "barred", "no_talk"; Unreachable.
    """
    to = dialled(settings, number)
    with turn(settings, operator.extension) as asterisk:
        own, caller = talking(Lines(asterisk), operator.extension)
        facts = {"TRANSFER_BY": operator.login, "TRANSFER_TO": to, "JOINED": ""}
        set_variables(asterisk, own, HELD=caller.name, **facts)
        set_variables(asterisk, caller, TRANSFER_BY=operator.login)
        redirect(asterisk, (caller, "held", own.name), (own, "consult", to))
        see(asterisk, lambda lines: _is_in(lines, own, "consult") and _is_in(lines, caller, "held"))


def join(settings: Settings, operator: User) -> None:
    """Caller and employee speak; the operator is free.

    Raises Refused: "no_consultation", "not_answered"; Unreachable.
    """
    with turn(settings, operator.extension) as asterisk:
        own, caller, employee = _consulted(Lines(asterisk), operator.extension)
        set_variables(asterisk, own, JOINED="yes")
        redirect(asterisk, (caller, "joined", employee.name))
        see(asterisk, lambda lines: not lines.named(own.name))


def conference(settings: Settings, operator: User) -> None:
    """Caller, employee and operator speak together.

    Raises Refused: "no_consultation", "not_answered"; Unreachable.
    """
    with turn(settings, operator.extension) as asterisk:
        own, caller, employee = _consulted(Lines(asterisk), operator.extension)
        room = own.call_id
        set_variables(asterisk, own, JOINED="yes")
        redirect(asterisk, (own, "conference", room), (employee, "conference", room))
        redirect(asterisk, (caller, "conference", room))
        see(asterisk, lambda lines: _is_in(lines, caller, "conference"))


def back(settings: Settings, operator: User) -> None:
    """The employee is let go, and the operator speaks with the caller again.

    Raises Refused "no_consultation"; Unreachable.
    """
    with turn(settings, operator.extension) as asterisk:
        lines = Lines(asterisk)
        own, caller = _consulting(lines, operator.extension)
        for leg in lines.legs(own):
            asterisk.act("Hangup", Channel=leg.name, Cause="16")
        see(asterisk, lambda now: not _is_in(now, caller, "held"))


def _consulting(lines: Lines, extension: str) -> tuple[Channel, Channel]:
    """The operator's channel in a consultation, and that of the caller who waits."""
    own = lines.of(extension)
    caller = lines.held(own) if own and own.context == "consult" else None
    if not own or not caller:
        raise Refused("nobody is consulted", "no_consultation")
    return own, caller


def _consulted(lines: Lines, extension: str) -> tuple[Channel, Channel, Channel]:
    """The operator's channel, the waiting caller's, and that of the employee who has answered."""
    own, caller = _consulting(lines, extension)
    employee = lines.partner(own)
    if not employee or not employee.up:
        raise Refused("the employee has not answered", "not_answered")
    return own, caller, employee


def _is_in(lines: Lines, channel: Channel, context: str) -> bool:
    found = lines.named(channel.name)
    return bool(found and found.context == context)
