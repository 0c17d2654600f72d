"""Connects registrations and changes of appeals and calls with the messages that follow them."""

from functools import partial

from appliance.casework import hooks
from appliance.casework.ministry import queue
from appliance.core.settings import Settings
from appliance.messaging.notices import citizens, duty


def connect_hooks(settings: Settings) -> None:
    """Connect the hooks of casework. Every process that changes appeals or calls must call this."""
    hooks.appeal_registered.connect(
        partial(citizens.notify_registered, settings),
        partial(duty.alert_appeal, settings),
        partial(queue.queue_appeal, settings),
    )
    hooks.appeal_changed.connect(
        partial(citizens.notify_answered, settings),
        partial(queue.queue_change, settings),
    )
    hooks.call_registered.connect(partial(duty.alert_call, settings))
