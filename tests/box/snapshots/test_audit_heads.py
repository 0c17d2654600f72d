"""The head of the audit chain is stored in every snapshot, and compared with the database."""

import pytest

from appliance.box import health
from appliance.box.health.audit import Broken, verify_chain
from appliance.box.snapshots import contents, creating, reading, restoring
from appliance.box.snapshots.requests import RestoreRequest
from appliance.core import audit, db
from appliance.core.audit import Head, heads
from appliance.models import AuditEntry
from tests.rig.forging import without_triggers


def test_a_chain_rewritten_after_a_snapshot_is_detected(site) -> None:
    settings = site.open()
    restic = reading.open_repository(settings)
    manifest = reading.read_manifest(restic, reading.find_snapshot(restic))
    assert manifest.audit == str(audit.chain_head())
    audit.record_entry("rustam", "login")
    assert str(audit.chain_head()) in verify_chain(settings)
    [first, *_rest] = AuditEntry.select().order_by(AuditEntry.id)
    with without_triggers():
        AuditEntry.update(who="somebody").where(AuditEntry.id == first.id).execute()
        previous = ""
        for entry in AuditEntry.select().order_by(AuditEntry.id):
            entry.hash = previous = audit._entry_hash(previous, entry)
            entry.save()
    (
        settings.paths.backups / heads.FILE_NAME
    ).unlink()  # the forger also removed the local record of heads
    with pytest.raises(
        Broken, match=f"noted .* in snapshot {reading.find_snapshot(restic).id} in disk"
    ):
        verify_chain(settings)


def test_an_unreadable_repository_does_not_break_the_chain(site, caplog) -> None:
    settings = site.open()
    (site.folder / "repository.key").write_text("wrong\n")
    assert verify_chain(settings)
    assert "not compared with disk" in caplog.text


def test_after_a_restore_newer_heads_no_longer_count(site) -> None:
    settings = site.open()
    before = audit.chain_head()
    for _ in range(3):
        audit.record_entry("rustam", "login")
    verify_chain(settings)
    db.database.close()
    assert site.run("backup", "restore").returncode == 0
    settings = site.open()
    assert [entry.head for entry in heads.read_noted_heads(settings) if entry.restored] == [before]
    assert AuditEntry.get_by_id(before.id + 1).action == "snapshot.restore"
    assert next(health.audit.check_audit_chain(settings)).state == "ok"
    assert verify_chain(settings)
    audit.record_entry("rustam", "login")
    creating.create_snapshots(settings)
    assert verify_chain(settings)


def test_a_restore_into_a_folder_records_no_head(site) -> None:
    settings = site.open()
    restoring.restore_site(settings, RestoreRequest(target=site.folder / "copy"))
    assert heads.read_noted_heads(settings) == []


def test_manifests_of_earlier_releases_have_no_head() -> None:
    old_manifest = contents.parse_manifest(
        '{"format": 1, "made_at": "2026-11-01T02:00:00+05:00", "site": "", "version": "0",'
        ' "counts": {}, "database_sha256": "", "database_bytes": 0, "files": {}, "bytes": 0,'
        ' "parts": {}}'
    )
    assert old_manifest.audit == ""
    with pytest.raises(ValueError, match="a head is written as"):
        Head.parse_text(old_manifest.audit)
