"""Whether a pack is as it was made, and by whose key: what the page in it does by hand."""

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

_PIECE = 1024 * 1024
_PACKED = "hotline-evidence/1"  # whose entries are compressed and have dates
_LARGEST = 4 * 1024 * 1024  # bytes of a manifest, a signature, a key


@dataclass(frozen=True)
class Verdict:
    """What was found. `ours`: signed by a key of this site; `signed`: by the one in the pack."""

    files: int = 0
    signed: bool = False
    ours: bool = False
    changed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)  # bytes of the file that nothing explains

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong, and it is signed by a key of this site."""
        return self.signed and self.ours and not self._wrong

    @property
    def _wrong(self) -> list[str]:
        return [*self.changed, *self.missing, *self.added, *self.strange]


def verify(file: Path, public_key: str) -> Verdict:
    """Verify a pack; `public_key`: the file of the site's public keys, "" for none.

    Raises ValueError when it is no pack; OSError.
    """
    if not zipfile.is_zipfile(file):
        raise ValueError(f"{file} is no evidence pack: it is no ZIP file")
    try:
        # First: what `zipfile` makes of a file that is laid out otherwise is not what others do.
        if strange := layout.unexplained_bytes(file, plain=False):
            return Verdict(strange=strange)
        with zipfile.ZipFile(file) as pack:
            found = _verdict(pack, public_key)
            strange = _repeated(pack)
            if _format_of(pack) != _PACKED:
                strange += layout.unexplained_bytes(file, plain=True)
            return dataclasses.replace(found, strange=strange)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError) as error:
        raise ValueError(f"{file} is no evidence pack: {error}") from error


def _verdict(pack: zipfile.ZipFile, public_key: str) -> Verdict:
    manifest, signature, key = (
        pack.open(name).read(_LARGEST) for name in (MANIFEST, SIGNATURE, PUBLIC_KEY)
    )
    digests = dict(_line(line) for line in manifest.decode().splitlines())
    names = set(pack.namelist()) - {MANIFEST, SIGNATURE}
    with tempfile.NamedTemporaryFile() as beside:
        beside.write(key)
        beside.flush()
        signed = signatures.is_signed(manifest, signature, beside.name, PUBLIC_KEY)
    ours = bool(public_key) and signatures.is_signed(
        manifest, signature, public_key, "audit.public_key"
    )
    changed = [name for name in sorted(names & set(digests)) if _hash(pack, name) != digests[name]]
    return Verdict(
        len(digests),
        signed,
        ours,
        changed,
        sorted(set(digests) - names),
        sorted(names - set(digests)),
    )


def _format_of(pack: zipfile.ZipFile) -> object:
    """The format that a pack says of itself, which is signed."""
    try:
        return json.loads(pack.open(DESCRIPTION).read(_LARGEST))["format"]
    except (KeyError, ValueError, TypeError):
        return None


def _repeated(pack: zipfile.ZipFile) -> list[str]:
    """Names that occur in the manifest more than once."""
    lines = pack.open(MANIFEST).read(_LARGEST).decode().splitlines()
    names = Counter(_line(line)[0] for line in lines)
    return [f"{name}: more than once in the manifest" for name, n in names.items() if n > 1]


def _line(line: str) -> tuple[str, str]:
    hash, apart, name = line.partition("  ")
    if not apart or len(hash) != 64:
        raise ValueError(f"no line of a manifest: {line[:80]!r}")
    return name, hash


def _hash(pack: zipfile.ZipFile, name: str) -> str:
    found = hashlib.sha256()
    try:
        with pack.open(name) as opened:
            while piece := opened.read(_PIECE):
                found.update(piece)
    except (zipfile.BadZipFile, zlib.error, EOFError):  # it cannot even be unpacked
        return ""
    return found.hexdigest()
