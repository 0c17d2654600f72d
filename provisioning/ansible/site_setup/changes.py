"""What the values would change on the box in its present state."""

from collections.abc import Mapping, Sequence
from typing import Any

from .inventory import text_of

DEFAULTS: dict[str, Any] = {  # of the roles, for keys that site.ini leaves out
    "site_timezone": "Asia/Tashkent",
    "site_sip_port": 5060,
    "site_rtp_ports": "10000-19999",
    "backup_replica": "",
    "app_links_dns": "",
    "app_links_internet": "",
}

TABLES = {  # of the settings file, which app_settings may also bring
    "site_carriers": "[[trunks]]",
    "backup_places": "[[backups]]",
    "app_links_dns": "[links]",
    "app_links_internet": "[links]",
}


def changes(values: Mapping[str, Any], box: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(key, present value, new value) of each difference. `box`: what `detect` returned."""
    differences = []
    further = str(values.get("app_settings") or "")
    for name, old in box.items():
        if name in TABLES and TABLES[name] in further:
            continue
        new = values.get(name, DEFAULTS.get(name, [] if isinstance(old, list) else ""))
        if _same(old) != _same(new):
            differences.append((name, text_of(old) or '""', text_of(new) or '""'))
    return differences


def _same(value: Any) -> Any:
    """A form in which equal values are equal: order of a list and a default port do not matter."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return sorted((_same(entry) for entry in value), key=str)
    if isinstance(value, Mapping):
        return {
            name: str(entry)
            for name, entry in value.items()
            if (name, str(entry)) != ("port", "5060")
        }
    return str(value)
