"""TLS certificates that an Asterisk under test presents."""

import dataclasses
import subprocess
from pathlib import Path
from typing import Any

from appliance.core.settings import Settings


def create_certificate(folder: Path, address: str) -> None:
    """Write a self-signed certificate and its key to server.pem and server.key."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        + ["-nodes", "-days", "2", "-subj", f"/CN={address}"]
        + ["-keyout", str(folder / "server.key"), "-out", str(folder / "server.pem")],
        check=True,
        capture_output=True,
    )


def settings_with_certificate(settings: Settings, folder: Path, **more: Any) -> Settings:
    """Return the settings with a new certificate in `folder`; `more` changes `asterisk`."""
    create_certificate(folder, settings.asterisk.address)
    certificate_paths = {
        "certificate": folder / "server.pem",
        "certificate_key": folder / "server.key",
    }
    asterisk = dataclasses.replace(settings.asterisk, **certificate_paths, **more)
    return dataclasses.replace(settings, asterisk=asterisk)
