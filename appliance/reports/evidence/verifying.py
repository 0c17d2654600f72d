"""Whether a pack is as it was made, and by whose key: what the page in it does by hand."""

import hashlib
import tempfile
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from appliance.core import signatures
from appliance.reports.evidence.packs import MANIFEST, PUBLIC_KEY, SIGNATURE

_PIECE = 1024 * 1024
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

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong, and it is signed by a key of this site."""
        return self.signed and self.ours and not (self.changed or self.missing or self.added)


def verify(file: Path, public_key: str) -> Verdict:
    """Verify a pack; `public_key`: the file of the site's public keys, "" for none.

    Raises ValueError when it is no pack; OSError.
    """
    try:
        with zipfile.ZipFile(file) as pack:
            return _verdict(pack, public_key)
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
