"""The parts of the exchange that calls need, as the pbx process asked for them last."""

import datetime as dt
import socket
from collections.abc import Iterator

from appliance.box.health.check import Check, moment_text
from appliance.box.health.exchange import line_answers
from appliance.core import clock
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.models import ExchangeLook
from appliance.telephony import desk_phones, routing

FRESH = dt.timedelta(seconds=60)
_NAMED = 6  # of many, that are named
_PATIENCE = 2.0  # seconds
_WORDS = {
    "modules": (
        N_("Modules of the exchange"),
        N_("not running: {names}"),
        N_(
            "Calls may fail although the exchange answers. Load them: `asterisk -rx 'module load "
            "NAME'`. Where that fails or `module show` says `Not Running`, start `asterisk` again; "
            "its log says why."
        ),
    ),
    "queues": (
        N_("Queues of the exchange"),
        N_("missing: {names}"),
        N_(
            "Callers are not queued. `asterisk -rx 'module load app_queue.so'`, then `appliance "
            "render`; when that does not help, start `asterisk` again."
        ),
    ),
    "dialplan": (
        N_("Dialplan of the exchange"),
        N_("is not as it was written: {names}"),
        N_(
            "Callers may be cut off or led elsewhere. Have it read again: `asterisk -rx 'dialplan "
            "reload'`; when that does not help, `appliance render`, then start `asterisk` again."
        ),
    ),
    "queue_settings": (
        N_("Settings of the queues"),
        N_("the exchange works with other ones: {names}"),
        N_(
            "Calls are shared out otherwise than chosen on the page Telephony. `appliance render`, "
            "then `asterisk -rx 'queue reload all'`; when that does not help, start `asterisk` "
            "again."
        ),
    ),
    "files": (
        N_("Files of the exchange's configuration"),
        N_("changed by hand: {names}"),
        N_(
            "`appliance render` writes them again. What is wanted otherwise is chosen on the page "
            "Telephony: what is changed in the files is lost at the next change there."
        ),
    ),
    "places": (
        N_("Phones in two places"),
        N_("registered from two addresses: {names}"),
        N_(
            "Calls reach only the last one. Look who uses the second address; if nobody of yours "
            "does, give the operator a new SIP password at once."
        ),
    ),
}
_AS_WRITTEN = N_("as it was written")
_FINE = {
    "dialplan": _AS_WRITTEN,
    "queue_settings": _AS_WRITTEN,
    "files": _AS_WRITTEN,
    "places": N_("each in one place"),
}


def parts(settings: Settings) -> Iterator[Check]:
    """Every module runs, every queue is there, and all is as it was written."""
    if not line_answers():
        return  # told by itself
    looks = {row.name: row for row in ExchangeLook.select()}
    for name, (title, seen, advice) in _WORDS.items():
        code, look = f"asterisk.{name}", looks.get(name)
        if not look or clock.now() - look.at > FRESH:
            late = N_("not looked at since {moment}") if look else N_("not seen yet")
            values = {"moment": moment_text(look.at, settings)} if look else {}
            state, why = (
                ("fail" if look else "warn"),
                N_("Start `appliance pbx` again; its log says why."),
            )
            yield Check(code, title, state, late, why, values)
        elif look.missing:
            more = "" if len(look.missing) <= _NAMED else " …"
            names = ", ".join(look.missing[:_NAMED]) + more
            yield Check(code, title, "fail", seen, advice, {"names": names})
        else:
            yield Check(code, title, "ok", _FINE.get(name, N_("all are there")))


def transports(settings: Settings) -> Iterator[Check]:
    """Asterisk also listens where carriers and phones reach it by TCP or TLS."""
    used = {trunk.transport for trunk in routing.current(settings).trunks if trunk.kind == "sip"}
    used |= {"tls"} if desk_phones.every() else set()
    for transport in sorted(used - {"udp"}):
        place = settings.asterisk
        port = place.sip_port + (transport == "tls")
        values = {"transport": transport.upper(), "address": f"{place.address}:{port}"}
        code, name = f"asterisk.{transport}", N_("SIP by {transport}")
        if _listens(place.address, port):
            yield Check(code, name, "ok", N_("answers"), values=values)
            continue
        yield Check(
            code,
            name,
            "fail",
            N_("does not answer at {address}"),
            N_(
                "Carriers and phones on it do not reach us. Look at certificate and key, then "
                "start `asterisk` again in a quiet minute: its log says why it does not listen."
            ),
            values,
        )


def page_socket(settings: Settings) -> Iterator[Check]:
    """Asterisk listens where phones in pages reach it, behind the TLS front."""
    place = settings.asterisk
    if not place.browser_phones:
        return
    code, name = "asterisk.wss", N_("Socket of the phones in pages")
    values = {"address": f"{place.address}:{place.http_port}"}
    if _listens(place.address, place.http_port):
        yield Check(code, name, "ok", N_("answers"), values=values)
        return
    advice = N_(
        "Operators with the phone in the page are not rung. `asterisk -rx 'http show status'` says "
        "whether it listens; `module load res_http_websocket.so`, then start `asterisk` again in a "
        "quiet minute."
    )
    yield Check(code, name, "fail", N_("does not answer at {address}"), advice, values)


def _listens(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), _PATIENCE).close()
    except OSError:
        return False
    return True
