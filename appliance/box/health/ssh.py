"""Whether the machine may be entered over the network by a password."""

import re
from collections.abc import Iterator
from pathlib import Path

from appliance.box.health.check import Check
from appliance.core.i18n import N_
from appliance.core.settings import Settings

RULES = Path("/etc/ssh/sshd_config.d/10-appliance.conf")  # the playbook writes it; read first
_PASSWORDS = re.compile(r"^\s*PasswordAuthentication\s+yes\b", re.MULTILINE | re.IGNORECASE)


def passwords(settings: Settings) -> Iterator[Check]:
    """SSH takes keys only; asked on a box alone."""
    if not RULES.exists():
        return
    code, name = "ssh", N_("Logins over SSH")
    if _PASSWORDS.search(RULES.read_text("utf-8", "replace")):
        yield Check(
            code,
            name,
            "warn",
            N_("SSH takes passwords, which can be guessed"),
            N_("Name each technician's key in `base_technicians` and run the playbook again."),
        )
    else:
        yield Check(code, name, "ok", N_("by key only"))
