"""Connects the changes of appeals and calls with everything that follows them."""

from functools import partial

from appliance.casework import hooks, ministry
from appliance.core.settings import Settings
from appliance.messaging import notices


def connect_hooks(settings: Settings) -> None:
    """Connect the hooks of casework, in a process that changes appeals or calls of this site."""
    hooks.appeal_registered.connect(
        partial(notices.notify_registered, settings),
        partial(notices.alert_appeal, settings),
        partial(ministry.queue_appeal, settings),
    )
    hooks.appeal_changed.connect(
        partial(notices.notify_answered, settings),
        partial(ministry.queue_change, settings),
    )
    hooks.call_registered.connect(partial(notices.alert_call, settings))
