"""Where the audit's chain ended stands in every snapshot, and is compared with the database."""

import pytest

from appliance.box import health, snapshots
from appliance.box.health.audit import Broken, verify
from appliance.box.snapshots import Wish, contents, reading
from appliance.core import audit, db
from appliance.core.audit import Head, heads
from appliance.models import AuditEntry
from tests.rig.forging import forging


def test_a_snapshot_tells_of_a_chain_written_anew_after_it(site) -> None:
    settings = site.open()
    restic = reading.repository(settings)
    made = reading.manifest(restic, reading.find(restic))
    assert made.audit == str(audit.head())
    audit.record("rustam", "login")
    assert str(audit.head()) in verify(settings)
    [first, *_rest] = AuditEntry.select().order_by(AuditEntry.id)
    with forging():
        AuditEntry.update(who="somebody").where(AuditEntry.id == first.id).execute()
        previous = ""
        for entry in AuditEntry.select().order_by(AuditEntry.id):
            entry.hash = previous = audit._hash(previous, entry)
            entry.save()
    (settings.paths.backups / heads.FILE).unlink()  # whoever did it put that away, too
    with pytest.raises(Broken, match=f"noted .* in snapshot {reading.find(restic).id} in disk"):
        verify(settings)


def test_a_repository_that_cannot_be_read_breaks_no_chain(site, caplog) -> None:
    settings = site.open()
    (site.folder / "repository.key").write_text("wrong\n")
    assert verify(settings)
    assert "not compared with disk" in caplog.text


def test_after_a_restore_the_newer_heads_count_no_more(site) -> None:
    settings = site.open()
    before = audit.head()
    for _ in range(3):
        audit.record("rustam", "login")
    verify(settings)
    db.database.close()
    assert site.run("backup", "restore").returncode == 0
    settings = site.open()
    assert [one.head for one in heads.noted(settings) if one.restored] == [before]
    assert AuditEntry.get_by_id(before.id + 1).action == "snapshot.restore"
    assert next(health.audit.chain(settings)).state == "ok"
    assert verify(settings)
    audit.record("rustam", "login")
    snapshots.create(settings)
    assert verify(settings)


def test_a_restore_into_a_folder_notes_nothing(site) -> None:
    settings = site.open()
    snapshots.restore(settings, Wish(target=site.folder / "copy"))
    assert heads.noted(settings) == []


def test_manifests_from_before_have_no_head() -> None:
    old = contents.manifest(
        '{"format": 1, "made_at": "2026-11-01T02:00:00+05:00", "site": "", "version": "0",'
        ' "counts": {}, "database_sha256": "", "database_bytes": 0, "files": {}, "bytes": 0,'
        ' "parts": {}}'
    )
    assert old.audit == ""
    with pytest.raises(ValueError, match="a head is written as"):
        Head.read(old.audit)
