"""Checks that every byte of a pack's file belongs to an entry or to the ZIP format itself.

If several entries have the same name, `zipfile` reads the last one, and it skips bytes before,
between and after entries. Other programs may read those. So a file could contain two packs, of
which only one is signed. Here the whole file is read in the order in which it was written: the
entries, each with its local header, from the first byte on; then the directory (the "central
directory"), then its end. See APPNOTE.TXT 6.3.10, section 4.3.
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

ENTRY_DATE_TIME = (1980, 1, 1, 0, 0, 0)  # of every entry: the signature would not cover a date
_ZIP_DATE = 0x21  # the same date in the ZIP format; its time is 0
ENTRY_ATTRIBUTES = 0o600 << 16  # the external attributes of every entry

_END_SIGNATURE, _CENTRAL_SIGNATURE, _LOCAL_SIGNATURE = b"PK\x05\x06", b"PK\x01\x02", b"PK\x03\x04"
_END_STRUCT, _CENTRAL_STRUCT = struct.Struct("<4s4H2LH"), struct.Struct("<4s4B4HL2L5H2L")
_LOCAL_STRUCT = struct.Struct("<4s2B4HL2L2H")
_UTF8_FLAG, _METHOD_STORED, _METHOD_DEFLATED = 0x800, 0, 8
_UNIX_SYSTEM = 3  # the system whose attributes an entry has
_MAX_DIRECTORY_BYTES = 32 << 20
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class _ZipEntry:
    """One entry of the ZIP file, as the central directory at the file's end describes it."""

    raw_name: bytes
    local_fields: tuple[int, ...]  # the fields that its local header must repeat, in the same order
    extra_length: int  # bytes
    comment_length: int  # bytes
    disk_number: int  # of the part in which it begins; 0 if the archive is not split
    creator: tuple[int, int]  # version of the format times ten, operating system (3 is Unix)
    attributes: tuple[int, int]  # internal, external
    offset: int  # of its local header, in bytes from the beginning of the file

    @property
    def name(self) -> str:
        """The name of the entry, with escapes for bytes that are not UTF-8."""
        return self.raw_name.decode("utf-8", "backslashreplace")

    @property
    def version_needed(self) -> tuple[int, int]:
        """The two bytes of the ZIP field "version needed to extract".

        They are the version of the format times ten (20 is 2.0), and a byte that packs leave zero.
        """
        return self.local_fields[0], self.local_fields[1]

    @property
    def flags(self) -> int:
        """The general-purpose bit flags of the entry."""
        return self.local_fields[2]

    @property
    def method(self) -> int:
        """The compression method of the entry."""
        return self.local_fields[3]

    @property
    def time_and_date(self) -> tuple[int, int]:
        """The time and the date of the entry, in the ZIP format."""
        return self.local_fields[4], self.local_fields[5]

    @property
    def crc(self) -> int:
        """The CRC-32 of the uncompressed content of the entry."""
        return self.local_fields[6]

    @property
    def packed_size(self) -> int:
        """The compressed size of the entry in bytes."""
        return self.local_fields[7]

    @property
    def size(self) -> int:
        """The uncompressed size of the entry in bytes."""
        return self.local_fields[8]


def layout_faults(file: Path, *, must_be_stored: bool) -> list[str]:
    """Return the faults in the ZIP structure of a pack's file as texts; empty for a valid file.

    Faults are invalid headers, and bytes that belong to no entry and so are not covered by the
    signature. If `must_be_stored` is True, it is also a fault if an entry is compressed or has a
    date: packs since format 2 have neither, so that the content determines every byte. Raises
    OSError if the file cannot be read.
    """
    with file.open("rb") as source:
        length = source.seek(0, os.SEEK_END)
        return list(_iterate_faults(source, length, must_be_stored))


def _iterate_faults(source: BinaryIO, length: int, must_be_stored: bool) -> Iterator[str]:
    """Yield the faults of a file of `length` bytes, as `layout_faults` describes them."""
    entries, directory_begin = _read_directory(source, length)
    if directory_begin < 0:
        yield "something comes after the end of the directory, or is written into it"
        return
    names = Counter(entry.name.casefold() for entry in entries)
    yield from (f"{name}: more than one entry" for name, count in names.items() if count > 1)
    position = 0
    for entry in entries:
        yield from (f"{entry.name}: {fault}" for fault in _header_faults(entry, must_be_stored))
        if entry.offset != position:
            yield f"{entry.name}: {abs(entry.offset - position)} bytes before it belong to no entry"
        fault, position = _check_local_header(source, entry)
        if fault:
            yield f"{entry.name}: {fault}"
    if position != directory_begin:
        yield f"{abs(directory_begin - position)} bytes before the directory belong to no entry"


def _read_directory(source: BinaryIO, length: int) -> tuple[list[_ZipEntry], int]:
    """Return the entries, and the offset at which the directory begins.

    `length` is the size of the file in bytes. The result is ([], -1) if the directory or its end
    record is invalid, the archive is split or has a comment, or bytes follow.
    """
    source.seek(max(0, length - _END_STRUCT.size))
    tail = source.read()
    if len(tail) < _END_STRUCT.size or tail[:4] != _END_SIGNATURE:
        return [], -1
    _, disk, first_disk, entries_on_disk, count, size, begin, comment_length = _END_STRUCT.unpack(
        tail
    )
    if (disk, first_disk, entries_on_disk, comment_length) != (
        0,
        0,
        count,
        0,
    ) or size > _MAX_DIRECTORY_BYTES:
        return [], -1
    if begin + size != length - _END_STRUCT.size:
        return [], -1
    source.seek(begin)
    data, entries = io.BytesIO(source.read(size)), []
    for _ in range(count):
        header = data.read(_CENTRAL_STRUCT.size)
        if len(header) < _CENTRAL_STRUCT.size or header[:4] != _CENTRAL_SIGNATURE:
            return [], -1
        (
            _,
            creator_version,
            creator_system,
            *local_fields,
            name_length,
            extra_length,
            comment_length,
            start_disk,
            internal,
            external,
            offset,
        ) = _CENTRAL_STRUCT.unpack(header)
        raw_name = data.read(name_length)
        if len(raw_name) < name_length:
            return [], -1
        data.seek(extra_length + comment_length, os.SEEK_CUR)
        central_fields = (
            extra_length,
            comment_length,
            start_disk,
            (creator_version, creator_system),
            (internal, external),
            offset,
        )
        entries.append(_ZipEntry(raw_name, tuple(local_fields), *central_fields))
    return (entries, begin) if data.tell() == size else ([], -1)


def _header_faults(entry: _ZipEntry, must_be_stored: bool) -> Iterator[str]:
    """Yield, as texts, how an entry's fields differ from those of the entries that packs.py writes.

    If `must_be_stored` is True, the entry must be uncompressed and without a date, as packs are
    since format 2.
    """
    if not _is_portable_name(entry.raw_name):
        yield "a name that other programs read otherwise"
    if entry.extra_length or entry.comment_length:
        yield "a comment or an extra field"
    if entry.disk_number or entry.flags != (0 if entry.raw_name.isascii() else _UTF8_FLAG):
        yield "flags that packs do not have"
    if entry.method not in (
        (_METHOD_STORED,) if must_be_stored else (_METHOD_STORED, _METHOD_DEFLATED)
    ):
        yield "packed otherwise than packs are"
    if entry.method == _METHOD_STORED and entry.packed_size != entry.size:
        yield "a length that is not its own"
    internal, external = entry.attributes
    if must_be_stored and (entry.time_and_date, external) != ((0, _ZIP_DATE), ENTRY_ATTRIBUTES):
        yield "a date or attributes that packs do not have"
    if (
        internal
        or external & 0xFFFF
        or (entry.version_needed, entry.creator) != ((20, 0), (20, _UNIX_SYSTEM))
    ):
        yield "attributes that packs do not have"


def _is_portable_name(raw_name: bytes) -> bool:
    """Return True if every program reads this name alike and unpacks it into the target folder."""
    try:
        name = raw_name.decode("utf-8")
    except UnicodeDecodeError:
        return False
    parts = name.split("/")
    return name.isprintable() and "\\" not in name and not {"", ".", ".."} & set(parts)


def _check_local_header(source: BinaryIO, entry: _ZipEntry) -> tuple[str, int]:
    """Check an entry's local header and content against the directory.

    Returns the fault ("" for a valid entry), and the offset at which the entry ends.
    """
    end = entry.offset + _LOCAL_STRUCT.size + len(entry.raw_name) + entry.packed_size
    source.seek(entry.offset)
    header = source.read(_LOCAL_STRUCT.size)
    if len(header) < _LOCAL_STRUCT.size or header[:4] != _LOCAL_SIGNATURE:
        return "no entry where the directory says", end
    _, *local_fields, name_length, extra_length = _LOCAL_STRUCT.unpack(header)
    if extra_length:
        return "an extra field", end + extra_length
    if tuple(local_fields) != entry.local_fields or source.read(name_length) != entry.raw_name:
        return "the entry and the directory differ", end
    return _check_content(source, entry), end


def _check_content(source: BinaryIO, entry: _ZipEntry) -> str:
    """Return the fault of an entry's content, "" if it is valid.

    It is valid if its size and checksum are as stated, and no other bytes follow its packed bytes.
    `source` must be positioned at the beginning of the content.
    """
    decompressor = zlib.decompressobj(-zlib.MAX_WBITS) if entry.method == _METHOD_DEFLATED else None
    crc, size, remaining = 0, 0, entry.packed_size
    while remaining:
        chunk = source.read(min(remaining, _CHUNK_BYTES))
        if not chunk:
            return "it ends too soon"
        remaining -= len(chunk)
        for content in _decompress_chunk(decompressor, chunk) if decompressor else (chunk,):
            crc, size = zlib.crc32(content, crc), size + len(content)
            if size > entry.size:
                return "a length that is not its own"
    if decompressor and (not decompressor.eof or decompressor.unused_data):
        return "something after its packed bytes"
    return "" if (crc, size) == (entry.crc, entry.size) else "a length or sum that is not its own"


def _decompress_chunk(decompressor: "zlib._Decompress", chunk: bytes) -> Iterator[bytes]:
    """Yield the content of a chunk in parts, because a few bytes may expand to gigabytes."""
    while True:
        content = decompressor.decompress(chunk, _CHUNK_BYTES)
        yield content
        chunk = decompressor.unconsumed_tail
        if not chunk:
            return
