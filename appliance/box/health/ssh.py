"""Whether SSH accepts passwords."""

import re
from collections.abc import Iterator
from pathlib import Path

from appliance.box.health.check import Check
from appliance.core.i18n import N_
from appliance.core.settings import Settings

SSHD_RULES_FILE = Path("/etc/ssh/sshd_config.d/10-appliance.conf")  # by the playbook; read first
_PASSWORD_LOGIN = re.compile(r"^\s*PasswordAuthentication\s+yes\b", re.MULTILINE | re.IGNORECASE)


def check_ssh_passwords(settings: Settings) -> Iterator[Check]:
    """Check that SSH accepts only keys. Only a box, with the playbook's file, is checked."""
    if not SSHD_RULES_FILE.exists():
        return
    code, name = "ssh", N_("Logins over SSH")
    if _PASSWORD_LOGIN.search(SSHD_RULES_FILE.read_text("utf-8", "replace")):
        yield Check(
            code,
            name,
            "warn",
            N_("SSH accepts passwords, which can be guessed"),
            N_("Add each technician's key to `base_technicians` and run the playbook again."),
        )
    else:
        yield Check(code, name, "ok", N_("by key only"))
