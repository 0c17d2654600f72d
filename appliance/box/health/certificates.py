"""The certificates of the pages and the trunks: their validity, names, keys and issuers."""

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

if TYPE_CHECKING:  # cryptography is loaded only where a certificate is read
    from cryptography import x509

WARNING_PERIOD, FAILURE_PERIOD = dt.timedelta(days=30), dt.timedelta(days=7)
_PAGES_ADVICE = N_(
    "Get a new one issued or put it in place, then restart the TLS front end. Once it has expired, "
    "no browser opens the pages."
)
_TRUNKS_ADVICE = N_(
    "Get a new one issued or put it in place, then run `module reload res_pjsip.so` in the "
    "exchange. Once it has expired, carriers can no longer call over TLS."
)
_KEY_PAIR_ADVICE = N_(
    "Install a certificate and a key of the same pair, `{file}` and `{key}`: the service will not "
    "start with the current ones."
)
_HOST_NAME_ADVICE = N_(
    "Get a certificate for {host}, or set `web.url` to the name in the certificate: browsers warn "
    "on every page, and phones do not connect."
)
_CHAIN_ADVICE = N_(
    "Add the issuer's certificates after it in {file}, in the order in which the issuer provides "
    "them: phones and some browsers reject it without them."
)
_NOT_YET_VALID_ADVICE = N_(
    "First check the clock of this server; if it is right, get a new certificate."
)


def check_certificates(settings: Settings) -> Iterator[Check]:
    """Check that the configured certificates are valid, name this host and match their keys."""
    pages, trunks = settings.web.certificate, settings.asterisk.certificate
    if pages:
        host = urlsplit(settings.web.url).hostname or ""
        key = pages.with_suffix(".key")
        yield _certificate_check(settings, "certificate", N_("Certificate"), pages, key, host)
    if trunks and trunks != pages:
        name, their_key = N_("Certificate of the trunks"), settings.asterisk.certificate_key
        yield _certificate_check(settings, "certificate.trunks", name, trunks, their_key, "")


def _certificate_check(
    settings: Settings, code: str, name: str, file: Path, key: Path | None, host: str
) -> Check:
    advice = _PAGES_ADVICE if code == "certificate" else _TRUNKS_ADVICE
    values = {"file": str(file), "key": str(key or ""), "host": host}
    certificate = _read_certificate(file)
    if not certificate:
        read_advice = N_("Check that {file} exists and is readable by the appliance.")
        return Check(code, name, "fail", N_("cannot be read"), read_advice, values)
    valid_from, valid_until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    remaining = valid_until - clock.now()
    values |= {
        "date": f"{valid_until.astimezone(settings.tz):%d.%m.%Y}",
        "days": str(remaining.days),
    }
    if remaining <= dt.timedelta():
        return Check(code, name, "fail", N_("expired on {date}"), advice, values)
    if valid_from > clock.now():
        values["date"] = f"{valid_from.astimezone(settings.tz):%d.%m.%Y %H:%M}"
        return Check(
            code, name, "fail", N_("is valid only from {date} on"), _NOT_YET_VALID_ADVICE, values
        )
    if (
        host
        and host not in (names := _certificate_names(certificate))
        and not _is_wildcard_match(host, names)
    ):
        values["names"] = ", ".join(names) or "–"
        return Check(
            code,
            name,
            "fail",
            N_("is issued for {names}, not for {host}"),
            _HOST_NAME_ADVICE,
            values,
        )
    if key and _has_other_key(certificate, key):
        return Check(code, name, "fail", N_("does not belong to its key"), _KEY_PAIR_ADVICE, values)
    if missing_issuer := _missing_issuer(file):
        values["issuer"] = missing_issuer
        finding = N_("the certificate of its issuer, {issuer}, does not follow it")
        return Check(code, name, "fail", finding, _CHAIN_ADVICE, values)
    if remaining < WARNING_PERIOD:
        state = "fail" if remaining < FAILURE_PERIOD else "warn"
        return Check(code, name, state, N_("expires on {date}"), advice, values)
    return Check(code, name, "ok", N_("{days} days are left"), values=values)


def _read_certificate(file: Path) -> "x509.Certificate | None":
    """Read the first certificate of a PEM file, if possible."""
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError):
        return None


def _missing_issuer(file: Path) -> str:
    """Return the issuer whose certificate a PEM file lacks; "" if the chain is complete.

    The root may be left out, because clients have it.
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


def _certificate_names(certificate: "x509.Certificate") -> list[str]:
    """Return the DNS names and IP addresses (as text) that a certificate is for."""
    from cryptography import x509

    try:
        alternative_names = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        ).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    addresses = [str(address) for address in alternative_names.get_values_for_type(x509.IPAddress)]
    return [*alternative_names.get_values_for_type(x509.DNSName), *addresses]


def _is_wildcard_match(host: str, names: list[str]) -> bool:
    """Whether a wildcard name covers this host."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return f"*.{host.partition('.')[2]}" in names
    return False


def _has_other_key(certificate: "x509.Certificate", key: Path) -> bool:
    """Whether the key is readable and does not belong to this certificate."""
    from cryptography.hazmat.primitives import serialization

    try:
        data = key.read_bytes()
    except OSError:  # on a box only root and the TLS front may read it
        return False
    try:
        private = serialization.load_pem_private_key(data, None)
    except (ValueError, TypeError):
        return True
    encoding = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return private.public_key().public_bytes(*encoding) != certificate.public_key().public_bytes(
        *encoding
    )
