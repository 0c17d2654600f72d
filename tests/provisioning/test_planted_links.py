"""Root writes nothing where another user could have placed a link: every task of every playbook."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.rig.rendering import ROLES

PLAYBOOK_FOLDER = ROLES.parent
# Folders of other users, into which a user other than root can place a link.
FOREIGN_FOLDERS = re.compile(
    r"\b(site_home|restore_home|restore_folders|backup_folders)\b|/var/lib/appliance"
    r"|/etc/appliance/keys|/home/"
)
# They only read there, or start a program that becomes the appliance's user.
# user: it creates no home
READING_MODULES = (
    "stat",
    "slurp",
    "debug",
    "set_fact",
    "assert",
    "uri",
    "user",
)
SAFE_COMMANDS = (
    "files/database.sh",
    "appliance-roll-back --user appliance",
    "schema.py {{",  # becomes the appliance's user before it opens the database
    "restore_command",  # `appliance`, or backups/bare, which is checked below
    "setpriv --reuid=",
    "findmnt",
)
WRITING_COMMANDS = re.compile(
    r"\b(rm|mv|cp|install|chown|chmod|touch|tee|mkdir|ln|sed -i|tar)\b|[^2]>"
)


def playbook_tasks() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every task with the name of its file; for blocks, the tasks inside."""
    for file in sorted([*PLAYBOOK_FOLDER.glob("*.yml"), *PLAYBOOK_FOLDER.glob("roles/*/*/*.yml")]):
        if file.parent.name in ("defaults", "vars"):
            continue
        for play in yaml.safe_load(file.read_text()):
            yield from (
                (f"{file.relative_to(PLAYBOOK_FOLDER)}", task) for task in _nested_tasks(play)
            )


def _nested_tasks(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    lists = [n for n in ("pre_tasks", "tasks", "post_tasks", "block", "rescue") if n in part]
    for name in lists:
        for nested in part[name]:
            yield from _nested_tasks(nested)
    if not lists:
        yield part


def module_name(task: dict[str, Any]) -> str:
    """Return the short name of the module that a task runs; "" for a play of roles."""
    return next((n.rpartition(".")[2] for n in task if n.startswith("ansible.builtin.")), "")


def is_safe_writing(task: dict[str, Any]) -> bool:
    """Return True if the task runs as the folder's owner or follows no link."""
    text = yaml.safe_dump({name: part for name, part in task.items() if name != "name"})
    arguments = task.get(f"ansible.builtin.{module_name(task)}")
    if task.get("become_user", "root") != "root" or module_name(task) in READING_MODULES:
        return True
    if module_name(task) == "file" and isinstance(arguments, dict):
        return arguments.get("state") == "directory" and arguments.get("follow") is False
    if module_name(task) == "copy":  # it replaces a link
        return isinstance(arguments, dict) and not arguments.get("follow", False)
    return any(part in text for part in (*SAFE_COMMANDS, "--no-dereference"))


def test_no_task_of_root_writes_into_the_folder_of_another() -> None:
    all_tasks = list(playbook_tasks())
    assert len(all_tasks) > 100
    touching = [
        (file, task)
        for file, task in all_tasks
        if module_name(task) and FOREIGN_FOLDERS.search(yaml.safe_dump(task, width=10_000))
    ]
    assert len(touching) > 10
    assert [f"{f}: {task['name']}" for f, task in touching if not is_safe_writing(task)] == []


@pytest.mark.parametrize("script", ["roles/backup/files/seal.sh", "files/database.sh"])
def test_a_script_writes_into_foreign_folders_only_as_the_appliance(script: str) -> None:
    foreign_path = re.compile(r"\$(keys|database|copy)\b")
    commands = re.split(r"\n|\|", (PLAYBOOK_FOLDER / script).read_text())
    writing_lines = [
        line.strip()
        for line in commands
        if foreign_path.search(line)
        and WRITING_COMMANDS.search(line)
        and not line.lstrip().startswith("#")
    ]
    assert writing_lines
    assert [line for line in writing_lines if "as_appliance" not in line] == []


@pytest.mark.parametrize(
    "file", sorted(PLAYBOOK_FOLDER.glob("roles/*/templates/*.j2")), ids=lambda f: f.name
)
def test_root_runs_no_command_that_reads_the_appliances_configuration(file: Path) -> None:
    """Asterisk's control program reads asterisk.conf, which the appliance writes."""
    for line in file.read_text().splitlines():
        if "asterisk -C" in line and "ExecStart=" not in line:
            assert "setpriv --reuid=asterisk" in line
