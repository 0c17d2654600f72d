"""Calls inside Asterisk: a Local channel whose other end runs the context under test."""

import contextlib

from appliance.pbx import ami, eventlog
from tests.pbx.box import Box


def call_context(box: Box, context: str, application: str, data: str, **variables: str) -> None:
    """Call `s` of a context; the caller's end runs one application (SendDTMF, …)."""
    assignments = ",".join(f"{name}={value}" for name, value in variables.items())
    with ami.Connection(box.settings) as asterisk:
        asterisk.send_action(
            "Originate",
            Channel=f"Local/s@{context}/n",
            Application=application,
            Data=data,
            Variable=assignments,
            Async="true",
        )


def load_modules(box: Box, *modules: str) -> None:
    """Load modules that only tests need."""
    with ami.Connection(box.settings) as asterisk:
        for module in modules:
            with contextlib.suppress(ami.ActionRefused):  # it is loaded already
                asterisk.send_action("ModuleLoad", Module=module, LoadType="load")


def active_channels(box: Box) -> list[str]:
    """Return the names of the channels that are up."""
    with ami.Connection(box.settings) as asterisk:
        channel_events = asterisk.list_events("CoreShowChannels", "CoreShowChannelsComplete")
    return [event["Channel"] for event in channel_events if "Channel" in event]


def dialplan_facts(box: Box, event: str) -> list[dict[str, str]]:
    """Return the facts that the dialplan logged with events of that name, oldest first."""
    log = box.settings.paths.event_log
    data = log.read_bytes() if log.is_file() else b""
    parsed_events = (piece.event for piece in eventlog.split_log(data) if data)
    return [event_.extra for event_ in parsed_events if event_ and event_.type == event]
