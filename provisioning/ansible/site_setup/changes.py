"""The differences between the values and the present state of the box."""

from collections.abc import Mapping, Sequence
from typing import Any

from .inventory import format_value

ROLE_DEFAULTS: dict[str, Any] = {  # of the roles, for keys that site.ini leaves out
    "site_timezone": "Asia/Tashkent",
    "site_sip_port": 5060,
    "site_rtp_ports": "10000-19999",
    "backup_replica": "",
    "app_links_dns": "",
    "app_links_internet": "",
}

SETTINGS_TABLES = {  # tables of the settings file that app_settings may also define
    "site_carriers": "[[trunks]]",
    "backup_places": "[[backups]]",
    "app_links_dns": "[links]",
    "app_links_internet": "[links]",
}


def value_changes(values: Mapping[str, Any], box: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return (key, present value, new value) of each difference. `box`: the facts from `detect`."""
    differences = []
    extra_settings = str(values.get("app_settings") or "")
    for name, old_value in box.items():
        if name in SETTINGS_TABLES and SETTINGS_TABLES[name] in extra_settings:
            continue
        new_value = values.get(
            name, ROLE_DEFAULTS.get(name, [] if isinstance(old_value, list) else "")
        )
        if _comparable_form(old_value) != _comparable_form(new_value):
            differences.append(
                (name, format_value(old_value) or '""', format_value(new_value) or '""')
            )
    return differences


def _comparable_form(value: Any) -> Any:
    """Return a form for comparison: the order of a list and a default port do not matter."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return sorted((_comparable_form(entry) for entry in value), key=str)
    if isinstance(value, Mapping):
        return {
            name: str(entry)
            for name, entry in value.items()
            if (name, str(entry)) != ("port", "5060")
        }
    return str(value)
