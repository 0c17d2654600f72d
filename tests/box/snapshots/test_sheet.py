"""The printed recovery sheet: keys are typed from paper, so each letter must be there."""

import dataclasses
import io
import os
import re
from pathlib import Path

import pypdf
import pytest

from appliance.box.snapshots import recovery_sheet, sealing, volumes
from appliance.box.snapshots.errors import SnapshotError
from appliance.core import audit
from appliance.core import settings as site_settings
from appliance.core.settings import Settings
from appliance.reports import pdf
from backups import paper_keys
from provisioning.local.settings_file import scratch_settings

REPOSITORY = "k7Gq2ZtV9xLwB4nRm8sYc3uPdHf6jTqEw1oA5iNzXvKg"
MADE = "abcd-efgh-jkmn-pqrs-tuvw-xyz2"
RECOVERY = "AGE-SECRET-KEY-1" + "QYQSZQGP" * 7 + "HJ8K2LMN"[:2]


@pytest.fixture
def site(tmp_path: Path) -> Settings:
    """A site with one place for snapshots, and both keys."""
    file = tmp_path / "site.toml"
    disk = {"name": "disk", "url": "/media/backup", "password_file": "disk.key"}
    file.write_text(scratch_settings(backups=[disk]))
    (tmp_path / "disk.key").write_text(f"{REPOSITORY}\n")
    (tmp_path / "recovery.key").write_text(f"# made today\n{RECOVERY}\n")
    return site_settings.load_settings(file)


@pytest.mark.parametrize("locale", ["uz_Latn", "uz_Cyrl", "ru"])
def test_a_key_can_be_typed_from_the_paper(site: Settings, locale: str) -> None:
    (site.file.parent / "disk.key").write_text(f"{MADE}\n")
    printed = printed_lines(pdf.write_pdf(recovery_sheet.render_sheet(site, locale)))
    for kind, key in (("repository", MADE), ("recovery", RECOVERY)):
        assert paper_keys.read_key(groups_to_type(printed, key), kind) == key
    assert "appliance-disk" not in " ".join(printed)
    assert any(line.endswith("-i /root/site.ini restore.yml") for line in printed)


@pytest.mark.parametrize("locale", ["uz_Latn", "uz_Cyrl", "ru"])
def test_a_key_of_another_form_is_split_into_even_lines(site: Settings, locale: str) -> None:
    printed = printed_lines(pdf.write_pdf(recovery_sheet.render_sheet(site, locale)))
    pieces = [line for line in printed if len(line) > 1 and re.fullmatch(r"\S+", line)]
    pieces = [line for line in pieces if line in REPOSITORY]
    assert "".join(pieces) == REPOSITORY
    assert max(map(len, pieces)) - min(map(len, pieces)) <= 1


@pytest.mark.parametrize("locale", ["uz_Latn", "uz_Cyrl", "ru"])
def test_the_key_of_an_encrypted_disk_is_on_the_sheet(site: Settings, locale: str) -> None:
    key = "k7gq-2ztv-9xqw-b4nr-m8sy-c3up"
    sealing.disk_key_file(site).write_text(key)
    file = pdf.write_pdf(recovery_sheet.render_sheet(site, locale))
    printed = printed_lines(file)
    assert len(pypdf.PdfReader(io.BytesIO(file)).pages) <= 2
    assert paper_keys.read_key(groups_to_type(printed, key), "disk") == key
    assert "appliance-diskopenpaper" in re.sub(r"\s", "", "".join(printed))


@pytest.mark.parametrize("locale", ["uz_Latn", "uz_Cyrl", "ru"])
def test_the_sheet_alone_suffices_for_a_restore(
    site: Settings, locale: str, monkeypatch, tmp_path
) -> None:
    """Disks and folders, release, time, the answers without site.ini, telephone numbers."""
    table = tmp_path / "mounts"
    table.write_text(
        "/dev/sda1 / ext4 rw 0 0\n/dev/sdc1 /media/backup ext4 rw 0 0\n"
        "nas:/copies /mnt/nas nfs rw 0 0\n"
    )
    ids = tmp_path / "by-uuid"
    ids.mkdir()
    (ids / "0b1c-77").symlink_to("/dev/sdc1")
    monkeypatch.setattr(volumes, "MOUNTS_FILE", table)
    monkeypatch.setattr(volumes, "DISK_ID_FOLDERS", (("UUID", ids),))
    contacts = ("Texnik: +998 90 123 45 67",)
    snapshots_section = dataclasses.replace(
        site.snapshots, replica="/mnt/nas/replica", contacts=contacts
    )
    page = recovery_sheet.render_sheet(
        dataclasses.replace(site, snapshots=snapshots_section), locale, bytes_total=90 << 30
    )
    text = " ".join(" ".join(printed_lines(pdf.write_pdf(page))).split())
    for expected in (
        "mkdir -p /media/usb mount /dev/sdb1 /media/usb",
        "mkdir -p /media/backup mount UUID=0b1c-77 /media/backup",
        "mkdir -p /mnt/nas mount -t nfs nas:/copies /mnt/nas",
        "ls /media/backup ls /mnt/nas/replica",
        recovery_sheet.release_name(),
        "sh /media/usb/bundle/setup",
        site.asterisk.address,
        site.calls.hotline_number,
        "+998 90 123 45 67",
        f"{20 + 90} ",
    ):
        assert expected in text, expected
    empty = recovery_sheet.render_sheet(dataclasses.replace(site, snapshots=site.snapshots), locale)
    assert empty.count('class="blank"') == 4


def printed_lines(file: bytes) -> list[str]:
    """The text of the paper, line by line."""
    pages = pypdf.PdfReader(io.BytesIO(file)).pages
    return [line.strip() for page in pages for line in page.extract_text().splitlines()]


def groups_to_type(printed: list[str], key: str) -> str:
    """The text a person types when they read the groups of a key from the paper."""
    read, groups = " ".join(printed), paper_keys.groups(key)
    for number, group in enumerate(groups, 1):
        assert re.search(rf"\b{number}\s*{group}\b", read), group
    return " ".join(groups)


def test_no_key_is_removed_from_the_box_before_it_was_printed(settings: Settings) -> None:
    snapshots_section = dataclasses.replace(
        settings.snapshots, recovery_file=str(settings.file.with_name("r.key"))
    )
    settings = dataclasses.replace(settings, snapshots=snapshots_section)
    sealing.disk_key_file(settings).write_text("k7gq-2ztv-9xqw-b4nr-m8sy-c3up")
    assert sealing.keys_on_box(settings) == [sealing.disk_key_file(settings)]
    with pytest.raises(SnapshotError, match="print the recovery sheet first"):
        sealing.remove_paper_keys(settings, "backup")
    audit.record_entry("backup", sealing.SHEET_PRINTED_ACTION)
    sealing.remove_paper_keys(settings, "backup")
    assert sealing.keys_on_box(settings) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
def test_an_unreachable_key_folder_is_reported_without_details(site: Settings) -> None:
    """Like the pages of a box, whose process has another account than the owner of the keys."""
    sealing.disk_key_file(site).write_text("k7gq-2ztv-9xqw-b4nr-m8sy-c3up")
    assert sealing.can_access_keys(site)
    os.seteuid(4001)
    try:
        assert not sealing.can_access_keys(site)
        assert sealing.keys_on_box(site) == []
    finally:
        os.seteuid(0)
    assert sealing.keys_on_box(site)


@pytest.mark.parametrize("key", ["abcdefghijklmnopqrstuvwx", "correct-horse-battery", "=x"])
def test_a_key_that_looks_like_groups_is_printed_with_its_mark(site: Settings, key: str) -> None:
    """Typed without the mark, it would be refused, or changed to another key."""
    (site.file.parent / "disk.key").write_text(f"{key}\n")
    printed = printed_lines(pdf.write_pdf(recovery_sheet.render_sheet(site, "ru")))
    assert f"={key}" in printed
    assert paper_keys.read_key(f"={key}", "repository") == key
