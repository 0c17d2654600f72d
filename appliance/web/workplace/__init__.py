"""The operator's workplace: the current call, its form, transfers, the operator's own day."""

from appliance.web.workplace import (
    caller,
    choices,
    desk,
    forms,
    messages,
    number_notes,
    own_day,
    phone,
    scripts,
    states,
    transfers,
)

SCREENS = (
    desk.screen,
    caller.screen,
    phone.screen,
    states.screen,
    transfers.screen,
    forms.screen,
    choices.screen,
    messages.screen,
    number_notes.screen,
    own_day.screen,
    scripts.screen,
)
