"""What the playbooks of upgrade and roll-back say in templates."""

import contextlib
import re
import subprocess
import sys
from pathlib import Path

import jinja2
import yaml

from appliance.core import sqlite
from provisioning.box.bundle import PLAYBOOKS

# In a template `way.copy` is the method of a mapping, not its key.
METHODS = re.compile(r"(?<!builtin)\.(copy|keys|items|values|get|pop|update|clear)\b(?!\()")


def test_no_template_reads_a_method_for_a_key() -> None:
    found = [
        f"{file.name}: {part}"
        for file in sorted([*PLAYBOOKS.glob("*.yml"), *PLAYBOOKS.glob("files/*.yml")])
        for part in re.findall(r"\{\{.*?\}\}", file.read_text(), re.DOTALL)
        if METHODS.search(part)
    ]
    assert found == []


def test_a_failure_before_the_new_release_starts_is_taken_back_by_the_copy() -> None:
    """Also a copy that fails, as on a full disk: the appliance does not stay stopped."""
    [play] = yaml.safe_load((PLAYBOOKS / "upgrade.yml").read_text())
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


def test_half_a_copy_does_not_stay(tmp_path: Path) -> None:
    """The script with this Python's driver, as this user, and too little room."""
    database, python = tmp_path / "appliance.db", sys.executable
    with contextlib.closing(sqlite.connect(database)) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.execute("INSERT INTO t VALUES (zeroblob(2000000))")
        connection.commit()
    script = (PLAYBOOKS / "files/database.sh").read_text()
    script = script.replace("/opt/appliance/current/bin/python", python)
    script = re.sub(r"setpriv .*?--init-groups ", "", script)
    command = ["sh", "-s", "keep", str(database)]
    for limit, status, count in (("ulimit -f 1000", 1, 0), ("", 0, 1)):
        done = subprocess.run(command, input=f"{limit}\n{script}", capture_output=True, text=True)
        assert done.returncode == status, done.stderr
        assert len(list(tmp_path.glob("*.before-upgrade-*"))) == count
