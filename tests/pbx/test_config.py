"""Asterisk's files: rendered, tried out by a second Asterisk, put in force."""

import dataclasses
from pathlib import Path

import pytest

from appliance.core.settings import Settings
from appliance.models import User
from appliance.pbx import actions, ami, config
from appliance.people import accounts
from tests.pbx.box import Box


def test_what_is_rendered_is_taken_by_asterisk(site: Settings) -> None:
    config.install(site)
    assert config.install(site) == []
    assert (site.paths.asterisk / "menu.conf").read_text().count("1,,1,4)") == 1


def test_sip_over_websocket_is_off_and_no_desk_phone_comes_by_it(site: Settings) -> None:
    def shown(files: dict[str, str]) -> tuple[bool, bool, int]:
        sip, http = files["pjsip.conf"], files["http.conf"]
        from_here = sip.count("deny = 127.0.0.1/255.255.255.255")
        return ("[ws]" in sip, "enabled = yes" in http, from_here)

    assert shown(config.render(site)) == (False, False, 0)
    on = dataclasses.replace(site.asterisk, browser_phones=True)
    assert shown(config.render(dataclasses.replace(site, asterisk=on))) == (True, True, 2)


def test_a_phone_in_the_page_comes_through_the_front_only(site: Settings) -> None:
    def section() -> str:
        on = dataclasses.replace(site.asterisk, browser_phones=True)
        sip = config.render(dataclasses.replace(site, asterisk=on))["pjsip.conf"]
        return sip.partition("[1001]")[2].partition("[1001]")[0]

    user = User.get(User.login == "op01")
    assert ("transport = udp" in section(), "webrtc = yes" in section()) == (True, False)
    accounts.choose_phone(user, "page", auto_answer=False)
    try:
        assert "transport = ws\nwebrtc = yes\n" in section()
        assert "deny = 0.0.0.0/0.0.0.0\npermit = 127.0.0.1/255.255.255.255\n" in section()
        assert "transport = udp" in config.render(site)["pjsip.conf"].partition("[1001]")[2]
        on = dataclasses.replace(site.asterisk, browser_phones=True)
        config.try_out(dataclasses.replace(site, asterisk=on))
    finally:
        accounts.choose_phone(user, "desk", auto_answer=False)


def test_ice_offers_one_address(site: Settings) -> None:
    def offered(address: str) -> str:
        place = dataclasses.replace(site.asterisk, browser_phones=True, address=address)
        return config.render(dataclasses.replace(site, asterisk=place))["rtp.conf"]

    assert "ice_permit = 10.1.2.3/255.255.255.255" in offered("10.1.2.3")
    assert "ice_" not in config.render(site)["rtp.conf"]


def test_a_broken_dialplan_is_refused_and_the_old_one_stays(
    site: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.install(site)
    before = (site.paths.asterisk / "menu.conf").read_text()
    broken = tmp_path / "ivr"
    broken.mkdir()
    for file in [*config.DIALPLAN.glob("*.conf"), *config.DIALPLAN.glob("*.jinja")]:
        text = file.read_text()
        (broken / file.name).write_text(text.replace("[menu]", "[lost]"))
    monkeypatch.setattr(config, "DIALPLAN", broken)
    with pytest.raises(config.ConfigError, match="Context 'menu' is missing"):
        config.install(site)
    assert (site.paths.asterisk / "menu.conf").read_text() == before


def test_a_new_operator_is_in_force_after_a_reload(box: Box) -> None:
    accounts.add("op03", "Operator 3", "operator", "secret", extension="1003", speaks=("uz",))
    assert "pjsip.conf" in config.install(box.settings)
    former = (box.settings.paths.asterisk / config.FORMER / "pjsip.conf").read_text()
    assert "[1003]" not in former
    actions.reload(box.settings)
    with ami.Connection(box.settings) as asterisk:
        found = asterisk.listed("PJSIPShowEndpoints", "EndpointListComplete")
    assert "1003" in {event["ObjectName"] for event in found if "ObjectName" in event}
    accounts.disable(User.get(User.login == "op03"), by="test")
