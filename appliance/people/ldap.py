"""Passwords checked by an external directory: LDAP, Active Directory.

For a person with a name in the directory (see `identities`), only the directory checks the
password. While it is unavailable, a person for whom the fallback is enabled
(`User.directory_fallback`) can sign in with the password that the directory accepted last: its hash
is stored like any other. Each such sign-in is audited and raises an alarm (`box.health.directory`).
Everybody else has to wait. The directory is only asked whether a name and a password match: it
stores nothing for the box, and the box stores only hashes of its passwords.
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
FALLBACK_ACTION = "login.fallback"  # the audit's action for each sign-in without the directory
CONNECT_TIMEOUT_SECONDS, RESPONSE_TIMEOUT_SECONDS = 2, 5  # ldap3 needs whole numbers
RETRY_PAUSE_SECONDS = 30.0  # no queries for this time after a directory did not answer
_PORTS = {"ldaps": 636, "ldap": 389}
_UNKNOWN_SUBJECT = "nobody.at.all"  # checked for an unknown login, so that it takes as long
_retry_times: dict[str, float] = {}  # when each address is queried again (monotonic time)


class DirectoryUnavailable(Exception):
    """The directory cannot be reached, its TLS fails, or it reports that it is busy."""


class _ConnectionCut(Exception):
    """The connection failed after the name and the password were sent, or the answer was "busy"."""


class _UnsendableCredentials(ValueError):
    """The name or the password cannot be sent at all (RFC 4013), so it is wrong."""


def manages_password(rules: Ldap | None, user: User) -> bool:
    """Returns True if the directory checks this person's password."""
    return rules is not None and SOURCE in identities.identity_subjects(user)


def is_unavailable(rules: Ldap | None) -> bool:
    """Returns True if this process found the directory unavailable a short time ago.

    The time is RETRY_PAUSE_SECONDS.
    """
    return rules is not None and time.monotonic() < _retry_times.get(rules.url, 0.0)


def authenticate_user(rules: Ldap | None, login: str, password: str) -> User | None:
    """Return the active user with this login and password, if any.

    The directory checks the password of people whom it knows, the stored hash that of all others.
    """
    user = accounts.find_account(login.strip().lower())
    subject = identities.identity_subjects(user).get(SOURCE) if user else _UNKNOWN_SUBJECT
    if rules is None or not subject:
        return accounts.authenticate_user(login, password)
    try:
        is_accepted = accepts_password(rules, subject, password)
    except DirectoryUnavailable:
        return _authenticate_fallback(login, password)
    stored_user = accounts.authenticate_user(login, password)  # takes as long for all logins
    if not is_accepted or not user or not user.active:
        return None
    if not stored_user:
        accounts.set_password(user, password, by=SOURCE)
    return user


def _authenticate_fallback(login: str, password: str) -> User | None:
    """Check the password by its stored hash; return the person if they have the fallback enabled.

    The audit records this.
    """
    user = accounts.authenticate_user(login, password)  # takes as long for all logins
    if not user or not user.directory_fallback:
        return None
    audit.record_entry(user.login, FALLBACK_ACTION, user.login, source=SOURCE)
    return user


def accepts_password(rules: Ldap, subject: str, password: str) -> bool:
    """Returns True if the directory accepts a name and a password.

    An empty password is wrong: a directory would accept it as an anonymous sign-in (RFC 4513,
    5.1.2). Raises DirectoryUnavailable. What a person typed can never cause that: if the connection
    fails after the password was sent, the directory counts as unavailable only if the same happens
    with a random password.
    """
    if not password:
        return False
    if is_unavailable(rules):
        raise DirectoryUnavailable(rules.url)
    try:
        return _try_bind(rules, subject, password)
    except _UnsendableCredentials:
        return False
    except DirectoryUnavailable:
        _pause_queries(rules)
        raise
    except _ConnectionCut as error:
        try:
            _try_bind(rules, _UNKNOWN_SUBJECT, secrets.token_urlsafe())
        except (DirectoryUnavailable, _ConnectionCut) as fault:
            _pause_queries(rules)
            raise DirectoryUnavailable(f"{rules.url}: {fault}") from error
        log.warning("%s: a sign-in failed, others work: %s", rules.url, error)
        return False


def _pause_queries(rules: Ldap) -> None:
    """Stop querying the directory for RETRY_PAUSE_SECONDS."""
    _retry_times[rules.url] = time.monotonic() + RETRY_PAUSE_SECONDS


def _try_bind(rules: Ldap, subject: str, password: str) -> bool:
    """Returns True if the directory accepts the name and the password.

    Raises DirectoryUnavailable if there is no connection with TLS, _ConnectionCut if it fails after
    the password was sent, or _UnsendableCredentials.
    """
    from ldap3.core import results  # not needed by a site without a directory
    from ldap3.core.exceptions import (
        LDAPCommunicationError,
        LDAPException,
        LDAPResponseTimeoutError,
    )

    connection = _create_connection(rules, subject, password)
    try:
        _open_with_tls(rules, connection)
        try:
            connection.bind()
        except (LDAPCommunicationError, LDAPResponseTimeoutError, OSError) as error:
            raise _ConnectionCut(f"{type(error).__name__}: {error}") from error
        code = int(connection.result["result"])
    finally:
        with contextlib.suppress(LDAPException, OSError):
            connection.unbind()
        if connection.socket:
            connection.socket.close()  # unbind leaves the socket open if TLS was not established
    if code in (results.RESULT_BUSY, results.RESULT_UNAVAILABLE):
        raise _ConnectionCut(f"result {code}")
    if code not in (results.RESULT_SUCCESS, results.RESULT_INVALID_CREDENTIALS):
        log.warning("%s: a sign-in was refused with result %d", rules.url, code)
    return code == results.RESULT_SUCCESS


def _create_connection(rules: Ldap, subject: str, password: str) -> "Connection":
    """Return a connection that is not open yet.

    Raises DirectoryUnavailable if the file of the certificate cannot be used, or
    _UnsendableCredentials.
    """
    from ldap3 import NONE, Connection, Server, Tls
    from ldap3.core.exceptions import LDAPException
    from ldap3.protocol.sasl.sasl import validate_simple_password

    url = urlsplit(rules.url)
    use_tls = url.scheme == "ldaps"
    port = url.port or _PORTS[url.scheme]
    host = url.hostname or ""
    try:
        tls = Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=rules.ca or None)
        server = Server(
            host, port, use_tls, tls=tls, get_info=NONE, connect_timeout=CONNECT_TIMEOUT_SECONDS
        )
    except (LDAPException, OSError) as error:
        raise DirectoryUnavailable(f"{rules.url}: {error}") from error
    try:
        validate_simple_password(password)
        name = rules.bind.replace("{}", _escape_subject(rules.bind, subject))
        name.encode()
        # A referral would send the password to a host that is not configured.
        return Connection(
            server, name, password, receive_timeout=RESPONSE_TIMEOUT_SECONDS, auto_referrals=False
        )
    except (LDAPException, ValueError) as error:
        raise _UnsendableCredentials(str(error)) from error


def _open_with_tls(rules: Ldap, connection: "Connection") -> None:
    """Connect with TLS; nothing that a person typed is sent yet. Raises DirectoryUnavailable."""
    from ldap3.core.exceptions import LDAPException

    try:
        connection.open()
        is_encrypted = connection.server.ssl or connection.start_tls()
    except (LDAPException, OSError) as error:
        raise DirectoryUnavailable(f"{rules.url}: {error}") from error
    if not is_encrypted:
        raise DirectoryUnavailable(f"{rules.url}: no TLS")


def _escape_subject(bind: str, subject: str) -> str:
    """Return the name, escaped (RFC 4514) if `bind` inserts it into a distinguished name."""
    from ldap3.utils.dn import escape_rdn

    return escape_rdn(subject) if "={}" in bind else subject
