"""Citizens' appeals: the ministry's list, the card (page) of an appeal, the actions on it."""

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
