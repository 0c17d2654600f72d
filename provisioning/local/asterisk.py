"""Asterisk from an unpacked Debian tree, run by the tree's own loader without a chroot."""

import os
import subprocess
from pathlib import Path

ASTERISK_ROOT = Path(os.environ.get("ASTERISK_ROOT", "/var/cache/appliance/asterisk-22"))
_LIBRARY_FOLDER = next(
    iter(sorted(ASTERISK_ROOT.glob("usr/lib/*-linux-gnu"))), ASTERISK_ROOT / "usr/lib"
)
_DOCUMENTATION_SCRIPT = (
    Path(__file__).parents[1] / "ansible/roles/asterisk/files/asterisk-documentation.py"
)
MODULES_FOLDER = _LIBRARY_FOLDER / "asterisk" / "modules"


def start_command() -> list[str]:
    """The command that starts Asterisk; its options are appended."""
    loader = next(
        iter(sorted(_LIBRARY_FOLDER.glob("ld-linux-*.so.*"))), _LIBRARY_FOLDER / "ld-linux.so"
    )
    program = ASTERISK_ROOT / "usr" / "sbin" / "asterisk"
    resolver_options = (
        "RES_OPTIONS=timeout:1 attempts:1"  # name resolution must not delay the start
    )
    # as in the systemd unit
    memory_options = [
        "MALLOC_ARENA_MAX=2",
        "MALLOC_TRIM_THRESHOLD_=131072",
    ]
    libraries = f"{_LIBRARY_FOLDER}:{ASTERISK_ROOT / 'usr' / 'lib'}"  # libpri is in the latter
    loading = [str(loader), "--library-path", libraries, "--argv0", "asterisk"]
    return ["/usr/bin/env", resolver_options, *memory_options, *loading, str(program)]


def make_data_folder(folder: Path) -> None:
    """Make a data folder that links into the tree.

    The tree's own sounds are links with absolute paths, which do not resolve there.
    """
    share = ASTERISK_ROOT / "usr" / "share" / "asterisk"
    (folder / "sounds").mkdir(parents=True, exist_ok=True)
    documentation = folder / "documentation"
    if documentation.is_symlink():  # of a site made by an earlier version
        documentation.unlink()
    subprocess.run([_DOCUMENTATION_SCRIPT, share / "documentation", documentation], check=True)
    for name, target in (
        ("static-http", share / "static-http"),
        ("sounds/en", share / "sounds" / "en_US_f_Allison"),
    ):
        link = folder / name
        if not link.is_symlink() or link.readlink() != target:
            link.unlink(missing_ok=True)
            link.symlink_to(target)
