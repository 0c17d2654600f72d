"""DAHDI's own program accepts the configuration that the role dahdi writes."""

import shlex
from pathlib import Path

import pytest

from tests.rig.rendering import render_variants
from tests.rig.spans import SPAN_SETS
from tests.vm.e1.e1world import World

pytestmark = pytest.mark.vm


def test_dahdi_accepts_the_configuration_of_the_role(e1: World, tmp_path: Path) -> None:
    configurations = render_variants(tmp_path, "dahdi", "system.conf.j2", list(SPAN_SETS))
    for text in configurations:
        assert e1.machine.run(_TRIAL_COMMAND, sent=text.encode()) == b""
    with pytest.raises(RuntimeError, match="1 error"):
        e1.machine.run(
            _TRIAL_COMMAND, sent=configurations[0].replace("ccs", "cas-and-ccs").encode()
        )


_CHECK_COMMAND = "timeout 60 dahdi_cfg -t -c /tmp/tried.conf"
_TRIAL_COMMAND = f"cat >/tmp/tried.conf && sh -c {shlex.quote(_CHECK_COMMAND)} 2>&1"
