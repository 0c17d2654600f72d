"""Asterisk is given only the part of its documentation that it needs at run time."""

import re
import subprocess
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

from provisioning.local import asterisk
from tests.rig.rendering import ROLES, render_template

REDUCE_COMMAND = ROLES / "asterisk" / "files" / "asterisk-documentation.py"
FULL_DOCUMENTATION = asterisk.ASTERISK_ROOT / "usr/share/asterisk/documentation"
FILE_NAME = "core-en_US.xml"


def reduce_documentation(source: Path, folder: Path) -> Path:
    """Reduce the documentation as the unit does, whose umask lets nobody else read its files."""
    subprocess.run([REDUCE_COMMAND, source, folder], check=True, umask=0o077)
    return folder / FILE_NAME


def elements_by_kind(file: Path) -> dict[str, list[bytes]]:
    """Return kind of element → the text of each such element."""
    elements: dict[str, list[bytes]] = defaultdict(list)
    for element in ElementTree.parse(file).getroot():  # noqa: S314  Asterisk's own
        elements[element.tag].append(ElementTree.tostring(element))
    return elements


def test_all_options_and_little_else_remain(tmp_path: Path) -> None:
    file = reduce_documentation(FULL_DOCUMENTATION, tmp_path / "new")
    reduced, full = elements_by_kind(file), elements_by_kind(FULL_DOCUMENTATION / FILE_NAME)
    assert len(reduced["configInfo"]) > 30
    assert reduced["configInfo"] == full["configInfo"]
    # six about which Asterisk warns at its start, and two from which these take a parameter
    assert sum(map(len, reduced.values())) == len(reduced["configInfo"]) + 8
    assert set(re.findall(r"/docs/(?:manager|function)\[@name='(\w+)'\]", file.read_text())) <= {
        element.get("name")
        for element in ElementTree.parse(file).getroot()  # noqa: S314
    }
    assert file.stat().st_mode & 0o777 == 0o644
    assert [element.name for element in file.parent.iterdir()] == [FILE_NAME]


def test_an_older_documentation_is_replaced(tmp_path: Path) -> None:
    file = reduce_documentation(FULL_DOCUMENTATION, tmp_path)
    file.write_text("of an Asterisk that was upgraded")
    assert (
        elements_by_kind(reduce_documentation(FULL_DOCUMENTATION, tmp_path))["configInfo"]
        == elements_by_kind(FULL_DOCUMENTATION / FILE_NAME)["configInfo"]
    )


def test_a_file_of_unknown_form_is_copied_unchanged(tmp_path: Path) -> None:
    source = tmp_path / "whole"
    source.mkdir()
    include = '<x:include xmlns:x="http://www.w3.org/2001/XInclude" xpointer="anything"/>'
    for text in (
        *("<docs>\n<application/>\n</docs>\n", "options = []\n", "<docs><configInfo/>"),
        f"<docs>\n<configInfo>{include}</configInfo>\n</docs>\n",
    ):
        (source / FILE_NAME).write_text(text)
        assert reduce_documentation(source, tmp_path / "new").read_text() == text


def test_each_start_reduces_the_documentation_and_ignores_a_failure(tmp_path: Path) -> None:
    unit = render_template(
        tmp_path, "asterisk", "asterisk.service.j2", site_home="/var/lib/appliance"
    )
    [start_line] = [line for line in unit.splitlines() if line.startswith("ExecStartPre=")]
    tasks = (ROLES / "asterisk/tasks/main.yml").read_text()
    prefix, _, rest = start_line.partition("-+")
    assert prefix == "ExecStartPre="
    assert f"{rest}\n" in tasks
    assert rest.split()[-1] in tasks.split("loop: [")[-1]
