"""A program that listens on an address of its own, with a certificate for it."""

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.rig.waiting import until

_EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")


def make_certificate(folder: Path, host: str) -> Path:
    """`server.pem` and `server.key` for an address, by an authority of their own; its `ca.pem`."""
    authority = folder / "ca.pem"
    may = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
    _openssl("/CN=Authority", *may, "-keyout", str(folder / "ca.key"), "-out", str(authority))
    _openssl(
        f"/CN={host}",
        *("-CA", str(authority), "-CAkey", str(folder / "ca.key")),
        *("-addext", f"subjectAltName=IP:{host}", "-addext", "basicConstraints=CA:FALSE"),
        *("-keyout", str(folder / "server.key"), "-out", str(folder / "server.pem")),
    )
    return authority


def _openssl(subject: str, *rest: str) -> None:
    command = ["openssl", "req", "-x509", *_EC, "-subj", subject, *rest]
    subprocess.run(command, check=True, capture_output=True)


class Party:
    """A program that is started, stopped and started again; `said` is the file of its words."""

    def __init__(self, folder: Path, command: Sequence[str], ready: str) -> None:
        self.said = folder / "said.log"
        self._command, self._ready = command, ready
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Returns when it says that it listens."""
        with self.said.open("wb") as said:
            self._process = subprocess.Popen(
                self._command, stdout=said, stderr=said, start_new_session=True
            )
        until(lambda: self._ready in self.said.read_text(errors="replace"), 60)
        return self

    def stop(self) -> None:
        """It is away; no error when it is already."""
        if self._process:
            os.killpg(self._process.pid, signal.SIGKILL)  # node is begun by a program of its wheel
            self._process.wait()
            self._process = None
