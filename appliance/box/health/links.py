"""The links to the outside, and the hotline's self-tests."""

from collections.abc import Iterator

from appliance.box import selftests
from appliance.box.health.channels import channel_states
from appliance.box.health.check import Check
from appliance.box.links import probing, wording
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.telephony import routing


def check_links(settings: Settings) -> Iterator[Check]:
    """Check that every watched link works, and that /etc/hosts has this machine's own name."""
    states = channel_states(settings)
    for name, channel in states.items():
        if channel.state in ("works", "fails"):  # a service that fails has its own check
            continue
        title, values = wording.link_title(name)
        finding = N_("down since {moment}") if channel.since else channel.seen
        moment = f"{channel.since.astimezone(settings.tz):%d.%m.%Y %H:%M}" if channel.since else ""
        yield Check(
            f"link.{name}",
            title,
            "fail" if channel.state == "down" else "warn",
            finding,
            channel.advice,
            values | {"moment": moment},
        )
    if not probing.has_own_name_entries():
        yield Check(
            "own_name",
            N_("Name of the server"),
            "warn",
            N_("is not in /etc/hosts with an IPv4 and an IPv6 address"),
            N_("Add it to that file: without DNS, Asterisk waits for it at startup."),
        )
    if states and all(channel.state in ("works", "fails") for channel in states.values()):
        yield Check("links", N_("Links"), "ok", N_("all can be reached"))


def check_self_tests(settings: Settings) -> Iterator[Check]:
    """Check that the last test call and the last drill without the internet passed."""
    names = {"call": N_("Test call"), "offline": N_("Test without the internet")}
    for kind, name in names.items():
        if not (last_test := selftests.latest_test(kind)):
            continue
        code, started_at = f"self_test.{kind}", last_test.started_at.astimezone(settings.tz)
        values = {"moment": f"{started_at:%d.%m.%Y %H:%M}", "seen": last_test.seen}
        if not last_test.ok:
            advice = N_("Observed: {seen} ({moment}). See the page Links and tests for the steps.")
            yield Check(code, name, "fail", selftests.FAILURES[last_test.failed], advice, values)
        elif selftests.is_overdue(settings, last_test):
            advice = N_("Check that `appliance jobs` is running.")
            yield Check(code, name, "warn", N_("last run {moment}"), advice, values)
        else:
            yield Check(code, name, "ok", N_("passed, {moment}"), values=values)


def check_carrier_calls(settings: Settings) -> Iterator[Check]:
    """Check that the last test call over each trunk passed, with sound in both directions."""
    if not settings.self_tests.carrier_minutes or not settings.calls.hotline_number:
        return
    last_calls = selftests.latest_trunk_calls()
    for trunk in routing.current_plan(settings).trunks:
        if not trunk.test_calls:
            continue
        code, name = f"carrier_call.{trunk.name}", N_("Test call over trunk {trunk}")
        last_call, values = last_calls.get(trunk.name), {"trunk": trunk.name}
        if not last_call:
            yield Check(code, name, "ok", N_("not yet"), values=values)
            continue
        started_at = last_call.started_at.astimezone(settings.tz)
        values |= {"moment": f"{started_at:%d.%m.%Y %H:%M}", "seen": last_call.seen}
        if not last_call.ok:
            advice = _SOUND_ADVICE if last_call.failed in ("there", "back") else _CARRIER_ADVICE
            yield Check(code, name, "fail", selftests.FAILURES[last_call.failed], advice, values)
        elif selftests.is_overdue(settings, last_call):
            advice = N_(
                "Check that `appliance jobs` is running, and whether the line is always busy."
            )
            yield Check(code, name, "warn", N_("last run {moment}"), advice, values)
        else:
            yield Check(code, name, "ok", N_("passed, {moment}"), values=values)


_CARRIER_ADVICE = N_(
    "Observed: {seen} ({moment}). Calls over this trunk may fail even though it answers: try it "
    "from a mobile phone, then call the carrier. If the carrier does not allow calls to our own "
    "number, switch off the test calls of this trunk on the page Telephony."
)
_SOUND_ADVICE = N_(
    "Observed: {seen} ({moment}). Calls over this trunk have no sound in one direction: check "
    "whether the firewall and the carrier let RTP through in both directions, and which address we "
    "announce for it."
)
