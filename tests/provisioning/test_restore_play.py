"""The playbook of a restore: its options, and what it leaves running with what came back."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

PLAYBOOK = Path(__file__).parents[2] / "provisioning" / "ansible" / "restore.yml"
PLAYS = yaml.safe_load(PLAYBOOK.read_text("utf-8"))
ANSIBLE = Path(sys.executable).with_name("ansible-playbook")


def tasks_of(name: str) -> list[dict]:
    [play] = [play for play in PLAYS if play["name"] == name]
    return play["tasks"]


@pytest.mark.parametrize(
    ("given", "options"),
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
def test_a_loss_is_accepted_only_by_its_variable(tmp_path, given, options) -> None:
    [play] = [play for play in PLAYS if play["name"] == "What was saved comes back"]
    out = tmp_path / "options.json"
    copy = {"content": "{{ restore_options | to_json }}", "dest": str(out)}
    playbook = tmp_path / "play.yml"
    wanted = ("restore_snapshot", "restore_at", "restore_accept_loss", "restore_options")
    values = {name: play["vars"][name] for name in wanted}
    tasks = [{"ansible.builtin.copy": copy}]
    text = [{"hosts": "localhost", "gather_facts": False, "vars": values, "tasks": tasks}]
    playbook.write_text(yaml.safe_dump(text))
    command = [ANSIBLE, "-i", "localhost,", "-c", "local", playbook, "-e", json.dumps(given)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(out.read_text()) == options


def test_nginx_reads_the_certificate_that_came_back() -> None:
    tasks = tasks_of("The hotline goes on")
    [reload] = [
        task for task in tasks if task.get("ansible.builtin.service", {}).get("name") == "nginx"
    ]
    assert reload["ansible.builtin.service"]["state"] == "reloaded"
    assert reload["when"] == "restore_typed and restore_done is not failed"
    names = [task["name"] for task in tasks]
    assert names.index(reload["name"]) < names.index("Say why nothing was restored")


def test_a_plain_box_keeps_its_own_when_nothing_was_restored() -> None:
    names = [task["name"] for task in tasks_of("What was saved comes back")]
    restored = names.index("Put back what was saved")
    assert names[restored - 1] == "Make room for the prompts and the event log that were saved"
    assert "back when nothing was restored" in names[restored + 1]
    assert not any("-delete" in str(task) for task in tasks_of("What was saved comes back"))
