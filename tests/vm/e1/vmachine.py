"""A virtual machine under software emulation, and an ssh session that remains open to it."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.rig.waiting import wait_until
from tests.vm.e1.vmimage import Image

QEMU_PROGRAM = "qemu-system-x86_64"
# A started process ends with this process, even if this one is killed.
_END_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL")
_SSH_PORT = 2222


class Machine:
    """A virtual machine; `address` is a loopback address of its own, on this host and inside."""

    def __init__(self, image: Image) -> None:
        pid = os.getpid()
        self.address = f"127.250.{pid // 250 % 250 + 1}.{pid % 250 + 1}"
        self._image = image
        # The path of a socket must be short.
        self._folder = Path(tempfile.mkdtemp(prefix="vm-"))
        self._qemu: subprocess.Popen[bytes] | None = None
        self._session: subprocess.Popen[bytes] | None = None

    @property
    def console(self) -> str:
        """The text that the machine has written to its console."""
        return (self._folder / "console").read_text("utf-8", "replace")

    def start(self) -> None:
        """Start to boot the machine."""
        self._qemu = self._start_process(
            "qemu",
            [
                *(
                    *_END_WITH_PARENT,
                    QEMU_PROGRAM,
                    "-accel",
                    "tcg,tb-size=512",
                    "-cpu",
                    "max",
                    "-m",
                    "1024",
                ),
                # Its clock counts executed instructions: when this host gives it little time, it
                # executes less, but nothing inside runs late.
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

    def _start_process(self, name: str, command: list[str | Path]) -> "subprocess.Popen[bytes]":
        """Start a process that writes its errors to a log of that name."""
        with (self._folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                command,
                env={**os.environ, "TMPDIR": str(self._folder)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    def wait_and_log_in(self, *ports: int) -> None:
        """Wait until the machine has booted; forward the ports to the same address inside."""
        wait_until(lambda: self._try_log_in(ports), limit=900, every=1)

    def _try_log_in(self, ports: tuple[int, ...]) -> bool:
        if self._qemu and self._qemu.poll() is not None:
            raise RuntimeError((self._folder / "qemu.log").read_text())
        if not self._session or self._session.poll() is not None:
            forwards = [f"-L{self.address}:{p}:{self.address}:{p}" for p in ports]
            command = [*_END_WITH_PARENT, *self._ssh_command(), "-M", "-N", *forwards, "root@vm"]
            self._session = self._start_process("ssh", command)
        return self._control_socket.exists()

    @property
    def _control_socket(self) -> Path:
        return self._folder / "ssh"

    def _ssh_command(self) -> list[str | Path]:
        options = {
            "ControlPath": str(self._control_socket),
            "ConnectTimeout": "60",
            "HostName": self.address,
            "Port": str(_SSH_PORT),
            "IdentityFile": str(self._image.key),
            "IdentitiesOnly": "yes",
            "ExitOnForwardFailure": "yes",
            "StrictHostKeyChecking": "no",
            "UserKnownHostsFile": "/dev/null",
        }
        arguments = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return ["ssh", "-q", "-F", "none", *arguments]

    def run(self, command: str, *, sent: bytes = b"", limit: float = 600) -> bytes:
        """Return the output of a shell command inside. Raises RuntimeError with its messages."""
        process = subprocess.run(
            [*self._ssh_command(), "root@vm", command],
            input=sent,
            capture_output=True,
            timeout=limit,
        )
        if process.returncode:
            output = (process.stdout + process.stderr).decode("utf-8", "replace")
            raise RuntimeError(f"{command}: {process.returncode}: {output[-2000:]}")
        return process.stdout

    def send_folder(self, folder: Path) -> None:
        """Copy a folder into the machine, to the same path."""
        packed = subprocess.run(
            ["tar", "-C", "/", "-cf-", folder.relative_to("/")], check=True, capture_output=True
        ).stdout
        self.run("tar -C / -xf- --no-same-owner", sent=packed)

    def fetch_folder(self, folder: Path) -> None:
        """Copy a folder out of the machine, to the same path."""
        packed = self.run(f"tar -C / -cf- {folder.relative_to('/')}")
        subprocess.run(["tar", "-C", "/", "-xf-"], input=packed, check=True)

    def stop(self) -> None:
        """Stop the machine and remove its files."""
        for process in (self._session, self._qemu):
            if process:
                process.kill()
                process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
