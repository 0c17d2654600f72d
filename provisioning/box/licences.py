"""The licences of a bundle's packages, as stated in their own files.

Debian packages contain a copyright file: in its machine-readable form (DEP-5) each part names its
licence; an older one refers to a common licence of Debian or contains the text itself. A wheel
states it in its metadata, or contains a text.
"""

import email.parser
import re
import subprocess
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

_DEP5_LICENCE = re.compile(r"^License:[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)  # DEP-5
_COMMON_LICENCE = re.compile(r"/usr/share/common-licenses/([A-Za-z0-9.+-]*[A-Za-z0-9+])")
_DOCUMENTS_PATH = re.compile(r"(?:\./)?usr/share/doc/([^/]+)(/copyright)?$")
# phrases that occur only in the text of that licence; the first match names it
_LICENCE_TEXTS = (
    ("MIT", "Permission is hereby granted, free of charge"),
    ("HPND", "Permission to use, copy, modify, distribute, and sell this software"),
    ("ISC", "Permission to use, copy, modify, and"),
    ("BSD", "Redistribution and use in source and binary forms"),
    ("Zlib", "This software is provided 'as-is'"),
)


def licences_of_debs(debs: Iterable[Path], system: Path) -> dict[str, list[str]]:
    """Package → its licences, for Debian packages to be installed on `system`, unpacked.

    Raises ValueError for a package without a licence.
    """
    copyrights: dict[str, str] = {}
    lenders: dict[str, str] = {}  # package → the package whose folder of documents it uses
    for deb in debs:
        name = deb.name.partition("_")[0]
        text, lender = _copyright_file(deb, name)
        if text:
            copyrights[name] = text
        elif lender:
            lenders[name] = lender
        else:
            raise ValueError(f"{deb.name} has no copyright file")
    for name, lender in lenders.items():
        file = system / "usr/share/doc" / lender / "copyright"
        if lender not in copyrights and not file.exists():
            raise ValueError(f"{name}: its copyright file is that of {lender}, which is not there")
        copyrights[name] = copyrights.get(lender) or file.read_text("utf-8", "replace")
    return {name: _stated_licences(name, text) for name, text in copyrights.items()}


def licence_of_wheel(wheel: Path) -> tuple[str, str]:
    """(package, its licence), by the wheel's metadata. Raises ValueError without a licence."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata_name = next(n for n in names if n.endswith(".dist-info/METADATA"))
        data = email.parser.BytesParser().parsebytes(archive.read(metadata_name), headersonly=True)
        classes = [
            c.rpartition(" :: ")[2] for c in data.get_all("Classifier", []) if "License" in c
        ]
        licence = data["License-Expression"] or "; ".join(classes) or data["License"] or ""
        if not str(licence).strip():
            texts = [n for n in names if re.search(r"\.dist-info/(licenses/)?(LICEN[CS]E|COPY)", n)]
            text = "".join(archive.read(n).decode("utf-8", "replace") for n in texts)
            licence = ", ".join(_stated_licences(wheel.name, text))
    return str(data["Name"]), str(licence).strip().partition("\n")[0]


def _copyright_file(deb: Path, name: str) -> tuple[str, str]:
    """The (text of a package's copyright file, package whose documents it links to).

    What does not exist is "". Raises ValueError if the package cannot be unpacked.
    """
    text, lender = "", ""
    with (
        subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as unpack,
        tarfile.open(fileobj=unpack.stdout, mode="r|") as files,
    ):
        for member in files:
            match = _DOCUMENTS_PATH.match(member.name)
            if not match or match[1] != name:
                continue
            if match[2] and (data := files.extractfile(member) if member.isfile() else None):
                text = data.read().decode("utf-8", "replace")
            elif member.issym():
                lender = Path(member.linkname.removesuffix("/copyright")).name
    if unpack.returncode:
        raise ValueError(f"{deb.name} cannot be unpacked")
    return text, lender


def _stated_licences(name: str, text: str) -> list[str]:
    """The licences that a copyright file names, sorted. Raises ValueError without any."""
    normalised = " ".join(text.split())
    licences = set(_DEP5_LICENCE.findall(text)) or set(_COMMON_LICENCE.findall(text))
    licences = licences or {licence for licence, phrase in _LICENCE_TEXTS if phrase in normalised}
    if not licences and "public domain" in normalised:
        licences = {"public-domain"}
    if not licences:
        raise ValueError(f"{name} states no licence")
    return sorted(licences)
