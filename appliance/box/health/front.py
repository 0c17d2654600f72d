"""The TLS front, by which people reach the pages: the pages' own process may well be alive."""

import hashlib
import http.client
import ipaddress
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from appliance.box.health.check import Check
from appliance.core.i18n import N_
from appliance.core.settings import Settings

_PATIENCE = 3.0  # seconds
_ASKED = "/built/"  # answered by the front alone, whatever it says to that
_START = N_(
    "Start it again: `systemctl restart nginx`; `nginx -t` says what it does not like. Nobody "
    "reaches the pages; calls are taken."
)
_RELOAD = N_(
    "`nginx -t` says whether certificate and key are a pair; then `systemctl reload nginx`."
)


def front(settings: Settings) -> Iterator[Check]:
    """The TLS front answers, and shows the certificate that is in place."""
    if not settings.web.certificate:
        return
    code, name = "front", N_("TLS front of the pages")
    address, port = place(settings)
    values = {"address": f"{address}:{port}", "file": str(settings.web.certificate)}
    try:
        shown = _ask(address, port, urlsplit(settings.web.url).hostname or "")
    except TimeoutError:
        yield Check(code, name, "fail", N_("does not answer in time at {address}"), _START, values)
    except (OSError, http.client.HTTPException):
        yield Check(code, name, "fail", N_("does not answer at {address}"), _START, values)
    else:
        if shown != _in_place(settings.web.certificate):
            seen = N_("shows another certificate than {file}")
            yield Check(code, name, "fail", seen, _RELOAD, values)
        else:
            yield Check(code, name, "ok", N_("answers"), values=values)


def place(settings: Settings) -> tuple[str, int]:
    """Where this machine reaches its own front; a name may not be found, or lead elsewhere."""
    parts = urlsplit(settings.web.url)
    port = parts.port or 443
    try:
        return str(ipaddress.ip_address(parts.hostname or "")), port
    except ValueError:
        return "127.0.0.1", port


def _ask(address: str, port: int, host: str) -> str:
    """The hash of the certificate that is shown. Raises OSError, HTTPException, TimeoutError."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False  # the certificate is looked at by itself
    trusting.verify_mode = ssl.CERT_NONE
    line = http.client.HTTPSConnection(address, port, timeout=_PATIENCE, context=trusting)
    try:
        line.connect()
        shown = line.sock.getpeercert(binary_form=True) or b""
        line.request("GET", _ASKED, headers={"Host": host})
        line.getresponse()
    finally:
        line.close()
    return hashlib.sha256(shown).hexdigest()


def _in_place(file: Path) -> str:
    from cryptography import x509  # of all who know of checks, few make this one
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        found = x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError):
        return ""
    return hashlib.sha256(found.public_bytes(Encoding.DER)).hexdigest()
