"""What is watched, by the settings: the router, names, the internet, each outside party."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from appliance.core.settings import Settings

_PORTS = {"https": 443, "http": 80, "ldaps": 636, "ldap": 389}
_PERHAPS_INSIDE = ("gateway", "dns", "openid", "ldap")  # the ministry's directory may stand near


@dataclass(frozen=True)
class Party:
    """One link. `how`: ping (target: an address, or "auto") | names (a name) | tcp (host:port)."""

    name: str  # gateway | dns | internet | telegram | ministry | openid | ldap | sms.<account>
    how: str
    target: str

    @property
    def is_outside(self) -> bool:
        """Whether it lies beyond the router for certain."""
        return self.name not in _PERHAPS_INSIDE


def watched(settings: Settings) -> list[Party]:
    """The links of a site, the nearest first; none when the settings name none."""
    links = settings.links
    found = [
        Party("gateway", "ping", links.gateway),
        Party("dns", "names", links.dns),
        Party("internet", "tcp", links.internet),
        *(
            Party(f"sms.{account.name}", "tcp", _place(account.url))
            for account in settings.sms
            if account.kind != "modem"
        ),
        Party("telegram", "tcp", _place(settings.telegram.url if settings.telegram else "")),
        Party("ministry", "tcp", _place(settings.ministry.url if settings.ministry else "")),
        Party("openid", "tcp", _place(settings.openid.issuer if settings.openid else "")),
        Party("ldap", "tcp", _place(settings.ldap.url if settings.ldap else "")),
    ]
    return [party for party in found if party.target]


def _place(url: str) -> str:
    """Where a connection to an address goes, as host:port; it may stand so already."""
    if "//" not in url:
        return url
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or _PORTS.get(parts.scheme, 443)}"
