"""Plans of every kind, rendered and accepted by a second Asterisk."""

import dataclasses

import pytest

from appliance.core.settings import Settings
from appliance.pbx import actions, ami, config
from appliance.telephony import routing
from appliance.telephony.calls import dialling
from appliance.telephony.routing import Plan, Route, Topic, Trunk
from tests.pbx.box import Box

FIFTY_TRUNKS = tuple(Trunk(f"t{n}", address=f"10.9.0.{n}", channels=n) for n in range(1, 51))
PLANS = {
    "fifty-trunks": Plan(
        trunks=FIFTY_TRUNKS, routes=(Route("", tuple(t.name for t in FIFTY_TRUNKS)),)
    ),
    "transports": Plan(
        trunks=(
            Trunk("a", address="10.9.1.1", transport="tcp", style="plain"),
            Trunk("b", address="10.9.1.2", port=5061, transport="tls", srtp=True, watched=True),
            Trunk("c", address="10.9.1.3", register=True, user="4711", password="s3cret"),
        ),
        routes=(Route("+99871", ("a", "b")), Route("101", ("c",))),
    ),
    "topics": Plan(
        topics=(
            Topic("1", "Ish", "Работа", "jobs", "own_queue"),
            Topic("2", "Boshqa", "Другое"),
            Topic("21", "Kadrlar", "Кадры", "staff", "employee", "+998712000001"),
            Topic("22", "Holat", "Состояние", "status", "self_service"),
        )
    ),
    "everything-off": Plan(
        queueing=routing.Queueing(
            fall_back_after=0, announce_every=0, last_operator_hours=0, returning_minutes=0
        ),
        callback=routing.Callback(offered=False, at_the_end=False),
    ),
    "everything-on": Plan(
        queueing=routing.Queueing(autopause=True, wrap_up=10),
        limits=routing.Limits(calls=60, waiting=20),
        hours=routing.Hours(closed=True, holiday=True),
        numbers=(routing.HotlineNumber("+998712000000", ("ru",)), routing.HotlineNumber("1006")),
        blocked=("+998901112233",),
        anonymous="refuse",
    ),
}


@pytest.mark.parametrize("name", PLANS)
def test_asterisk_accepts_the_plan(site: Settings, name: str) -> None:
    assert routing.find_faults(PLANS[name]) == {}
    config.verify_configuration(site, PLANS[name])


def test_a_trial_does_not_contact_carriers(site: Settings) -> None:
    in_force = config.render_files(site, PLANS["transports"])["pjsip.conf"]
    on_trial = config.render_files(site, PLANS["transports"], isolated=True)["pjsip.conf"]
    speaks = ("type = registration", "qualify_frequency = 15")
    assert all(line in in_force for line in speaks)
    assert not any(line in on_trial for line in speaks)


def test_e1_is_configured_only_in_a_plan_with_e1(site: Settings) -> None:
    line = Trunk("exchange", kind="e1", group=2, spans="1-15,17-31", channels=30)
    plan = Plan(trunks=(line,), routes=(Route("", ("exchange",)),))
    files = config.render_files(site, plan)
    assert "group = 2\nchannel => 1-15,17-31\n" in files["chan_dahdi.conf"]
    assert "setvar = TRUNK=exchange\naccountcode = exchange\n" in files["chan_dahdi.conf"]
    assert "load = chan_dahdi.so" in files["modules.conf"]
    assert "Set(WAY=DAHDI/g2/${TO})" in files["outgoing.conf"]
    # a trial must not take the channels
    trial_files = config.render_files(site, plan, isolated=True)
    assert "chan_dahdi.so" not in trial_files["modules.conf"]
    assert "channel =>" not in trial_files["chan_dahdi.conf"]
    config.verify_configuration(site, plan)


def test_a_plan_takes_effect_and_an_invalid_one_changes_nothing(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = routing.current_plan(box.settings)
    more = dataclasses.replace(before, trunks=(*before.trunks, Trunk("second", address="10.9.2.1")))
    actions.apply_plan(box.settings, more, "rustam", "a second carrier")
    with ami.Connection(box.settings) as asterisk:
        endpoints = asterisk.list_events("PJSIPShowEndpoints", "EndpointListComplete")
    assert "second" in {event.get("ObjectName") for event in endpoints}
    config_before = (box.settings.paths.asterisk / "pjsip.conf").read_text()
    monkeypatch.setitem(dialling.OUTCOME_BY_STATUS, "evil", "\n[broken")
    with pytest.raises(actions.PlanRejected):
        actions.apply_plan(box.settings, before, "rustam")
    assert routing.current_plan(box.settings) == more
    assert (box.settings.paths.asterisk / "pjsip.conf").read_text() == config_before
    monkeypatch.undo()
    actions.apply_plan(box.settings, before, "rustam", "back")
    assert actions.reload_changed_files(box.settings) == 0
