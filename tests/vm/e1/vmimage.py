"""A disk image of Debian 13 with DAHDI, our Asterisk and LUKS, built from Debian's packages."""

import contextlib
import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from provisioning.local import asterisk as tree

_INIT_SCRIPT = Path(__file__).parent / "guest" / "init.sh"
CACHE_FOLDER = Path("/var/cache/appliance/vm")
PROMPTS_FOLDER = CACHE_FOLDER / "prompts"
_DEBIAN_PACKAGES = (
    *("openssh-server", "iproute2", "kmod", "initramfs-tools", "linux-image-amd64"),
    *("linux-headers-amd64", "dahdi-dkms", "dahdi", "cryptsetup-bin", "e2fsprogs"),
)
_ASTERISK_PACKAGES = ("asterisk", "asterisk-modules", "asterisk-dahdi")
# Needed only while the kernel's modules are built.
_BUILD_ONLY_PATHS = (
    "usr/src",
    "usr/lib/gcc",
    "usr/lib/llvm*",
    "usr/share/doc",
    "usr/share/man",
    "var/lib/dkms",
)
_BUILD_ONLY_PATHS += ("usr/share/locale", "usr/libexec/gcc", "var/cache/apt", "var/lib/apt/lists")
_TIMEOUT_SECONDS = 15 * 60


class CannotBuild(RuntimeError):
    """Debian's packages are not available, or this user cannot unpack them."""


@dataclass(frozen=True)
class Image:
    """The files from which a machine starts: disk, kernel, initial file system, and login key."""

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


def ensure_image() -> Image:
    """Return the image; rebuilds it when its recipe has changed. Raises CannotBuild."""
    recipe = (
        Path(__file__).read_bytes() + _INIT_SCRIPT.read_bytes() + str(tree.ASTERISK_ROOT).encode()
    )
    image = Image(CACHE_FOLDER / f"e1-{hashlib.sha256(recipe).hexdigest()[:12]}")
    with _cache_lock():
        if not image.disk.exists():
            for outdated in CACHE_FOLDER.glob("e1-*"):
                shutil.rmtree(outdated)
            new_image = Image(CACHE_FOLDER / "new")
            shutil.rmtree(new_image.folder, ignore_errors=True)
            new_image.folder.mkdir()
            try:
                _build_image(new_image)
                new_image.folder.rename(image.folder)
            finally:
                shutil.rmtree(new_image.folder, ignore_errors=True)
    return image


@contextlib.contextmanager
def _cache_lock() -> Iterator[None]:
    try:
        CACHE_FOLDER.mkdir(parents=True, exist_ok=True)
        lock = (CACHE_FOLDER / ".lock").open("w")
    except OSError as error:
        raise CannotBuild(f"{CACHE_FOLDER}: {error.strerror}") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build_image(image: Image) -> None:
    root = image.folder / "root"
    mirror = _debian_mirror()
    _unpack_system(root, "trixie", mirror, _DEBIAN_PACKAGES)
    asterisk_root = root / tree.ASTERISK_ROOT.relative_to("/")
    asterisk_root.parent.mkdir(parents=True, exist_ok=True)
    if (tree.MODULES_FOLDER / "chan_dahdi.so").exists():
        _run_command("cp", "-a", tree.ASTERISK_ROOT, asterisk_root)
    else:
        _unpack_system(asterisk_root, "forky", mirror, _ASTERISK_PACKAGES)
    _run_command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", image.key)
    _write_system_files(root, image.key.with_suffix(".pub").read_text())
    shutil.copy(next(root.glob("boot/vmlinuz-*")), image.kernel)
    shutil.copy(next(root.glob("boot/initrd.img-*")), image.initrd)
    for folder in (path for pattern in _BUILD_ONLY_PATHS for path in root.glob(pattern)):
        shutil.rmtree(folder)
    disk = image.folder / "disk.new"
    _run_command("truncate", "-s", "4G", disk)
    _run_command(
        "/usr/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-E", "root_owner=0:0", "-d", root, disk
    )
    shutil.rmtree(root)
    disk.rename(image.disk)


def _debian_mirror() -> str:
    """Return the Debian archive from which this host takes its packages."""
    lines = _run_command(
        *("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages")
    ).splitlines()
    addresses = [line for line in lines if line.startswith("http") and "security" not in line]
    if not addresses:
        raise CannotBuild("no Debian archive is set up for apt")
    return addresses[0]


def _unpack_system(root: Path, suite: str, mirror: str, packages: tuple[str, ...]) -> None:
    _run_command(
        *("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase"),
        *('--aptopt=Acquire::Check-Valid-Until "false"', '--aptopt=Acquire::Check-Date "false"'),
        *(f"--include={','.join(packages)}", suite, root, f"deb {mirror} {suite} main"),
    )


def _write_system_files(root: Path, key: str) -> None:
    """Write the files that the system needs to boot in a virtual machine and to accept logins."""
    files = {
        "root/.ssh/authorized_keys": key,
        "etc/hosts": "127.0.0.1 localhost vm\n",
        # A small initial file system: only the modules that the virtual disk needs.
        "etc/initramfs-tools/conf.d/vm": "MODULES=list\n",
        "etc/initramfs-tools/modules": "virtio_pci\nvirtio_blk\next4\n",
        "etc/modprobe.d/dahdi-spans.conf": "options dahdi auto_assign_spans=1\n",
        "etc/ssh/sshd_config.d/vm.conf": "UseDNS no\nMaxSessions 50\nMaxStartups 50\n",
        "usr/sbin/vm-init": _INIT_SCRIPT.read_text(),
    }
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (root / "usr/sbin/vm-init").chmod(0o755)
    (root / "root/.ssh").chmod(0o700)
    _run_command("chroot", root, "update-initramfs", "-u", "-k", "all")
    if not list(root.glob("usr/lib/modules/*/updates/dkms/dahdi_dynamic_loc.ko*")):
        raise RuntimeError("DAHDI's modules were not made")


def _run_command(*command: str | Path) -> str:
    try:
        process = subprocess.run(
            [str(word) for word in command],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=True,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"},
        )
    except FileNotFoundError as error:
        raise CannotBuild(f"{command[0]} is not installed") from error
    except subprocess.CalledProcessError as error:
        raise CannotBuild(f"{command[0]}: {error.stderr[-800:]}") from error
    return process.stdout
