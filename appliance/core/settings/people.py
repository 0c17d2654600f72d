"""Settings of signing in."""

import ipaddress
from dataclasses import dataclass

from appliance.core.settings.checks import check_names

ROLES = ("operator", "supervisor", "manager", "ministry", "technician", "backup")


@dataclass(frozen=True)
class SignIn:
    """Which roles need a second factor, when pages are locked, and who may sign in by PIN.

    A role is one of ROLES. A second factor is a further proof, such as a passkey, in addition to
    the password.
    """

    # Roles that need a second factor everywhere.
    second_factor: tuple[str, ...] = tuple(role for role in ROLES if role != "operator")
    second_factor_outside: tuple[str, ...] = (
        "operator",
    )  # that need it only outside the workplace
    inside: tuple[str, ...] = (  # the workplace's networks
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8"),
        *("fc00::/7", "::1/128"),
    )
    lock_minutes: int = 15  # without keyboard or mouse input, until a page is covered; 0: never
    pin_roles: tuple[str, ...] = ("operator", "supervisor")  # roles that may sign in by PIN
    pin_hours: int = 16  # a PIN suffices this long after a complete sign-in at the desk; 0: never

    def __post_init__(self) -> None:
        """Raise ValueError for an unknown role, a duration out of range or an invalid network.

        `lock_minutes` is at most 10 hours, `pin_hours` at most a day; both may be 0.
        """
        check_names("sign_in.second_factor", self.second_factor, ROLES)
        check_names("sign_in.second_factor_outside", self.second_factor_outside, ROLES)
        check_names("sign_in.pin_roles", self.pin_roles, ROLES)
        if not 0 <= self.lock_minutes <= 600 or not 0 <= self.pin_hours <= 24:
            raise ValueError("sign_in: lock_minutes is 0 to 600, pin_hours 0 to 24")
        for network in self.inside:
            ipaddress.ip_network(network)

    def requires_second_factor(self, role: str, address: str) -> bool:
        """Return True if a user with this role and from this address needs a second factor.

        An invalid address counts as outside the workplace.
        """
        if role in self.second_factor:
            return True
        return role in self.second_factor_outside and not self._is_inside(address)

    def _is_inside(self, address: str) -> bool:
        """Return True if an IP address is in one of the workplace's networks; False if invalid."""
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(ip in ipaddress.ip_network(network) for network in self.inside)


@dataclass(frozen=True)
class OpenId:
    """A provider that signs people in by OpenID Connect: the ministry's directory, OneID."""

    name: str  # shown on the button of the login page
    issuer: str  # the provider's issuer identifier, https://…
    client_id: str  # by which the provider knows the appliance
    client_secret: str
    factors: tuple[str, ...] = ()  # values of amr or acr that count as a second factor
    ca: str = ""  # file with its authority's certificate; "": an authority that the system trusts

    def __post_init__(self) -> None:
        """Raise ValueError if the issuer is not an https address."""
        if not self.issuer.startswith("https://"):
            raise ValueError("openid.issuer begins with https://")


@dataclass(frozen=True)
class Ldap:
    """The ministry's user directory, if it checks passwords: LDAP or Active Directory, over TLS."""

    url: str  # ldaps://…, or ldap://…, which starts TLS before anything else (StartTLS)
    bind: str  # the bind name, {} is replaced by the user's name: {}@vazirlik.uz, uid={},ou=…
    ca: str = ""  # file with its authority's certificate; "": an authority that the system trusts

    def __post_init__(self) -> None:
        """Raise ValueError if `url` does not begin with ldaps:// or ldap://, or `bind` is invalid.

        `bind` must contain {}, which is replaced by the user's name, exactly once.
        """
        if not self.url.startswith(("ldaps://", "ldap://")):
            raise ValueError("ldap.url begins with ldaps:// or ldap://")
        if self.bind.count("{}") != 1:
            raise ValueError("ldap.bind has one {} in it")
