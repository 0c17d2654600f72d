"""The playbook of a restore: its options, and the state in which it leaves the box."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

PLAYBOOK = Path(__file__).parents[2] / "provisioning" / "ansible" / "restore.yml"
RESTORE_PLAYS = yaml.safe_load(PLAYBOOK.read_text("utf-8"))
ANSIBLE_PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")


def tasks_of(name: str) -> list[dict]:
    [play] = [play for play in RESTORE_PLAYS if play["name"] == name]
    return play["tasks"]


@pytest.mark.parametrize(
    ("variables", "options"),
    [
        ({}, ["--at", "now"]),
        ({"restore_accept_loss": "true"}, ["--at", "now", "--accept-loss"]),
        ({"restore_accept_loss": "false"}, ["--at", "now"]),
        (
            {"restore_snapshot": "1234abcd", "restore_accept_loss": True},
            ["1234abcd", "--accept-loss"],
        ),
    ],
)
def test_a_loss_is_accepted_only_by_its_variable(tmp_path, variables, options) -> None:
    [play] = [play for play in RESTORE_PLAYS if play["name"] == "What was saved comes back"]
    options_file = tmp_path / "options.json"
    copy = {"content": "{{ restore_options | to_json }}", "dest": str(options_file)}
    playbook = tmp_path / "play.yml"
    names = ("restore_snapshot", "restore_at", "restore_accept_loss", "restore_options")
    values = {name: play["vars"][name] for name in names}
    tasks = [{"ansible.builtin.copy": copy}]
    text = [{"hosts": "localhost", "gather_facts": False, "vars": values, "tasks": tasks}]
    playbook.write_text(yaml.safe_dump(text))
    command = [
        ANSIBLE_PLAYBOOK,
        "-i",
        "localhost,",
        "-c",
        "local",
        playbook,
        "-e",
        json.dumps(variables),
    ]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    assert json.loads(options_file.read_text()) == options


def test_nginx_reloads_the_restored_certificate() -> None:
    tasks = tasks_of("The hotline goes on")
    [reload] = [
        task for task in tasks if task.get("ansible.builtin.service", {}).get("name") == "nginx"
    ]
    assert reload["ansible.builtin.service"]["state"] == "reloaded"
    assert reload["when"] == "restore_typed and restore_done is not failed"
    names = [task["name"] for task in tasks]
    assert names.index(reload["name"]) < names.index("Say why nothing was restored")


def test_a_box_keeps_its_files_when_nothing_was_restored() -> None:
    names = [task["name"] for task in tasks_of("What was saved comes back")]
    restored = names.index("Put back what was saved")
    assert names[restored - 1] == "Make room for the prompts and the event log that were saved"
    assert "back when nothing was restored" in names[restored + 1]
    assert not any("-delete" in str(task) for task in tasks_of("What was saved comes back"))
