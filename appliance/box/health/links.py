"""The links to the outside, and the hotline's tests of itself."""

from collections.abc import Iterator

from appliance.box import links as watched
from appliance.box import selftests
from appliance.box.health.channels import channels
from appliance.box.health.check import Check
from appliance.box.links import looking
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.telephony import routing


def links(settings: Settings) -> Iterator[Check]:
    """Every link that is watched works."""
    now = channels(settings)
    for name, way in now.items():
        if way.state in ("works", "fails"):  # what fails is looked at by itself
            continue
        title, values = watched.title(name)
        seen = N_("down since {moment}") if way.since else way.seen
        moment = f"{way.since.astimezone(settings.tz):%d.%m.%Y %H:%M}" if way.since else ""
        yield Check(
            f"link.{name}",
            title,
            "fail" if way.state == "down" else "warn",
            seen,
            way.advice,
            values | {"moment": moment},
        )
    if not looking.own_name_is_known():
        yield Check(
            "own_name",
            N_("Name of the box"),
            "warn",
            N_("is not in /etc/hosts with an IPv4 and an IPv6 address"),
            N_("Add it there: without DNS, Asterisk waits for it at its start."),
        )
    if now and all(way.state in ("works", "fails") for way in now.values()):
        yield Check("links", N_("Links"), "ok", N_("all can be reached"))


def self_tests(settings: Settings) -> Iterator[Check]:
    """The last test call and the last drill passed."""
    names = {"call": N_("Test call"), "offline": N_("Drill without the internet")}
    for kind, name in names.items():
        if not (last := selftests.latest(kind)):
            continue
        code, local = f"self_test.{kind}", last.started_at.astimezone(settings.tz)
        values = {"moment": f"{local:%d.%m.%Y %H:%M}", "seen": last.seen}
        if not last.ok:
            advice = N_("Seen: {seen} ({moment}). See the page Links and tests for the steps.")
            yield Check(code, name, "fail", selftests.FAILURES[last.failed], advice, values)
        elif selftests.is_late(settings, last):
            advice = N_("Look whether `appliance jobs` runs.")
            yield Check(code, name, "warn", N_("last run {moment}"), advice, values)
        else:
            yield Check(code, name, "ok", N_("passed, {moment}"), values=values)


def carrier_calls(settings: Settings) -> Iterator[Check]:
    """The last test call over each trunk passed, with sound both ways."""
    if not settings.self_tests.carrier_minutes or not settings.calls.hotline_number:
        return
    last_over = selftests.over_trunks()
    for trunk in routing.current(settings).trunks:
        if not trunk.test_calls:
            continue
        code, name = f"carrier_call.{trunk.name}", N_("Test call over trunk {trunk}")
        last, values = last_over.get(trunk.name), {"trunk": trunk.name}
        if not last:
            yield Check(code, name, "ok", N_("none yet"), values=values)
            continue
        local = last.started_at.astimezone(settings.tz)
        values |= {"moment": f"{local:%d.%m.%Y %H:%M}", "seen": last.seen}
        if not last.ok:
            advice = _SOUND if last.failed in ("there", "back") else _CARRIER
            yield Check(code, name, "fail", selftests.FAILURES[last.failed], advice, values)
        elif selftests.is_late(settings, last):
            advice = N_("Look whether `appliance jobs` runs, and whether the line is always busy.")
            yield Check(code, name, "warn", N_("last run {moment}"), advice, values)
        else:
            yield Check(code, name, "ok", N_("passed, {moment}"), values=values)


_CARRIER = N_(
    "Seen: {seen} ({moment}). Calls over this trunk may fail although it answers: try it from a "
    "mobile phone, then call the carrier. If the carrier lets nobody call our own number, switch "
    "the test calls of this trunk off on the page Telephony."
)
_SOUND = N_(
    "Seen: {seen} ({moment}). Calls over this trunk lack sound in one direction: look whether the "
    "firewall and the carrier let RTP through both ways, and at the address that we name for it."
)
