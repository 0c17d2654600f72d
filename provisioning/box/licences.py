"""The licences of what a bundle holds, as their own files state them.

Debian's packages carry a copyright file: in its machine-readable form (DEP-5) each part names its
licence; an older one points to a common licence of Debian or has the text itself. A wheel has its
metadata, else a text.
"""

import email.parser
import re
import subprocess
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

_NAMED = re.compile(r"^License:[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)  # DEP-5
_COMMON = re.compile(r"/usr/share/common-licenses/([A-Za-z0-9.+-]*[A-Za-z0-9+])")
_DOCUMENTS = re.compile(r"(?:\./)?usr/share/doc/([^/]+)(/copyright)?$")
# words that only the text of that licence has; the first that fits names it
_TEXTS = (
    ("MIT", "Permission is hereby granted, free of charge"),
    ("HPND", "Permission to use, copy, modify, distribute, and sell this software"),
    ("ISC", "Permission to use, copy, modify, and"),
    ("BSD", "Redistribution and use in source and binary forms"),
    ("Zlib", "This software is provided 'as-is'"),
)


def of_debs(debs: Iterable[Path], system: Path) -> dict[str, list[str]]:
    """Package → its licences, for packages of Debian to be installed on `system`, unpacked.

    Raises ValueError for one that states none.
    """
    copyrights: dict[str, str] = {}
    lent: dict[str, str] = {}  # its folder of documents is that of another package
    for deb in debs:
        name = deb.name.partition("_")[0]
        text, other = _documents(deb, name)
        if text:
            copyrights[name] = text
        elif other:
            lent[name] = other
        else:
            raise ValueError(f"{deb.name} has no copyright file")
    for name, other in lent.items():
        there = system / "usr/share/doc" / other / "copyright"
        if other not in copyrights and not there.exists():
            raise ValueError(f"{name}: its copyright file is that of {other}, which is not there")
        copyrights[name] = copyrights.get(other) or there.read_text("utf-8", "replace")
    return {name: _stated(name, text) for name, text in copyrights.items()}


def of_wheel(wheel: Path) -> tuple[str, str]:
    """(package, its licence), by the wheel's metadata. Raises ValueError when it states none."""
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
        about = next(n for n in names if n.endswith(".dist-info/METADATA"))
        data = email.parser.BytesParser().parsebytes(packed.read(about), headersonly=True)
        classes = [
            c.rpartition(" :: ")[2] for c in data.get_all("Classifier", []) if "License" in c
        ]
        words = data["License-Expression"] or "; ".join(classes) or data["License"] or ""
        if not str(words).strip():
            texts = [n for n in names if re.search(r"\.dist-info/(licenses/)?(LICEN[CS]E|COPY)", n)]
            text = "".join(packed.read(n).decode("utf-8", "replace") for n in texts)
            words = ", ".join(_stated(wheel.name, text))
    return str(data["Name"]), str(words).strip().partition("\n")[0]


def _documents(deb: Path, name: str) -> tuple[str, str]:
    """(the copyright file of a package, or the package whose documents are its own, too)."""
    text, other = "", ""
    with (
        subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as unpack,
        tarfile.open(fileobj=unpack.stdout, mode="r|") as files,
    ):
        for member in files:
            found = _DOCUMENTS.match(member.name)
            if not found or found[1] != name:
                continue
            if found[2] and (data := files.extractfile(member) if member.isfile() else None):
                text = data.read().decode("utf-8", "replace")
            elif member.issym():
                other = Path(member.linkname.removesuffix("/copyright")).name
    if unpack.returncode:
        raise ValueError(f"{deb.name} cannot be unpacked")
    return text, other


def _stated(name: str, text: str) -> list[str]:
    """The licences that a copyright file names, in order. Raises ValueError for none."""
    plain = " ".join(text.split())
    found = set(_NAMED.findall(text)) or set(_COMMON.findall(text))
    found = found or {licence for licence, words in _TEXTS if words in plain}
    if not found and "public domain" in plain:
        found = {"public-domain"}
    if not found:
        raise ValueError(f"{name} states no licence")
    return sorted(found)
