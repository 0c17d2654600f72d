"""Asterisk out of an unpacked Debian tree, run by the tree's own loader without a chroot."""

import os
import subprocess
from pathlib import Path

ROOT = Path(os.environ.get("ASTERISK_ROOT", "/var/cache/appliance/asterisk-22"))
_LIBRARIES = next(iter(sorted(ROOT.glob("usr/lib/*-linux-gnu"))), ROOT / "usr/lib")
_DOCUMENTATION = (
    Path(__file__).parents[1] / "ansible/roles/asterisk/files/asterisk-documentation.py"
)
MODULES = _LIBRARIES / "asterisk" / "modules"


def command() -> list[str]:
    """How Asterisk is started; its options come after."""
    loader = next(iter(sorted(_LIBRARIES.glob("ld-linux-*.so.*"))), _LIBRARIES / "ld-linux.so")
    program = ROOT / "usr" / "sbin" / "asterisk"
    names = "RES_OPTIONS=timeout:1 attempts:1"  # they are not waited for
    memory = ["MALLOC_ARENA_MAX=2", "MALLOC_TRIM_THRESHOLD_=131072"]  # as the unit has it
    libraries = f"{_LIBRARIES}:{ROOT / 'usr' / 'lib'}"  # libpri lies in the latter
    loading = [str(loader), "--library-path", libraries, "--argv0", "asterisk"]
    return ["/usr/bin/env", names, *memory, *loading, str(program)]


def make_data(folder: Path) -> None:
    """Make a data folder that points into the tree: there, sounds are links with absolute paths."""
    share = ROOT / "usr" / "share" / "asterisk"
    (folder / "sounds").mkdir(parents=True, exist_ok=True)
    lessened = folder / "documentation"
    if lessened.is_symlink():  # of a site made before
        lessened.unlink()
    subprocess.run([_DOCUMENTATION, share / "documentation", lessened], check=True)
    for name, target in (
        ("static-http", share / "static-http"),
        ("sounds/en", share / "sounds" / "en_US_f_Allison"),
    ):
        link = folder / name
        if not link.is_symlink() or link.readlink() != target:
            link.unlink(missing_ok=True)
            link.symlink_to(target)
