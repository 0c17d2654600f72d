"""Templates of the playbooks' roles, rendered by Ansible itself."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROLES = Path(__file__).parents[2] / "provisioning" / "ansible" / "roles"


def render_template(folder: Path, role: str, template: str, **variables: Any) -> str:
    """The text of a role's template with the role's defaults and these variables."""
    return render_variants(folder, role, template, [variables])[0]


def render_variants(
    folder: Path, role: str, template: str, variants: list[dict[str, Any]]
) -> list[str]:
    """The texts of a template for several sets of variables; Ansible takes seconds to start."""
    tasks = [
        {
            "ansible.builtin.template": {
                "src": str(ROLES / role / "templates" / template),
                "dest": str(folder / f"{template}.{number}"),
            },
            "vars": variant,
        }
        for number, variant in enumerate(variants)
    ]
    run_playbook(folder, tasks, vars_files=[str(ROLES / role / "defaults" / "main.yml")])
    return [(folder / f"{template}.{n}").read_text("utf-8") for n in range(len(variants))]


def run_playbook(folder: Path, tasks: list[Any], **play_options: Any) -> str:
    """The output of a playbook of these tasks, run on this machine.

    Raises AssertionError if it fails.
    """
    playbook = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
    file = folder / "book.json"
    file.write_text(json.dumps([playbook | play_options]), "utf-8")
    process = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "-i", "localhost,", file],
        env={
            **os.environ,
            "ANSIBLE_CONFIG": str(ROLES.parent / "ansible.cfg"),
            "ANSIBLE_ROLES_PATH": str(ROLES),
            "ANSIBLE_HOME": str(folder / "ansible"),
            "ANSIBLE_LOCAL_TEMP": str(folder / "ansible" / "tmp"),
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_NOCOLOR": "1",
            "LC_ALL": "C.UTF-8",
        },
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout
