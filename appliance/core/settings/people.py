"""How people sign in."""

import ipaddress
from dataclasses import dataclass

from appliance.core.settings.checks import known

ROLES = ("operator", "supervisor", "manager", "ministry", "technician", "backup")


@dataclass(frozen=True)
class SignIn:
    """Of whom a second factor is asked for and from where; pages that lock; sign-in by PIN."""

    second_factor: tuple[str, ...] = tuple(role for role in ROLES if role != "operator")
    second_factor_outside: tuple[str, ...] = ("operator",)  # only from outside the workplace
    inside: tuple[str, ...] = (  # networks of the workplace
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8"),
        *("fc00::/7", "::1/128"),
    )
    lock_minutes: int = 15  # without a key or the mouse, until a page is covered; 0: never
    pin_roles: tuple[str, ...] = ("operator", "supervisor")  # who may sign in by a PIN
    pin_hours: int = 16  # after a whole sign-in at the same desk; 0: never

    def __post_init__(self) -> None:
        known("sign_in.second_factor", self.second_factor, ROLES)
        known("sign_in.second_factor_outside", self.second_factor_outside, ROLES)
        known("sign_in.pin_roles", self.pin_roles, ROLES)
        if not 0 <= self.lock_minutes <= 600 or not 0 <= self.pin_hours <= 24:
            raise ValueError("sign_in: lock_minutes is 0 to 600, pin_hours 0 to 24")
        for network in self.inside:
            ipaddress.ip_network(network)

    def asks(self, role: str, address: str) -> bool:
        """Whether who has this role and comes from this address needs a second factor."""
        if role in self.second_factor:
            return True
        return role in self.second_factor_outside and not self._is_inside(address)

    def _is_inside(self, address: str) -> bool:
        try:
            from_where = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(from_where in ipaddress.ip_network(network) for network in self.inside)


@dataclass(frozen=True)
class OpenId:
    """A party that signs people in by OpenID Connect: the ministry's directory, OneID."""

    name: str  # on the button of the login page
    issuer: str  # as it calls itself, https://…
    client_id: str
    client_secret: str
    factors: tuple[str, ...] = ()  # amr or acr of its answer that stand for a second factor
    ca: str = ""  # file with its authority's certificate; "": one that the system knows

    def __post_init__(self) -> None:
        if not self.issuer.startswith("https://"):
            raise ValueError("openid.issuer begins with https://")


@dataclass(frozen=True)
class Ldap:
    """A directory that looks at passwords: LDAP or Active Directory, over TLS alone."""

    url: str  # ldaps://…, or ldap://…, which is asked for TLS before anything else (StartTLS)
    bind: str  # whom to sign in as, {} is the person's name there: {}@vazirlik.uz, uid={},ou=…
    ca: str = ""  # file with its authority's certificate; "": one that the system knows

    def __post_init__(self) -> None:
        if not self.url.startswith(("ldaps://", "ldap://")):
            raise ValueError("ldap.url begins with ldaps:// or ldap://")
        if self.bind.count("{}") != 1:
            raise ValueError("ldap.bind has one {} in it")
