"""Manipulated files of evidence packs: they all fail verification."""

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

END_BYTES = 22  # size of the end record of the directory
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

    def build_pack(self, form: int = 2) -> bytes:
        """Return a small signed pack as `packs` writes it (format 2) or used to (format 1)."""
        content = {
            "pack.json": json.dumps({"format": f"hotline-evidence/{form}"}).encode(),
            "call/call.json": b"{}" * 500,
            "appeals/дело.txt": "Мурожаат".encode(),
            packs.PUBLIC_KEY: Path(self.public_key).read_bytes(),
        }
        hashes = {name: hashlib.sha256(data).hexdigest() for name, data in content.items()}
        manifest = "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes)).encode()
        content[packs.MANIFEST] = manifest
        content[packs.SIGNATURE] = signatures.sign_bytes(manifest, str(self.key), "audit.key")
        file = self.folder / "whole.zip"
        kind = zipfile.ZIP_STORED if form == 2 else zipfile.ZIP_DEFLATED
        with zipfile.ZipFile(file, "w", kind) as out:
            for name, data in content.items():
                if form == 2:
                    packs._add_to_archive(out, name, data)
                else:
                    out.writestr(name, data)
        return file.read_bytes()

    def verify_bytes(self, data: bytes) -> evidence.Verdict:
        """Return the verdict on a file; a file that is not a pack does not hold."""
        file = self.folder / "forged.zip"
        file.write_bytes(data)
        try:
            return evidence.verify_pack(file, self.public_key)
        except (ValueError, OSError):
            return evidence.Verdict(faults=["no pack"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("keys")
    signatures.create_key_pair(folder / "audit.key", folder / "audit.pub")
    return Site(folder)


def local_entry(name: bytes, data: bytes, **changed: int) -> bytes:
    """Return a local header and stored data."""
    values = {"packed": len(data), "size": len(data), "crc": zlib.crc32(data), "flags": 0} | changed
    head = struct.pack("<4s5H", b"PK\3\4", 20, values["flags"], 0, 0, 0x21)
    sums = struct.pack("<3L2H", values["crc"], values["packed"], values["size"], len(name), 0)
    return head + sums + name + data


def central_record(name: bytes, data: bytes, offset: int) -> bytes:
    head = struct.pack("<4s4B4H", b"PK\1\2", 20, 3, 20, 0, 0, 0, 0, 0x21)
    sums = struct.pack("<3L", zlib.crc32(data), len(data), len(data))
    return head + sums + struct.pack("<5H2L", len(name), 0, 0, 0, 0, 0o600 << 16, offset) + name


def split_pack(pack: bytes) -> tuple[bytes, bytes, list[int]]:
    """Return a file's entries, its directory, and the values of its end record."""
    values = list(struct.unpack("<4s4H2LH", pack[-END_BYTES:]))
    begin = values[6]
    return pack[:begin], pack[begin:-END_BYTES], values


def join_pack(entries: bytes, directory: bytes, values: list[int], more: int = 0) -> bytes:
    count = values[3] + more
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), len(entries), 0)
    return entries + directory + end


def shift_directory(directory: bytes, by: int) -> bytes:
    """Return the directory with its entries `by` bytes later."""
    out, place = bytearray(directory), 0
    while place < len(out):
        name, extra, comment = struct.unpack_from("<3H", out, place + 28)
        [offset] = struct.unpack_from("<L", out, place + 42)
        struct.pack_into("<L", out, place + 42, offset + by)
        place += 46 + name + extra + comment
    return bytes(out)


def add_duplicate_name(pack: bytes, *, first: bool) -> bytes:
    """Add another call.json, which other programs unpack; Python reads the last one of a name."""
    entries, directory, values = split_pack(pack)
    name, data = b"call/call.json", b"forged"
    if not first:
        forged = central_record(name, data, len(entries))
        return join_pack(entries + local_entry(name, data), directory + forged, values, 1)
    ours, added = (
        shift_directory(directory, len(local_entry(name, data))),
        central_record(name, data, 0),
    )
    return join_pack(local_entry(name, data) + entries, added + ours, values, 1)


def add_other_case(pack: bytes) -> bytes:
    entries, directory, values = split_pack(pack)
    name = b"CALL/call.json"
    forged = central_record(name, b"x", len(entries))
    return join_pack(entries + local_entry(name, b"x"), directory + forged, values, 1)


def prepend_listed_bytes(pack: bytes) -> bytes:
    """Put other bytes before the first entry; the directory has the new offsets."""
    entries, directory, values = split_pack(pack)
    return join_pack(b"#!/bin/sh\n" + entries, shift_directory(directory, 10), values)


def prepend_unlisted_bytes(pack: bytes) -> bytes:
    """Do the same without changing the directory: `zipfile` corrects the difference by itself."""
    return b"#!/bin/sh\n" + pack


def insert_unlisted_entry(pack: bytes) -> bytes:
    """Insert an entry between the last one and the directory that the directory does not list."""
    entries, directory, values = split_pack(pack)
    return join_pack(entries + local_entry(b"call/call.json", b"forged"), directory, values)


def append_bytes(pack: bytes) -> bytes:
    return pack + b"more"


def add_pack_comment(pack: bytes) -> bytes:
    return pack[:-2] + struct.pack("<H", 4) + b"more"


def double_pack(pack: bytes) -> bytes:
    """A complete pack inside the comment of the end of a forged one, and the other way round."""
    return pack + pack


def add_entry_comment(pack: bytes) -> bytes:
    entries, directory, values = split_pack(pack)
    changed = bytearray(directory)
    struct.pack_into("<H", changed, 32, 4)
    [length] = struct.unpack_from("<H", changed, 28)
    changed[46 + length : 46 + length] = b"more"
    return join_pack(entries, bytes(changed), values)


def add_central_extra(pack: bytes) -> bytes:
    entries, directory, values = split_pack(pack)
    changed = bytearray(directory)
    struct.pack_into("<H", changed, 30, 4)
    [length] = struct.unpack_from("<H", changed, 28)
    changed[46 + length : 46 + length] = b"\x99\x99\0\0"
    return join_pack(entries, bytes(changed), values)


def add_local_extra(pack: bytes) -> bytes:
    """Add an extra field to the last local header only, where `unzip` finds another name."""
    entries, directory, values = split_pack(pack)
    place = entries.rindex(b"PK\3\4")
    [length] = struct.unpack_from("<H", entries, place + 26)
    changed = bytearray(entries)
    struct.pack_into("<H", changed, place + 28, 4)
    changed[place + 30 + length : place + 30 + length] = b"\x99\x99\0\0"
    return join_pack(bytes(changed), directory, values)


def change_local_field(
    offset: int, form: str, change: Callable[[int], int]
) -> Callable[[bytes], bytes]:
    """Return a trick that makes a local header differ from the directory in one field."""

    def forge_field(pack: bytes) -> bytes:
        changed = bytearray(pack)
        [value] = struct.unpack_from(form, changed, offset)
        struct.pack_into(form, changed, offset, change(value))
        return bytes(changed)

    return forge_field


def change_local_name(pack: bytes) -> bytes:
    return pack.replace(b"call/call.json", b"call/fake.json", 1)


def extend_last_entry(pack: bytes) -> bytes:
    """Add bytes after the content of the last entry, which its packed length hides."""
    entries, directory, values = split_pack(pack)
    changed = bytearray(entries)
    place = entries.rindex(b"PK\3\4")
    [packed] = struct.unpack_from("<L", changed, place + 18)
    struct.pack_into("<L", changed, place + 18, packed + 4)
    listed = bytearray(directory)
    last = directory.rindex(b"PK\1\2")
    struct.pack_into("<L", listed, last + 20, packed + 4)
    return join_pack(bytes(changed) + b"more", bytes(listed), values)


TRICKS: dict[str, Callable[[bytes], bytes]] = {
    "second of a name": lambda pack: add_duplicate_name(pack, first=False),
    "first of a name": lambda pack: add_duplicate_name(pack, first=True),
    "name in another case": add_other_case,
    "before the first": prepend_listed_bytes,
    "before, unknown to the directory": prepend_unlisted_bytes,
    "between entries": insert_unlisted_entry,
    "after the end": append_bytes,
    "the pack's comment": add_pack_comment,
    "two packs in one": double_pack,
    "an entry's comment": add_entry_comment,
    "an extra field in the directory": add_central_extra,
    "an extra field in an entry": add_local_extra,
    "another name in the entry": change_local_name,
    "another version": change_local_field(4, "<H", lambda value: value + 1),
    "a data descriptor": change_local_field(6, "<H", lambda value: value | 8),
    "a name that is no UTF-8": change_local_field(6, "<H", lambda value: value | 0x800),
    "another method": change_local_field(8, "<H", lambda value: 8 - value),
    "another date": change_local_field(12, "<H", lambda value: value + 1),
    "another sum": change_local_field(14, "<L", lambda value: value ^ 1),
    "another packed length": change_local_field(18, "<L", lambda value: value + 1),
    "another length": change_local_field(22, "<L", lambda value: value + 1),
    "bytes after the content": extend_last_entry,
}


@pytest.mark.parametrize("form", FORMATS)
def test_an_unchanged_pack_holds(site, form) -> None:
    verdict = site.verify_bytes(site.build_pack(form))
    assert (verdict.is_valid, verdict.faults, verdict.files) == (True, [], 4)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("trick", TRICKS)
def test_a_manipulated_file_does_not_hold(site, form, trick) -> None:
    pack = site.build_pack(form)
    forged = TRICKS[trick](pack)
    assert forged != pack
    assert not site.verify_bytes(forged).is_valid


def test_a_duplicate_name_is_reported(site) -> None:
    forged = add_duplicate_name(site.build_pack(), first=True)
    assert "call/call.json: more than one entry" in site.verify_bytes(forged).faults


def test_no_byte_of_a_pack_may_change(site) -> None:
    pack = site.build_pack()
    for place in range(len(pack)):
        for bit in (0, 6):
            changed = bytearray(pack)
            changed[place] ^= 1 << bit
            assert not site.verify_bytes(bytes(changed)).is_valid, place


@pytest.mark.parametrize("name", ["../a", "/a", "a//b", "a\\b", "a\nb", "./a", "a/"])
def test_a_name_outside_the_folder_does_not_hold(site, name) -> None:
    entries, directory, values = split_pack(site.build_pack())
    raw = name.encode()
    forged = join_pack(
        entries + local_entry(raw, b""),
        directory + central_record(raw, b"", len(entries)),
        values,
        1,
    )
    verdict = site.verify_bytes(forged)
    assert any("a name that other programs read otherwise" in finding for finding in verdict.faults)


def test_a_zip_bomb_is_not_unpacked(site) -> None:
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join(packing.compress(b"\0" * (1 << 20)) for _ in range(300)) + packing.flush()
    entries, directory, values = split_pack(site.build_pack(1))
    name, head = b"bomb", struct.pack("<4s5H", b"PK\3\4", 20, 0, 8, 0, 0x21)
    sums = struct.pack("<3L", 0, len(bomb), 10)
    forged = head + sums + struct.pack("<2H", 4, 0) + name + bomb
    listed = struct.pack("<4s4B4H", b"PK\1\2", 20, 3, 20, 0, 0, 8, 0, 0x21) + sums
    listed += struct.pack("<5H2L", 4, 0, 0, 0, 0, 0o600 << 16, len(entries)) + name
    verdict = site.verify_bytes(join_pack(entries + forged, directory + listed, values, 1))
    assert "bomb: a length that is not its own" in verdict.faults
