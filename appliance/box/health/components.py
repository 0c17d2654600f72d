"""The components of Asterisk that calls need, as last queried by the pbx process."""

import datetime as dt
import socket
from collections.abc import Iterator

from appliance.box.health.check import Check, local_time_text
from appliance.box.health.exchange import is_exchange_alive
from appliance.core import clock
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.models import ExchangeLook
from appliance.telephony import desk_phones, routing

MAX_LOOK_AGE = dt.timedelta(seconds=60)
_MAX_NAMES = 6  # listed at most
_CONNECT_TIMEOUT_SECONDS = 2.0  # seconds
_COMPONENT_TEXTS = {
    "modules": (
        N_("Modules of the exchange"),
        N_("not running: {names}"),
        N_(
            "Calls may fail even though the exchange answers. Load the modules: `asterisk -rx "
            "'module load NAME'`. If that fails or `module show` says `Not Running`, restart "
            "`asterisk`; the reason is in its log."
        ),
    ),
    "queues": (
        N_("Queues of the exchange"),
        N_("missing: {names}"),
        N_(
            "Callers are not queued. Run `asterisk -rx 'module load app_queue.so'`, then "
            "`appliance render`; if that does not help, restart `asterisk`."
        ),
    ),
    "dialplan": (
        N_("Dialplan of the exchange"),
        N_("differs from the recorded version: {names}"),
        N_(
            "Callers may be cut off or misrouted. Reload it: `asterisk -rx 'dialplan reload'`; if "
            "that does not help, `appliance render`, then restart `asterisk`."
        ),
    ),
    "queue_settings": (
        N_("Settings of the queues"),
        N_("the exchange works with different ones: {names}"),
        N_(
            "Calls are distributed differently from the choice on the page Telephony. `appliance "
            "render`, then `asterisk -rx 'queue reload all'`; if that does not help, restart "
            "`asterisk`."
        ),
    ),
    "files": (
        N_("Configuration files of the exchange"),
        N_("changed by hand: {names}"),
        N_(
            "`appliance render` writes them again. Make changes on the page Telephony: changes "
            "made in the files are lost at the next change there."
        ),
    ),
    "places": (
        N_("Phones in two places"),
        N_("registered from two addresses: {names}"),
        N_(
            "Calls reach only the last address. Find out who uses the second one; if it is not one "
            "of your people, change the operator's SIP password immediately."
        ),
    ),
}
_UNCHANGED = N_("as written")
_OK_FINDINGS = {
    "dialplan": _UNCHANGED,
    "queue_settings": _UNCHANGED,
    "files": _UNCHANGED,
    "places": N_("each in one place"),
}


def check_components(settings: Settings) -> Iterator[Check]:
    """Check that every module runs, every queue exists, and the configuration is unchanged."""
    if not is_exchange_alive():
        return  # reported by a check of its own
    looks = {row.name: row for row in ExchangeLook.select()}
    for name, (title, finding, advice) in _COMPONENT_TEXTS.items():
        code, look = f"asterisk.{name}", looks.get(name)
        if not look or clock.now() - look.at > MAX_LOOK_AGE:
            late_finding = N_("not checked since {moment}") if look else N_("not seen yet")
            values = {"moment": local_time_text(look.at, settings)} if look else {}
            state, late_advice = (
                ("fail" if look else "warn"),
                N_("Restart `appliance pbx`; the reason is in its log."),
            )
            yield Check(code, title, state, late_finding, late_advice, values)
        elif look.missing:
            ellipsis = "" if len(look.missing) <= _MAX_NAMES else " …"
            names = ", ".join(look.missing[:_MAX_NAMES]) + ellipsis
            yield Check(code, title, "fail", finding, advice, {"names": names})
        else:
            yield Check(code, title, "ok", _OK_FINDINGS.get(name, N_("all are present")))


def check_transports(settings: Settings) -> Iterator[Check]:
    """Check that Asterisk listens on the TCP and TLS ports that carriers and phones use."""
    transport_names = {
        trunk.transport for trunk in routing.current_plan(settings).trunks if trunk.kind == "sip"
    }
    transport_names |= {"tls"} if desk_phones.phones_by_user() else set()
    for transport in sorted(transport_names - {"udp"}):
        asterisk = settings.asterisk
        port = asterisk.sip_port + (transport == "tls")
        values = {"transport": transport.upper(), "address": f"{asterisk.address}:{port}"}
        code, name = f"asterisk.{transport}", N_("SIP by {transport}")
        if _is_listening(asterisk.address, port):
            yield Check(code, name, "ok", N_("answers"), values=values)
            continue
        yield Check(
            code,
            name,
            "fail",
            N_("does not answer at {address}"),
            N_(
                "Carriers and phones that use it cannot reach us. Check the certificate and the "
                "key, then restart `asterisk` at a quiet time: its log says why it is not "
                "listening."
            ),
            values,
        )


def check_page_socket(settings: Settings) -> Iterator[Check]:
    """Check that Asterisk listens at the address where the TLS front connects browser phones."""
    asterisk = settings.asterisk
    if not asterisk.browser_phones:
        return
    code, name = "asterisk.wss", N_("Connection of phones in pages")
    values = {"address": f"{asterisk.address}:{asterisk.http_port}"}
    if _is_listening(asterisk.address, asterisk.http_port):
        yield Check(code, name, "ok", N_("answers"), values=values)
        return
    advice = N_(
        "Operators with the phone in the page are not rung. `asterisk -rx 'http show status'` "
        "shows whether it is listening; `module load res_http_websocket.so`, then restart "
        "`asterisk` at a quiet time."
    )
    yield Check(code, name, "fail", N_("does not answer at {address}"), advice, values)


def _is_listening(address: str, port: int) -> bool:
    """Whether a TCP connection to the address can be made."""
    try:
        socket.create_connection((address, port), _CONNECT_TIMEOUT_SECONDS).close()
    except OSError:
        return False
    return True
