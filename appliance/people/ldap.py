"""Passwords that a directory outside looks at: LDAP, Active Directory.

Who has a name there (`identities`) is known by the directory, and by it alone. While it is away, a
person for whom somebody enabled the fallback (`User.directory_fallback`) signs in by the password
that the directory accepted last: its hash is stored as that of any password. Each such sign-in is
in the audit and raises an alarm (`box.health.directory`). All others wait. Nothing is asked of the
directory but whether a name and a password belong together, so no password of the box lies there,
and none of the directory here.
"""

import contextlib
import logging
import secrets
import ssl
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from appliance.core import audit
from appliance.core.settings import Ldap
from appliance.models import User
from appliance.people import accounts, identities

if TYPE_CHECKING:
    from ldap3 import Connection

log = logging.getLogger(__name__)

SOURCE = "ldap"
FALLBACK = "login.fallback"  # action of the audit's row for each sign-in while it is away
CONNECT, ANSWER = 2, 5  # seconds, whole ones
REST = 30.0  # seconds in which one that did not answer is not asked again
_PORTS = {"ldaps": 636, "ldap": 389}
_NOBODY = "nobody.at.all"  # asked for when there is no such login: the answer takes as long
_rests_until: dict[str, float] = {}  # address → when it may be asked again, by the steady clock


class Away(Exception):
    """The directory cannot be reached, its TLS fails, or it reports that it is busy."""


class _Cut(Exception):
    """The connection failed after the name and the password were sent, or the answer was busy."""


class _Unfit(ValueError):
    """The name or the password cannot be sent at all (RFC 4013), so it is not the right one."""


def keeps(rules: Ldap | None, user: User) -> bool:
    """Whether the directory looks at this person's password."""
    return rules is not None and SOURCE in identities.of(user)


def is_away(rules: Ldap | None) -> bool:
    """Whether this process found the directory away within the last REST seconds."""
    return rules is not None and time.monotonic() < _rests_until.get(rules.url, 0.0)


def authenticate(rules: Ldap | None, login: str, password: str) -> User | None:
    """The active user with this login and password, whoever looks at it; else None."""
    user = accounts.account(login.strip().lower())
    subject = identities.of(user).get(SOURCE) if user else _NOBODY
    if rules is None or not subject:
        return accounts.authenticate(login, password)
    try:
        fits = proves(rules, subject, password)
    except Away:
        return _authenticate_alone(login, password)
    stored = accounts.authenticate(login, password)  # takes as long for everybody
    if not fits or not user or not user.active:
        return None
    if not stored:
        accounts.set_password(user, password, by=SOURCE)
    return user


def _authenticate_alone(login: str, password: str) -> User | None:
    """The person by the stored hash, where the fallback is enabled for them. Audited."""
    user = accounts.authenticate(login, password)  # takes as long for everybody
    if not user or not user.directory_fallback:
        return None
    audit.record(user.login, FALLBACK, user.login, source=SOURCE)
    return user


def proves(rules: Ldap, subject: str, password: str) -> bool:
    """Whether the directory knows a name and a password together. Raises Away.

    An empty password proves nothing: a directory takes it for no attempt at all (RFC 4513, 5.1.2).
    What a person types never makes the directory count as away: a fault after the password was
    sent counts only where it also happens with a name and a password that nobody typed.
    """
    if not password:
        return False
    if is_away(rules):
        raise Away(rules.url)
    try:
        return _bind(rules, subject, password)
    except _Unfit:
        return False
    except Away:
        _rest(rules)
        raise
    except _Cut as error:
        try:
            _bind(rules, _NOBODY, secrets.token_urlsafe())
        except (Away, _Cut) as fault:
            _rest(rules)
            raise Away(f"{rules.url}: {fault}") from error
        log.warning("%s: a sign-in failed, others work: %s", rules.url, error)
        return False


def _rest(rules: Ldap) -> None:
    _rests_until[rules.url] = time.monotonic() + REST


def _bind(rules: Ldap, subject: str, password: str) -> bool:
    """Whether the directory accepts the name and the password. Raises Away, _Cut, _Unfit."""
    from ldap3.core import results  # as below: a site without a directory has no need of it
    from ldap3.core.exceptions import (
        LDAPCommunicationError,
        LDAPException,
        LDAPResponseTimeoutError,
    )

    connection = _connection(rules, subject, password)
    try:
        _open(rules, connection)
        try:
            connection.bind()
        except (LDAPCommunicationError, LDAPResponseTimeoutError, OSError) as error:
            raise _Cut(f"{type(error).__name__}: {error}") from error
        code = int(connection.result["result"])
    finally:
        with contextlib.suppress(LDAPException, OSError):
            connection.unbind()
        if connection.socket:
            connection.socket.close()  # unbind leaves one open whose TLS did not come about
    if code in (results.RESULT_BUSY, results.RESULT_UNAVAILABLE):
        raise _Cut(f"result {code}")
    if code not in (results.RESULT_SUCCESS, results.RESULT_INVALID_CREDENTIALS):
        log.warning("%s: a sign-in was refused with result %d", rules.url, code)
    return code == results.RESULT_SUCCESS


def _connection(rules: Ldap, subject: str, password: str) -> "Connection":
    """A connection that is not open yet. Raises Away (of its certificate's file), _Unfit."""
    from ldap3 import NONE, Connection, Server, Tls
    from ldap3.core.exceptions import LDAPException
    from ldap3.protocol.sasl.sasl import validate_simple_password

    parts = urlsplit(rules.url)
    at_once = parts.scheme == "ldaps"
    port = parts.port or _PORTS[parts.scheme]
    host = parts.hostname or ""
    try:
        tls = Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=rules.ca or None)
        server = Server(host, port, at_once, tls=tls, get_info=NONE, connect_timeout=CONNECT)
    except (LDAPException, OSError) as error:
        raise Away(f"{rules.url}: {error}") from error
    try:
        validate_simple_password(password)
        name = rules.bind.replace("{}", _escaped(rules.bind, subject))
        name.encode()
        # A referral would send the password to a host that nobody has named.
        return Connection(server, name, password, receive_timeout=ANSWER, auto_referrals=False)
    except (LDAPException, ValueError) as error:
        raise _Unfit(str(error)) from error


def _open(rules: Ldap, connection: "Connection") -> None:
    """Connect with TLS; nothing that a person typed is sent yet. Raises Away."""
    from ldap3.core.exceptions import LDAPException

    try:
        connection.open()
        encrypted = connection.server.ssl or connection.start_tls()
    except (LDAPException, OSError) as error:
        raise Away(f"{rules.url}: {error}") from error
    if not encrypted:
        raise Away(f"{rules.url}: no TLS")


def _escaped(bind: str, subject: str) -> str:
    """The name as a part of a distinguished name (RFC 4514) where it is to stand in one."""
    from ldap3.utils.dn import escape_rdn

    return escape_rdn(subject) if "={}" in bind else subject
