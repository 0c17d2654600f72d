"""The recovery sheet as it is printed: a key is read off paper, so no letter of it may be lost."""

import dataclasses
import io
import os
import re
from pathlib import Path

import pypdf
import pytest

from appliance.box.snapshots import sealing, sheet, volumes
from appliance.box.snapshots.errors import SnapshotError
from appliance.core import audit
from appliance.core import settings as site_settings
from appliance.core.settings import Settings
from appliance.reports import pdf
from backups import paper_keys
from provisioning.local.settings_file import scratch

REPOSITORY = "k7Gq2ZtV9xLwB4nRm8sYc3uPdHf6jTqEw1oA5iNzXvKg"
MADE = "abcd-efgh-jkmn-pqrs-tuvw-xyz2"
RECOVERY = "AGE-SECRET-KEY-1" + "QYQSZQGP" * 7 + "HJ8K2LMN"[:2]


@pytest.fixture
def site(tmp_path: Path) -> Settings:
    """A site with one place for snapshots, and both keys."""
    file = tmp_path / "site.toml"
    disk = {"name": "disk", "url": "/media/backup", "password_file": "disk.key"}
    file.write_text(scratch(backups=[disk]))
    (tmp_path / "disk.key").write_text(f"{REPOSITORY}\n")
    (tmp_path / "recovery.key").write_text(f"# made today\n{RECOVERY}\n")
    return site_settings.load(file)


@pytest.mark.parametrize("locale", ["uz_Latn", "uz_Cyrl", "ru"])
def test_a_key_can_be_typed_off_the_paper(site: Settings, locale: str) -> None:
    (site.file.parent / "disk.key").write_text(f"{MADE}\n")
    printed = lines(pdf.write(sheet.page(site, locale)))
    for kind, key in (("repository", MADE), ("recovery", RECOVERY)):
        assert paper_keys.read_key(typed(printed, key), kind) == key
    assert "appliance-disk" not in " ".join(printed)
    assert any(line.endswith("-i /root/site.ini restore.yml") for line in printed)


@pytest.mark.parametrize("locale", ["uz_Latn", "uz_Cyrl", "ru"])
def test_a_key_of_another_form_leaves_no_orphan(site: Settings, locale: str) -> None:
    printed = lines(pdf.write(sheet.page(site, locale)))
    pieces = [line for line in printed if len(line) > 1 and re.fullmatch(r"\S+", line)]
    pieces = [line for line in pieces if line in REPOSITORY]
    assert "".join(pieces) == REPOSITORY
    assert max(map(len, pieces)) - min(map(len, pieces)) <= 1


@pytest.mark.parametrize("locale", ["uz_Latn", "uz_Cyrl", "ru"])
def test_the_key_of_an_encrypted_disk_stands_on_it(site: Settings, locale: str) -> None:
    key = "k7gq-2ztv-9xqw-b4nr-m8sy-c3up"
    sealing.disk_file(site).write_text(key)
    file = pdf.write(sheet.page(site, locale))
    printed = lines(file)
    assert len(pypdf.PdfReader(io.BytesIO(file)).pages) <= 2
    assert paper_keys.read_key(typed(printed, key), "disk") == key
    assert "appliance-diskopenpaper" in re.sub(r"\s", "", "".join(printed))


@pytest.mark.parametrize("locale", ["uz_Latn", "uz_Cyrl", "ru"])
def test_at_night_the_sheet_is_enough(site: Settings, locale: str, monkeypatch, tmp_path) -> None:
    """Disks and folders, release, time, the answers without site.ini, telephone numbers."""
    table = tmp_path / "mounts"
    table.write_text(
        "/dev/sda1 / ext4 rw 0 0\n/dev/sdc1 /media/backup ext4 rw 0 0\n"
        "nas:/copies /mnt/nas nfs rw 0 0\n"
    )
    ids = tmp_path / "by-uuid"
    ids.mkdir()
    (ids / "0b1c-77").symlink_to("/dev/sdc1")
    monkeypatch.setattr(volumes, "MOUNTS", table)
    monkeypatch.setattr(volumes, "BY_ID", (("UUID", ids),))
    contacts = ("Texnik: +998 90 123 45 67",)
    kept = dataclasses.replace(site.snapshots, replica="/mnt/nas/replica", contacts=contacts)
    page = sheet.page(dataclasses.replace(site, snapshots=kept), locale, bytes_total=90 << 30)
    text = " ".join(" ".join(lines(pdf.write(page))).split())
    for expected in (
        "mkdir -p /media/usb mount /dev/sdb1 /media/usb",
        "mkdir -p /media/backup mount UUID=0b1c-77 /media/backup",
        "mkdir -p /mnt/nas mount -t nfs nas:/copies /mnt/nas",
        "ls /media/backup ls /mnt/nas/replica",
        sheet.release(),
        "sh /media/usb/bundle/setup",
        site.asterisk.address,
        site.calls.hotline_number,
        "+998 90 123 45 67",
        f"{20 + 90} ",
    ):
        assert expected in text, expected
    empty = sheet.page(dataclasses.replace(site, snapshots=site.snapshots), locale)
    assert empty.count('class="blank"') == 4


def lines(file: bytes) -> list[str]:
    """The text of the paper, line by line."""
    pages = pypdf.PdfReader(io.BytesIO(file)).pages
    return [line.strip() for page in pages for line in page.extract_text().splitlines()]


def typed(printed: list[str], key: str) -> str:
    """What a person types who reads the groups of a key off the paper."""
    read, groups = " ".join(printed), paper_keys.groups(key)
    for number, group in enumerate(groups, 1):
        assert re.search(rf"\b{number}\s*{group}\b", read), group
    return " ".join(groups)


def test_no_key_leaves_the_box_before_it_is_on_paper(settings: Settings) -> None:
    there = dataclasses.replace(
        settings.snapshots, recovery_file=str(settings.file.with_name("r.key"))
    )
    settings = dataclasses.replace(settings, snapshots=there)
    sealing.disk_file(settings).write_text("k7gq-2ztv-9xqw-b4nr-m8sy-c3up")
    assert sealing.on_the_box(settings) == [sealing.disk_file(settings)]
    with pytest.raises(SnapshotError, match="print the recovery sheet first"):
        sealing.remove(settings, "backup")
    audit.record("backup", sealing.PRINTED)
    sealing.remove(settings, "backup")
    assert sealing.on_the_box(settings) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
def test_who_may_not_enter_their_folder_is_told_so_and_no_more(site: Settings) -> None:
    """As the pages of a box, whose process is another's than the keys."""
    sealing.disk_file(site).write_text("k7gq-2ztv-9xqw-b4nr-m8sy-c3up")
    assert sealing.reaches_keys(site)
    os.seteuid(4001)
    try:
        assert not sealing.reaches_keys(site)
        assert sealing.on_the_box(site) == []
    finally:
        os.seteuid(0)
    assert sealing.on_the_box(site)


@pytest.mark.parametrize("key", ["abcdefghijklmnopqrstuvwx", "correct-horse-battery", "=x"])
def test_a_key_that_looks_like_groups_is_printed_with_its_mark(site: Settings, key: str) -> None:
    """Typed as it is printed it would be refused, or changed to another key."""
    (site.file.parent / "disk.key").write_text(f"{key}\n")
    printed = lines(pdf.write(sheet.page(site, "ru")))
    assert f"={key}" in printed
    assert paper_keys.read_key(f"={key}", "repository") == key
