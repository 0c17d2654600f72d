"""Another password for commands, put in force in a running Asterisk."""

import dataclasses

import pytest

from appliance.pbx import actions, ami, config
from tests.pbx.box import Box


def test_a_new_one_is_taken_without_a_restart(box: Box) -> None:
    old = box.settings
    new = dataclasses.replace(old, asterisk=dataclasses.replace(old.asterisk, ami_secret="another"))
    asked = config.ami_secret(new)
    assert asked == old.asterisk.ami_secret
    assert "manager.conf" in config.install(new)
    with ami.Connection(old) as going_on:  # as the pbx process holds one
        actions.reload(new, asked)
        going_on.act("Ping")
    with ami.Connection(new) as asterisk:
        asterisk.act("Ping")
    with pytest.raises(ami.Refused), ami.Connection(old):
        pass
    assert config.ami_secret(new) == "another"
    config.install(old)  # for the tests after this one
    actions.reload(old, "another")
