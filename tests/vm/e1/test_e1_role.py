"""What the role dahdi writes is taken by DAHDI's own program."""

import shlex
from pathlib import Path

import pytest

from tests.rig.rendering import rendered_each
from tests.rig.spans import SETS
from tests.vm.e1.e1world import World

pytestmark = pytest.mark.vm


def test_dahdi_takes_what_the_role_writes(e1: World, tmp_path: Path) -> None:
    written = rendered_each(tmp_path, "dahdi", "system.conf.j2", list(SETS))
    for text in written:
        assert e1.machine.run(_TRY, sent=text.encode()) == b""
    with pytest.raises(RuntimeError, match="1 error"):
        e1.machine.run(_TRY, sent=written[0].replace("ccs", "cas-and-ccs").encode())


_CHECK = "timeout 60 dahdi_cfg -t -c /tmp/tried.conf"
_TRY = f"cat >/tmp/tried.conf && sh -c {shlex.quote(_CHECK)} 2>&1"
