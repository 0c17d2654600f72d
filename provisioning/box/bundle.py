"""`./run bundle`: a folder for a USB disk from which a box is made without the internet."""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from appliance.telephony import prompts
from provisioning.box import debian, freshness, sbom

TOP = Path(__file__).parents[2]
KEY = "~/.config/appliance/bundle.key"
PLAYBOOKS = TOP / "provisioning" / "ansible"
_SOURCES = ("appliance", "ivr", "backups", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")
_GUIDES = [f"{what}.{lang}.md" for what in ("technician", "restore") for lang in ("ru", "uz")]
_LOCAL = ("site.ini", "site.ini.*", "__pycache__")  # of the computer that makes the bundle
_E1 = ["linux-image-amd64", "linux-headers-amd64"]  # dahdi-dkms is compiled on the box
_INSTALL = """\
#!/bin/sh
# On the box, as root: installs Ansible from this folder. Then: sh setup, which writes
# /root/site.ini, and: cd ansible && ansible-playbook -i /root/site.ini site.yml
# sh install RELEASE uses one that is older than the box's, or has expired; it is written down.
set -e
umask 022
cd "$(dirname "$(realpath "$0")")"
signer=$(sh ansible/roles/validate/files/signature.sh "$PWD") || {
    echo "This bundle is refused: $signer." >&2
    exit 1
}
sha256sum --check --quiet --strict SHA256SUMS
echo "This bundle is signed by $signer"
freshness=$(sh ansible/roles/validate/files/freshness.sh "$PWD" "$1") || {
    if [ $? = 3 ]; then
        logger -t appliance-update "accepted $1, though $freshness" || true
        if appliance release --help >/dev/null 2>&1; then # 0.2 lacks it
            appliance release record accepted "$1" --by "${SUDO_USER:-root}" --why "$freshness"
        fi
    else
        echo "This bundle is refused: $freshness." >&2
        exit 1
    fi
}
[ -z "$freshness" ] || echo "This bundle: $freshness"
mkdir -p /opt/appliance
if ! cmp -s SHA256SUMS /opt/appliance/bundle/SHA256SUMS; then
    rm -rf /opt/appliance/bundle.new
    cp -r . /opt/appliance/bundle.new
    rm -rf /opt/appliance/bundle
    mv /opt/appliance/bundle.new /opt/appliance/bundle
fi
echo "deb [trusted=yes] file:/opt/appliance/bundle/debs ./" >/etc/apt/sources.list.d/appliance.list
apt-get -q update -o Dir::Etc::sourceparts=- \\
    -o Dir::Etc::sourcelist=/etc/apt/sources.list.d/appliance.list
apt-get -qy install --no-install-recommends ansible-core
"""

_SETUP = """\
#!/bin/sh
# site.ini by question and answer: sh setup [--lang uz|ru] [--check] [FILE]
exec sh "$(dirname "$(realpath "$0")")/ansible/setup" "$@"
"""


def make(into: Path, *, e1: bool = False) -> str:
    """Make the bundle, in place of one that was there; returns the name of its release.

    `e1`: with kernel, headers and drivers for E1 cards, 250 MB more.
    """
    with debian.alone():
        return _make(into, e1)


def _make(into: Path, e1: bool) -> str:
    named, packages, date = release(), _packages(e1), freshness.source_date(TOP)
    fresh = into.with_name(f"{into.name}.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    _say("packages of Debian")
    debian.fetch(packages, fresh / "debs")
    _say("packages of Python")
    _wheels(fresh / "wheels", date)
    make_own_parts(fresh, date)
    parts = (TOP / "requirements.lock", fresh / "wheels", TOP / "package-lock.json")
    made_of = sbom.written(*parts, fresh / "debs/Packages", debian.plain())
    (fresh / "sbom.json").write_text(made_of, "utf-8")
    (fresh / "packages").write_text("\n".join(packages) + "\n", "ascii")
    name_release(fresh, named, date)
    shutil.rmtree(into, ignore_errors=True)
    fresh.rename(into)
    return named


def make_own_parts(folder: Path, date: int) -> None:
    """The parts of a bundle that come from these sources: wheel, prompts, playbooks, guides.

    The same sources give the same bytes, in whatever folder, locale, time and umask.
    """
    _say("the appliance")
    _appliance(folder / "wheels", date)
    _say("prompts")
    _prompts(folder / "prompts")
    left_out = shutil.ignore_patterns(*_LOCAL)
    shutil.copytree(PLAYBOOKS, folder / "ansible", ignore=left_out)
    (folder / "docs").mkdir()
    for guide in _GUIDES:
        shutil.copy(TOP / "docs" / guide, folder / "docs")
    (folder / "install").write_text(_INSTALL, "utf-8")
    (folder / "setup").write_text(_SETUP, "utf-8")


def name_release(folder: Path, named: str, date: int) -> None:
    """Write what the bundle's release is and how new, then sign all of it."""
    (folder / "release").write_text(f"{named}\n", "ascii")
    (folder / freshness.FILE).write_text(freshness.describe(named, date), "ascii")
    for file in folder.rglob("*"):
        is_run = file.is_dir() or file in (folder / "install", folder / "setup")
        file.chmod(0o755 if is_run else 0o644)
    seal(folder)


def up_to_date(folder: Path) -> bool:
    """Whether the bundle holds the appliance as it stands; the playbooks are not looked at."""
    named, date = release(), freshness.source_date(TOP)
    update = freshness.describe(named, date).strip()
    wanted = {"release": named, "update": update, "packages": "\n".join(_packages(e1=False))}
    return (folder / "SHA256SUMS.sig").exists() and all(
        (folder / name).exists() and (folder / name).read_text("ascii") == f"{text}\n"
        for name, text in wanted.items()
    )


def _packages(e1: bool) -> list[str]:
    """Every package of Debian that the box may need."""
    roles = packages_of_roles()
    if not e1:
        del roles["dahdi"]
    always = ["ansible-core", "python3-apt", "openssh-client", *(_E1 if e1 else [])]
    return sorted({*always, *(name for names in roles.values() for name in names)})


def seal(folder: Path) -> None:
    """Write the checksum of every file of the bundle, and sign them."""
    key = _signing_key()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    sums, signature = folder / "SHA256SUMS", folder / "SHA256SUMS.sig"
    for file in (sums, signature, folder / "bundle.pub"):
        file.unlink(missing_ok=True)  # it may be a link to that of another bundle
    (folder / "bundle.pub").write_bytes(public)
    lines = [f"{_sum(file)}  {file.relative_to(folder)}\n" for file in _files(folder)]
    sums.write_text("".join(lines), "utf-8")
    signature.write_bytes(key.sign(sums.read_bytes()))
    for file in (sums, signature, folder / "bundle.pub"):
        file.chmod(0o644)


def fingerprint() -> str:
    """By which people know the key that bundles are signed with, here."""
    der = _signing_key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def _signing_key() -> Ed25519PrivateKey:
    """The key of whoever builds; made the first time, and never part of a bundle."""
    file = Path(os.environ.get("APPLIANCE_BUNDLE_KEY", KEY)).expanduser()
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = Ed25519PrivateKey.generate()
        form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.touch(mode=0o600)
        file.write_bytes(made.private_bytes(*form))
    found = load_pem_private_key(file.read_bytes(), password=None)
    if not isinstance(found, Ed25519PrivateKey):
        raise ValueError(f"{file} holds no Ed25519 key")
    return found


def packages_of_roles() -> dict[str, list[str]]:
    """The Debian packages that each role installs, by its defaults."""
    found = {}
    for file in sorted(PLAYBOOKS.glob("roles/*/defaults/main.yml")):
        role = file.parts[-3]
        values = yaml.safe_load(file.read_text("utf-8")) or {}
        found[role] = list(values.get(f"{role}_packages", []))
    return found


def _wheels(into: Path, date: int) -> None:
    """Every package of requirements.lock as a wheel, kept until the list changes."""
    lock = TOP / "requirements.lock"
    kept = debian.CACHE / f"wheels-{_sum(lock)[:16]}"
    if not kept.exists():
        fresh = kept.with_name(f"{kept.name}.{os.getpid()}")
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--require-hashes"]
        subprocess.run(
            [*pip, "--no-deps", "--no-build-isolation", "-r", lock, "-w", fresh],
            check=True,
            **_plain(date),
        )
        os.replace(fresh, kept)
    shutil.copytree(kept, into)


def release() -> str:
    """Version and fingerprint of the sources as they stand."""
    digest = hashlib.sha256()
    for name in _SOURCES:
        for file in _files(TOP / name) if (TOP / name).is_dir() else [TOP / name]:
            if "__pycache__" not in file.parts:
                digest.update(f"{file.relative_to(TOP)}\0{_sum(file)}\n".encode())
    version = re.search(r"^version = (.+)$", (TOP / "setup.cfg").read_text("utf-8"), re.MULTILINE)
    return f"{version[1] if version else '0'}-{digest.hexdigest()[:8]}"


def _appliance(into: Path, date: int) -> None:
    """The appliance as a wheel, out of a copy of the sources: a build leaves things behind."""
    into.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "source"
        copy.mkdir()
        for name in _SOURCES:
            source = TOP / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / name)
        for file in copy.rglob("*"):
            file.chmod(0o755 if file.is_dir() else 0o644)
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
        subprocess.run([*pip, "--no-build-isolation", "-w", into, copy], check=True, **_plain(date))


def _plain(date: int) -> dict[str, Any]:
    """How a build is run so that nothing of this computer goes into what it makes."""
    fixed = {"SOURCE_DATE_EPOCH": str(date), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    return {"env": {**os.environ, **fixed, "PYTHONHASHSEED": "0"}, "umask": 0o022}


def _prompts(into: Path) -> None:
    """Announcements for callers, in a synthetic voice; made again only where a text changed.

    The cache folder depends on the code, whose output may change.
    """
    digest = hashlib.sha256()
    for file in sorted(Path(prompts.__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    kept = debian.CACHE / f"prompts-{digest.hexdigest()[:16]}"
    prompts.synthesise(kept)
    shutil.copytree(kept, into, ignore=shutil.ignore_patterns("versions"))


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.rglob("*")) if file.is_file())


def _sum(file: Path) -> str:
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def _say(what: str) -> None:
    print(f"  {what} …", flush=True)


def main() -> None:
    """Make the bundle where the caller wants it."""
    parser = argparse.ArgumentParser(prog="run bundle", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=TOP / "dist" / "bundle")
    parser.add_argument("--e1", action="store_true", help="with the drivers of E1 cards")
    wanted = parser.parse_args()
    made = make(wanted.folder.resolve(), e1=wanted.e1)
    size = sum(file.stat().st_size for file in _files(wanted.folder)) / 1e6
    print(f"{wanted.folder}: release {made}, {size:.0f} MB, signed by {fingerprint()}")


if __name__ == "__main__":
    main()
