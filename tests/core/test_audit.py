"""Someone who rewrites the database cannot rewrite the heads that were noted elsewhere."""

import datetime as dt
import json
import logging
import re
from collections.abc import Callable

import pytest
from click.testing import CliRunner

from appliance.box import health
from appliance.box.health.audit import Broken, verify_chain
from appliance.cli import appliance
from appliance.core import audit, clock, db, signatures
from appliance.core import settings as site_settings
from appliance.core.audit import Head, anchors, heads, verifying
from appliance.core.db import Error
from appliance.jobs import timetable
from appliance.messaging.notices import summary
from appliance.models import AuditAnchor, AuditEntry, JobRun
from provisioning.local.settings_file import scratch_settings
from tests.rig.forging import drop_triggers, without_triggers


@pytest.fixture
def noted_head(settings) -> Head:
    """Ten entries whose head the nightly job has noted."""
    for number in range(10):
        audit.record_entry("dilnoza", "appeal.view", f"2026-{number:06}")
    run_nightly_job(settings)
    head = audit.chain_head()
    assert head
    return head


def run_nightly_job(settings) -> None:
    """Run the nightly job as the timetable does."""
    [job] = [job for job in timetable.scheduled_jobs(settings, lambda: True) if job.name == "audit"]
    JobRun.delete().where(JobRun.name == "audit").execute()
    timetable.run_due(job)


def chain_check(settings) -> tuple[str, str]:
    [result] = list(health.audit.check_audit_chain(settings))
    return result.state, result.seen.format(**result.values)


def forge_entry(**columns: str) -> None:
    """Change an entry and every hash after it, as anyone with write access to the database can."""
    first = AuditEntry.select().where(AuditEntry.action == "appeal.view").first()
    with without_triggers():
        AuditEntry.update(columns).where(AuditEntry.id == first.id).execute()
        recompute_chain()


def recompute_chain() -> None:
    previous = ""
    for entry in AuditEntry.select().order_by(AuditEntry.id):
        entry.hash = previous = audit._entry_hash(previous, entry)
        entry.save()


def test_an_untouched_chain_holds(settings, noted_head) -> None:
    assert chain_check(settings)[0] == "ok"
    assert JobRun.get(JobRun.name == "audit").result == f"holds up to entry {noted_head}"
    audit.record_entry("dilnoza", "appeal.view", "2026-000011")
    run_nightly_job(settings)
    assert [entry.head for entry in heads.read_noted_heads(settings)] == [
        noted_head,
        audit.chain_head(),
    ]
    assert chain_check(settings)[0] == "ok"


def test_a_rewritten_chain_is_reported_by_the_check_and_by_the_job(settings, noted_head) -> None:
    forge_entry(who="somebody")
    assert audit.first_broken_id() is None  # the chain is consistent in itself
    state, description = chain_check(settings)
    assert (state, noted_head.short in description) == ("fail", True)
    run_nightly_job(settings)
    [job] = JobRun.select().where(JobRun.name == "audit")
    assert (job.state, job.result.startswith("Broken: entry")) == ("failed", True)
    assert len(heads.read_noted_heads(settings)) == 1  # the forged head is not noted as a valid one


@pytest.mark.parametrize("more", [0, 5])
def test_a_shortened_chain_is_reported_even_after_new_entries(settings, noted_head, more) -> None:
    with without_triggers():
        AuditEntry.delete().where(AuditEntry.id > noted_head.id - 3).execute()
    for _ in range(more):
        audit.record_entry("dilnoza", "appeal.view", "other")
    assert audit.first_broken_id() is None
    assert chain_check(settings)[0] == "fail"
    with pytest.raises(Broken, match=re.escape(noted_head.short)):
        verify_chain(settings)


def test_an_emptied_chain_is_reported(settings, noted_head) -> None:
    with without_triggers():
        AuditEntry.delete().execute()
    assert chain_check(settings)[0] == "fail"
    with pytest.raises(Broken):
        verify_chain(settings)


@pytest.mark.parametrize("turn", [3, 100_000])
def test_a_changed_old_entry_is_found_within_one_round_of_checks(
    settings, noted_head, turn, monkeypatch
) -> None:
    monkeypatch.setattr(health.audit, "_OLD_ENTRIES_PER_DAY", turn)
    changed = AuditEntry.get(AuditEntry.subject == "2026-000004")
    with without_triggers():
        AuditEntry.update(who="somebody").where(AuditEntry.id == changed.id).execute()
    report_count, begin = 0, clock.now()
    for day in range(-(-noted_head.id // turn)):
        later = begin + dt.timedelta(days=day)
        monkeypatch.setattr(clock, "now", lambda later=later: later)
        try:
            verify_chain(settings)
        except Broken as broken:
            report_count += str(changed.id) in str(broken)
    assert report_count == 1


def test_a_changed_new_entry_is_found(settings, noted_head) -> None:
    audit.record_entry("rustam", "login")
    with without_triggers():
        AuditEntry.update(who="oybek").where(AuditEntry.id > noted_head.id).execute()
    with pytest.raises(Broken, match=str(noted_head.id + 1)):
        verify_chain(settings)


def test_entries_undone_by_a_restore_are_not_missed_and_others_are(settings, noted_head) -> None:
    middle = AuditEntry.get_by_id(noted_head.id - 5)
    with without_triggers():
        AuditEntry.delete().where(AuditEntry.id > middle.id).execute()
    heads.note_head(settings, Head(middle.id, middle.hash), restored=True)
    audit.record_entry("root", "snapshot.restore", "1a2b3c4d")
    assert chain_check(settings)[0] == "ok"
    verify_chain(settings)
    with without_triggers():
        AuditEntry.delete().where(AuditEntry.id >= middle.id).execute()
    with pytest.raises(Broken):
        verify_chain(settings)


def test_unreadable_heads_are_reported(settings, noted_head) -> None:
    (settings.paths.backups / heads.FILE_NAME).write_text("nothing of ours\n")
    state, description = chain_check(settings)
    assert (state, heads.FILE_NAME in description) == ("fail", True)
    with pytest.raises(ValueError, match="this line is no head: nothing of ours"):
        verifying.verify_chain(settings)
    run_nightly_job(settings)
    assert JobRun.get(JobRun.name == "audit").state == "failed"


def test_a_failed_job_does_not_report_a_broken_chain(settings, noted_head) -> None:
    JobRun.update(state="failed", result="OperationalError: database is locked").execute()
    assert chain_check(settings)[0] == "ok"


def test_the_head_is_in_the_journal_and_in_the_summary(settings, noted_head, caplog) -> None:
    with caplog.at_level(logging.INFO):
        run_nightly_job(settings)
    assert f"audit: holds up to entry {noted_head}" in caplog.text
    assert noted_head.short in summary.summary_text(settings, clock.now())


def test_the_command_compares_with_a_head_from_elsewhere(settings, noted_head) -> None:
    def run_verify(*arguments: str):
        command = ["--config", str(settings.file), "audit", "verify", "--json", *arguments]
        result = CliRunner().invoke(appliance, command, standalone_mode=False)
        db.open_database(settings.paths.database)
        return result

    result = run_verify("--head", noted_head.short)
    assert json.loads(result.output)[0]["head"] == str(noted_head)
    assert not result.exception
    assert "a head is written as" in str(run_verify("--head", "12").exception)
    (settings.paths.backups / heads.FILE_NAME).unlink()  # the attacker has removed this file, too
    forge_entry(who="somebody")
    assert not run_verify().exception
    result = run_verify("--head", noted_head.short)
    assert (json.loads(result.output)[0]["state"], result.exit_code) == ("broken", 1)


@pytest.fixture
def signing(settings):
    """The site with a key and forty entries; the head is signed after each ten except the last."""
    folder = settings.file.parent
    signatures.create_key_pair(folder / "audit.key", folder / "audit.pub")
    text = scratch_settings(audit={"key": "audit.key", "public_key": "audit.pub"})
    settings.file.write_text(text)
    site = site_settings.load_settings(settings.file)
    for tens in range(4):
        for number in range(10):
            audit.record_entry("dilnoza", "appeal.view", f"2026-{tens * 10 + number:06}")
        if tens < 3:
            assert anchors.sign_head(site)
    (
        site.paths.backups / heads.FILE_NAME
    ).unlink()  # someone with the database may also have its folder
    return site


@pytest.mark.parametrize("what", ["UPDATE audit_entry SET who = 'x'", "DELETE FROM audit_entry"])
def test_the_database_refuses_to_change_or_delete_entries(settings, what) -> None:
    audit.record_entry("dilnoza", "login")
    with pytest.raises(Error, match="rows are added only"):
        db.database.execute_sql(what)


def remove_entry(id: int) -> None:
    AuditEntry.delete().where(AuditEntry.id == id).execute()


def change_author(id: int) -> None:
    AuditEntry.update(who="somebody").where(AuditEntry.id == id).execute()


def change_time(id: int) -> None:
    later = clock.now() + dt.timedelta(days=1)
    AuditEntry.update(at=later).where(AuditEntry.id == id).execute()


def change_address(id: int) -> None:
    AuditEntry.update(address="192.0.2.9").where(AuditEntry.id == id).execute()


def swap_entries(id: int) -> None:
    for old_id, new_id in ((id, -1), (id + 1, id), (-1, id + 1)):
        AuditEntry.update(id=new_id).where(AuditEntry.id == old_id).execute()


@pytest.mark.parametrize(
    "attack", [remove_entry, change_author, change_time, change_address, swap_entries]
)
def test_the_first_wrong_row_is_named(signing, attack: Callable[[int], None]) -> None:
    middle = AuditEntry.get(AuditEntry.subject == "2026-000014").id
    with without_triggers():
        attack(middle)
    verification = verifying.verify_chain(signing)
    assert not verification.is_sound
    wrong_id = middle + 1 if attack is remove_entry else middle
    assert (verification.first_wrong_min_id, verification.first_wrong_max_id) == (
        wrong_id,
        wrong_id,
    )


@pytest.mark.parametrize("id", [0, -5])
def test_a_row_inserted_before_the_first_is_named(signing, id) -> None:
    """No trigger refuses it: rows may be added."""
    first = AuditEntry.select().order_by(AuditEntry.id).first()
    AuditEntry.insert({**first.__data__, "id": id}).execute()
    verification = verifying.verify_chain(signing)
    assert (verification.is_sound, verification.first_wrong_min_id) == (False, id)


@pytest.mark.parametrize(
    "attack", [remove_entry, change_author, change_time, change_address, swap_entries]
)
def test_a_recomputed_chain_is_located_between_two_signed_heads(signing, attack) -> None:
    middle = AuditEntry.get(AuditEntry.subject == "2026-000014").id
    with without_triggers():
        attack(middle)
        recompute_chain()
    assert audit.first_broken_id() is None
    verification = verifying.verify_chain(signing)
    ends = [AuditEntry.get(AuditEntry.subject == f"2026-{n:06}").id for n in (9, 19)]
    assert (verification.first_wrong_min_id, verification.is_sound) == (ends[0] + 1, False)
    assert verification.first_wrong_max_id == AuditAnchor.get_by_id(2).entry
    with pytest.raises(Broken):
        verify_chain(signing)


@pytest.mark.parametrize("cut", [1, 5, 15, 40])
def test_a_missing_tail_is_found_by_signed_or_given_heads(signing, cut) -> None:
    end = audit.chain_head()
    with without_triggers():
        AuditEntry.delete().where(AuditEntry.id > end.id - cut).execute()
    assert audit.first_broken_id() is None
    given_heads = [Head(end.id, end.hash[:16])]
    assert verifying.verify_chain(signing, given_heads).first_wrong_min_id <= end.id - cut + 1
    # entries of the last hour are not signed yet
    assert verifying.verify_chain(signing).is_sound == (cut <= 10)


def test_heads_signed_with_another_key_are_found(signing) -> None:
    forge_entry(who="somebody")
    other = signing.file.parent / "other.key"
    signatures.create_key_pair(other, other.with_suffix(".pub"))
    with without_triggers():
        for anchor in AuditAnchor.select():
            entry = AuditEntry.get_by_id(anchor.entry)
            anchor.hash = entry.hash
            text = anchors.signed_text(anchor.at, Head(entry.id, entry.hash))
            anchor.signature = signatures.sign_bytes(text, str(other), "x").hex()
            anchor.save()
    verification = verifying.verify_chain(signing)
    assert (verification.is_sound, len(verification.forged), verification.signed) == (False, 3, 0)
    assert (verification.first_wrong_min_id, verification.first_wrong_max_id) == (
        1,
        AuditAnchor.get_by_id(1).entry,
    )
    assert health.audit.sign_head(signing)  # this job cannot detect it; the nightly one does
    with pytest.raises(Broken, match="signed otherwise"):
        verify_chain(signing)


def test_a_forged_chain_is_not_signed(signing) -> None:
    forge_entry(who="somebody")
    with pytest.raises(Broken, match="is not in it"):
        health.audit.sign_head(signing)
    assert AuditAnchor.select().count() == 3


def test_missing_triggers_are_reported(signing) -> None:
    drop_triggers()
    assert chain_check(signing)[0] == "fail"
    assert verifying.verify_chain(signing).unguarded
    with pytest.raises(Broken, match="triggers"):
        verify_chain(signing)


def test_triggers_without_effect_are_reported(signing) -> None:
    drop_triggers()
    for name in verifying.GUARD_TRIGGERS:
        table, _, what = name.rpartition("_")
        body = "BEGIN SELECT 1; END"
        db.database.execute_sql(f"CREATE TRIGGER {name} BEFORE {what} ON {table} {body}")
    assert verifying.verify_chain(signing).unguarded


def test_the_head_is_signed_hourly_if_there_are_new_entries(signing) -> None:
    def run_hourly_job() -> str:
        jobs = {job.name: job for job in timetable.scheduled_jobs(signing, lambda: True)}
        JobRun.delete().where(JobRun.name == "audit_sign").execute()
        timetable.run_due(jobs["audit_sign"])
        return JobRun.get(JobRun.name == "audit_sign").result

    assert run_hourly_job() == f"signed up to entry {audit.chain_head()}"
    assert [entry.head for entry in heads.read_noted_heads(signing)] == [audit.chain_head()]
    assert run_hourly_job() == ""
    assert verifying.verify_chain(signing).signed == 4


def test_entries_unsigned_for_too_long_are_reported(signing, monkeypatch) -> None:
    assert chain_check(signing)[0] == "ok"
    later = clock.now() + anchors.MAX_UNSIGNED_AGE + dt.timedelta(minutes=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert chain_check(signing) == ("warn", "entries have been unsigned for hours")


def test_after_a_new_key_the_old_signatures_still_hold(signing) -> None:
    key = signing.file.parent / "audit.key"
    before = key.read_bytes()
    command = ["audit", "new-key", str(key), str(key.with_suffix(".pub"))]
    done = CliRunner().invoke(appliance, ["--config", str(signing.file), *command])
    assert (done.exit_code, key.read_bytes() != before) == (0, True)
    assert key.stat().st_mode & 0o077 == 0
    db.open_database(signing.paths.database)
    assert anchors.sign_head(signing)
    assert (verifying.verify_chain(signing).is_sound, verifying.verify_chain(signing).signed) == (
        True,
        4,
    )


def test_a_restored_chain_continues_and_the_restore_is_reported(signing) -> None:
    middle = AuditEntry.get(AuditEntry.subject == "2026-000024")
    with without_triggers():  # the database as it was in the snapshot
        AuditEntry.delete().where(AuditEntry.id > middle.id).execute()
        AuditAnchor.delete().where(AuditAnchor.entry > middle.id).execute()
    heads.note_head(signing, Head(middle.id, middle.hash), restored=True)
    audit.record_entry("root", "snapshot.restore", "1a2b3c4d")
    assert health.audit.sign_head(signing)
    verification = verifying.verify_chain(signing)
    assert (verification.is_sound, verification.signed) == (True, 3)
    assert [restored_head.head.id for restored_head in verification.restored] == [middle.id]


def test_the_export_has_each_entry_with_its_hash(settings) -> None:
    audit.record_entry("dilnoza", "appeal.view", "2026-000001")
    today = f"{clock.now().astimezone(settings.tz):%Y-%m-%d}"
    command = ["audit", "export", "--from", today, "--to", today]
    done = CliRunner().invoke(appliance, ["--config", str(settings.file), *command])
    db.open_database(settings.paths.database)
    view_entry, export_entry = (json.loads(line) for line in done.output.splitlines()[-2:])
    assert (view_entry["action"], view_entry["subject"]) == ("appeal.view", "2026-000001")
    assert (export_entry["who"], export_entry["action"], export_entry["hash"]) == (
        "cli",
        "audit.export",
        audit.chain_head().hash,
    )
    assert export_entry["detail"]["asked"]["first"].startswith(today)
