"""`./run bundle`: a folder for a USB disk that installs a box without the internet."""

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

SOURCE_ROOT = Path(__file__).parents[2]
DEFAULT_KEY_FILE = "~/.config/appliance/bundle.key"
PLAYBOOK_FOLDER = SOURCE_ROOT / "provisioning" / "ansible"
_SOURCE_NAMES = (
    "appliance",
    "ivr",
    "backups",
    "setup.cfg",
    "pyproject.toml",
    "README.md",
    "LICENSE",
)
_GUIDE_NAMES = [f"{what}.{lang}.md" for what in ("technician", "restore") for lang in ("ru", "uz")]
# files of the computer that makes the bundle
_LOCAL_PATTERNS = (
    "site.ini",
    "site.ini.*",
    "__pycache__",
)
_E1_PACKAGES = ["linux-image-amd64", "linux-headers-amd64"]  # dahdi-dkms is compiled on the box
_INSTALL_SCRIPT = """\
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

_SETUP_SCRIPT = """\
#!/bin/sh
# site.ini by question and answer: sh setup [--lang uz|ru] [--check] [FILE]
exec sh "$(dirname "$(realpath "$0")")/ansible/setup" "$@"
"""


def make_bundle(target: Path, *, e1: bool = False) -> str:
    """Make the bundle, replacing an existing one; returns the name of its release.

    `e1`: with kernel, headers and drivers for E1 cards, 250 MB more.
    """
    with debian.cache_lock():
        return _build_bundle(target, e1)


def _build_bundle(target: Path, e1: bool) -> str:
    release_name, packages, date = (
        source_release(),
        _required_packages(e1),
        freshness.source_date(SOURCE_ROOT),
    )
    new_folder = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.rmtree(new_folder, ignore_errors=True)
    new_folder.mkdir(parents=True)
    _print_step("packages of Debian")
    debian.fetch_packages(packages, new_folder / "debs")
    _print_step("packages of Python")
    _build_wheels(new_folder / "wheels", date)
    make_own_parts(new_folder, date)
    inputs = (
        SOURCE_ROOT / "requirements.lock",
        new_folder / "wheels",
        SOURCE_ROOT / "package-lock.json",
    )
    sbom_text = sbom.sbom_json(*inputs, new_folder / "debs/Packages", debian.plain_debian())
    (new_folder / "sbom.json").write_text(sbom_text, "utf-8")
    (new_folder / "packages").write_text("\n".join(packages) + "\n", "ascii")
    finish_release(new_folder, release_name, date)
    shutil.rmtree(target, ignore_errors=True)
    new_folder.rename(target)
    return release_name


def make_own_parts(folder: Path, date: int) -> None:
    """Make the parts of a bundle that come from the sources: wheel, prompts, playbooks, guides.

    The same sources give the same bytes, independent of folder, locale, time and umask.
    """
    _print_step("the appliance")
    _build_appliance(folder / "wheels", date)
    _print_step("prompts")
    _make_prompts(folder / "prompts")
    ignore = shutil.ignore_patterns(*_LOCAL_PATTERNS)
    shutil.copytree(PLAYBOOK_FOLDER, folder / "ansible", ignore=ignore)
    (folder / "docs").mkdir()
    for guide in _GUIDE_NAMES:
        shutil.copy(SOURCE_ROOT / "docs" / guide, folder / "docs")
    (folder / "install").write_text(_INSTALL_SCRIPT, "utf-8")
    (folder / "setup").write_text(_SETUP_SCRIPT, "utf-8")


def finish_release(folder: Path, release_name: str, date: int) -> None:
    """Write the bundle's release and its freshness, then sign the whole bundle."""
    (folder / "release").write_text(f"{release_name}\n", "ascii")
    (folder / freshness.UPDATE_FILE).write_text(freshness.update_text(release_name, date), "ascii")
    for file in folder.rglob("*"):
        is_executable = file.is_dir() or file in (folder / "install", folder / "setup")
        file.chmod(0o755 if is_executable else 0o644)
    sign_bundle(folder)


def is_up_to_date(folder: Path) -> bool:
    """Returns True if the bundle contains the present appliance; playbooks are not compared."""
    release_name, date = source_release(), freshness.source_date(SOURCE_ROOT)
    update = freshness.update_text(release_name, date).strip()
    expected = {
        "release": release_name,
        "update": update,
        "packages": "\n".join(_required_packages(e1=False)),
    }
    return (folder / "SHA256SUMS.sig").exists() and all(
        (folder / name).exists() and (folder / name).read_text("ascii") == f"{text}\n"
        for name, text in expected.items()
    )


def _required_packages(e1: bool) -> list[str]:
    """Every Debian package that the box may need."""
    roles = packages_of_roles()
    if not e1:
        del roles["dahdi"]
    base_packages = ["ansible-core", "python3-apt", "openssh-client", *(_E1_PACKAGES if e1 else [])]
    return sorted({*base_packages, *(name for names in roles.values() for name in names)})


def sign_bundle(folder: Path) -> None:
    """Write the checksum of every file of the bundle, and sign the checksums."""
    key = _signing_key()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    sums, signature = folder / "SHA256SUMS", folder / "SHA256SUMS.sig"
    for file in (sums, signature, folder / "bundle.pub"):
        file.unlink(missing_ok=True)  # the file may be a link to another bundle's
    (folder / "bundle.pub").write_bytes(public)
    lines = [
        f"{_file_checksum(file)}  {file.relative_to(folder)}\n" for file in _list_files(folder)
    ]
    sums.write_text("".join(lines), "utf-8")
    signature.write_bytes(key.sign(sums.read_bytes()))
    for file in (sums, signature, folder / "bundle.pub"):
        file.chmod(0o644)


def key_fingerprint() -> str:
    """The fingerprint of the key that signs bundles on this computer."""
    der = _signing_key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def _signing_key() -> Ed25519PrivateKey:
    """The builder's key; made the first time, and never part of a bundle."""
    file = Path(os.environ.get("APPLIANCE_BUNDLE_KEY", DEFAULT_KEY_FILE)).expanduser()
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new_key = Ed25519PrivateKey.generate()
        form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.touch(mode=0o600)
        file.write_bytes(new_key.private_bytes(*form))
    key = load_pem_private_key(file.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{file} holds no Ed25519 key")
    return key


def packages_of_roles() -> dict[str, list[str]]:
    """Role → the Debian packages that it installs by its defaults."""
    packages = {}
    for file in sorted(PLAYBOOK_FOLDER.glob("roles/*/defaults/main.yml")):
        role = file.parts[-3]
        values = yaml.safe_load(file.read_text("utf-8")) or {}
        packages[role] = list(values.get(f"{role}_packages", []))
    return packages


def _build_wheels(target: Path, date: int) -> None:
    """Build every package of requirements.lock as a wheel; cached until the list changes."""
    lock = SOURCE_ROOT / "requirements.lock"
    cached = debian.CACHE_FOLDER / f"wheels-{_file_checksum(lock)[:16]}"
    if not cached.exists():
        new_folder = cached.with_name(f"{cached.name}.{os.getpid()}")
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--require-hashes"]
        subprocess.run(
            [*pip, "--no-deps", "--no-build-isolation", "-r", lock, "-w", new_folder],
            check=True,
            **_reproducible_options(date),
        )
        os.replace(new_folder, cached)
    shutil.copytree(cached, target)


def source_release() -> str:
    """Version and fingerprint of the present sources."""
    digest = hashlib.sha256()
    for name in _SOURCE_NAMES:
        for file in (
            _list_files(SOURCE_ROOT / name)
            if (SOURCE_ROOT / name).is_dir()
            else [SOURCE_ROOT / name]
        ):
            if "__pycache__" not in file.parts:
                digest.update(f"{file.relative_to(SOURCE_ROOT)}\0{_file_checksum(file)}\n".encode())
    version = re.search(
        r"^version = (.+)$", (SOURCE_ROOT / "setup.cfg").read_text("utf-8"), re.MULTILINE
    )
    return f"{version[1] if version else '0'}-{digest.hexdigest()[:8]}"


def _build_appliance(target: Path, date: int) -> None:
    """Build the appliance's wheel from a copy of the sources, as a build leaves files behind."""
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "source"
        copy.mkdir()
        for name in _SOURCE_NAMES:
            source = SOURCE_ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / name)
        for file in copy.rglob("*"):
            file.chmod(0o755 if file.is_dir() else 0o644)
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
        subprocess.run(
            [*pip, "--no-build-isolation", "-w", target, copy],
            check=True,
            **_reproducible_options(date),
        )


def _reproducible_options(date: int) -> dict[str, Any]:
    """Options of subprocess.run that keep this computer's settings out of a build's result."""
    environment = {"SOURCE_DATE_EPOCH": str(date), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    return {"env": {**os.environ, **environment, "PYTHONHASHSEED": "0"}, "umask": 0o022}


def _make_prompts(target: Path) -> None:
    """Make the prompts in a synthetic voice; only those with a changed text are made again.

    The cache folder depends on the code, whose output may change.
    """
    digest = hashlib.sha256()
    for file in sorted(Path(prompts.__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    cached = debian.CACHE_FOLDER / f"prompts-{digest.hexdigest()[:16]}"
    prompts.synthesise_prompts(cached)
    shutil.copytree(cached, target, ignore=shutil.ignore_patterns("versions"))


def _list_files(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.rglob("*")) if file.is_file())


def _file_checksum(file: Path) -> str:
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def _print_step(step: str) -> None:
    print(f"  {step} …", flush=True)


def main() -> None:
    """Make the bundle in the folder of the command line."""
    parser = argparse.ArgumentParser(prog="run bundle", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=SOURCE_ROOT / "dist" / "bundle")
    parser.add_argument("--e1", action="store_true", help="with the drivers of E1 cards")
    arguments = parser.parse_args()
    release_name = make_bundle(arguments.folder.resolve(), e1=arguments.e1)
    size = sum(file.stat().st_size for file in _list_files(arguments.folder)) / 1e6
    print(
        f"{arguments.folder}: release {release_name}, {size:.0f} MB, signed by {key_fingerprint()}"
    )


if __name__ == "__main__":
    main()
