"""Passwords that a directory outside looks at: LDAP, Active Directory.

Who has a name there (`identities`) is known by the directory, and by it alone. While it is away,
the password opens with which it knew him last: its hash is kept as that of any password. Nothing
is asked of it but whether a name and a password belong together, so no password of the box lies
there, and none of the directory here.
"""

import contextlib
import ssl
import time
from urllib.parse import urlsplit

from appliance.core.settings import Ldap
from appliance.models import User
from appliance.people import accounts, identities

SOURCE = "ldap"
CONNECT, ANSWER = 2, 5  # seconds, whole ones
REST = 30.0  # seconds in which one that did not answer is not asked again
_PORTS = {"ldaps": 636, "ldap": 389}
_NOBODY = "nobody.at.all"  # asked for when there is no such login: the answer takes as long
_rests_until: dict[str, float] = {}  # address → when it may be asked again, by the steady clock


class Away(Exception):
    """The directory does not answer, or not as one that could be trusted."""


def keeps(rules: Ldap | None, user: User) -> bool:
    """Whether the directory looks at this person's password."""
    return rules is not None and SOURCE in identities.of(user)


def authenticate(rules: Ldap | None, login: str, password: str) -> User | None:
    """The active user with this login and password, whoever looks at it; else None."""
    user = accounts.account(login.strip().lower())
    subject = identities.of(user).get(SOURCE) if user else _NOBODY
    if rules is None or not subject:
        return accounts.authenticate(login, password)
    try:
        fits = proves(rules, subject, password)
    except Away:
        return accounts.authenticate(login, password)
    kept = accounts.authenticate(login, password)  # takes as long for everybody
    if not fits or not user or not user.active:
        return None
    if not kept:
        accounts.set_password(user, password, by=SOURCE)
    return user


def proves(rules: Ldap, subject: str, password: str) -> bool:
    """Whether the directory knows a name and a password together. Raises Away.

    An empty password proves nothing: a directory takes it for no attempt at all (RFC 4513, 5.1.2).
    """
    if not password:
        return False
    if time.monotonic() < _rests_until.get(rules.url, 0.0):
        raise Away(rules.url)
    from ldap3.core import results  # as below: a site without a directory has no need of it
    from ldap3.core.exceptions import LDAPException

    refused = {
        results.RESULT_INAPPROPRIATE_AUTHENTICATION,
        results.RESULT_INVALID_CREDENTIALS,
        results.RESULT_INVALID_DN_SYNTAX,
        results.RESULT_NO_SUCH_OBJECT,
        results.RESULT_UNWILLING_TO_PERFORM,
    }
    try:
        code = _bind(rules, subject, password)
    except (LDAPException, OSError) as error:
        _rests_until[rules.url] = time.monotonic() + REST
        raise Away(f"{rules.url}: {error}") from error
    if code not in refused | {results.RESULT_SUCCESS}:
        raise Away(f"{rules.url}: result {code}")
    return bool(code == results.RESULT_SUCCESS)


def _bind(rules: Ldap, subject: str, password: str) -> int:
    """The directory's result code (RFC 4511, appendix A)."""
    from ldap3 import NONE, Connection, Server, Tls
    from ldap3.core.exceptions import LDAPException

    parts = urlsplit(rules.url)
    at_once = parts.scheme == "ldaps"
    tls = Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=rules.ca or None)
    port = parts.port or _PORTS[parts.scheme]
    host = parts.hostname or ""
    server = Server(host, port, at_once, tls=tls, get_info=NONE, connect_timeout=CONNECT)
    name = rules.bind.replace("{}", _escaped(rules.bind, subject))
    asked = Connection(server, name, password, receive_timeout=ANSWER)
    try:
        asked.open()
        if not at_once and not asked.start_tls():
            raise Away(f"{rules.url}: no TLS")
        asked.bind()
        return int(asked.result["result"])
    finally:
        with contextlib.suppress(LDAPException, OSError):
            asked.unbind()
        if asked.socket:
            asked.socket.close()  # unbind leaves one open whose TLS did not come about


def _escaped(bind: str, subject: str) -> str:
    """The name as a part of a distinguished name (RFC 4514) where it is to stand in one."""
    from ldap3.utils.dn import escape_rdn

    return escape_rdn(subject) if "={}" in bind else subject
