"""The parties to watch, from the settings: the router, DNS, the internet, each outside party."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from appliance.core.settings import Settings

_DEFAULT_PORTS = {"https": 443, "http": 80, "ldaps": 636, "ldap": 389}
_POSSIBLY_INSIDE = ("gateway", "dns", "openid", "ldap")  # a directory may be on the site


@dataclass(frozen=True)
class Party:
    """A watched link, and how it is probed.

    `probe_method` determines what `target` is: `ping`, an IP address or "auto" (the default
    gateway); `names`, a host name to look up; `tcp`, host:port.
    """

    name: str  # gateway | dns | internet | telegram | ministry | openid | ldap | sms.<account>
    probe_method: str
    target: str

    @property
    def is_outside(self) -> bool:
        """Whether it is certainly beyond the router."""
        return self.name not in _POSSIBLY_INSIDE


def watched_parties(settings: Settings) -> list[Party]:
    """Return the links of a site, nearest first; empty if no link is configured."""
    links = settings.links
    parties = [
        Party("gateway", "ping", links.gateway),
        Party("dns", "names", links.dns),
        Party("internet", "tcp", links.internet),
        *(
            Party(f"sms.{account.name}", "tcp", _host_and_port(account.url))
            for account in settings.sms
            if account.kind != "modem"
        ),
        Party(
            "telegram", "tcp", _host_and_port(settings.telegram.url if settings.telegram else "")
        ),
        Party(
            "ministry", "tcp", _host_and_port(settings.ministry.url if settings.ministry else "")
        ),
        Party("openid", "tcp", _host_and_port(settings.openid.issuer if settings.openid else "")),
        Party("ldap", "tcp", _host_and_port(settings.ldap.url if settings.ldap else "")),
    ]
    return [party for party in parties if party.target]


def _host_and_port(url: str) -> str:
    """Return the host:port of a URL; a value that is host:port already is returned unchanged."""
    if "//" not in url:
        return url
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or _DEFAULT_PORTS.get(parts.scheme, 443)}"
