"""The TLS front (nginx) of the pages, which may fail while the pages' own process runs."""

import hashlib
import http.client
import ipaddress
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from appliance import PACKAGE
from appliance.box import processes
from appliance.box.health.check import Check
from appliance.core.i18n import N_
from appliance.core.settings import Settings

_TIMEOUT_SECONDS = 3.0  # seconds
_STATIC_FOLDER = PACKAGE / "built"  # static files that the front serves itself
_FILES_ADVICE = N_(
    "Pages lack their fonts, icons and scripts. Check whether nginx can read `{folder}` and has it "
    "configured for `/built/`; then `systemctl reload nginx`."
)
_PROXY_ADVICE = N_(
    "Check that `appliance web` is running and listens where nginx expects it: `nginx -T`, "
    "`systemctl status appliance-web`."
)
_START_ADVICE = N_(
    "Restart it: `systemctl restart nginx`; `nginx -t` shows what is wrong. Nobody can reach the "
    "pages; calls are answered."
)
_RELOAD_ADVICE = N_(
    "`nginx -t` shows whether the certificate and the key are a pair; then `systemctl reload "
    "nginx`."
)
_PROXY_ERROR_STATUSES = (404, 502, 504)
# The fault and the advice of each request, and the HTTP statuses that indicate them.
_REQUEST_FAULTS: dict[str, tuple[str, str, tuple[int, ...]]] = {
    "file": (
        N_("does not serve the pages' own files ({status})"),
        _FILES_ADVICE,
        (403, 404, 500),
    ),
    "phones": (
        N_("does not pass on the connection of phones in pages ({status})"),
        _PROXY_ADVICE,
        _PROXY_ERROR_STATUSES,
    ),
    "pages": (N_("does not reach the pages ({status})"), _PROXY_ADVICE, _PROXY_ERROR_STATUSES),
}


def check_tls_front(settings: Settings) -> Iterator[Check]:
    """Check that the TLS front answers, with the certificate that is installed."""
    if not settings.web.certificate:
        return
    code, name = "front", N_("TLS front end of the pages")
    address, port = front_address(settings)
    values = {"address": f"{address}:{port}", "file": str(settings.web.certificate)}
    try:
        host = urlsplit(settings.web.url).hostname or ""
        certificate_hash, statuses = _probe_front(
            address, port, host, settings.asterisk.browser_phones
        )
    except TimeoutError:
        yield Check(
            code, name, "fail", N_("does not answer in time at {address}"), _START_ADVICE, values
        )
    except (OSError, http.client.HTTPException):
        yield Check(code, name, "fail", N_("does not answer at {address}"), _START_ADVICE, values)
    else:
        if certificate_hash != _certificate_file_hash(settings.web.certificate):
            finding = N_("shows a certificate other than {file}")
            yield Check(code, name, "fail", finding, _RELOAD_ADVICE, values)
        else:
            if not processes.running_processes(settings).get("web"):
                statuses.pop("pages", None)  # a process that is down is reported by its own check
            yield _front_status_check(code, name, statuses, values)


def _front_status_check(
    code: str, name: str, statuses: dict[str, int], values: dict[str, str]
) -> Check:
    """Return the check that the front serves static files and passes requests on to the pages."""
    for request, status in statuses.items():
        finding, advice, fault_statuses = _REQUEST_FAULTS[request]
        if status in fault_statuses:
            fault_values = values | {"status": str(status), "folder": str(_STATIC_FOLDER)}
            return Check(code, name, "fail", finding, advice, fault_values)
    return Check(code, name, "ok", N_("answers"), values=values)


def front_address(settings: Settings) -> tuple[str, int]:
    """Return the address and port of this machine's own front.

    The host name of the pages is not resolved: it may be unknown here, or lead elsewhere.
    """
    parts = urlsplit(settings.web.url)
    port = parts.port or 443
    try:
        return str(ipaddress.ip_address(parts.hostname or "")), port
    except ValueError:
        return "127.0.0.1", port


def _probe_front(address: str, port: int, host: str, phones: bool) -> tuple[str, dict[str, int]]:
    """Return the hash of the front's certificate, and the HTTP status of each request.

    Raises OSError, HTTPException or TimeoutError if the front does not answer.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # the certificate is compared separately
    context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection(
        address, port, timeout=_TIMEOUT_SECONDS, context=context
    )
    statuses: dict[str, int] = {}
    try:
        connection.connect()
        certificate = connection.sock.getpeercert(binary_form=True) or b""
        for request, path in _probe_paths(phones).items():
            connection.request("GET", path, headers={"Host": host})
            try:
                response = connection.getresponse()
            except TimeoutError:
                if not statuses:
                    raise
                break  # the pages hang, which another check reports
            response.read()
            statuses[request] = response.status
    finally:
        connection.close()
    return hashlib.sha256(certificate).hexdigest(), statuses


def _probe_paths(phones: bool) -> dict[str, str]:
    """Map each request to its path: a file that the front serves, and those it passes on."""
    file = min(_STATIC_FOLDER.glob("icons/*.svg"), default=None)
    paths = {"file": f"/built/{file.relative_to(_STATIC_FOLDER)}"} if file else {}
    return paths | ({"phones": "/ws"} if phones else {}) | {"pages": "/healthz"}


def _certificate_file_hash(file: Path) -> str:
    """Return the SHA-256 hash of the certificate in a file; "" if it cannot be read."""
    from cryptography import x509  # loaded only here, because it is large
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError):
        return ""
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
