"""A box with a kernel of its own, for what a container cannot have: an encrypted disk, a stick.

Debian's user-mode Linux: its kernel as a program of this machine, with files for disks.
"""

import hashlib
import os
import shutil
import socket
import struct
import subprocess
import tempfile
from pathlib import Path

from provisioning.box import debian
from tests.rig import waiting
from tests.vm.machine import LIMIT, Machine
from tests.vm.network import BOX, Network

PROGRAM = Path("/usr/bin/linux.uml")
DATA = "/dev/ubdc"
_MODULES = Path("/usr/lib/uml/modules")
_DISKS = {"system": 0, "second": 1, "data": 2, "stick": 3, "old": 4}  # ubda …; those that are there
_TAP = "to-computer"
_INSTALL = """
mount -t tmpfs tmpfs "$1/run"
mkdir "$1/run/debs"
mount --bind "$2/debs" "$1/run/debs"
mount -t proc proc "$1/proc"
rm -rf "$1"/etc/apt/sources.list*
echo "deb [trusted=yes] file:/run/debs ./" >"$1/etc/apt/sources.list"
echo force-unsafe-io >"$1/etc/dpkg/dpkg.cfg.d/test"
export DEBIAN_FRONTEND=noninteractive
chroot "$1" apt-get -qq update
chroot "$1" xargs apt-get -qq -y --no-install-recommends install
chroot "$1" apt-get -qq -y remove asterisk  # before the playbook has written its unit, none runs
"""
# What its kernel hears commands by, as linux/arch/um/drivers/mconsole.h says.
_MAGIC, _ASKED, _TOLD = 0xCAFEBABE, struct.Struct("III512s"), struct.Struct("III")


def with_packages(drive: Path) -> Path:
    """A Debian 13 with all packages of a bundle, made once of each.

    Its kernel unpacks them several times as slowly as that of this machine.
    """
    listed = b"".join((drive / name).read_bytes() for name in ("packages", "debs/Packages"))
    listed += _INSTALL.encode()
    folder = debian.CACHE / f"trixie-{hashlib.sha256(listed).hexdigest()[:12]}"
    with debian.alone():
        if not folder.exists():
            for old in debian.CACHE.glob("trixie-*"):
                shutil.rmtree(old)
            fresh = debian.CACHE / "trixie.new"
            shutil.rmtree(fresh, ignore_errors=True)
            subprocess.run(["cp", "-a", "--reflink=auto", debian.plain(), fresh], check=True)
            with (drive / "packages").open("rb") as packages:
                apart = ["unshare", "-m", "--propagation", "private", "sh", "-ec", _INSTALL, "sh"]
                subprocess.run(
                    [*apart, fresh, drive], stdin=packages, capture_output=True, check=True
                )
            fresh.rename(folder)
    return folder


class Computer(Machine):
    """Booted, reached and ended as the container; it has disks of its own."""

    def __init__(self, network: Network, drive: Path, mark: str = "") -> None:
        """`drive`: with the bundle whose packages of Debian it has from the beginning."""
        super().__init__(network, mark)
        self._drive = drive
        self._state = Path(tempfile.mkdtemp(prefix="uml-"))  # the path of a socket is short

    def disk(self, name: str, size: str, label: str = "", holds: Path | None = None) -> Path:
        """A new disk: blank, or with a file system of that label and what is in that folder."""
        file = self.folder / f"{name}.img"
        file.unlink(missing_ok=True)
        subprocess.run(["truncate", "-s", size, file], check=True)
        if label:
            filled = ["-d", holds] if holds else []
            command = ["/usr/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-L", label, *filled, file]
            subprocess.run(command, check=True)
        return file

    def prepare(self) -> None:
        """As of a container; data disk and stick are blank."""
        super().prepare()
        self.disk("second", "3G", "second")
        self._lay_blank()

    def replace(self) -> None:
        """Another one, and with it the data disk of before; of the rest the second disk stays."""
        self._stop()
        (self.folder / "data.img").rename(self.folder / "old.img")
        self._lay_blank()
        self._lay_down()
        self.boot()

    def boot(self) -> None:
        """Switch it on and wait until it lets us in."""
        self._lay_cable()
        files = {number: self.folder / f"{name}.img" for name, number in _DISKS.items()}
        command = [
            *("setpriv", "--pdeathsig", "KILL", "--", PROGRAM, "mem=2G", "root=/dev/ubda", "rw"),
            *(f"ubd{number}={file}" for number, file in files.items() if file.exists()),
            *(f"uml_dir={self._state}", "umid=box", "con=null", "con0=null,fd:1"),
            f"vec0:transport=tap,ifname={_TAP},depth=128,gro=1",
        ]
        with self._console.open("wb") as console:
            self._process = subprocess.Popen(
                self._network.inside("switch", command),
                env={**os.environ, "TMPDIR": "/dev/shm"},  # noqa: S108  its memory
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )
        waiting.until(self._let_in, LIMIT)

    def switch_off(self) -> None:
        """Cut its power, once what was written is on the disks."""
        self.run("sync")
        self._stop()

    def pull_out(self) -> None:
        """Take the stick out of it while it is off."""
        (self.folder / "stick.img").rename(self.folder / "drawer.img")

    def plug_in(self) -> None:
        """Put the stick into it again while it runs."""
        stick = (self.folder / "drawer.img").rename(self.folder / "stick.img")
        text, here = f"config ubd{_DISKS['stick']}={stick}".encode(), self._state / "us"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.settimeout(30)
            line.bind(str(here))
            line.sendto(_ASKED.pack(_MAGIC, 2, len(text), text), str(self._state / "box/mconsole"))
            told = line.recv(1024)
        here.unlink()
        wrong, _, _ = _TOLD.unpack_from(told)
        assert not wrong, told

    def end(self) -> None:
        """Stop it, and remove every file of it."""
        super().end()
        shutil.rmtree(self._state, ignore_errors=True)

    def _lay_blank(self) -> None:
        self.disk("data", "3G")
        self.disk("stick", "16M", "HOTLINEKEY")

    def _lay_down(self) -> None:
        super()._lay_down(with_packages(self._drive))
        units = self.root / "etc/systemd/system"
        (units / "systemd-networkd.service").unlink()
        (units / "multi-user.target.wants").mkdir(exist_ok=True)
        wanted = units / "multi-user.target.wants/systemd-networkd.service"
        wanted.symlink_to("/usr/lib/systemd/system/systemd-networkd.service")
        files = {
            "etc/systemd/network/lan.network": f"[Match]\nName=vec0\n[Network]\nAddress={BOX}/16\n",
            "etc/fstab": (
                "LABEL=system / ext4 defaults 0 1\n"
                "LABEL=second /mnt/second ext4 nofail 0 0\n"
                f"none /media hostfs hostfs={self.media} 0 0\n"
            ),
        }
        for name, text in files.items():
            (self.root / name).parent.mkdir(exist_ok=True)
            (self.root / name).write_text(text)
        (self.root / "mnt/second").mkdir()
        subprocess.run(["cp", "-a", _MODULES, self.root / "usr/lib"], check=True)
        self.disk("system", "6G", "system", self.root)
        shutil.rmtree(self.root)

    def _lay_cable(self) -> None:
        """In the place of the box's namespace: what is there since a former start stays."""
        net = self._network
        for place, words in (
            ("box", ["link", "set", "host0", "down"]),
            ("switch", ["tuntap", "add", "dev", _TAP, "mode", "tap"]),
            ("switch", ["link", "set", _TAP, "master", "bridge", "up"]),
        ):
            subprocess.run(net.inside(place, ["ip", *words]), capture_output=True, check=False)

    def _stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait(60)
