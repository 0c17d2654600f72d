"""A plain Debian 13 that boots in a container: the box to be provisioned."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from provisioning.box import debian
from tests.rig import waiting
from tests.vm.network import BOX_ADDRESS, NAME_PREFIX, Network

BOOT_TIMEOUT_SECONDS = 600  # a busy host boots a box in minutes
# Never CAP_SYS_TIME: the clock is the host's.
_BOOT_SCRIPT = """
if ! [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup || exit 1
fi
while :; do
    SYSTEMD_NSPAWN_API_VFS_WRITABLE=network setpriv --pdeathsig KILL -- \
        systemd-nspawn --quiet --directory="$1" --machine="$2" --boot --register=no --keep-unit \
        --resolv-conf=off --timezone=off --link-journal=no --console=read-only \
        --capability=CAP_NET_ADMIN --drop-capability=CAP_SYS_TIME,CAP_SYS_MODULE \
        --network-namespace-path="/run/netns/$3" --bind="$4:/media" --bind="$5:/mnt/second"
    [ $? = 133 ] || exit
done
"""
_MASKED_UNITS = (
    "systemd-networkd.service",
    "systemd-networkd.socket",
    "systemd-resolved.service",
    "systemd-timesyncd.service",
    "systemd-networkd-wait-online.service",
    "console-getty.service",
)


class CannotBoot(RuntimeError):
    """This computer cannot boot a container; the message is its output."""


class Machine:
    """The box: booted, reached by SSH from the operators' LAN, ended with the test."""

    def __init__(self, network: Network, mark: str = "") -> None:
        self.name = f"{NAME_PREFIX}{os.getpid()}" + (f"-{mark}" if mark else "")
        self.folder = debian.CACHE_FOLDER / "running" / self.name
        self.media = self.folder / "media"
        self.second = self.folder / "second"  # the second disk: it outlives the box
        self.root = self.folder / "root"
        self.key = self.folder / "key"
        self._console = self.folder / "console"
        self._network = network
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Write a plain Debian that cannot reach any package archive."""
        _remove_left_over(self.folder.parent)
        self.media.mkdir(parents=True)
        self.second.mkdir()
        subprocess.run(["ssh-keygen", "-qt", "ed25519", "-N", "", "-f", self.key], check=True)
        self._write_system()

    def replace(self) -> None:
        """Destroy the box and boot a plain one instead; second disk and drive remain."""
        self._cut_power()
        _remove_folder(self.root)
        self._write_system()
        self.boot()

    def _write_system(self, system: Path | None = None) -> None:
        """Write the files of the system. `system`: a folder used instead of a plain Debian."""
        source = system or debian.plain_debian()
        subprocess.run(["cp", "-a", "--reflink=auto", source, self.root], check=True)
        ssh = self.root / "root" / ".ssh"
        ssh.mkdir(mode=0o700, exist_ok=True)
        shutil.copy(self.key.with_suffix(".pub"), ssh / "authorized_keys")
        for file in (self.root / "etc/apt").glob("sources.list*"):
            shutil.rmtree(file) if file.is_dir() else file.unlink()
        (self.root / "etc/apt/sources.list.d").mkdir()
        # The disk need not be safe: all of it is discarded at the end.
        (self.root / "etc/dpkg/dpkg.cfg.d/test").write_text("force-unsafe-io\n")
        (self.root / "etc/hostname").write_text("hotline\n")
        (self.root / "etc/hosts").write_text("127.0.0.1 localhost hotline\n")
        (self.root / "etc/machine-id").write_text("")
        (self.root / "etc/resolv.conf").unlink(missing_ok=True)
        (self.root / "etc/resolv.conf").write_text("")
        units = self.root / "etc/systemd/system"
        for unit in _MASKED_UNITS:
            (units / unit).unlink(missing_ok=True)
            (units / unit).symlink_to("/dev/null")

    def boot(self) -> None:
        """Start the box and wait until it accepts a login. Raises CannotBoot."""
        Path("/run/systemd").mkdir(exist_ok=True)
        facts = (self.root, self.name, self._network.namespace_of("box"), self.media, self.second)
        with self._console.open("wb") as console:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", "unshare", "-m", "--propagation"]
                + ["private", "sh", "-c", _BOOT_SCRIPT, "boot", *map(str, facts)],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )
        waiting.wait_until(self._accepts_login, BOOT_TIMEOUT_SECONDS)

    def reboot(self) -> None:
        """Reboot the box and wait until it is up again."""
        before = self._boot_time()
        self.run("systemctl", "reboot")
        waiting.wait_until(lambda: self._boot_time() not in ("", before), BOOT_TIMEOUT_SECONDS)

    def end(self) -> None:
        """Stop the box and remove all its files."""
        self._cut_power()
        _remove_folder(self.folder)

    def run(self, *command: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command in the box as root."""
        arguments = [*self._ssh_command(), "--", *command]
        return subprocess.run(arguments, input=text, capture_output=True, text=True, timeout=900)

    def run_checked(self, *command: str, text: str = "") -> str:
        """Return the output of a command that must succeed."""
        process = self.run(*command, text=text)
        assert process.returncode == 0, f"{command}: {process.stdout}{process.stderr}"
        return process.stdout

    def run_on_terminal(self, command: str, lines: Sequence[str]) -> str:
        """Return the output of a command that must succeed, with these lines typed at it."""
        ssh_command = self._ssh_command()
        ssh_command.insert(ssh_command.index("ssh") + 1, "-tt")
        keyboard_input = "".join(f"{line}\n" for line in lines)
        process = subprocess.run(
            [*ssh_command, "--", command],
            input=keyboard_input,
            capture_output=True,
            text=True,
            timeout=3600,
        )
        assert process.returncode == 0, process.stdout[-6000:] + process.stderr
        return process.stdout

    def ssh_options(self) -> Sequence[str]:
        """Return the options by which SSH reaches the box without a question."""
        options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR")
        return [word for option in options for word in ("-o", option)] + ["-i", str(self.key)]

    def _cut_power(self) -> None:
        """Cut the power, and wait until all its processes have ended."""
        if self._process and self._process.poll() is None:
            for container in _child_pids(self._process.pid):
                for first in _child_pids(container):  # the processes that it started end with it
                    subprocess.run(["kill", "-KILL", str(first)], capture_output=True)
            try:
                self._process.wait(60)
            finally:
                self._process.kill()

    def _ssh_command(self) -> list[str]:
        ssh = ["ssh", "-o", "ConnectTimeout=5", "-o", "BatchMode=yes", *self.ssh_options()]
        return self._network.command_at("lan", [*ssh, f"root@{BOX_ADDRESS}"])

    def _accepts_login(self) -> bool:
        if self._process and self._process.poll() is not None:
            raise CannotBoot(self._console.read_text("utf-8", "replace").strip()[-300:])
        return bool(self._boot_time())

    def _boot_time(self) -> str:
        """Return the start time of its first process, or "" until the system is up."""
        show_time = "systemctl show --property=UserspaceTimestampMonotonic"
        process = self.run(f"systemctl is-system-running --wait >/dev/null; {show_time}")
        return process.stdout if process.returncode == 0 else ""


def _remove_left_over(parent: Path) -> None:
    for folder in parent.glob(f"{NAME_PREFIX}*"):
        if not Path("/proc", folder.name.removeprefix(NAME_PREFIX).partition("-")[0]).exists():
            _remove_folder(folder)


def _remove_folder(folder: Path) -> None:
    # nspawn makes some folders of the system immutable or subvolumes; nothing is mounted there.
    shutil.rmtree(folder, ignore_errors=True)


def _child_pids(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
    return [int(word) for word in text.split()]
