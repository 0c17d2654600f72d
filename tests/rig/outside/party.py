"""A program that listens on its own address, with a certificate for it."""

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.rig.waiting import wait_until

_EC_KEY_OPTIONS = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")


def make_certificate(folder: Path, host: str) -> Path:
    """Write `server.pem` and `server.key` for an address; returns the `ca.pem` of its authority."""
    authority = folder / "ca.pem"
    ca_extensions = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
    _make_x509(
        "/CN=Authority", *ca_extensions, "-keyout", str(folder / "ca.key"), "-out", str(authority)
    )
    _make_x509(
        f"/CN={host}",
        *("-CA", str(authority), "-CAkey", str(folder / "ca.key")),
        *("-addext", f"subjectAltName=IP:{host}", "-addext", "basicConstraints=CA:FALSE"),
        *("-keyout", str(folder / "server.key"), "-out", str(folder / "server.pem")),
    )
    return authority


def _make_x509(subject: str, *options: str) -> None:
    command = ["openssl", "req", "-x509", *_EC_KEY_OPTIONS, "-subj", subject, *options]
    subprocess.run(command, check=True, capture_output=True)


class ExternalServer:
    """A program that can be started, stopped and started again; it writes to `log_file`."""

    def __init__(self, folder: Path, command: Sequence[str], ready_text: str) -> None:
        self.log_file = folder / "said.log"
        self._command, self._ready_text = command, ready_text
        self._process: subprocess.Popen[bytes] | None = None

    def start_server(self) -> Self:
        """Start the program; returns when its log shows that it is listening."""
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, start_new_session=True
            )
        wait_until(lambda: self._ready_text in self.log_file.read_text(errors="replace"), 60)
        return self

    def stop_server(self) -> None:
        """Stop the program; no error if it is stopped already."""
        if self._process:
            # node is started by a program of its wheel
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
