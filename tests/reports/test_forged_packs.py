"""Tricks with the file of an evidence pack: none of them verifies."""

import hashlib
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.core import signatures
from appliance.reports import evidence
from appliance.reports.evidence import packs

END = 22  # bytes of the directory's end
FORMATS = (1, 2)


@dataclass(frozen=True)
class Site:
    """Keys, and a folder for packs."""

    folder: Path

    @property
    def key(self) -> Path:
        return self.folder / "audit.key"

    @property
    def public_key(self) -> str:
        return str(self.folder / "audit.pub")

    def pack(self, form: int = 2) -> bytes:
        """A small pack, signed, as `packs` writes it (format 2) or wrote it before."""
        content = {
            "pack.json": json.dumps({"format": f"hotline-evidence/{form}"}).encode(),
            "call/call.json": b"{}" * 500,
            "appeals/дело.txt": "Мурожаат".encode(),
            packs.PUBLIC_KEY: Path(self.public_key).read_bytes(),
        }
        hashes = {name: hashlib.sha256(data).hexdigest() for name, data in content.items()}
        manifest = "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes)).encode()
        content[packs.MANIFEST] = manifest
        content[packs.SIGNATURE] = signatures.sign(manifest, str(self.key), "audit.key")
        file = self.folder / "whole.zip"
        kind = zipfile.ZIP_STORED if form == 2 else zipfile.ZIP_DEFLATED
        with zipfile.ZipFile(file, "w", kind) as out:
            for name, data in content.items():
                if form == 2:
                    packs._add(out, name, data)
                else:
                    out.writestr(name, data)
        return file.read_bytes()

    def verdict(self, data: bytes) -> evidence.Verdict:
        """What is found in a file; nothing holds in one that is no pack."""
        file = self.folder / "forged.zip"
        file.write_bytes(data)
        try:
            return evidence.verify(file, self.public_key)
        except (ValueError, OSError):
            return evidence.Verdict(strange=["no pack"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("keys")
    signatures.make(folder / "audit.key", folder / "audit.pub")
    return Site(folder)


def entry(name: bytes, data: bytes, **changed: int) -> bytes:
    """A local header and stored data."""
    values = {"packed": len(data), "size": len(data), "crc": zlib.crc32(data), "flags": 0} | changed
    head = struct.pack("<4s5H", b"PK\3\4", 20, values["flags"], 0, 0, 0x21)
    sums = struct.pack("<3L2H", values["crc"], values["packed"], values["size"], len(name), 0)
    return head + sums + name + data


def central(name: bytes, data: bytes, offset: int) -> bytes:
    head = struct.pack("<4s4B4H", b"PK\1\2", 20, 3, 20, 0, 0, 0, 0, 0x21)
    sums = struct.pack("<3L", zlib.crc32(data), len(data), len(data))
    return head + sums + struct.pack("<5H2L", len(name), 0, 0, 0, 0, 0o600 << 16, offset) + name


def taken_apart(whole: bytes) -> tuple[bytes, bytes, list[int]]:
    """A file's entries, its directory, and the values of its end."""
    values = list(struct.unpack("<4s4H2LH", whole[-END:]))
    begin = values[6]
    return whole[:begin], whole[begin:-END], values


def put_together(entries: bytes, directory: bytes, values: list[int], more: int = 0) -> bytes:
    count = values[3] + more
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), len(entries), 0)
    return entries + directory + end


def shifted(directory: bytes, by: int) -> bytes:
    """A directory whose entries are `by` bytes later."""
    out, place = bytearray(directory), 0
    while place < len(out):
        name, extra, comment = struct.unpack_from("<3H", out, place + 28)
        [offset] = struct.unpack_from("<L", out, place + 42)
        struct.pack_into("<L", out, place + 42, offset + by)
        place += 46 + name + extra + comment
    return bytes(out)


def second_of_a_name(whole: bytes, *, first: bool) -> bytes:
    """Another call.json, which other programs unpack; ours reads the last one of a name."""
    entries, directory, values = taken_apart(whole)
    name, data = b"call/call.json", b"forged"
    if not first:
        forged = central(name, data, len(entries))
        return put_together(entries + entry(name, data), directory + forged, values, 1)
    ours, added = shifted(directory, len(entry(name, data))), central(name, data, 0)
    return put_together(entry(name, data) + entries, added + ours, values, 1)


def other_case(whole: bytes) -> bytes:
    entries, directory, values = taken_apart(whole)
    name = b"CALL/call.json"
    forged = central(name, b"x", len(entries))
    return put_together(entries + entry(name, b"x"), directory + forged, values, 1)


def before(whole: bytes) -> bytes:
    """Another file before the first entry; the directory knows where the entries are."""
    entries, directory, values = taken_apart(whole)
    return put_together(b"#!/bin/sh\n" + entries, shifted(directory, 10), values)


def before_alone(whole: bytes) -> bytes:
    """The same without a word in the directory: `zipfile` finds the difference by itself."""
    return b"#!/bin/sh\n" + whole


def between(whole: bytes) -> bytes:
    """An entry between the last one and the directory that no directory names."""
    entries, directory, values = taken_apart(whole)
    return put_together(entries + entry(b"call/call.json", b"forged"), directory, values)


def after(whole: bytes) -> bytes:
    return whole + b"more"


def pack_comment(whole: bytes) -> bytes:
    return whole[:-2] + struct.pack("<H", 4) + b"more"


def second_end(whole: bytes) -> bytes:
    """A whole pack of another's in the comment of a forged one's end, and the other way round."""
    return whole + whole


def entry_comment(whole: bytes) -> bytes:
    entries, directory, values = taken_apart(whole)
    changed = bytearray(directory)
    struct.pack_into("<H", changed, 32, 4)
    [length] = struct.unpack_from("<H", changed, 28)
    changed[46 + length : 46 + length] = b"more"
    return put_together(entries, bytes(changed), values)


def central_extra(whole: bytes) -> bytes:
    entries, directory, values = taken_apart(whole)
    changed = bytearray(directory)
    struct.pack_into("<H", changed, 30, 4)
    [length] = struct.unpack_from("<H", changed, 28)
    changed[46 + length : 46 + length] = b"\x99\x99\0\0"
    return put_together(entries, bytes(changed), values)


def local_extra(whole: bytes) -> bytes:
    """An extra field in the last local header alone: where `unzip` finds another name."""
    entries, directory, values = taken_apart(whole)
    place = entries.rindex(b"PK\3\4")
    [length] = struct.unpack_from("<H", entries, place + 26)
    changed = bytearray(entries)
    struct.pack_into("<H", changed, place + 28, 4)
    changed[place + 30 + length : place + 30 + length] = b"\x99\x99\0\0"
    return put_together(bytes(changed), directory, values)


def in_local(offset: int, form: str, change: Callable[[int], int]) -> Callable[[bytes], bytes]:
    """A local header that differs from the directory in one field."""

    def forged(whole: bytes) -> bytes:
        changed = bytearray(whole)
        [value] = struct.unpack_from(form, changed, offset)
        struct.pack_into(form, changed, offset, change(value))
        return bytes(changed)

    return forged


def other_local_name(whole: bytes) -> bytes:
    return whole.replace(b"call/call.json", b"call/fake.json", 1)


def longer_than_it_says(whole: bytes) -> bytes:
    """Bytes after the content of the last entry, which its packed length hides."""
    entries, directory, values = taken_apart(whole)
    changed = bytearray(entries)
    place = entries.rindex(b"PK\3\4")
    [packed] = struct.unpack_from("<L", changed, place + 18)
    struct.pack_into("<L", changed, place + 18, packed + 4)
    listed = bytearray(directory)
    last = directory.rindex(b"PK\1\2")
    struct.pack_into("<L", listed, last + 20, packed + 4)
    return put_together(bytes(changed) + b"more", bytes(listed), values)


TRICKS: dict[str, Callable[[bytes], bytes]] = {
    "second of a name": lambda whole: second_of_a_name(whole, first=False),
    "first of a name": lambda whole: second_of_a_name(whole, first=True),
    "name in another case": other_case,
    "before the first": before,
    "before, unknown to the directory": before_alone,
    "between entries": between,
    "after the end": after,
    "the pack's comment": pack_comment,
    "two packs in one": second_end,
    "an entry's comment": entry_comment,
    "an extra field in the directory": central_extra,
    "an extra field in an entry": local_extra,
    "another name in the entry": other_local_name,
    "another version": in_local(4, "<H", lambda value: value + 1),
    "a data descriptor": in_local(6, "<H", lambda value: value | 8),
    "a name that is no UTF-8": in_local(6, "<H", lambda value: value | 0x800),
    "another method": in_local(8, "<H", lambda value: 8 - value),
    "another date": in_local(12, "<H", lambda value: value + 1),
    "another sum": in_local(14, "<L", lambda value: value ^ 1),
    "another packed length": in_local(18, "<L", lambda value: value + 1),
    "another length": in_local(22, "<L", lambda value: value + 1),
    "bytes after the content": longer_than_it_says,
}


@pytest.mark.parametrize("form", FORMATS)
def test_a_pack_holds_as_it_was_made(site, form) -> None:
    found = site.verdict(site.pack(form))
    assert (found.holds, found.strange, found.files) == (True, [], 4)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("trick", TRICKS)
def test_a_trick_with_the_file_does_not_hold(site, form, trick) -> None:
    whole = site.pack(form)
    forged = TRICKS[trick](whole)
    assert forged != whole
    assert not site.verdict(forged).holds


def test_the_second_of_a_name_is_named(site) -> None:
    forged = second_of_a_name(site.pack(), first=True)
    assert "call/call.json: more than one entry" in site.verdict(forged).strange


def test_no_byte_of_it_may_be_another_one(site) -> None:
    whole = site.pack()
    for place in range(len(whole)):
        for bit in (0, 6):
            changed = bytearray(whole)
            changed[place] ^= 1 << bit
            assert not site.verdict(bytes(changed)).holds, place


@pytest.mark.parametrize("name", ["../a", "/a", "a//b", "a\\b", "a\nb", "./a", "a/"])
def test_a_name_that_leads_elsewhere_does_not_hold(site, name) -> None:
    entries, directory, values = taken_apart(site.pack())
    raw = name.encode()
    forged = put_together(
        entries + entry(raw, b""), directory + central(raw, b"", len(entries)), values, 1
    )
    found = site.verdict(forged)
    assert any("a name that other programs read otherwise" in one for one in found.strange)


def test_few_packed_bytes_of_gigabytes_are_not_unpacked(site) -> None:
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join(packing.compress(b"\0" * (1 << 20)) for _ in range(300)) + packing.flush()
    entries, directory, values = taken_apart(site.pack(1))
    name, head = b"bomb", struct.pack("<4s5H", b"PK\3\4", 20, 0, 8, 0, 0x21)
    sums = struct.pack("<3L", 0, len(bomb), 10)
    forged = head + sums + struct.pack("<2H", 4, 0) + name + bomb
    listed = struct.pack("<4s4B4H", b"PK\1\2", 20, 3, 20, 0, 0, 8, 0, 0x21) + sums
    listed += struct.pack("<5H2L", 4, 0, 0, 0, 0, 0o600 << 16, len(entries)) + name
    found = site.verdict(put_together(entries + forged, directory + listed, values, 1))
    assert "bomb: a length that is not its own" in found.strange
