"""Whether each byte of a pack's file is explained: by an entry, or by what ZIP needs around it.

`zipfile` reads the last entry of a name and skips what lies between entries, before the first and
after the end. Other programs read other bytes. So a file could hold two packs, of which only one
is signed. Here the whole file is read as it was written: local headers one after the other from the
first byte on, then the directory, then its end. See APPNOTE.TXT 6.3.10, 4.3.
"""

import io
import os
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

DATE_TIME = (1980, 1, 1, 0, 0, 0)  # of every entry: a date would be a byte that nobody signs
_DATE = 0x21  # the same as ZIP writes it; its time is 0
MODE = 0o600 << 16  # every entry's external attributes

_END, _CENTRAL, _LOCAL = b"PK\x05\x06", b"PK\x01\x02", b"PK\x03\x04"
_END_FORM, _CENTRAL_FORM = struct.Struct("<4s4H2LH"), struct.Struct("<4s4B4HL2L5H2L")
_LOCAL_FORM = struct.Struct("<4s2B4HL2L2H")
_UTF8, _STORED, _DEFLATED = 0x800, 0, 8
_UNIX = 3  # the system that attributes are of
_LARGEST_DIRECTORY = 32 << 20  # bytes
_PIECE = 1 << 20


@dataclass(frozen=True)
class _Entry:
    """One entry as the directory has it."""

    raw_name: bytes
    common: tuple[int, ...]  # what its local header must repeat, as there
    extra: int  # bytes of it
    comment: int
    disk: int
    made_by: tuple[int, int]  # version and system
    attributes: tuple[int, int]  # internal, external
    offset: int

    @property
    def name(self) -> str:
        """Its name, or how its bytes read."""
        return self.raw_name.decode("utf-8", "backslashreplace")

    @property
    def version(self) -> tuple[int, int]:
        """The version that it needs, and of which system."""
        return self.common[0], self.common[1]

    @property
    def flags(self) -> int:
        return self.common[2]

    @property
    def method(self) -> int:
        return self.common[3]

    @property
    def moment(self) -> tuple[int, int]:
        """Time and date, as ZIP writes them."""
        return self.common[4], self.common[5]

    @property
    def crc(self) -> int:
        return self.common[6]

    @property
    def packed_size(self) -> int:
        """Bytes in the file."""
        return self.common[7]

    @property
    def size(self) -> int:
        return self.common[8]


def unexplained_bytes(file: Path, *, plain: bool) -> list[str]:
    """What no signature covers in a pack's file, in words; empty for one that the appliance writes.

    `plain`: entries are stored as they are, without dates, as packs are made since format 2: then
    their content determines each byte. Raises OSError.
    """
    with file.open("rb") as source:
        length = source.seek(0, os.SEEK_END)
        return list(_unexplained(source, length, plain))


def _unexplained(source: BinaryIO, length: int, plain: bool) -> Iterator[str]:
    entries, begin = _directory(source, length)
    if begin < 0:
        yield "something comes after the end of the directory, or is written into it"
        return
    names = Counter(entry.name.casefold() for entry in entries)
    yield from (f"{name}: more than one entry" for name, count in names.items() if count > 1)
    place = 0
    for entry in entries:
        yield from (f"{entry.name}: {fault}" for fault in _header_faults(entry, plain))
        if entry.offset != place:
            yield f"{entry.name}: {abs(entry.offset - place)} bytes before it belong to no entry"
        fault, place = _local_fault(source, entry)
        if fault:
            yield f"{entry.name}: {fault}"
    if place != begin:
        yield f"{abs(begin - place)} bytes before the directory belong to no entry"


def _directory(source: BinaryIO, length: int) -> tuple[list[_Entry], int]:
    """The entries and where the directory begins; -1 when it and its end are not all there is."""
    source.seek(max(0, length - _END_FORM.size))
    tail = source.read()
    if len(tail) < _END_FORM.size or tail[:4] != _END:
        return [], -1
    _, disk, first_disk, here, count, size, begin, comment = _END_FORM.unpack(tail)
    if (disk, first_disk, here, comment) != (0, 0, count, 0) or size > _LARGEST_DIRECTORY:
        return [], -1
    if begin + size != length - _END_FORM.size:
        return [], -1
    source.seek(begin)
    data, entries = io.BytesIO(source.read(size)), []
    for _ in range(count):
        head = data.read(_CENTRAL_FORM.size)
        if len(head) < _CENTRAL_FORM.size or head[:4] != _CENTRAL:
            return [], -1
        _, made, made_on, *common, name, extra, comment, start, internal, external, offset = (
            _CENTRAL_FORM.unpack(head)
        )
        raw_name = data.read(name)
        if len(raw_name) < name:
            return [], -1
        data.seek(extra + comment, os.SEEK_CUR)
        own = (extra, comment, start, (made, made_on), (internal, external), offset)
        entries.append(_Entry(raw_name, tuple(common), *own))
    return (entries, begin) if data.tell() == size else ([], -1)


def _header_faults(entry: _Entry, plain: bool) -> Iterator[str]:
    if not _is_plain_name(entry.raw_name):
        yield "a name that other programs read otherwise"
    if entry.extra or entry.comment:
        yield "a comment or an extra field"
    if entry.disk or entry.flags != (0 if entry.raw_name.isascii() else _UTF8):
        yield "flags that packs do not have"
    if entry.method not in ((_STORED,) if plain else (_STORED, _DEFLATED)):
        yield "packed otherwise than packs are"
    if entry.method == _STORED and entry.packed_size != entry.size:
        yield "a length that is not its own"
    internal, external = entry.attributes
    if plain and (entry.moment, external) != ((0, _DATE), MODE):
        yield "a date or attributes that packs do not have"
    if internal or external & 0xFFFF or (entry.version, entry.made_by) != ((20, 0), (20, _UNIX)):
        yield "attributes that packs do not have"


def _is_plain_name(raw: bytes) -> bool:
    """Whether every program reads the same name, inside the folder that it unpacks into."""
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    parts = name.split("/")
    return name.isprintable() and "\\" not in name and not {"", ".", ".."} & set(parts)


def _local_fault(source: BinaryIO, entry: _Entry) -> tuple[str, int]:
    """What is wrong with an entry where it lies ("" for nothing), and where the next one begins."""
    end = entry.offset + _LOCAL_FORM.size + len(entry.raw_name) + entry.packed_size
    source.seek(entry.offset)
    head = source.read(_LOCAL_FORM.size)
    if len(head) < _LOCAL_FORM.size or head[:4] != _LOCAL:
        return "no entry where the directory says", end
    _, *common, name, extra = _LOCAL_FORM.unpack(head)
    if extra:
        return "an extra field", end + extra
    if tuple(common) != entry.common or source.read(name) != entry.raw_name:
        return "the entry and the directory differ", end
    return _content_fault(source, entry), end


def _content_fault(source: BinaryIO, entry: _Entry) -> str:
    """Whether the packed bytes are all of the content, and nothing but it."""
    unpacking = zlib.decompressobj(-zlib.MAX_WBITS) if entry.method == _DEFLATED else None
    crc, size, left = 0, 0, entry.packed_size
    while left:
        piece = source.read(min(left, _PIECE))
        if not piece:
            return "it ends too soon"
        left -= len(piece)
        for content in _unpacked(unpacking, piece) if unpacking else (piece,):
            crc, size = zlib.crc32(content, crc), size + len(content)
            if size > entry.size:
                return "a length that is not its own"
    if unpacking and (not unpacking.eof or unpacking.unused_data):
        return "something after its packed bytes"
    return "" if (crc, size) == (entry.crc, entry.size) else "a length or sum that is not its own"


def _unpacked(unpacking: "zlib._Decompress", piece: bytes) -> Iterator[bytes]:
    """The content in a piece, some of it at a time: a few packed bytes may hold gigabytes."""
    while True:
        content = unpacking.decompress(piece, _PIECE)
        yield content
        piece = unpacking.unconsumed_tail
        if not piece:
            return
