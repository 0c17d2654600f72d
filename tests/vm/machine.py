"""A plain Debian 13 that boots in a container: the box to be provisioned."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from provisioning.box import debian
from tests.rig import waiting
from tests.vm.network import BOX, PREFIX, Network

LIMIT = 600  # seconds; a busy host boots a box in minutes
# Never CAP_SYS_TIME: the clock is the host's.
_BOOT = """
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
_MASKED = (
    "systemd-networkd.service",
    "systemd-networkd.socket",
    "systemd-resolved.service",
    "systemd-timesyncd.service",
    "systemd-networkd-wait-online.service",
    "console-getty.service",
)


class CannotBoot(RuntimeError):
    """This computer boots no container; the message is what it said."""


class Machine:
    """The box: booted, reached by SSH from the operators' LAN, ended with the test."""

    def __init__(self, network: Network, mark: str = "") -> None:
        self.name = f"{PREFIX}{os.getpid()}" + (f"-{mark}" if mark else "")
        self.folder = debian.CACHE / "running" / self.name
        self.media = self.folder / "media"
        self.second = self.folder / "second"  # the second disk: outlives the box
        self.root = self.folder / "root"
        self.key = self.folder / "key"
        self._console = self.folder / "console"
        self._network = network
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Lay down a plain Debian without any package archive within reach."""
        _remove_left_over(self.folder.parent)
        self.media.mkdir(parents=True)
        self.second.mkdir()
        subprocess.run(["ssh-keygen", "-qt", "ed25519", "-N", "", "-f", self.key], check=True)
        self._lay_down()

    def replace(self) -> None:
        """Destroy it: another one, plain, stands in its place; disk and drive stay."""
        self._stop()
        _remove(self.root)
        self._lay_down()
        self.boot()

    def _lay_down(self, system: Path | None = None) -> None:
        """`system`: another one than a plain Debian."""
        source = system or debian.plain()
        subprocess.run(["cp", "-a", "--reflink=auto", source, self.root], check=True)
        ssh = self.root / "root" / ".ssh"
        ssh.mkdir(mode=0o700, exist_ok=True)
        shutil.copy(self.key.with_suffix(".pub"), ssh / "authorized_keys")
        for file in (self.root / "etc/apt").glob("sources.list*"):
            shutil.rmtree(file) if file.is_dir() else file.unlink()
        (self.root / "etc/apt/sources.list.d").mkdir()
        # The disk need not keep what is thrown away at the end.
        (self.root / "etc/dpkg/dpkg.cfg.d/test").write_text("force-unsafe-io\n")
        (self.root / "etc/hostname").write_text("hotline\n")
        (self.root / "etc/hosts").write_text("127.0.0.1 localhost hotline\n")
        (self.root / "etc/machine-id").write_text("")
        (self.root / "etc/resolv.conf").unlink(missing_ok=True)
        (self.root / "etc/resolv.conf").write_text("")
        units = self.root / "etc/systemd/system"
        for unit in _MASKED:
            (units / unit).unlink(missing_ok=True)
            (units / unit).symlink_to("/dev/null")

    def boot(self) -> None:
        """Start it and wait until it lets us in. Raises CannotBoot."""
        Path("/run/systemd").mkdir(exist_ok=True)
        facts = (self.root, self.name, self._network.name("box"), self.media, self.second)
        with self._console.open("wb") as console:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", "unshare", "-m", "--propagation"]
                + ["private", "sh", "-c", _BOOT, "boot", *map(str, facts)],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )
        waiting.until(self._let_in, LIMIT)

    def reboot(self) -> None:
        """Have it reboot and wait until it is up again."""
        before = self._born()
        self.run("systemctl", "reboot")
        waiting.until(lambda: self._born() not in ("", before), LIMIT)

    def end(self) -> None:
        """Stop it, and remove every file of it."""
        self._stop()
        _remove(self.folder)

    def run(self, *command: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command in the box as root."""
        words = [*self._ssh(), "--", *command]
        return subprocess.run(words, input=text, capture_output=True, text=True, timeout=900)

    def told(self, *command: str, text: str = "") -> str:
        """What a command prints that must succeed."""
        done = self.run(*command, text=text)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def typed(self, command: str, lines: Sequence[str]) -> str:
        """What a command says on a terminal at which somebody types; it must succeed."""
        words = self._ssh()
        words.insert(words.index("ssh") + 1, "-tt")
        typed = "".join(f"{line}\n" for line in lines)
        done = subprocess.run(
            [*words, "--", command], input=typed, capture_output=True, text=True, timeout=3600
        )
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr
        return done.stdout

    def ssh_options(self) -> Sequence[str]:
        """How SSH reaches the box without asking."""
        options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR")
        return [word for option in options for word in ("-o", option)] + ["-i", str(self.key)]

    def _stop(self) -> None:
        """Cut its power, and wait until nothing of it is left."""
        if self._process and self._process.poll() is None:
            for container in _children(self._process.pid):
                for first in _children(container):  # what it started ends with it
                    subprocess.run(["kill", "-KILL", str(first)], capture_output=True)
            try:
                self._process.wait(60)
            finally:
                self._process.kill()

    def _ssh(self) -> list[str]:
        ssh = ["ssh", "-o", "ConnectTimeout=5", "-o", "BatchMode=yes", *self.ssh_options()]
        return self._network.inside("lan", [*ssh, f"root@{BOX}"])

    def _let_in(self) -> bool:
        if self._process and self._process.poll() is not None:
            raise CannotBoot(self._console.read_text("utf-8", "replace").strip()[-300:])
        return bool(self._born())

    def _born(self) -> str:
        """When its first process began, once systemd says that it is up; "" until then."""
        began = "systemctl show --property=UserspaceTimestampMonotonic"
        done = self.run(f"systemctl is-system-running --wait >/dev/null; {began}")
        return done.stdout if done.returncode == 0 else ""


def _remove_left_over(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        if not Path("/proc", folder.name.removeprefix(PREFIX).partition("-")[0]).exists():
            _remove(folder)


def _remove(folder: Path) -> None:
    # nspawn makes some folders of the system immutable or subvolumes; nothing is mounted there.
    shutil.rmtree(folder, ignore_errors=True)


def _children(pid: int) -> list[int]:
    told = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
    return [int(word) for word in told.split()]
