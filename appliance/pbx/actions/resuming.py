"""Resumes a talk that broke off because the operator's page with the browser phone was lost.

The lost page's leg (its channel) is hung up, and the dialplan reconnects the caller to the page
that has replaced it (`ivr/queue.conf`, `resume`).
"""

import contextlib
import re
import time

from appliance.core.settings import Settings
from appliance.pbx.actions.lines import Channel, ChannelSnapshot, exclusive_connection
from appliance.pbx.ami import ActionRefused, Connection

_RECEIVED_PACKETS = "CHANNEL(rtcp,rxcount,audio)"
_SILENT_SECONDS, _POLL_SECONDS = 1.0, 0.05  # without a packet; between two checks for one
_RTP_TIMEOUT_CAUSE = "44"  # the cause that Asterisk itself sets after rtp_timeout
_SIP_ADDRESS = re.compile(r"sips?:(?:([^@;?>]+)@)?([^;?>]+)")
# A page connects through our own web front; this parameter holds the address that it states.
_PAGE_HOST = re.compile(r";x-ast-orig-host=([^;?>]+)")


def resume_talk(settings: Settings, extension: str, session: str = "") -> bool:
    """Hang up the channels of this phone that a lost page has left; returns True if there were any.

    With `session`, the SIP Call-ID of a talk, the channel of that talk is hung up: the page that
    has it requests this itself. With "", only silent legs of pages other than the registered one
    are hung up, so a page may request this whenever it loads, and twice. Raises Unreachable if
    Asterisk does not answer.
    """
    with exclusive_connection(settings, extension) as asterisk:
        return hang_up_lost_legs(asterisk, extension, session)


def has_sound(settings: Settings, extension: str) -> bool:
    """Return True if sound arrives from a talk of this phone, from any page.

    Raises Unreachable if Asterisk does not answer.
    """
    with Connection(settings) as asterisk:
        return any(_receives_sound(asterisk, leg) for leg in _talk_legs(asterisk, extension))


def hang_up_lost_legs(asterisk: Connection, extension: str, session: str = "") -> bool:
    """Hang up this phone's channels that a lost page has left; returns True if there were any.

    `session` is as in `resume_talk`, which does the same over a connection of its own.
    """
    if not extension or not _is_browser_phone(asterisk, extension):
        return False
    lost_legs = [
        leg
        for leg in _talk_legs(asterisk, extension)
        if _is_lost(asterisk, leg, extension, session)
    ]
    for leg in lost_legs:
        with contextlib.suppress(ActionRefused):  # already gone
            asterisk.send_action("Hangup", Channel=leg.name, Cause=_RTP_TIMEOUT_CAUSE)
    return bool(lost_legs)


def _is_browser_phone(asterisk: Connection, extension: str) -> bool:
    """Return True if this is a browser phone, whose callers wait if its page is lost.

    For such phones the dialplan has a variable RESUME_… with the seconds of that wait.
    """
    return asterisk.send_action("Getvar", Variable=f"RESUME_{extension}").get("Value", "") not in (
        "",
        "0",
    )


def _talk_legs(asterisk: Connection, extension: str) -> list[Channel]:
    """Return the phone's channels that are in a talk, that is, answered."""
    prefix = f"PJSIP/{extension}-"
    return [
        channel
        for channel in ChannelSnapshot(asterisk).channels
        if channel.is_up and channel.name.startswith(prefix)
    ]


def _is_lost(asterisk: Connection, leg: Channel, extension: str, session: str) -> bool:
    """Return True if a lost page has left this leg.

    With `session`, it is the leg with this SIP Call-ID. With "", it is a silent leg of a page other
    than the registered one.
    """
    if session:
        return _channel_value(asterisk, leg, "CHANNEL(pjsip,call-id)") == session
    contact_list = _channel_value(asterisk, leg, f"PJSIP_DIAL_CONTACTS({extension})")
    contacts = [page_address(uri) for uri in contact_list.split("&")]
    leg_page = page_address(_channel_value(asterisk, leg, "CHANNEL(pjsip,target_uri)"))
    if not leg_page or not any(contacts) or leg_page in contacts:
        return False
    return not _receives_sound(asterisk, leg)  # a page on another computer may be in a talk


def _receives_sound(asterisk: Connection, leg: Channel) -> bool:
    """Return True if an audio packet arrives within a second.

    Normally one arrives every 20 ms, from a busy computer less often.
    """
    before, deadline = (
        _channel_value(asterisk, leg, _RECEIVED_PACKETS),
        time.monotonic() + _SILENT_SECONDS,
    )
    while time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        if _channel_value(asterisk, leg, _RECEIVED_PACKETS) not in ("", before):
            return True
    return False


def _channel_value(asterisk: Connection, leg: Channel, variable: str) -> str:
    """Return a variable of a channel; "" if the channel is gone."""
    try:
        return asterisk.send_action("Getvar", Channel=leg.name, Variable=variable).get("Value", "")
    except ActionRefused:  # already gone
        return ""


def page_address(uri: str) -> str:
    """Return "user@host" of a phone's SIP address, which identifies its page; "" if it is invalid.

    The host is the one that the page states, if any: all pages connect through our own web front.
    """
    address, page_host = _SIP_ADDRESS.search(uri), _PAGE_HOST.search(uri)
    return f"{address[1] or ''}@{page_host[1] if page_host else address[2]}" if address else ""
