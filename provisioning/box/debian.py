"""Debian for the box: a plain Debian 13 as a folder, Asterisk's backport, package downloads."""

import contextlib
import fcntl
import os
import shutil
import subprocess
import urllib.parse
from collections.abc import Iterator, Sequence
from pathlib import Path

SCRIPT_FOLDER = Path(__file__).parent
CACHE_FOLDER = Path(os.environ.get("APPLIANCE_CACHE", "/var/cache/appliance"))
# the packages of a server that was installed with nothing but SSH
PLAIN_PACKAGES = (
    "systemd,systemd-sysv,dbus,libpam-systemd,udev,kmod,openssh-server,python3,iproute2,"
    "ca-certificates,sudo,netbase"
)
_IGNORE_DATES_OPTIONS = ('Acquire::Check-Valid-Until "false"', 'Acquire::Check-Date "false"')


@contextlib.contextmanager
def cache_lock() -> Iterator[None]:
    """A context in which only this run fills the cache; others wait."""
    CACHE_FOLDER.mkdir(parents=True, exist_ok=True)
    with (CACHE_FOLDER / "box.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build_backport() -> Path:
    """Asterisk built for Debian 13 as a local apt repository; built once, in 7 minutes."""
    folder = CACHE_FOLDER / "debs"
    if not (folder / "Packages").exists():
        subprocess.run([SCRIPT_FOLDER / "backport", folder], check=True)
    return folder


def plain_debian() -> Path:
    """The folder of a plain, unpacked Debian 13; made once."""
    folder = CACHE_FOLDER / "trixie"
    if not folder.exists():
        new_folder = folder.with_name(f"trixie.{os.getpid()}")
        command = ["mmdebstrap", "--mode=root", "--variant=minbase", f"--include={PLAIN_PACKAGES}"]
        command += [f"--aptopt={line}" for line in _IGNORE_DATES_OPTIONS]
        subprocess.run(
            [*command, "trixie", new_folder, f"deb {_debian_mirror()} trixie main"], check=True
        )
        try:
            new_folder.rename(folder)
        except OSError:  # another run was faster
            shutil.rmtree(new_folder)
    return folder


def fetch_packages(packages: Sequence[str], target: Path) -> None:
    """Make an apt repository of the packages and of all that a plain Debian 13 lacks for them.

    They come from the sources of this machine's apt; Asterisk's come from the backport.
    """
    backport_folder = build_backport()
    work = CACHE_FOLDER / "apt"
    for name in ("state/lists/partial", "cache/archives/partial", "nothing/partial"):
        (work / name).mkdir(parents=True, exist_ok=True)
    (work / "local.list").write_text(f"deb [trusted=yes] file:{backport_folder} ./\n")
    sources = work / "sources"
    shutil.rmtree(sources, ignore_errors=True)
    shutil.copytree("/etc/apt/sources.list.d", sources)
    shutil.copy(work / "local.list", sources / "backport.list")
    options = {
        "Dir::Etc::sourceparts": sources,
        "Dir::State": work / "state",
        "Dir::State::status": plain_debian() / "var/lib/dpkg/status",
        "Dir::Cache": work / "cache",
        "Acquire::Retries": 3,
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "-q", *(f"-o{name}={value}" for name, value in options.items())]
    subprocess.run([*apt, "update"], check=True)
    # apt would leave out the packages that are already in the archives.
    empty_archives = f"-oDir::Cache::archives={work / 'nothing'}"
    uris = subprocess.run(
        [*apt, empty_archives, "-y", "--print-uris", "install", *packages],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    subprocess.run([*apt, "-y", "--download-only", "install", *packages], check=True)
    target.mkdir(parents=True)
    for line in uris.splitlines():
        if line.startswith("'"):
            uri, name = line.split()[0].strip("'"), line.split()[1]
            local_file = Path(urllib.parse.unquote(uri.removeprefix("file:")))
            # apt does not copy packages of a local repository to its archives.
            _link_or_copy(
                local_file if uri.startswith("file:") else work / "cache/archives" / name, target
            )
    listing = subprocess.run(
        ["dpkg-scanpackages", "--multiversion", "."],
        cwd=target,
        check=True,
        capture_output=True,
    ).stdout
    (target / "Packages").write_bytes(listing)


def _link_or_copy(file: Path, target: Path) -> None:
    """Link the file into another folder; copy it if that folder is on another disk."""
    try:
        os.link(file, target / file.name)
    except OSError:
        shutil.copy(file, target / file.name)


def _debian_mirror() -> str:
    """The URL from which this machine's own packages come."""
    output = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return next(uri for uri in output.split() if uri.startswith("http") and "security" not in uri)
