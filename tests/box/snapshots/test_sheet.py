"""The recovery sheet as it is printed: a key is read off paper, so no letter of it may be lost."""

import dataclasses
import io
import os
import re
from pathlib import Path

import pypdf
import pytest

from appliance.box.snapshots import sealing, sheet
from appliance.box.snapshots.errors import SnapshotError
from appliance.core import audit
from appliance.core import settings as site_settings
from appliance.core.settings import Settings
from appliance.reports import pdf
from provisioning.local.settings_file import scratch

REPOSITORY = "k7Gq2ZtV9xLwB4nRm8sYc3uPdHf6jTqEw1oA5iNzXvKg"
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
def test_a_key_leaves_no_orphan_and_the_command_stands_in_one_line(
    site: Settings, locale: str
) -> None:
    paper = pypdf.PdfReader(io.BytesIO(pdf.write(sheet.page(site, locale))))
    assert len(paper.pages) == 1
    printed = [line.strip() for line in paper.pages[0].extract_text().splitlines()]
    for key in (REPOSITORY, RECOVERY):
        pieces = [line for line in printed if len(line) > 1 and re.fullmatch(r"\S+", line)]
        pieces = [line for line in pieces if line in key]
        assert "".join(pieces) == key
        assert max(map(len, pieces)) - min(map(len, pieces)) <= 1
    assert "appliance-disk" not in " ".join(printed)
    assert any(line.endswith("-i /root/site.ini restore.yml") for line in printed)


@pytest.mark.parametrize("locale", ["uz_Latn", "uz_Cyrl", "ru"])
def test_the_key_of_an_encrypted_disk_stands_on_it(site: Settings, locale: str) -> None:
    key = "k7gq-2ztv-9xqw-b4nr-m8sy-c3up"
    sealing.disk_file(site).write_text(key)
    paper = pypdf.PdfReader(io.BytesIO(pdf.write(sheet.page(site, locale))))
    text = "".join(page.extract_text() for page in paper.pages)
    assert len(paper.pages) <= 2
    assert key in text
    assert "appliance-diskopenpaper" in re.sub(r"\s", "", text)


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
