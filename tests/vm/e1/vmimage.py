"""A disk image of Debian 13 with DAHDI, our Asterisk and LUKS, made once of Debian's packages."""

import contextlib
import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from provisioning.local import asterisk as tree

_INIT = Path(__file__).parent / "guest" / "init.sh"
CACHE = Path("/var/cache/appliance/vm")
PROMPTS = CACHE / "prompts"
_PACKAGES = (
    *("openssh-server", "iproute2", "kmod", "initramfs-tools", "linux-image-amd64"),
    *("linux-headers-amd64", "dahdi-dkms", "dahdi", "cryptsetup-bin", "e2fsprogs"),
)
_ASTERISK = ("asterisk", "asterisk-modules", "asterisk-dahdi")
# Only wanted while the kernel's modules are made.
_SHED = (
    "usr/src",
    "usr/lib/gcc",
    "usr/lib/llvm*",
    "usr/share/doc",
    "usr/share/man",
    "var/lib/dkms",
)
_SHED += ("usr/share/locale", "usr/libexec/gcc", "var/cache/apt", "var/lib/apt/lists")
_MINUTES = 15 * 60


class CannotBuild(RuntimeError):
    """Debian's packages cannot be had, or this user cannot unpack them."""


@dataclass(frozen=True)
class Image:
    """What a machine is started from: disk, kernel, first file system, key to log in."""

    folder: Path

    @property
    def disk(self) -> Path:
        return self.folder / "disk.img"

    @property
    def kernel(self) -> Path:
        return self.folder / "kernel"

    @property
    def initrd(self) -> Path:
        return self.folder / "initrd"

    @property
    def key(self) -> Path:
        return self.folder / "key"


def made() -> Image:
    """The image; made anew when the way of making it has changed. Raises CannotBuild."""
    recipe = Path(__file__).read_bytes() + _INIT.read_bytes() + str(tree.ROOT).encode()
    image = Image(CACHE / f"e1-{hashlib.sha256(recipe).hexdigest()[:12]}")
    with _alone():
        if not image.disk.exists():
            for old in CACHE.glob("e1-*"):
                shutil.rmtree(old)
            fresh = Image(CACHE / "new")
            shutil.rmtree(fresh.folder, ignore_errors=True)
            fresh.folder.mkdir()
            try:
                _make(fresh)
                fresh.folder.rename(image.folder)
            finally:
                shutil.rmtree(fresh.folder, ignore_errors=True)
    return image


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    try:
        CACHE.mkdir(parents=True, exist_ok=True)
        lock = (CACHE / ".lock").open("w")
    except OSError as error:
        raise CannotBuild(f"{CACHE}: {error.strerror}") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(image: Image) -> None:
    root = image.folder / "root"
    mirror = _mirror()
    _unpack(root, "trixie", mirror, _PACKAGES)
    inside = root / tree.ROOT.relative_to("/")
    inside.parent.mkdir(parents=True, exist_ok=True)
    if (tree.MODULES / "chan_dahdi.so").exists():
        _run("cp", "-a", tree.ROOT, inside)
    else:
        _unpack(inside, "forky", mirror, _ASTERISK)
    _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", image.key)
    _set_up(root, image.key.with_suffix(".pub").read_text())
    shutil.copy(next(root.glob("boot/vmlinuz-*")), image.kernel)
    shutil.copy(next(root.glob("boot/initrd.img-*")), image.initrd)
    for shed in (found for pattern in _SHED for found in root.glob(pattern)):
        shutil.rmtree(shed)
    disk = image.folder / "disk.new"
    _run("truncate", "-s", "4G", disk)
    _run("/usr/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-E", "root_owner=0:0", "-d", root, disk)
    shutil.rmtree(root)
    disk.rename(image.disk)


def _mirror() -> str:
    """The Debian archive this machine takes its packages from."""
    told = _run(
        *("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages")
    ).splitlines()
    found = [line for line in told if line.startswith("http") and "security" not in line]
    if not found:
        raise CannotBuild("no Debian archive is set up for apt")
    return found[0]


def _unpack(root: Path, suite: str, mirror: str, packages: tuple[str, ...]) -> None:
    _run(
        *("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase"),
        *('--aptopt=Acquire::Check-Valid-Until "false"', '--aptopt=Acquire::Check-Date "false"'),
        *(f"--include={','.join(packages)}", suite, root, f"deb {mirror} {suite} main"),
    )


def _set_up(root: Path, key: str) -> None:
    """What the machine needs to come up in a virtual machine and to be logged in to."""
    files = {
        "root/.ssh/authorized_keys": key,
        "etc/hosts": "127.0.0.1 localhost vm\n",
        # A small first file system: what the virtual disk needs, no more.
        "etc/initramfs-tools/conf.d/vm": "MODULES=list\n",
        "etc/initramfs-tools/modules": "virtio_pci\nvirtio_blk\next4\n",
        "etc/modprobe.d/dahdi-spans.conf": "options dahdi auto_assign_spans=1\n",
        "etc/ssh/sshd_config.d/vm.conf": "UseDNS no\nMaxSessions 50\nMaxStartups 50\n",
        "usr/sbin/vm-init": _INIT.read_text(),
    }
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (root / "usr/sbin/vm-init").chmod(0o755)
    (root / "root/.ssh").chmod(0o700)
    _run("chroot", root, "update-initramfs", "-u", "-k", "all")
    if not list(root.glob("usr/lib/modules/*/updates/dkms/dahdi_dynamic_loc.ko*")):
        raise RuntimeError("DAHDI's modules were not made")


def _run(*command: str | Path) -> str:
    try:
        done = subprocess.run(
            [str(word) for word in command],
            capture_output=True,
            text=True,
            timeout=_MINUTES,
            check=True,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"},
        )
    except FileNotFoundError as error:
        raise CannotBuild(f"{command[0]} is not installed") from error
    except subprocess.CalledProcessError as error:
        raise CannotBuild(f"{command[0]}: {error.stderr[-800:]}") from error
    return done.stdout
