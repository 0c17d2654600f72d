"""Checks the package (ZIP) of a Word document: complete, of limited size, without programs."""

import io
import lzma
import re
import struct
import zipfile
import zlib
from xml.etree import ElementTree

from appliance.core.refusals import Refused

MAX_UNPACKED_BYTES = 50 * 1024 * 1024  # of all parts together
MAX_PARTS = 2_000
MAX_DESCRIPTION_BYTES = 1024 * 1024  # of the parts that describe types and relations

_ACTIVE_PART_NAME = re.compile(
    r"vbaproject|vbadata|activex|oleobject|embeddings/.*[.](?!xlsx$)\w+$", re.IGNORECASE
)
_ACTIVE_CONTENT_TYPE = re.compile(
    "macroenabled|vbaproject|vbadata|activex|oleobject", re.IGNORECASE
)
# relations to another file or a control that the document displays as a part of itself
_INCLUDING_RELATION = re.compile("/(aFChunk|subDocument|frame|oleObject|control)$", re.IGNORECASE)
_EXTERNAL_TARGET = re.compile(
    r"\s*(?:https?:|ftp:|file:(?://[^/\\]|/{4}|/*\\\\)|\\\\|//)", re.IGNORECASE
)
_DTD_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)")  # not allowed in any part of a document
_CONTENT_TYPES_PART = "[Content_Types].xml"
_CHUNK_BYTES = 64 * 1024
DAMAGED_PACKAGE_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, ElementTree.ParseError),
    *(ValueError, RuntimeError, OSError, EOFError),  # e.g. a password or an unknown compression
)


def check_docx(content: bytes) -> None:
    """Raise Refused if a document is damaged (`kind`) or has active content (`macro`).

    The code is `bomb` if it would be too large when unpacked.
    """
    try:
        names, descriptions = _read_package_parts(content)
        is_active = any(map(_ACTIVE_PART_NAME.search, names)) or any(
            map(_has_active_content, descriptions)
        )
    except Refused:  # a ValueError, but no damage
        raise
    except DAMAGED_PACKAGE_ERRORS as error:
        raise Refused("kind") from error
    if is_active:
        raise Refused("macro")


def _read_package_parts(content: bytes) -> tuple[set[str], list[bytes]]:
    """Return the names of all parts of a document, and the contents of the describing parts.

    Describing parts declare content types and relations. Each part is unpacked in chunks, because
    the sizes that a ZIP declares may be false. Raises Refused "bomb" if the document is too large,
    "kind" if it is no Word document.
    """
    remaining, remaining_description, descriptions = MAX_UNPACKED_BYTES, MAX_DESCRIPTION_BYTES, []
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        parts = package.infolist()
        if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
            raise Refused("bomb")
        for part in parts:
            if part.filename.startswith("/") or ".." in part.filename:
                raise Refused("kind")
            text, size = _read_part(package, part, remaining, remaining_description)
            remaining -= size
            remaining_description -= len(text)
            if text:
                descriptions.append(text)
        names = {part.filename for part in parts}
    if not {_CONTENT_TYPES_PART, "word/document.xml"} <= names:
        raise Refused("kind")
    return names, descriptions


def _read_part(
    package: zipfile.ZipFile, part: zipfile.ZipInfo, limit: int, description_limit: int
) -> tuple[bytes, int]:
    """Return a part's content and its unpacked size in bytes.

    The content is empty unless the part describes other parts. Raises Refused "bomb" if the part is
    larger than `limit` bytes, a describing part also if larger than `description_limit`, or if it
    declares a DTD.
    """
    is_description = part.filename.lower().endswith((_CONTENT_TYPES_PART.lower(), ".rels"))
    chunks, size = [], 0
    with package.open(part) as file:
        while chunk := file.read(_CHUNK_BYTES):
            if size == 0 and _DTD_DECLARATION.search(chunk.replace(b"\0", b"")):
                raise Refused("bomb")
            size += len(chunk)
            if size > (min(limit, description_limit) if is_description else limit):
                raise Refused("bomb")
            if is_description:
                chunks.append(chunk)
    return b"".join(chunks), size


def _has_active_content(xml: bytes) -> bool:
    """Return True if a describing part declares macros, another file or external content.

    The part is parsed as XML, so that another encoding or numeric character references are
    recognised too.
    """
    for element in ElementTree.fromstring(xml).iter():  # noqa: S314  bounded; expat stops bombs
        kind, target = element.get("Type", ""), element.get("Target", "")
        if _ACTIVE_CONTENT_TYPE.search(
            element.get("ContentType", "")
        ) or _INCLUDING_RELATION.search(kind):
            return True
        if not kind.endswith("/hyperlink") and _EXTERNAL_TARGET.match(target):
            return True
    return False
