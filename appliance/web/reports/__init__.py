"""Reports: the forms, issued reports, telephony, minutes, capacity, staff records, accesses."""

from appliance.web.reports import (
    accesses,
    capacity,
    forms,
    issued,
    minutes,
    staff_records,
    telephony,
)

SCREENS = (
    forms.screen,
    telephony.screen,
    minutes.screen,
    capacity.screen,
    issued.screen,
    staff_records.screen,
    accesses.screen,
)
