"""The certificates of the pages and of the trunks: for when, for whom, and with which key."""

import datetime as dt
import ipaddress
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from appliance.box.health.check import Check
from appliance.core import clock
from appliance.core.i18n import N_
from appliance.core.settings import Settings

if TYPE_CHECKING:  # of all who know of checks, few make these
    from cryptography import x509

SOON, NOW = dt.timedelta(days=30), dt.timedelta(days=7)
_PAGES = N_(
    "Have a new one made or put in place, then start the TLS front again. When it has ended, no "
    "browser opens the pages."
)
_TRUNKS = N_(
    "Have a new one made or put in place, then `module reload res_pjsip.so` in the exchange. When "
    "it has ended, carriers do not call over TLS any more."
)
_PAIR = N_(
    "Put certificate and key of the same pair in place, `{file}` and `{key}`: what shows it will "
    "not start with these."
)
_NAME = N_(
    "Have one made for {host}, or set `web.url` to the name that it is for: browsers warn of every "
    "page, and phones do not connect."
)
_CHAIN = N_(
    "Put the issuer's certificates behind it in {file}, in their order, as the issuer gives them: "
    "telephones and some browsers refuse it without them."
)
_EARLY = N_("Look at the clock of this box first; if it is right, have a new certificate made.")


def certificates(settings: Settings) -> Iterator[Check]:
    """Those named in the settings are valid, for us, and have their key."""
    pages, trunks = settings.web.certificate, settings.asterisk.certificate
    if pages:
        host = urlsplit(settings.web.url).hostname or ""
        key = pages.with_suffix(".key")
        yield _certificate(settings, "certificate", N_("Certificate"), pages, key, host)
    if trunks and trunks != pages:
        name, their_key = N_("Certificate of the trunks"), settings.asterisk.certificate_key
        yield _certificate(settings, "certificate.trunks", name, trunks, their_key, "")


def _certificate(
    settings: Settings, code: str, name: str, file: Path, key: Path | None, host: str
) -> Check:
    advice = _PAGES if code == "certificate" else _TRUNKS
    values = {"file": str(file), "key": str(key or ""), "host": host}
    found = _read(file)
    if not found:
        look = N_("Look whether {file} is there and may be read by the appliance.")
        return Check(code, name, "fail", N_("cannot be read"), look, values)
    begins, ends = found.not_valid_before_utc, found.not_valid_after_utc
    left = ends - clock.now()
    values |= {"date": f"{ends.astimezone(settings.tz):%d.%m.%Y}", "days": str(left.days)}
    if left <= dt.timedelta():
        return Check(code, name, "fail", N_("ended on {date}"), advice, values)
    if begins > clock.now():
        values["date"] = f"{begins.astimezone(settings.tz):%d.%m.%Y %H:%M}"
        return Check(code, name, "fail", N_("is valid only from {date} on"), _EARLY, values)
    if host and host not in (names := _names(found)) and not _covered(host, names):
        values["names"] = ", ".join(names) or "–"
        return Check(code, name, "fail", N_("is for {names}, not for {host}"), _NAME, values)
    if key and _is_of_another(found, key):
        return Check(code, name, "fail", N_("does not belong to its key"), _PAIR, values)
    if stranger := _break_in_chain(file):
        values["issuer"] = stranger
        seen = N_("is not followed by that of its issuer, {issuer}")
        return Check(code, name, "fail", seen, _CHAIN, values)
    if left < SOON:
        state = "fail" if left < NOW else "warn"
        return Check(code, name, state, N_("ends on {date}"), advice, values)
    return Check(code, name, "ok", N_("{days} days are left"), values=values)


def _read(file: Path) -> "x509.Certificate | None":
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError):
        return None


def _break_in_chain(file: Path) -> str:
    """The issuer whose certificate should follow another in a file, and does not; "" for none.

    The root may be left out: clients have it.
    """
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature

    chain = x509.load_pem_x509_certificates(file.read_bytes())
    for certificate, issuer in itertools.pairwise(chain):
        try:
            certificate.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            return certificate.issuer.rfc4514_string()
    return ""


def _names(found: "x509.Certificate") -> list[str]:
    """Whom a certificate is for: names, and addresses as text."""
    from cryptography import x509

    try:
        told = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    addresses = [str(one) for one in told.get_values_for_type(x509.IPAddress)]
    return [*told.get_values_for_type(x509.DNSName), *addresses]


def _covered(host: str, names: list[str]) -> bool:
    """Whether a name with a star takes this host in."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return f"*.{host.partition('.')[2]}" in names
    return False


def _is_of_another(found: "x509.Certificate", key: Path) -> bool:
    """Whether a key is there that we may read and that is not this certificate's."""
    from cryptography.hazmat.primitives import serialization

    try:
        data = key.read_bytes()
    except OSError:  # only root and the TLS front may read it on a box
        return False
    try:
        private = serialization.load_pem_private_key(data, None)
    except (ValueError, TypeError):
        return True
    raw = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return private.public_key().public_bytes(*raw) != found.public_key().public_bytes(*raw)
