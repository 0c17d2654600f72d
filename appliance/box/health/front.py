"""The TLS front, by which people reach the pages: the pages' own process may well be alive."""

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

_PATIENCE = 3.0  # seconds
_BUILT = PACKAGE / "built"  # static files that the front serves itself
_GONE = N_(
    "Pages lack their letters, icons and scripts. Look whether nginx may read `{folder}` and names "
    "it for `/built/`; then `systemctl reload nginx`."
)
_PROXY = N_(
    "Look whether `appliance web` runs and listens where nginx looks for it: `nginx -T`, "
    "`systemctl status appliance-web`."
)
_START = N_(
    "Start it again: `systemctl restart nginx`; `nginx -t` says what it does not like. Nobody "
    "reaches the pages; calls are taken."
)
_RELOAD = N_(
    "`nginx -t` says whether certificate and key are a pair; then `systemctl reload nginx`."
)
_NOT_PASSED_ON = (404, 502, 504)
# request → observed fault, advice, statuses that mean it
_PARTS: dict[str, tuple[str, str, tuple[int, ...]]] = {
    "file": (N_("does not give out the pages' own files ({status})"), _GONE, (403, 404, 500)),
    "phones": (N_("does not pass phones in pages on ({status})"), _PROXY, _NOT_PASSED_ON),
    "pages": (N_("does not reach the pages ({status})"), _PROXY, _NOT_PASSED_ON),
}


def front(settings: Settings) -> Iterator[Check]:
    """The TLS front answers, and shows the certificate that is in place."""
    if not settings.web.certificate:
        return
    code, name = "front", N_("TLS front of the pages")
    address, port = place(settings)
    values = {"address": f"{address}:{port}", "file": str(settings.web.certificate)}
    try:
        host = urlsplit(settings.web.url).hostname or ""
        shown, statuses = _ask(address, port, host, settings.asterisk.browser_phones)
    except TimeoutError:
        yield Check(code, name, "fail", N_("does not answer in time at {address}"), _START, values)
    except (OSError, http.client.HTTPException):
        yield Check(code, name, "fail", N_("does not answer at {address}"), _START, values)
    else:
        if shown != _in_place(settings.web.certificate):
            seen = N_("shows another certificate than {file}")
            yield Check(code, name, "fail", seen, _RELOAD, values)
        else:
            if not processes.living(settings).get("web"):
                statuses.pop("pages", None)  # a process that is down is reported by its own check
            yield _answers(code, name, statuses, values)


def _answers(code: str, name: str, statuses: dict[str, int], values: dict[str, str]) -> Check:
    """Whether the front serves files and reaches the pages."""
    for what, status in statuses.items():
        seen, advice, wrong = _PARTS[what]
        if status in wrong:
            found = values | {"status": str(status), "folder": str(_BUILT)}
            return Check(code, name, "fail", seen, advice, found)
    return Check(code, name, "ok", N_("answers"), values=values)


def place(settings: Settings) -> tuple[str, int]:
    """Where this machine reaches its own front; a name may not be found, or lead elsewhere."""
    parts = urlsplit(settings.web.url)
    port = parts.port or 443
    try:
        return str(ipaddress.ip_address(parts.hostname or "")), port
    except ValueError:
        return "127.0.0.1", port


def _ask(address: str, port: int, host: str, phones: bool) -> tuple[str, dict[str, int]]:
    """The hash of the certificate that is shown, and the status of each thing that is asked for.

    Raises OSError, HTTPException, TimeoutError.
    """
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False  # the certificate is looked at by itself
    trusting.verify_mode = ssl.CERT_NONE
    line = http.client.HTTPSConnection(address, port, timeout=_PATIENCE, context=trusting)
    statuses: dict[str, int] = {}
    try:
        line.connect()
        shown = line.sock.getpeercert(binary_form=True) or b""
        for what, path in _paths(phones).items():
            line.request("GET", path, headers={"Host": host})
            try:
                answer = line.getresponse()
            except TimeoutError:
                if not statuses:
                    raise
                break  # the pages hang, which a check of their own reports
            answer.read()
            statuses[what] = answer.status
    finally:
        line.close()
    return hashlib.sha256(shown).hexdigest(), statuses


def _paths(phones: bool) -> dict[str, str]:
    """The requests: a file that the front serves itself, and one that it passes on."""
    file = min(_BUILT.glob("icons/*.svg"), default=None)
    paths = {"file": f"/built/{file.relative_to(_BUILT)}"} if file else {}
    return paths | ({"phones": "/ws"} if phones else {}) | {"pages": "/healthz"}


def _in_place(file: Path) -> str:
    from cryptography import x509  # of all who know of checks, few make this one
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        found = x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError):
        return ""
    return hashlib.sha256(found.public_bytes(Encoding.DER)).hexdigest()
