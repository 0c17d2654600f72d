"""Root writes nothing where somebody else could have put a link: every task of every playbook."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.rig.rendering import ROLES

BOOKS = ROLES.parent
# Folders of others: what somebody else than root can put a link into.
OTHERS = re.compile(
    r"\b(site_home|restore_home|restore_folders|backup_folders)\b|/var/lib/appliance"
    r"|/etc/appliance/keys|/home/"
)
# They only read there, or hand over to a program that becomes the appliance.
READS = ("stat", "slurp", "debug", "set_fact", "assert", "uri", "user")  # user: it makes no home
BECOMES = (
    "files/database.sh",
    "files/roll_back.py --user appliance",
    "schema.py {{",  # becomes the appliance before it opens the database
    "restore_command",  # `appliance`, or backups/bare, which is looked at below
    "setpriv --reuid=",
    "findmnt",
)
WRITES = re.compile(r"\b(rm|mv|cp|install|chown|chmod|touch|tee|mkdir|ln|sed -i|tar)\b|[^2]>")


def tasks() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every task with the name of its file; of blocks, those inside."""
    for file in sorted([*BOOKS.glob("*.yml"), *BOOKS.glob("roles/*/*/*.yml")]):
        if file.parent.name in ("defaults", "vars"):
            continue
        for play in yaml.safe_load(file.read_text()):
            yield from ((f"{file.relative_to(BOOKS)}", one) for one in _inside(play))


def _inside(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    lists = [n for n in ("pre_tasks", "tasks", "post_tasks", "block", "rescue") if n in part]
    for name in lists:
        for one in part[name]:
            yield from _inside(one)
    if not lists:
        yield part


def module(task: dict[str, Any]) -> str:
    """The short name of the module that a task runs; "" for a play of roles."""
    return next((n.rpartition(".")[2] for n in task if n.startswith("ansible.builtin.")), "")


def own_writing(task: dict[str, Any]) -> bool:
    """Whether it is done as the one whose folder it is, or follows no link."""
    text = yaml.safe_dump({name: part for name, part in task.items() if name != "name"})
    arguments = task.get(f"ansible.builtin.{module(task)}")
    if task.get("become_user", "root") != "root" or module(task) in READS:
        return True
    if module(task) == "file" and isinstance(arguments, dict):
        return arguments.get("state") == "directory" and arguments.get("follow") is False
    if module(task) == "copy":  # it replaces a link
        return isinstance(arguments, dict) and not arguments.get("follow", False)
    return any(part in text for part in (*BECOMES, "--no-dereference"))


def test_no_task_of_root_writes_into_the_folder_of_another() -> None:
    found = list(tasks())
    assert len(found) > 100
    touching = [
        (file, task)
        for file, task in found
        if module(task) and OTHERS.search(yaml.safe_dump(task, width=10_000))
    ]
    assert len(touching) > 10
    assert [f"{f}: {task['name']}" for f, task in touching if not own_writing(task)] == []


@pytest.mark.parametrize("script", ["roles/backup/files/seal.sh", "files/database.sh"])
def test_a_script_writes_into_those_folders_as_the_appliance_only(script: str) -> None:
    theirs = re.compile(r"\$(keys|database|copy)\b")
    commands = re.split(r"\n|\|", (BOOKS / script).read_text())
    written = [
        line.strip()
        for line in commands
        if theirs.search(line) and WRITES.search(line) and not line.lstrip().startswith("#")
    ]
    assert written
    assert [line for line in written if "as_appliance" not in line] == []


@pytest.mark.parametrize("file", sorted(BOOKS.glob("roles/*/templates/*.j2")), ids=lambda f: f.name)
def test_root_runs_nothing_by_a_configuration_of_the_appliance(file: Path) -> None:
    """Asterisk's control program reads asterisk.conf, which the appliance writes."""
    for line in file.read_text().splitlines():
        if "asterisk -C" in line and "ExecStart=" not in line:
            assert "setpriv --reuid=asterisk" in line
