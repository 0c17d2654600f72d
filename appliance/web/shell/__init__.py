"""Common parts of all pages: access, languages, live sections, navigation, errors, limits."""

from appliance.web.shell import (
    access,
    assets,
    concurrency,
    csrf,
    disclosure,
    errors,
    formats,
    headers,
    health,
    in_place,
    language,
    live,
    navigation,
    pieces,
    rate_limits,
    shortcuts,
    size_limits,
)

# in the order in which they check and answer a request
COMPONENTS = (
    size_limits,
    concurrency,
    language,
    csrf,
    rate_limits,
    formats,
    assets,
    navigation,
    shortcuts,
    headers,
    errors,
    live,
    health,
    disclosure,
    in_place,
    access,
)
SCREENS = (live.screen, pieces.screen, health.screen, size_limits.screen, assets.screen)
