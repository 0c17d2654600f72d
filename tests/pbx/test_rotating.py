"""A new password for commands takes effect in a running Asterisk."""

import dataclasses

import pytest

from appliance.pbx import actions, ami, config
from tests.pbx.box import Box


def test_a_new_password_takes_effect_without_a_restart(box: Box) -> None:
    old = box.settings
    new = dataclasses.replace(old, asterisk=dataclasses.replace(old.asterisk, ami_secret="another"))
    current_secret = config.ami_secret(new)
    assert current_secret == old.asterisk.ami_secret
    assert "manager.conf" in config.install_files(new)
    with ami.Connection(old) as open_connection:  # as the pbx process holds one
        actions.reload_asterisk(new, current_secret)
        open_connection.send_action("Ping")
    with ami.Connection(new) as asterisk:
        asterisk.send_action("Ping")
    with pytest.raises(ami.ActionRefused), ami.Connection(old):
        pass
    assert config.ami_secret(new) == "another"
    config.install_files(old)  # for the tests after this one
    actions.reload_asterisk(old, "another")
