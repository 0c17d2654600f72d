"""Of its documentation Asterisk is given what it needs itself."""

import re
import subprocess
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

from provisioning.local import asterisk
from tests.rig.rendering import ROLES, rendered

COMMAND = ROLES / "asterisk" / "files" / "asterisk-documentation.py"
WHOLE = asterisk.ROOT / "usr/share/asterisk/documentation"
FILE = "core-en_US.xml"


def made(whole: Path, folder: Path) -> Path:
    """By a unit whose files nobody else may read."""
    subprocess.run([COMMAND, whole, folder], check=True, umask=0o077)
    return folder / FILE


def parts(file: Path) -> dict[str, list[bytes]]:
    """Kind of what it tells → each of them."""
    found: dict[str, list[bytes]] = defaultdict(list)
    for one in ElementTree.parse(file).getroot():  # noqa: S314  Asterisk's own
        found[one.tag].append(ElementTree.tostring(one))
    return found


def test_all_options_are_kept_and_little_else(tmp_path: Path) -> None:
    file = made(WHOLE, tmp_path / "new")
    left, whole = parts(file), parts(WHOLE / FILE)
    assert len(left["configInfo"]) > 30
    assert left["configInfo"] == whole["configInfo"]
    # six of which it warns at its start, and two of which these take a parameter
    assert sum(map(len, left.values())) == len(left["configInfo"]) + 8
    assert set(re.findall(r"/docs/(?:manager|function)\[@name='(\w+)'\]", file.read_text())) <= {
        one.get("name")
        for one in ElementTree.parse(file).getroot()  # noqa: S314
    }
    assert file.stat().st_mode & 0o777 == 0o644
    assert [one.name for one in file.parent.iterdir()] == [FILE]


def test_an_older_one_is_replaced(tmp_path: Path) -> None:
    file = made(WHOLE, tmp_path)
    file.write_text("of an Asterisk that was upgraded")
    assert parts(made(WHOLE, tmp_path))["configInfo"] == parts(WHOLE / FILE)["configInfo"]


def test_one_of_an_unknown_form_is_kept_whole(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    taking = '<x:include xmlns:x="http://www.w3.org/2001/XInclude" xpointer="anything"/>'
    for text in (
        *("<docs>\n<application/>\n</docs>\n", "options = []\n", "<docs><configInfo/>"),
        f"<docs>\n<configInfo>{taking}</configInfo>\n</docs>\n",
    ):
        (whole / FILE).write_text(text)
        assert made(whole, tmp_path / "new").read_text() == text


def test_it_is_made_anew_at_each_start_and_may_fail(tmp_path: Path) -> None:
    unit = rendered(tmp_path, "asterisk", "asterisk.service.j2", site_home="/var/lib/appliance")
    [before] = [line for line in unit.splitlines() if line.startswith("ExecStartPre=")]
    tasks = (ROLES / "asterisk/tasks/main.yml").read_text()
    begun, _, rest = before.partition("-+")
    assert begun == "ExecStartPre="
    assert f"{rest}\n" in tasks
    assert rest.split()[-1] in tasks.split("loop: [")[-1]
