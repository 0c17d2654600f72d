"""Calls: the floor (what happens now), the calls of a day, one call, missed callers."""

from appliance.web.calls import (
    announcements,
    call,
    callbacks,
    daily_calls,
    evidence,
    floor,
    followups,
    registered_calls,
)

SCREENS = (
    callbacks.screen,
    floor.screen,
    announcements.screen,
    daily_calls.screen,
    followups.screen,
    call.screen,
    evidence.screen,
    registered_calls.screen,
)
