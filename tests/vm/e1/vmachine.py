"""A virtual machine under software emulation, and an ssh session that stays open to it."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.rig.waiting import until
from tests.vm.e1.vmimage import Image

PROGRAM = "qemu-system-x86_64"
# What was started ends with whoever started it, also when that one is killed.
_TIED = ("setpriv", "--pdeathsig", "KILL")
_SSH_PORT = 2222


class Machine:
    """One that runs; `address` is a loopback address of its own, here and inside."""

    def __init__(self, image: Image) -> None:
        own = os.getpid()
        self.address = f"127.250.{own // 250 % 250 + 1}.{own % 250 + 1}"
        self._image = image
        # The path of a socket is short.
        self._folder = Path(tempfile.mkdtemp(prefix="vm-"))
        self._qemu: subprocess.Popen[bytes] | None = None
        self._session: subprocess.Popen[bytes] | None = None

    @property
    def console(self) -> str:
        """What the machine has written on its console."""
        return (self._folder / "console").read_text("utf-8", "replace")

    def start(self) -> None:
        """Begin to boot it."""
        self._qemu = self._started(
            "qemu",
            [
                *(*_TIED, PROGRAM, "-accel", "tcg,tb-size=512", "-cpu", "max", "-m", "1024"),
                # Its clock is that of the instructions done: when there is little time for it
                # here, less happens inside, and nothing there runs late.
                *("-icount", "shift=1,sleep=on", "-rtc", "base=utc,clock=vm"),
                *("-display", "none", "-monitor", "none", "-no-reboot", "-snapshot"),
                *("-serial", f"file:{self._folder / 'console'}"),
                *("-kernel", self._image.kernel, "-initrd", self._image.initrd),
                *(
                    "-append",
                    "root=/dev/vda rw console=ttyS0 mitigations=off init=/usr/sbin/vm-init",
                ),
                *("-drive", f"file={self._image.disk},format=raw,if=virtio,cache=unsafe"),
                *("-device", "virtio-net-pci,netdev=net", "-device", "virtio-rng-pci"),
                "-netdev",
                f"user,id=net,restrict=on,hostfwd=tcp:{self.address}:{_SSH_PORT}-:22",
            ],
        )

    def _started(self, name: str, command: list[str | Path]) -> "subprocess.Popen[bytes]":
        """A process that writes what it complains of into a log of that name."""
        with (self._folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                command,
                env={**os.environ, "TMPDIR": str(self._folder)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    def log_in(self, *forwarded: int) -> None:
        """Wait until it has booted. The ports lead from our side to the same address inside."""
        until(lambda: self._log_in(forwarded), limit=900, every=1)

    def _log_in(self, forwarded: tuple[int, ...]) -> bool:
        if self._qemu and self._qemu.poll() is not None:
            raise RuntimeError((self._folder / "qemu.log").read_text())
        if not self._session or self._session.poll() is not None:
            leads = [f"-L{self.address}:{p}:{self.address}:{p}" for p in forwarded]
            command = [*_TIED, *self._ssh(), "-M", "-N", *leads, "root@vm"]
            self._session = self._started("ssh", command)
        return self._control.exists()

    @property
    def _control(self) -> Path:
        return self._folder / "ssh"

    def _ssh(self) -> list[str | Path]:
        options = {
            "ControlPath": str(self._control),
            "ConnectTimeout": "60",
            "HostName": self.address,
            "Port": str(_SSH_PORT),
            "IdentityFile": str(self._image.key),
            "IdentitiesOnly": "yes",
            "ExitOnForwardFailure": "yes",
            "StrictHostKeyChecking": "no",
            "UserKnownHostsFile": "/dev/null",
        }
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return ["ssh", "-q", "-F", "none", *words]

    def run(self, command: str, *, sent: bytes = b"", limit: float = 600) -> bytes:
        """What a shell command inside prints. Raises CalledProcessError with what it says."""
        done = subprocess.run(
            [*self._ssh(), "root@vm", command], input=sent, capture_output=True, timeout=limit
        )
        if done.returncode:
            told = (done.stdout + done.stderr).decode("utf-8", "replace")
            raise RuntimeError(f"{command}: {done.returncode}: {told[-2000:]}")
        return done.stdout

    def send(self, folder: Path) -> None:
        """Bring a folder in, to the same place."""
        packed = subprocess.run(
            ["tar", "-C", "/", "-cf-", folder.relative_to("/")], check=True, capture_output=True
        ).stdout
        self.run("tar -C / -xf- --no-same-owner", sent=packed)

    def fetch(self, folder: Path) -> None:
        """Bring a folder out, to the same place."""
        packed = self.run(f"tar -C / -cf- {folder.relative_to('/')}")
        subprocess.run(["tar", "-C", "/", "-xf-"], input=packed, check=True)

    def stop(self) -> None:
        """Switch it off; nothing of it stays."""
        for process in (self._session, self._qemu):
            if process:
                process.kill()
                process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
