"""Templates of the playbooks' roles, filled in by Ansible itself."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROLES = Path(__file__).parents[2] / "provisioning" / "ansible" / "roles"


def rendered(folder: Path, role: str, template: str, **variables: Any) -> str:
    """What that template of a role becomes with its defaults and these variables."""
    return rendered_each(folder, role, template, [variables])[0]


def rendered_each(
    folder: Path, role: str, template: str, variants: list[dict[str, Any]]
) -> list[str]:
    """The same for several sets of variables at once; Ansible takes seconds to begin."""
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
    play(folder, tasks, vars_files=[str(ROLES / role / "defaults" / "main.yml")])
    return [(folder / f"{template}.{n}").read_text("utf-8") for n in range(len(variants))]


def play(folder: Path, tasks: list[Any], **more: Any) -> str:
    """What a playbook of these tasks says, run on this machine. Raises AssertionError."""
    book = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
    file = folder / "book.json"
    file.write_text(json.dumps([book | more]), "utf-8")
    done = subprocess.run(
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
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
