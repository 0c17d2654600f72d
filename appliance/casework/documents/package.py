"""The package (ZIP) of a Word document: whether it is whole, bounded and without programs."""

import io
import lzma
import re
import struct
import zipfile
import zlib
from xml.etree import ElementTree

from appliance.casework.documents.errors import DocumentError

UNPACKED_BYTES = 50 * 1024 * 1024  # of all parts
MAX_PARTS = 2_000
MAX_DESCRIPTION_BYTES = 1024 * 1024  # of the parts that describe types and relations, together

_ACTIVE_PART = re.compile(
    r"vbaproject|vbadata|activex|oleobject|embeddings/.*[.](?!xlsx$)\w+$", re.IGNORECASE
)
_ACTIVE_TYPE = re.compile("macroenabled|vbaproject|vbadata|activex|oleobject", re.IGNORECASE)
_INCLUDES = re.compile("/(aFChunk|subDocument|frame|oleObject|control)$", re.IGNORECASE)
_ELSEWHERE = re.compile(r"\s*(?:https?:|ftp:|file:(?://[^/\\]|/{4}|/*\\\\)|\\\\|//)", re.IGNORECASE)
_DECLARES = re.compile(rb"<!(?:DOCTYPE|ENTITY)")  # which no part of a document may
_TYPES = "[Content_Types].xml"
_PIECE_BYTES = 64 * 1024
DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, ElementTree.ParseError),
    *(ValueError, RuntimeError, OSError, EOFError),  # a password, a method that is not known
)


def check_docx(content: bytes) -> None:
    """Raise DocumentError when a document is damaged (`kind`), active (`macro`) or a `bomb`."""
    try:
        names, descriptions = _read_parts(content)
        is_active = any(map(_ACTIVE_PART.search, names)) or any(map(_is_active, descriptions))
    except DocumentError:
        raise
    except DAMAGE as error:
        raise DocumentError("kind") from error
    if is_active:
        raise DocumentError("macro")


def _read_parts(content: bytes) -> tuple[set[str], list[bytes]]:
    """The names of a document's parts, and the parts that describe types and relations.

    Each part is unpacked piece by piece: what a ZIP declares of its sizes may be untrue.
    """
    remaining, remaining_description, descriptions = UNPACKED_BYTES, MAX_DESCRIPTION_BYTES, []
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        parts = package.infolist()
        if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > UNPACKED_BYTES:
            raise DocumentError("bomb")
        for part in parts:
            if part.filename.startswith("/") or ".." in part.filename:
                raise DocumentError("kind")
            text, size = _read_part(package, part, remaining, remaining_description)
            remaining -= size
            remaining_description -= len(text)
            if text:
                descriptions.append(text)
        names = {part.filename for part in parts}
    if not {_TYPES, "word/document.xml"} <= names:
        raise DocumentError("kind")
    return names, descriptions


def _read_part(
    package: zipfile.ZipFile, part: zipfile.ZipInfo, limit: int, description_limit: int
) -> tuple[bytes, int]:
    """The bytes of a part that describes others, empty for any other part; its size unpacked."""
    is_description = part.filename.lower().endswith((_TYPES.lower(), ".rels"))
    pieces, size = [], 0
    with package.open(part) as file:
        while piece := file.read(_PIECE_BYTES):
            if size == 0 and _DECLARES.search(piece.replace(b"\0", b"")):
                raise DocumentError("bomb")
            size += len(piece)
            if size > (min(limit, description_limit) if is_description else limit):
                raise DocumentError("bomb")
            if is_description:
                pieces.append(piece)
    return b"".join(pieces), size


def _is_active(part: bytes) -> bool:
    """Whether a document has macros, includes another file, or fetches what it is made from.

    Read as XML: in another encoding, or by the numbers of its letters, it means the same.
    """
    for element in ElementTree.fromstring(part).iter():  # noqa: S314  bounded; expat stops bombs
        kind, target = element.get("Type", ""), element.get("Target", "")
        if _ACTIVE_TYPE.search(element.get("ContentType", "")) or _INCLUDES.search(kind):
            return True
        if not kind.endswith("/hyperlink") and _ELSEWHERE.match(target):
            return True
    return False
