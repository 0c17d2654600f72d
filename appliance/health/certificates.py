"""The certificates of the pages and of the trunks: when they end."""

import datetime as dt
import ssl
from collections.abc import Iterator
from pathlib import Path

from appliance import clock
from appliance.health import programs
from appliance.health.looking import N_, Check
from appliance.settings import Settings

SOON, NOW = dt.timedelta(days=30), dt.timedelta(days=7)
_PAGES = N_(
    "Have a new one made or put in place, then start the TLS front again. When it has ended, no "
    "browser opens the pages."
)
_TRUNKS = N_(
    "Have a new one made or put in place, then `module reload res_pjsip.so` in the exchange. When "
    "it has ended, carriers do not call over TLS any more."
)


def certificates(settings: Settings) -> Iterator[Check]:
    """Those named in the settings last for some weeks more."""
    pages, trunks = settings.web.certificate, settings.asterisk.certificate
    if pages:
        yield _certificate(settings, "certificate", N_("Certificate"), pages, _PAGES)
    if trunks and trunks != pages:
        name = N_("Certificate of the trunks")
        yield _certificate(settings, "certificate.trunks", name, trunks, _TRUNKS)


def _certificate(settings: Settings, code: str, name: str, file: Path, advice: str) -> Check:
    values = {"file": str(file)}
    ends = _ends_at(file)
    if not ends:
        look = N_("Look whether {file} is there and may be read by the appliance.")
        return Check(code, name, "fail", N_("cannot be read"), look, values)
    left = ends - clock.now()
    values |= {"date": f"{ends.astimezone(settings.tz):%d.%m.%Y}", "days": str(left.days)}
    if left <= dt.timedelta():
        return Check(code, name, "fail", N_("ended on {date}"), advice, values)
    if left < SOON:
        state = "fail" if left < NOW else "warn"
        return Check(code, name, state, N_("ends on {date}"), advice, values)
    return Check(code, name, "ok", N_("{days} days are left"), values=values)


def _ends_at(file: Path) -> dt.datetime | None:
    """When the certificate ends, or None when that cannot be told."""
    if not file.is_file():
        return None
    answer = programs.output("openssl", "x509", "-enddate", "-noout", "-in", str(file))
    if not answer or "=" not in answer:
        return None
    seconds = ssl.cert_time_to_seconds(answer.strip().partition("=")[2])
    return dt.datetime.fromtimestamp(seconds, dt.UTC)
