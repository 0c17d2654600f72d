"""What a PDF would do by itself, found in its objects however they are stored.

Two readings have to agree that nothing is active: pypdf resolves every object that the file's
cross-reference tables name, through all filters, and a search over the raw bytes covers what the
tables do not name, since a viewer that repairs a file may find it.
"""

import io
import re
import zlib
from collections.abc import Iterator
from typing import Any

from pypdf import PdfReader
from pypdf.errors import LimitReachedError, PyPdfError
from pypdf.generic import DictionaryObject, IndirectObject, NameObject

from appliance.casework.documents.errors import DocumentError

UNPACKED_BYTES = 50 * 1024 * 1024  # of all streams that may hold objects
ACTIVE_KEYS = ("/JavaScript", "/JS", "/Launch", "/EmbeddedFile", "/RichMedia", "/XFA")

_END_BYTES = 2048  # in which the end mark is


def _spelling(name: str) -> str:
    """A pattern for a name of a PDF: each of its letters may be given as its number."""
    return "".join(f"(?:{letter}|#(?i:{ord(letter):02x}))" for letter in name)


# The bytes of a picture spell a name as short as JS by chance.
_LONG_NAMES = ("JavaScript", "Launch", "EmbeddedFile", "RichMedia")
_ACTIVE = re.compile(
    rf"/(?:{'|'.join(map(_spelling, _LONG_NAMES))})\b|/{_spelling('JS')}\s*[(<\d]".encode()
)
_STREAM = re.compile(rb"\bstream\r?\n")
_OBJECT_STREAM = re.compile(f"/{_spelling('ObjStm')}".encode())
_FILTER = re.compile(f"/{_spelling('Filter')}".encode())
_PLAIN_FILTER = re.compile(rb"/Filter\s*(?:/FlateDecode|\[\s*/FlateDecode\s*\])")
_PREDICTOR = re.compile(f"/{_spelling('Predictor')}".encode())
_BEGINS_WITH_NUMBER = re.compile(rb"[\0\t\n\f\r ]*[%\d]")  # as an object stream does


def check_pdf(content: bytes) -> None:
    """Raise DocumentError when a PDF is damaged (`kind`), active (`macro`) or huge (`bomb`)."""
    if b"%%EOF" not in content[-_END_BYTES:]:
        raise DocumentError("kind")
    _search_bytes(content)
    try:
        _search_objects(content)
    except LimitReachedError as error:
        raise DocumentError("bomb") from error
    except (PyPdfError, ValueError, LookupError, TypeError, AttributeError, OSError) as error:
        raise DocumentError("kind") from error


def _search_bytes(content: bytes) -> None:
    """Look for active names in the raw bytes and in each stream that may hold objects."""
    if _ACTIVE.search(content):
        raise DocumentError("macro")
    remaining, previous = UNPACKED_BYTES, 0
    for stream in _STREAM.finditer(content):
        # All since the last stream: a dictionary may be as long as its writer wants.
        dictionary = content[previous : stream.start()]
        previous = stream.end()
        is_named = bool(_OBJECT_STREAM.search(dictionary) and _FILTER.search(dictionary))
        is_plain = bool(_PLAIN_FILTER.search(dictionary)) and not _PREDICTOR.search(dictionary)
        if is_named and not is_plain:
            raise DocumentError("macro")  # packed in a way that no writer of documents uses
        text = _inflate(content[stream.end() :], remaining, is_required=is_named)
        if text and (is_named or _BEGINS_WITH_NUMBER.match(text)):
            remaining -= len(text)
            if _ACTIVE.search(text):
                raise DocumentError("macro")


def _inflate(packed: bytes, limit: int, is_required: bool) -> bytes:
    """A stream's bytes unpacked; empty when it is not deflated or begins like no object stream."""
    try:
        unpacking = zlib.decompressobj()
        beginning = unpacking.decompress(packed, 64)
        if not is_required and not _BEGINS_WITH_NUMBER.match(beginning):
            return b""
        text = beginning + unpacking.decompress(unpacking.unconsumed_tail, limit + 1)
    except zlib.error as error:
        if is_required:
            raise DocumentError("kind") from error
        return b""
    if len(text) > limit:
        raise DocumentError("bomb")
    return text


def _search_objects(content: bytes) -> None:
    """Resolve every object of the file's tables and look at the keys and names in it."""
    reader = PdfReader(io.BytesIO(content), strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        raise DocumentError("kind")
    for number, generation in _object_ids(reader):
        if _is_active(reader.get_object(IndirectObject(number, generation, reader))):
            raise DocumentError("macro")
    if _is_active(reader.trailer):
        raise DocumentError("macro")


def _object_ids(reader: PdfReader) -> Iterator[tuple[int, int]]:
    for generation, offsets in reader.xref.items():
        for number in offsets:
            if reader.xref_free_entry.get(generation, {}).get(number):
                continue
            yield number, generation
    for number in reader.xref_objStm:
        yield number, 0


def _is_active(value: Any) -> bool:
    """Whether an object, or one nested in it, has an active key or is an active name.

    References are not followed: each object is looked at by itself.
    """
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, DictionaryObject):
            if any(key in ACTIVE_KEYS for key in item):
                return True
            pending.extend(item.raw_get(key) for key in item)
        elif isinstance(item, list):
            pending.extend(list.__getitem__(item, position) for position in range(len(item)))
        elif isinstance(item, NameObject) and item in ACTIVE_KEYS:
            return True
    return False
