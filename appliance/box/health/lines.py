"""Lines to the carriers: SIP trunks and E1 spans, as the pbx process saw them last."""

import datetime as dt
from collections.abc import Iterator

from appliance.box.health.check import Check, moment_text
from appliance.box.health.exchange import line_answers
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.models import SpanState, TrunkState
from appliance.telephony import routing, trunks
from appliance.telephony.routing import Trunk

_CARRIER = N_(
    "Try the line by a test call. Look at the cable to the carrier and at the internet link, then "
    "call the carrier. Calls go over the other trunks of their route meanwhile."
)


def lines(settings: Settings) -> Iterator[Check]:
    """Every trunk and span can carry calls."""
    current = routing.current(settings).trunks
    answers = line_answers()
    states, spans = trunks.states(), trunks.spans()
    for trunk in current:
        name, values = N_("Trunk {trunk}"), {"trunk": trunk.name}
        seen = [span for span in spans if span.trunk == trunk.name]
        if answers is False:
            unknown = N_("not known while the exchange does not answer")
            yield Check(f"trunk.{trunk.name}", name, "warn", unknown, _FIRST, values)
        elif trunk.kind == "sip":
            yield _trunk(settings, trunk, states.get(trunk.name), values)
        elif not seen:
            yield Check(
                f"trunk.{trunk.name}",
                name,
                "fail",
                N_("its E1 span is not there"),
                N_(
                    "Look whether the card is in its slot and seen by `dahdi_scan`, and whether "
                    "the unit `dahdi-spans` ran before `asterisk`."
                ),
                values,
            )
        for span in seen if answers is not False else ():
            yield _span(settings, span)


def _cause(state: TrunkState) -> str:
    """Why the carrier does not register the box: a SIP status, "no response"; "" when not known."""
    since = state.registered_since
    if not state.error.startswith(trunks.REGISTER) or not state.error_at:
        return ""
    if since and state.error_at < since - _BEFORE:  # of an earlier time
        return ""
    return str(state.error.removeprefix(trunks.REGISTER).rpartition("Rejected ")[2])


_BEFORE = dt.timedelta(seconds=60)  # the cause is in the log before the state is seen
_CARRIERS_FAULT = 405  # SIP statuses from here on do not concern the account
_PASSWORD = N_(
    "Check user and password of the trunk on the page Telephony, then call the carrier. Calls to "
    "us do not arrive over this trunk."
)
_OUT_OF_ORDER = N_(
    "The carrier's exchange does not serve us: call the carrier. User and password are not the "
    "cause. Calls to us do not arrive over this trunk; it is tried again every 20 s."
)
_FIRST = N_("Have the exchange answer first.")


def _trunk(
    settings: Settings, trunk: Trunk, state: TrunkState | None, values: dict[str, str]
) -> Check:
    code, name = f"trunk.{trunk.name}", N_("Trunk {trunk}")
    if not state:
        advice = N_("Look whether `appliance pbx` runs.")
        return Check(code, name, "warn", N_("not seen yet"), advice, values)
    values = values | {"moment": moment_text(state.since, settings), "error": state.error}
    if state.state == trunks.DOWN:
        return Check(code, name, "fail", N_("does not answer since {moment}"), _CARRIER, values)
    if state.registration not in ("", "Registered"):
        registration = state.registration
        if state.registered_since:
            values |= {"moment": moment_text(state.registered_since, settings)}
        cause = _cause(state)
        values["cause"] = f"{registration} ({cause})" if cause else registration
        if cause == trunks.NO_RESPONSE or (cause.isdigit() and int(cause) >= _CARRIERS_FAULT):
            advice = _OUT_OF_ORDER
        else:
            advice = _PASSWORD
        return Check(
            code, name, "fail", N_("not registered since {moment}: {cause}"), advice, values
        )
    if state.registration:
        return Check(code, name, "ok", N_("registered"), values=values)
    if state.state == trunks.UNASKED:
        return Check(code, name, "ok", N_("not asked whether it answers"), values=values)
    values |= {"round_trip": str(state.round_trip or "–")}
    return Check(code, name, "ok", N_("answers, {round_trip} ms"), values=values)


def _span(settings: Settings, span: SpanState) -> Check:
    code, name = f"span.{span.number}", N_("E1 span {span}")
    values = {
        "span": str(span.number),
        "moment": moment_text(span.since, settings),
        "alarm": span.alarm,
    }
    if span.alarm:
        return Check(
            code,
            name,
            "fail",
            N_("{alarm} since {moment}"),
            N_(
                "Look at the cable between the card and the carrier's box, and at the lights of "
                "both. When the cable is good, call the carrier: the span has no signal."
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
                "The cable carries a signal, but the carrier's exchange does not speak. Call the "
                "carrier and have them look at the D-channel of this span."
            ),
            values,
        )
    return Check(code, name, "ok", N_("up since {moment}"), values=values)
