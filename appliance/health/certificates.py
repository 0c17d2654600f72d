"""The certificate of the TLS front: when it ends."""

import datetime as dt
import ssl
from collections.abc import Iterator

from appliance import clock
from appliance.health import programs
from appliance.health.looking import N_, Check
from appliance.settings import Settings

SOON, NOW = dt.timedelta(days=30), dt.timedelta(days=7)
_ADVICE = N_(
    "Have a new one made or put in place, then start the TLS front again. When it has ended, no "
    "browser opens the pages."
)


def certificate(settings: Settings) -> Iterator[Check]:
    """The certificate lasts for some weeks more; nothing when none is named in the settings."""
    file = settings.web.certificate
    if not file:
        return
    code, name, values = "certificate", N_("Certificate"), {"file": str(file)}
    ends = ends_at(settings)
    if not ends:
        yield Check(
            code,
            name,
            "fail",
            N_("cannot be read"),
            N_("Look whether {file} is there and may be read by the appliance."),
            values,
        )
        return
    left = ends - clock.now()
    values |= {"date": f"{ends.astimezone(settings.tz):%d.%m.%Y}", "days": str(left.days)}
    if left <= dt.timedelta():
        yield Check(code, name, "fail", N_("ended on {date}"), _ADVICE, values)
    elif left < SOON:
        state = "fail" if left < NOW else "warn"
        yield Check(code, name, state, N_("ends on {date}"), _ADVICE, values)
    else:
        yield Check(code, name, "ok", N_("{days} days are left"), values=values)


def ends_at(settings: Settings) -> dt.datetime | None:
    """When the certificate ends, or None when that cannot be told."""
    file = settings.web.certificate
    if not file or not file.is_file():
        return None
    answer = programs.output("openssl", "x509", "-enddate", "-noout", "-in", str(file))
    if not answer or "=" not in answer:
        return None
    seconds = ssl.cert_time_to_seconds(answer.strip().partition("=")[2])
    return dt.datetime.fromtimestamp(seconds, dt.UTC)
