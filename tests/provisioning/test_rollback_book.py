"""The templates in the playbooks of upgrade and roll-back."""

import contextlib
import re
import subprocess
import sys
from pathlib import Path

import jinja2
import yaml

from appliance.core import sqlite
from provisioning.box.bundle import PLAYBOOK_FOLDER

# In a template `way.copy` is the method of a mapping, not its key.
MAPPING_METHODS = re.compile(r"(?<!builtin)\.(copy|keys|items|values|get|pop|update|clear)\b(?!\()")


def test_no_template_uses_a_mapping_method_as_a_key() -> None:
    faults = [
        f"{file.name}: {part}"
        for file in sorted([*PLAYBOOK_FOLDER.glob("*.yml"), *PLAYBOOK_FOLDER.glob("files/*.yml")])
        for part in re.findall(r"\{\{.*?\}\}", file.read_text(), re.DOTALL)
        if MAPPING_METHODS.search(part)
    ]
    assert faults == []


def test_a_failure_before_the_new_release_starts_restores_the_copy() -> None:
    """A copy that fails, as on a full disk, is included: the appliance does not remain stopped."""
    [play] = yaml.safe_load((PLAYBOOK_FOLDER / "upgrade.yml").read_text())
    [work] = [task for task in play["tasks"] if "rescue" in task]
    names = [task["name"] for task in work["block"]]
    assert names[:2] == ["Stop the appliance, not Asterisk", "Copy the database"]
    assert not [task for task in play["tasks"] if "stopped" in str(task) and task is not work]
    [rescue] = [task for task in work["rescue"] if task["name"] == "Take it back"]
    environment = jinja2.Environment(autoescape=False)  # noqa: S701  no page
    environment.tests["failed"] = lambda result: result.get("failed", False)
    done, failed = {"stdout": "0060_new"}, {"failed": True, "stdout": ""}
    copied, skipped = {"stdout": " /data/copy "}, {"skipped": True}
    for registered, copy, nothing_written in (
        ({}, "", "True"),
        ({"upgrade_copy": failed}, "", "True"),
        ({"upgrade_copy": copied}, "/data/copy", "True"),
        ({"upgrade_copy": copied, "upgrade_migrated": failed}, "/data/copy", "True"),
        (
            {"upgrade_copy": copied, "upgrade_migrated": done, "upgrade_migrated_copy": failed},
            "/data/copy",
            "True",
        ),
        (
            {"upgrade_copy": copied, "upgrade_migrated": done, "upgrade_migrated_copy": copied},
            "/data/copy",
            "False",
        ),
        (
            {
                "upgrade_copy": copied,
                "upgrade_migrated": {"stdout": ""},
                "upgrade_migrated_copy": skipped,
            },
            "",
            "False",
        ),
    ):
        values = [
            environment.from_string(rescue["vars"][name]).render(registered).strip()
            for name in ("roll_back_copy", "roll_back_nothing_written")
        ]
        assert values == [copy, nothing_written], registered


def test_an_incomplete_copy_is_removed(tmp_path: Path) -> None:
    """Run the script with this Python's driver, as this user, and with too little space."""
    database, python = tmp_path / "appliance.db", sys.executable
    with contextlib.closing(sqlite.connect(database)) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.execute("INSERT INTO t VALUES (zeroblob(2000000))")
        connection.commit()
    script = (PLAYBOOK_FOLDER / "files/database.sh").read_text()
    script = script.replace("/opt/appliance/current/bin/python", python)
    script = re.sub(r"setpriv .*?--init-groups ", "", script)
    command = ["sh", "-s", "keep", str(database)]
    for limit, status, count in (("ulimit -f 1000", 1, 0), ("", 0, 1)):
        process = subprocess.run(
            command, input=f"{limit}\n{script}", capture_output=True, text=True
        )
        assert process.returncode == status, process.stderr
        assert len(list(tmp_path.glob("*.before-upgrade-*"))) == count
