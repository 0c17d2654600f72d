"""Finds active content in a PDF, in all its objects, in whatever way they are stored.

A PDF is accepted if two searches find nothing active. In the first, pypdf resolves every object
that the file's cross-reference tables list, through all filters. The second searches the raw bytes
for objects that the tables do not list, because a viewer that repairs a file may find them.
"""

import io
import re
import zlib
from collections.abc import Iterator
from typing import Any

from pypdf import PdfReader
from pypdf.errors import LimitReachedError, PyPdfError
from pypdf.generic import DictionaryObject, IndirectObject, NameObject

from appliance.core.refusals import Refused

MAX_UNPACKED_BYTES = 50 * 1024 * 1024  # of all streams that may hold objects, together
ACTIVE_KEYS = ("/JavaScript", "/JS", "/Launch", "/EmbeddedFile", "/RichMedia", "/XFA")

_END_MARK_WINDOW_BYTES = 2048  # the end mark is within this many bytes of the end


def _name_pattern(name: str) -> str:
    """Return a regular expression for a PDF name, which is given and matched without its slash.

    In a PDF, each letter of a name may be written as its hex number: JS is also #4AS.
    """
    return "".join(f"(?:{letter}|#(?i:{ord(letter):02x}))" for letter in name)


# Only long names: the bytes of an image contain a name as short as JS by chance.
_LONG_NAMES = ("JavaScript", "Launch", "EmbeddedFile", "RichMedia")
_ACTIVE_NAME = re.compile(
    rf"/(?:{'|'.join(map(_name_pattern, _LONG_NAMES))})\b|/{_name_pattern('JS')}\s*[(<\d]".encode()
)
_STREAM = re.compile(rb"\bstream\r?\n")
_OBJECT_STREAM = re.compile(f"/{_name_pattern('ObjStm')}".encode())
_FILTER = re.compile(f"/{_name_pattern('Filter')}".encode())
_DEFLATE_ONLY_FILTER = re.compile(rb"/Filter\s*(?:/FlateDecode|\[\s*/FlateDecode\s*\])")
# a stream with a predictor is still encoded after it was inflated
_PREDICTOR = re.compile(f"/{_name_pattern('Predictor')}".encode())
_BEGINS_WITH_NUMBER = re.compile(rb"[\0\t\n\f\r ]*[%\d]")  # an object stream begins so


def check_pdf(content: bytes) -> None:
    """Raise Refused if a PDF is damaged (`kind`), has active content (`macro`) or is a `bomb`.

    A bomb is a file that takes too much memory or time to unpack.
    """
    if b"%%EOF" not in content[-_END_MARK_WINDOW_BYTES:]:
        raise Refused("kind")
    _search_bytes(content)
    try:
        _search_objects(content)
    except LimitReachedError as error:
        raise Refused("bomb") from error
    except (PyPdfError, ValueError, LookupError, TypeError, AttributeError, OSError) as error:
        raise Refused("kind") from error


def _search_bytes(content: bytes) -> None:
    """Search for active names in the raw bytes and in each stream that may hold objects.

    Raises Refused with the codes of check_pdf().
    """
    if _ACTIVE_NAME.search(content):
        raise Refused("macro")
    remaining, previous = MAX_UNPACKED_BYTES, 0
    for stream in _STREAM.finditer(content):
        # Everything since the last stream: a dictionary may be of any length.
        dictionary = content[previous : stream.start()]
        previous = stream.end()
        is_object_stream = bool(_OBJECT_STREAM.search(dictionary) and _FILTER.search(dictionary))
        is_plain = bool(_DEFLATE_ONLY_FILTER.search(dictionary)) and not _PREDICTOR.search(
            dictionary
        )
        if is_object_stream and not is_plain:
            raise Refused("macro")  # compressed in a way that no document writer uses
        text = _inflate_stream(content[stream.end() :], remaining, is_required=is_object_stream)
        if text and (is_object_stream or _BEGINS_WITH_NUMBER.match(text)):
            remaining -= len(text)
            if _ACTIVE_NAME.search(text):
                raise Refused("macro")


def _inflate_stream(compressed: bytes, limit: int, is_required: bool) -> bytes:
    """Return the unpacked bytes of the stream at the beginning of `compressed`.

    With `is_required`, the stream must be deflated: otherwise Refused "kind" is raised. Without it,
    a stream that is not deflated, or cannot hold objects, is returned as empty. Raises Refused
    "bomb" if more than `limit` bytes are unpacked.
    """
    try:
        decompressor = zlib.decompressobj()
        beginning = decompressor.decompress(compressed, 64)
        if not is_required and not _BEGINS_WITH_NUMBER.match(beginning):
            return b""
        text = beginning + decompressor.decompress(decompressor.unconsumed_tail, limit + 1)
    except zlib.error as error:
        if is_required:
            raise Refused("kind") from error
        return b""
    if len(text) > limit:
        raise Refused("bomb")
    return text


def _search_objects(content: bytes) -> None:
    """Resolve every object of the file's tables and check its keys and names.

    Raises Refused with the codes of check_pdf().
    """
    reader = PdfReader(io.BytesIO(content), strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        raise Refused("kind")
    for number, generation in _object_numbers(reader):
        if _has_active_key(reader.get_object(IndirectObject(number, generation, reader))):
            raise Refused("macro")
    if _has_active_key(reader.trailer):
        raise Refused("macro")


def _object_numbers(reader: PdfReader) -> Iterator[tuple[int, int]]:
    """Yield (number, generation) of every object in the file's cross-reference tables."""
    for generation, offsets in reader.xref.items():
        for number in offsets:
            if reader.xref_free_entry.get(generation, {}).get(number):
                continue
            yield number, generation
    for number in reader.xref_objStm:
        yield number, 0


def _has_active_key(value: Any) -> bool:
    """Return True if an object, or one nested in it, has an active key or is an active name.

    References are not followed: each object is checked separately.
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
