"""The lines to the carriers: SIP trunks and E1 spans, as last seen by the pbx process."""

import datetime as dt
from collections.abc import Iterator

from appliance.box.health.check import Check, local_time_text
from appliance.box.health.exchange import is_exchange_alive
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.models import SpanState, TrunkState
from appliance.telephony import routing, trunks
from appliance.telephony.routing import Trunk

_CARRIER_ADVICE = N_(
    "Check the line with a test call. Check the carrier's cable and the internet connection, then "
    "call the carrier. Until it works, calls use the other trunks of their route."
)


def check_trunks(settings: Settings) -> Iterator[Check]:
    """Check that every trunk and span can carry calls."""
    configured_trunks = routing.current_plan(settings).trunks
    is_alive = is_exchange_alive()
    states, spans = trunks.trunk_states(), trunks.span_states()
    for trunk in configured_trunks:
        name, values = N_("Trunk {trunk}"), {"trunk": trunk.name}
        trunk_spans = [span for span in spans if span.trunk == trunk.name]
        if is_alive is False:
            finding = N_("unknown while the exchange does not answer")
            yield Check(
                f"trunk.{trunk.name}", name, "warn", finding, _EXCHANGE_FIRST_ADVICE, values
            )
        elif trunk.kind == "sip":
            yield _trunk_check(settings, trunk, states.get(trunk.name), values)
        elif not trunk_spans:
            yield Check(
                f"trunk.{trunk.name}",
                name,
                "fail",
                N_("its E1 span is missing"),
                N_(
                    "Check that the card is in its slot and detected by `dahdi_scan`, and that the "
                    "unit `dahdi-spans` ran before `asterisk`."
                ),
                values,
            )
        for span in trunk_spans if is_alive is not False else ():
            yield _span_check(settings, span)


def _registration_cause(state: TrunkState) -> str:
    """Return why the carrier refuses registration: a SIP status or "no response"; "" if unknown."""
    since = state.registered_since
    if not state.error.startswith(trunks.REGISTER_PREFIX) or not state.error_at:
        return ""
    if since and state.error_at < since - _MAX_CAUSE_LEAD:  # the error belongs to an earlier outage
        return ""
    return str(state.error.removeprefix(trunks.REGISTER_PREFIX).rpartition("Rejected ")[2])


_MAX_CAUSE_LEAD = dt.timedelta(seconds=60)  # the error is logged before the state is seen
_FIRST_CARRIER_FAULT_STATUS = 405  # SIP statuses from here on do not concern the account
_PASSWORD_ADVICE = N_(
    "Check user and password of the trunk on the page Telephony, then call the carrier. Incoming "
    "calls do not arrive over this trunk."
)
_CARRIER_FAULT_ADVICE = N_(
    "The carrier's exchange does not serve us: call the carrier. The user and password are not the "
    "cause. Incoming calls do not arrive over this trunk; it is tried again every 20 s."
)
_EXCHANGE_FIRST_ADVICE = N_("First get the exchange to answer.")


def _trunk_check(
    settings: Settings, trunk: Trunk, state: TrunkState | None, values: dict[str, str]
) -> Check:
    code, name = f"trunk.{trunk.name}", N_("Trunk {trunk}")
    if not state:
        advice = N_("Check that `appliance pbx` is running.")
        return Check(code, name, "warn", N_("not seen yet"), advice, values)
    values = values | {"moment": local_time_text(state.since, settings), "error": state.error}
    if state.state == trunks.DOWN:
        return Check(
            code, name, "fail", N_("does not answer since {moment}"), _CARRIER_ADVICE, values
        )
    if state.registration not in ("", "Registered"):
        registration = state.registration
        if state.registered_since:
            values |= {"moment": local_time_text(state.registered_since, settings)}
        cause = _registration_cause(state)
        values["cause"] = f"{registration} ({cause})" if cause else registration
        if cause == trunks.NO_RESPONSE_SUFFIX or (
            cause.isdigit() and int(cause) >= _FIRST_CARRIER_FAULT_STATUS
        ):
            advice = _CARRIER_FAULT_ADVICE
        else:
            advice = _PASSWORD_ADVICE
        return Check(
            code, name, "fail", N_("not registered since {moment}: {cause}"), advice, values
        )
    if state.registration:
        return Check(code, name, "ok", N_("registered"), values=values)
    if state.state == trunks.UNASKED:
        return Check(code, name, "ok", N_("not polled"), values=values)
    values |= {"round_trip": str(state.round_trip or "–")}
    return Check(code, name, "ok", N_("answers, {round_trip} ms"), values=values)


def _span_check(settings: Settings, span: SpanState) -> Check:
    code, name = f"span.{span.number}", N_("E1 span {span}")
    values = {
        "span": str(span.number),
        "moment": local_time_text(span.since, settings),
        "alarm": span.alarm,
    }
    if span.alarm:
        return Check(
            code,
            name,
            "fail",
            N_("{alarm} since {moment}"),
            N_(
                "Check the cable between the card and the carrier's equipment, and the lights on "
                "both. If the cable is good, call the carrier: the span has no signal."
            ),
            values,
        )
    if not span.d_channel:
        return Check(
            code,
            name,
            "fail",
            N_("the D-channel is down since {moment}"),
            N_(
                "The cable carries a signal, but the carrier's exchange does not respond. Call the "
                "carrier and ask them to check the D-channel of this span."
            ),
            values,
        )
    return Check(code, name, "ok", N_("up since {moment}"), values=values)
