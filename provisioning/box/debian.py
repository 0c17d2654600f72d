"""Debian for the box: a plain Debian 13 as a folder, Asterisk's backport, packages to fetch."""

import contextlib
import fcntl
import os
import shutil
import subprocess
import urllib.parse
from collections.abc import Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("APPLIANCE_CACHE", "/var/cache/appliance"))
PLAIN = (
    "systemd,systemd-sysv,dbus,libpam-systemd,udev,kmod,openssh-server,python3,iproute2,"
    "ca-certificates,sudo,netbase"
)  # what a server has that was installed with nothing but SSH
_UNDATED = ('Acquire::Check-Valid-Until "false"', 'Acquire::Check-Date "false"')


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One run at a time fills the cache; others wait."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "box.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def backport() -> Path:
    """Asterisk built for Debian 13 as a local apt repository; made once, in 7 minutes."""
    folder = CACHE / "debs"
    if not (folder / "Packages").exists():
        subprocess.run([HERE / "backport", folder], check=True)
    return folder


def plain() -> Path:
    """A plain Debian 13, unpacked; made once."""
    folder = CACHE / "trixie"
    if not folder.exists():
        fresh = folder.with_name(f"trixie.{os.getpid()}")
        command = ["mmdebstrap", "--mode=root", "--variant=minbase", f"--include={PLAIN}"]
        command += [f"--aptopt={line}" for line in _UNDATED]
        subprocess.run([*command, "trixie", fresh, f"deb {_mirror()} trixie main"], check=True)
        try:
            fresh.rename(folder)
        except OSError:  # another run was faster
            shutil.rmtree(fresh)
    return folder


def fetch(packages: Sequence[str], into: Path) -> None:
    """Make an apt repository of the packages and whatever a plain Debian 13 lacks for them.

    They come from where this machine's apt gets its own; Asterisk's come from the backport.
    """
    ours = backport()
    work = CACHE / "apt"
    for name in ("state/lists/partial", "cache/archives/partial", "nothing/partial"):
        (work / name).mkdir(parents=True, exist_ok=True)
    (work / "local.list").write_text(f"deb [trusted=yes] file:{ours} ./\n")
    sources = work / "sources"
    shutil.rmtree(sources, ignore_errors=True)
    shutil.copytree("/etc/apt/sources.list.d", sources)
    shutil.copy(work / "local.list", sources / "backport.list")
    options = {
        "Dir::Etc::sourceparts": sources,
        "Dir::State": work / "state",
        "Dir::State::status": plain() / "var/lib/dpkg/status",
        "Dir::Cache": work / "cache",
        "Acquire::Retries": 3,
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "-q", *(f"-o{name}={value}" for name, value in options.items())]
    subprocess.run([*apt, "update"], check=True)
    # What lies in the archives already would not be told.
    nothing = f"-oDir::Cache::archives={work / 'nothing'}"
    told = subprocess.run(
        [*apt, nothing, "-y", "--print-uris", "install", *packages],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    subprocess.run([*apt, "-y", "--download-only", "install", *packages], check=True)
    into.mkdir(parents=True)
    for line in told.splitlines():
        if line.startswith("'"):
            where, name = line.split()[0].strip("'"), line.split()[1]
            local = Path(urllib.parse.unquote(where.removeprefix("file:")))
            # apt leaves packages of a local repository where they are.
            _link(local if where.startswith("file:") else work / "cache/archives" / name, into)
    listing = subprocess.run(
        ["dpkg-scanpackages", "--multiversion", "."],
        cwd=into,
        check=True,
        capture_output=True,
    ).stdout
    (into / "Packages").write_bytes(listing)


def _link(file: Path, into: Path) -> None:
    """The same file in another folder; a copy where that is another disk."""
    try:
        os.link(file, into / file.name)
    except OSError:
        shutil.copy(file, into / file.name)


def _mirror() -> str:
    """Where this machine's own packages come from."""
    told = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return next(w for w in told.split() if w.startswith("http") and "security" not in w)
