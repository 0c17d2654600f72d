"""Settings pages: telephony, prompts, lists, forms, scripts, people, rights, access keys."""

from appliance.web.settings import (
    calendar,
    changes,
    departments,
    desk_phones,
    directory,
    forms,
    keys,
    line,
    lists,
    people,
    prompts,
    rights,
    routing,
    scripts,
    workday,
)

SCREENS = (
    scripts.screen,
    routing.screen,
    directory.screen,
    prompts.screen,
    line.screen,
    people.screen,
    rights.screen,
    desk_phones.screen,
    departments.screen,
    forms.screen,
    lists.screen,
    calendar.screen,
    keys.screen,
    changes.screen,
    workday.screen,
)
