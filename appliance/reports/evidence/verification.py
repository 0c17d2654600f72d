"""Verification of an evidence pack: whether it is unchanged, and by which key it is signed.

The checks are those that the instructions in the pack describe for a person.
"""

import dataclasses
import hashlib
import json
import tempfile
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from appliance.core import signatures
from appliance.reports.evidence import layout
from appliance.reports.evidence.packs import DESCRIPTION, MANIFEST, PUBLIC_KEY, SIGNATURE

_CHUNK_BYTES = 1024 * 1024
_COMPRESSED_FORMAT = "hotline-evidence/1"  # its entries are compressed and have dates
_MAX_ENTRY_BYTES = 4 * 1024 * 1024  # read of a manifest, a signature or a key


@dataclass(frozen=True)
class Verdict:
    """The result of a verification.

    `files` is the number of files in the manifest. `is_signed` is True if the signature was made
    with the key in the pack, `is_signed_by_site` if it was made with a key of this site. `changed`,
    `missing` and `added` are names of files, compared with the manifest.
    """

    files: int = 0
    is_signed: bool = False
    is_signed_by_site: bool = False
    changed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    # faults of the ZIP file's layout, and names that the manifest repeats
    faults: list[str] = field(default_factory=list)

    @property
    def is_valid(self) -> bool:
        """True if nothing was changed, missing, added or faulty, and this site signed the pack."""
        return self.is_signed and self.is_signed_by_site and not self._problems

    @property
    def _problems(self) -> list[str]:
        """The names of changed, missing and added files, and the faults."""
        return [*self.changed, *self.missing, *self.added, *self.faults]


def verify_pack(file: Path, public_key: str) -> Verdict:
    """Verify a pack.

    `public_key` is the path of the file with the site's public keys, "" if there is no such file.
    Raises ValueError if the file is not a pack, OSError if it cannot be read.
    """
    if not zipfile.is_zipfile(file):
        raise ValueError(f"{file} is no evidence pack: it is no ZIP file")
    try:
        # Checked first: other programs may read other content than `zipfile` in an invalid layout.
        if faults := layout.layout_faults(file, must_be_stored=False):
            return Verdict(faults=faults)
        with zipfile.ZipFile(file) as pack:
            verdict = _compare_with_manifest(pack, public_key)
            faults = _repeated_names(pack)
            if _pack_format(pack) != _COMPRESSED_FORMAT:
                faults += layout.layout_faults(file, must_be_stored=True)
            return dataclasses.replace(verdict, faults=faults)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError) as error:
        raise ValueError(f"{file} is no evidence pack: {error}") from error


def _compare_with_manifest(pack: zipfile.ZipFile, public_key: str) -> Verdict:
    """Return whether the manifest is signed, and how the pack's files differ from it.

    `public_key` is the path of the site's public keys, or "". Raises KeyError if the manifest, the
    signature or the key in the pack is missing, ValueError if a line of the manifest is invalid.
    """
    manifest, signature, key = (
        pack.open(name).read(_MAX_ENTRY_BYTES) for name in (MANIFEST, SIGNATURE, PUBLIC_KEY)
    )
    digests = dict(_parse_manifest_line(line) for line in manifest.decode().splitlines())
    names = set(pack.namelist()) - {MANIFEST, SIGNATURE}
    with tempfile.NamedTemporaryFile() as key_file:
        key_file.write(key)
        key_file.flush()
        is_signed = signatures.is_signature_valid(manifest, signature, key_file.name, PUBLIC_KEY)
    is_signed_by_site = bool(public_key) and signatures.is_signature_valid(
        manifest, signature, public_key, "audit.public_key"
    )
    changed = [
        name for name in sorted(names & set(digests)) if _content_hash(pack, name) != digests[name]
    ]
    return Verdict(
        len(digests),
        is_signed,
        is_signed_by_site,
        changed,
        sorted(set(digests) - names),
        sorted(names - set(digests)),
    )


def _pack_format(pack: zipfile.ZipFile) -> object:
    """Return the format stated in the pack's description (pack.json), None if there is no such."""
    try:
        return json.loads(pack.open(DESCRIPTION).read(_MAX_ENTRY_BYTES))["format"]
    except (KeyError, ValueError, TypeError):
        return None


def _repeated_names(pack: zipfile.ZipFile) -> list[str]:
    """Return a text on each file name that occurs in the manifest more than once."""
    lines = pack.open(MANIFEST).read(_MAX_ENTRY_BYTES).decode().splitlines()
    names = Counter(_parse_manifest_line(line)[0] for line in lines)
    return [f"{name}: more than once in the manifest" for name, count in names.items() if count > 1]


def _parse_manifest_line(line: str) -> tuple[str, str]:
    """Return a file's name and its SHA-256 in hex. Raises ValueError if the line is invalid."""
    digest, separator, name = line.partition("  ")
    if not separator or len(digest) != 64:
        raise ValueError(f"no line of a manifest: {line[:80]!r}")
    return name, digest


def _content_hash(pack: zipfile.ZipFile, name: str) -> str:
    """Return the SHA-256 of a file in the pack, in hex; "" if it cannot be decompressed."""
    digest = hashlib.sha256()
    try:
        with pack.open(name) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
    except (zipfile.BadZipFile, zlib.error, EOFError):  # it cannot even be decompressed
        return ""
    return digest.hexdigest()
