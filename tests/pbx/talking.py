"""A caller inside Asterisk: a Local channel whose other end runs the context under test."""

import contextlib

from appliance.pbx import ami, eventlog
from tests.pbx.box import Box


def call(box: Box, context: str, application: str, data: str, **variables: str) -> None:
    """Call `s` of a context; the caller's end runs one application (SendDTMF, …)."""
    given = ",".join(f"{name}={value}" for name, value in variables.items())
    with ami.Connection(box.settings) as asterisk:
        asterisk.act(
            "Originate",
            Channel=f"Local/s@{context}/n",
            Application=application,
            Data=data,
            Variable=given,
            Async="true",
        )


def load(box: Box, *modules: str) -> None:
    """Load what only tests need."""
    with ami.Connection(box.settings) as asterisk:
        for module in modules:
            with contextlib.suppress(ami.Refused):  # it is there already
                asterisk.act("ModuleLoad", Module=module, LoadType="load")


def channels(box: Box) -> list[str]:
    """The channels that are up."""
    with ami.Connection(box.settings) as asterisk:
        found = asterisk.listed("CoreShowChannels", "CoreShowChannelsComplete")
    return [event["Channel"] for event in found if "Channel" in event]


def facts(box: Box, event: str) -> list[dict[str, str]]:
    """What the dialplan told of events of that name, oldest first."""
    log = box.settings.paths.event_log
    data = log.read_bytes() if log.is_file() else b""
    told = (piece.event for piece in eventlog.pieces(data) if data)
    return [event_.extra for event_ in told if event_ and event_.type == event]
