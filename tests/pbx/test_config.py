"""Asterisk's files: rendered, tried by a second Asterisk, and installed."""

import dataclasses
from pathlib import Path

import pytest

from appliance.core.settings import Settings
from appliance.models import User
from appliance.pbx import actions, ami, config
from appliance.people import accounts
from tests.pbx.box import Box


def test_asterisk_accepts_the_rendered_files(site: Settings) -> None:
    config.install_files(site)
    assert config.install_files(site) == []
    assert (site.paths.asterisk / "menu.conf").read_text().count("1,,1,4)") == 1


def test_sip_over_websocket_is_off_and_never_open_to_desk_phones(site: Settings) -> None:
    def websocket_facts(files: dict[str, str]) -> tuple[bool, bool, int]:
        sip, http = files["pjsip.conf"], files["http.conf"]
        from_here = sip.count("deny = 127.0.0.1/255.255.255.255")
        return ("[ws]" in sip, "enabled = yes" in http, from_here)

    assert websocket_facts(config.render_files(site)) == (False, False, 0)
    on = dataclasses.replace(site.asterisk, browser_phones=True)
    assert websocket_facts(config.render_files(dataclasses.replace(site, asterisk=on))) == (
        True,
        True,
        2,
    )


def test_a_phone_in_the_page_connects_only_through_the_web_server(site: Settings) -> None:
    def phone_section() -> str:
        on = dataclasses.replace(site.asterisk, browser_phones=True)
        sip = config.render_files(dataclasses.replace(site, asterisk=on))["pjsip.conf"]
        return sip.partition("[1001]")[2].partition("[1001]")[0]

    user = User.get(User.login == "op01")
    assert ("transport = udp" in phone_section(), "webrtc = yes" in phone_section()) == (
        True,
        False,
    )
    accounts.choose_phone(user, "page", auto_answer=False)
    try:
        assert "transport = ws\nwebrtc = yes\n" in phone_section()
        assert "deny = 0.0.0.0/0.0.0.0\npermit = 127.0.0.1/255.255.255.255\n" in phone_section()
        assert "transport = udp" in config.render_files(site)["pjsip.conf"].partition("[1001]")[2]
        on = dataclasses.replace(site.asterisk, browser_phones=True)
        config.verify_configuration(dataclasses.replace(site, asterisk=on))
    finally:
        accounts.choose_phone(user, "desk", auto_answer=False)


def test_ice_offers_one_address(site: Settings) -> None:
    def rtp_settings(address: str) -> str:
        place = dataclasses.replace(site.asterisk, browser_phones=True, address=address)
        return config.render_files(dataclasses.replace(site, asterisk=place))["rtp.conf"]

    assert "ice_permit = 10.1.2.3/255.255.255.255" in rtp_settings("10.1.2.3")
    assert "ice_" not in config.render_files(site)["rtp.conf"]


def test_a_broken_dialplan_is_refused_and_the_old_one_remains(
    site: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.install_files(site)
    before = (site.paths.asterisk / "menu.conf").read_text()
    broken = tmp_path / "ivr"
    broken.mkdir()
    for file in [*config.DIALPLAN_FOLDER.glob("*.conf"), *config.DIALPLAN_FOLDER.glob("*.jinja")]:
        text = file.read_text()
        (broken / file.name).write_text(text.replace("[menu]", "[lost]"))
    monkeypatch.setattr(config, "DIALPLAN_FOLDER", broken)
    with pytest.raises(config.ConfigError, match="Context 'menu' is missing"):
        config.install_files(site)
    assert (site.paths.asterisk / "menu.conf").read_text() == before


def test_a_new_operator_is_active_after_a_reload(box: Box) -> None:
    accounts.create_account(
        "op03", "Operator 3", "operator", "secret", extension="1003", speaks=("uz",)
    )
    assert "pjsip.conf" in config.install_files(box.settings)
    former = (box.settings.paths.asterisk / config.FORMER_FOLDER / "pjsip.conf").read_text()
    assert "[1003]" not in former
    actions.reload_asterisk(box.settings)
    with ami.Connection(box.settings) as asterisk:
        endpoints = asterisk.list_events("PJSIPShowEndpoints", "EndpointListComplete")
    assert "1003" in {event["ObjectName"] for event in endpoints if "ObjectName" in event}
    accounts.disable_account(User.get(User.login == "op03"), by="test")
