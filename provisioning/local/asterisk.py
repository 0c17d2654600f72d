"""Asterisk out of an unpacked Debian tree, run by the tree's own loader without a chroot."""

import os
from pathlib import Path

ROOT = Path(os.environ.get("ASTERISK_ROOT", "/var/cache/appliance/asterisk-22"))
_LIBRARIES = next(iter(sorted(ROOT.glob("usr/lib/*-linux-gnu"))), ROOT / "usr/lib")
MODULES = _LIBRARIES / "asterisk" / "modules"


def command() -> list[str]:
    """How Asterisk is started; its options come after."""
    loader = next(iter(sorted(_LIBRARIES.glob("ld-linux-*.so.*"))), _LIBRARIES / "ld-linux.so")
    program = ROOT / "usr" / "sbin" / "asterisk"
    quick = ["/usr/bin/env", "RES_OPTIONS=timeout:1 attempts:1"]  # names are not waited for
    loading = [str(loader), "--library-path", str(_LIBRARIES), "--argv0", "asterisk"]
    return [*quick, *loading, str(program)]


def make_data(folder: Path) -> None:
    """Make a data folder that points into the tree: there, sounds are links with absolute paths."""
    share = ROOT / "usr" / "share" / "asterisk"
    (folder / "sounds").mkdir(parents=True, exist_ok=True)
    for name, target in (
        ("documentation", share / "documentation"),
        ("static-http", share / "static-http"),
        ("sounds/en", share / "sounds" / "en_US_f_Allison"),
    ):
        link = folder / name
        if not link.is_symlink() or link.readlink() != target:
            link.unlink(missing_ok=True)
            link.symlink_to(target)
