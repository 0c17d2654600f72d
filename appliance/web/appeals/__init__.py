"""Citizens' appeals: the ministry's list, the card of an appeal, and the actions on one."""

from appliance.web.appeals import (
    card,
    consultations,
    data_requests,
    handling,
    lookup,
    portal,
    readers,
)

SCREENS = (
    portal.screen,
    lookup.screen,
    consultations.screen,
    handling.screen,
    card.screen,
    readers.screen,
    data_requests.screen,
)
