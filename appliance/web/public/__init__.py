"""Pages without a login."""

from appliance.web.public import phones, rating

SCREENS = (
    rating.screen,
    phones.screen,
)
