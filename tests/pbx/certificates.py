"""Certificates that an Asterisk under test shows."""

import dataclasses
import subprocess
from pathlib import Path
from typing import Any

from appliance.core.settings import Settings


def certificate(folder: Path, address: str) -> None:
    """A certificate and its key, in server.pem and server.key."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        + ["-nodes", "-days", "2", "-subj", f"/CN={address}"]
        + ["-keyout", str(folder / "server.key"), "-out", str(folder / "server.pem")],
        check=True,
        capture_output=True,
    )


def certified(settings: Settings, folder: Path, **more: Any) -> Settings:
    """A site that shows a certificate of its own, made in a folder; `more`: of its `asterisk`."""
    certificate(folder, settings.asterisk.address)
    own = {"certificate": folder / "server.pem", "certificate_key": folder / "server.key"}
    asterisk = dataclasses.replace(settings.asterisk, **own, **more)
    return dataclasses.replace(settings, asterisk=asterisk)
