"""A box with a kernel of its own, for an encrypted disk and a stick, which a container lacks.

Debian's user-mode Linux: its kernel is a program of this host, with files for disks.
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
from tests.vm.machine import BOOT_TIMEOUT_SECONDS, Machine
from tests.vm.network import BOX_ADDRESS, Network

UML_PROGRAM = Path("/usr/bin/linux.uml")
DATA_DEVICE = "/dev/ubdc"
_MODULES_FOLDER = Path("/usr/lib/uml/modules")
_DISK_NUMBERS = {"system": 0, "second": 1, "data": 2, "stick": 3, "old": 4}  # ubda …
_TAP_DEVICE = "to-computer"
_INSTALL_SCRIPT = """
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
# The format of the kernel's commands, see linux/arch/um/drivers/mconsole.h.
_MCONSOLE_MAGIC, _MCONSOLE_REQUEST, _MCONSOLE_RESPONSE = (
    0xCAFEBABE,
    struct.Struct("III512s"),
    struct.Struct("III"),
)


def debian_with_packages(drive: Path) -> Path:
    """Return a Debian 13 with all packages of a bundle; it is made once for each bundle.

    User-mode Linux would unpack them several times as slowly as this host.
    """
    recipe = b"".join((drive / name).read_bytes() for name in ("packages", "debs/Packages"))
    recipe += _INSTALL_SCRIPT.encode()
    folder = debian.CACHE_FOLDER / f"trixie-{hashlib.sha256(recipe).hexdigest()[:12]}"
    with debian.cache_lock():
        if not folder.exists():
            for outdated in debian.CACHE_FOLDER.glob("trixie-*"):
                shutil.rmtree(outdated)
            new_folder = debian.CACHE_FOLDER / "trixie.new"
            shutil.rmtree(new_folder, ignore_errors=True)
            subprocess.run(
                ["cp", "-a", "--reflink=auto", debian.plain_debian(), new_folder], check=True
            )
            with (drive / "packages").open("rb") as packages:
                install_command = [
                    "unshare",
                    "-m",
                    "--propagation",
                    "private",
                    "sh",
                    "-ec",
                    _INSTALL_SCRIPT,
                    "sh",
                ]
                subprocess.run(
                    [*install_command, new_folder, drive],
                    stdin=packages,
                    capture_output=True,
                    check=True,
                )
            new_folder.rename(folder)
    return folder


class Computer(Machine):
    """A machine that boots, is reached and ends like the container; it has disks of its own."""

    def __init__(self, network: Network, drive: Path, mark: str = "") -> None:
        """`drive`: the folder of the bundle whose Debian packages it has from the beginning."""
        super().__init__(network, mark)
        self._drive = drive
        self._state = Path(tempfile.mkdtemp(prefix="uml-"))  # the path of a socket is short

    def make_disk(self, name: str, size: str, label: str = "", content: Path | None = None) -> Path:
        """Make a new disk: blank, or with a labelled file system of the folder `content`."""
        file = self.folder / f"{name}.img"
        file.unlink(missing_ok=True)
        subprocess.run(["truncate", "-s", size, file], check=True)
        if label:
            content_options = ["-d", content] if content else []
            command = [
                "/usr/sbin/mke2fs",
                "-q",
                "-F",
                "-t",
                "ext4",
                "-L",
                label,
                *content_options,
                file,
            ]
            subprocess.run(command, check=True)
        return file

    def prepare(self) -> None:
        """Prepare it like a container; the data disk and the stick are blank."""
        super().prepare()
        self.make_disk("second", "3G", "second")
        self._make_blank_disks()

    def replace(self) -> None:
        """Replace the computer; the former data disk becomes `old`, the second disk remains."""
        self._cut_power()
        (self.folder / "data.img").rename(self.folder / "old.img")
        self._make_blank_disks()
        self._write_system()
        self.boot()

    def boot(self) -> None:
        """Switch it on and wait until it accepts a login."""
        self._connect_network()
        files = {number: self.folder / f"{name}.img" for name, number in _DISK_NUMBERS.items()}
        command = [
            *(
                "setpriv",
                "--pdeathsig",
                "KILL",
                "--",
                UML_PROGRAM,
                "mem=2G",
                "root=/dev/ubda",
                "rw",
            ),
            *(f"ubd{number}={file}" for number, file in files.items() if file.exists()),
            *(f"uml_dir={self._state}", "umid=box", "con=null", "con0=null,fd:1"),
            f"vec0:transport=tap,ifname={_TAP_DEVICE},depth=128,gro=1",
        ]
        with self._console.open("wb") as console:
            self._process = subprocess.Popen(
                self._network.command_at("switch", command),
                env={**os.environ, "TMPDIR": "/dev/shm"},  # noqa: S108  its memory
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )
        waiting.wait_until(self._accepts_login, BOOT_TIMEOUT_SECONDS)

    def switch_off(self) -> None:
        """Cut its power, once all data are written to the disks."""
        self.run("sync")
        self._cut_power()

    def remove_stick(self) -> None:
        """Remove the stick while the computer is off."""
        (self.folder / "stick.img").rename(self.folder / "drawer.img")

    def insert_stick(self) -> None:
        """Insert the stick again while the computer runs."""
        stick = (self.folder / "drawer.img").rename(self.folder / "stick.img")
        text, reply_socket = (
            f"config ubd{_DISK_NUMBERS['stick']}={stick}".encode(),
            self._state / "us",
        )
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
            connection.settimeout(30)
            connection.bind(str(reply_socket))
            connection.sendto(
                _MCONSOLE_REQUEST.pack(_MCONSOLE_MAGIC, 2, len(text), text),
                str(self._state / "box/mconsole"),
            )
            response = connection.recv(1024)
        reply_socket.unlink()
        error_code, _, _ = _MCONSOLE_RESPONSE.unpack_from(response)
        assert not error_code, response

    def end(self) -> None:
        """Stop the computer and remove all its files."""
        super().end()
        shutil.rmtree(self._state, ignore_errors=True)

    def _make_blank_disks(self) -> None:
        self.make_disk("data", "3G")
        self.make_disk("stick", "16M", "HOTLINEKEY")

    def _write_system(self) -> None:
        super()._write_system(debian_with_packages(self._drive))
        units = self.root / "etc/systemd/system"
        (units / "systemd-networkd.service").unlink()
        (units / "multi-user.target.wants").mkdir(exist_ok=True)
        enabled_link = units / "multi-user.target.wants/systemd-networkd.service"
        enabled_link.symlink_to("/usr/lib/systemd/system/systemd-networkd.service")
        files = {
            "etc/systemd/network/lan.network": "[Match]\nName=vec0\n[Network]\n"
            f"Address={BOX_ADDRESS}/16\n",
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
        subprocess.run(["cp", "-a", _MODULES_FOLDER, self.root / "usr/lib"], check=True)
        self.make_disk("system", "6G", "system", self.root)
        shutil.rmtree(self.root)

    def _connect_network(self) -> None:
        """Connect it in place of the box's namespace; links of a former start remain."""
        net = self._network
        for place, arguments in (
            ("box", ["link", "set", "host0", "down"]),
            ("switch", ["tuntap", "add", "dev", _TAP_DEVICE, "mode", "tap"]),
            ("switch", ["link", "set", _TAP_DEVICE, "master", "bridge", "up"]),
        ):
            subprocess.run(
                net.command_at(place, ["ip", *arguments]), capture_output=True, check=False
            )

    def _cut_power(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait(60)
