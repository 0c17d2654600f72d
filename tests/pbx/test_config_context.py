"""Plans of every kind, rendered and taken by a second Asterisk."""

import dataclasses

import pytest

from appliance.core.settings import Settings
from appliance.pbx import actions, ami, config
from appliance.telephony import routing
from appliance.telephony.calls import dialling
from appliance.telephony.routing import Plan, Route, Topic, Trunk
from tests.pbx.box import Box

FIFTY = tuple(Trunk(f"t{n}", address=f"10.9.0.{n}", channels=n) for n in range(1, 51))
PLANS = {
    "fifty-trunks": Plan(trunks=FIFTY, routes=(Route("", tuple(t.name for t in FIFTY)),)),
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
        numbers=(routing.Number("+998712000000", ("ru",)), routing.Number("1006")),
        blocked=("+998901112233",),
        anonymous="refuse",
    ),
}


@pytest.mark.parametrize("name", PLANS)
def test_asterisk_takes_the_plan(site: Settings, name: str) -> None:
    assert routing.check(PLANS[name]) == {}
    config.try_out(site, PLANS[name])


def test_a_trial_does_not_speak_to_carriers(site: Settings) -> None:
    in_force = config.render(site, PLANS["transports"])["pjsip.conf"]
    on_trial = config.render(site, PLANS["transports"], apart=True)["pjsip.conf"]
    speaks = ("type = registration", "qualify_frequency = 15")
    assert all(line in in_force for line in speaks)
    assert not any(line in on_trial for line in speaks)


def test_e1_is_configured_only_where_there_is_some(site: Settings) -> None:
    line = Trunk("exchange", kind="e1", group=2, spans="1-15,17-31", channels=30)
    wanted = Plan(trunks=(line,), routes=(Route("", ("exchange",)),))
    files = config.render(site, wanted)
    assert "group = 2\nchannel => 1-15,17-31\n" in files["chan_dahdi.conf"]
    assert "setvar = TRUNK=exchange\naccountcode = exchange\n" in files["chan_dahdi.conf"]
    assert "load = chan_dahdi.so" in files["modules.conf"]
    assert "Set(WAY=DAHDI/g2/${TO})" in files["outgoing.conf"]
    apart = config.render(site, wanted, apart=True)  # a trial must not take the channels
    assert "chan_dahdi.so" not in apart["modules.conf"]
    assert "channel =>" not in apart["chan_dahdi.conf"]
    config.try_out(site, wanted)


def test_a_plan_is_put_in_force_and_a_bad_one_changes_nothing(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = routing.current(box.settings)
    more = dataclasses.replace(before, trunks=(*before.trunks, Trunk("second", address="10.9.2.1")))
    actions.put_plan(box.settings, more, "rustam", "a second carrier")
    with ami.Connection(box.settings) as asterisk:
        found = asterisk.listed("PJSIPShowEndpoints", "EndpointListComplete")
    assert "second" in {event.get("ObjectName") for event in found}
    config_before = (box.settings.paths.asterisk / "pjsip.conf").read_text()
    monkeypatch.setitem(dialling.OUTCOME_OF, "evil", "\n[broken")
    with pytest.raises(actions.NotTaken):
        actions.put_plan(box.settings, before, "rustam")
    assert routing.current(box.settings) == more
    assert (box.settings.paths.asterisk / "pjsip.conf").read_text() == config_before
    monkeypatch.undo()
    actions.put_plan(box.settings, before, "rustam", "back")
    assert actions.keep_up(box.settings) == 0
