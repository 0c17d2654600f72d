"""The talk of a phone in a page that was lost: its dead leg is let go, and the dialplan brings the
caller back to the page that has come in its place (`ivr/queue.conf`, `resume`)."""

import contextlib
import re
import time

from appliance.core.settings import Settings
from appliance.pbx.actions.lines import Channel, Lines, turn
from appliance.pbx.ami import Connection, Refused

_HEARD = "CHANNEL(rtcp,rxcount,audio)"
_SILENT, _LOOK = 1.0, 0.05  # seconds without a packet; between two looks whether one came
_FELL_SILENT = "44"  # the cause that Asterisk itself gives after rtp_timeout
_ADDRESS = re.compile(r"sips?:(?:([^@;?>]+)@)?([^;?>]+)")
# A page's connection comes from our own front; what the page calls itself stands behind.
_PAGE = re.compile(r";x-ast-orig-host=([^;?>]+)")


def resume(settings: Settings, extension: str, session: str = "") -> bool:
    """Let go what a page that is gone had of this phone; whether there was anything.

    `session`: the SIP Call-ID of a talk that the asking page holds itself, and leaves now. Without
    it only silent legs of other pages than the one that is registered now are let go, so that a
    page may ask whenever it comes, and twice. Raises Unreachable.
    """
    with turn(settings, extension) as asterisk:
        return let_go(asterisk, extension, session)


def speaks(settings: Settings, extension: str) -> bool:
    """Whether a talk of this phone goes on, in whatever page: sound comes from it. Raises
    Unreachable."""
    with Connection(settings) as asterisk:
        return any(_sounds(asterisk, leg) for leg in _legs(asterisk, extension))


def let_go(asterisk: Connection, extension: str, session: str = "") -> bool:
    """The same over a connection that is open already."""
    if not extension or not _waited_for(asterisk, extension):
        return False
    gone = [
        leg for leg in _legs(asterisk, extension) if _is_lost(asterisk, leg, extension, session)
    ]
    for leg in gone:
        with contextlib.suppress(Refused):  # it is gone by itself
            asterisk.act("Hangup", Channel=leg.name, Cause=_FELL_SILENT)
    return bool(gone)


def _waited_for(asterisk: Connection, extension: str) -> bool:
    """Whether callers wait for this phone: it is one in a page."""
    return asterisk.act("Getvar", Variable=f"RESUME_{extension}").get("Value", "") not in ("", "0")


def _legs(asterisk: Connection, extension: str) -> list[Channel]:
    """The phone's channels that are in a talk."""
    own = f"PJSIP/{extension}-"
    return [one for one in Lines(asterisk).channels if one.up and one.name.startswith(own)]


def _is_lost(asterisk: Connection, leg: Channel, extension: str, session: str) -> bool:
    if session:
        return _value_of(asterisk, leg, "CHANNEL(pjsip,call-id)") == session
    known = _value_of(asterisk, leg, f"PJSIP_DIAL_CONTACTS({extension})")
    contacts = [page(uri) for uri in known.split("&")]
    own = page(_value_of(asterisk, leg, "CHANNEL(pjsip,target_uri)"))
    if not own or not any(contacts) or own in contacts:
        return False
    return not _sounds(asterisk, leg)  # a page on another computer may speak on


def _sounds(asterisk: Connection, leg: Channel) -> bool:
    """Whether a packet comes: one each 20 ms, but later from a computer with much to do."""
    before, until = _value_of(asterisk, leg, _HEARD), time.monotonic() + _SILENT
    while time.monotonic() < until:
        time.sleep(_LOOK)
        if _value_of(asterisk, leg, _HEARD) not in ("", before):
            return True
    return False


def _value_of(asterisk: Connection, leg: Channel, variable: str) -> str:
    try:
        return asterisk.act("Getvar", Channel=leg.name, Variable=variable).get("Value", "")
    except Refused:  # it is gone by itself
        return ""


def page(uri: str) -> str:
    """What tells one page from the next in the address of a phone; "" for what is none."""
    found, own = _ADDRESS.search(uri), _PAGE.search(uri)
    return f"{found[1] or ''}@{own[1] if own else found[2]}" if found else ""
