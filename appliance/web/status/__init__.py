"""Status pages: the appliance, its links, backups, data retention, audit and messages."""

from appliance.web.status import (
    audit,
    backups,
    held_messages,
    links,
    ministry,
    notices,
    outbox,
    retention,
    sms,
    sms_templates,
    system,
)

SCREENS = (
    outbox.screen,
    held_messages.screen,
    ministry.screen,
    notices.screen,
    sms_templates.screen,
    sms.screen,
    system.screen,
    links.screen,
    backups.screen,
    retention.screen,
    audit.screen,
)
