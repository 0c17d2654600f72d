"""Whoever writes the database anew cannot write anew the heads that were noted elsewhere."""

import datetime as dt
import json
import logging
import re
from collections.abc import Callable

import pytest
from click.testing import CliRunner

from appliance.box import health
from appliance.box.health.audit import Broken, verify
from appliance.cli import appliance
from appliance.core import audit, clock, db, signatures
from appliance.core import settings as site_settings
from appliance.core.audit import Head, anchors, heads, verifying
from appliance.core.db import Error
from appliance.jobs import timetable
from appliance.messaging.notices import summary
from appliance.models import AuditAnchor, AuditEntry, JobRun
from provisioning.local.settings_file import scratch
from tests.rig.forging import forging, unguard


@pytest.fixture
def noted(settings) -> Head:
    """Ten entries whose head the nightly job has noted."""
    for number in range(10):
        audit.record("dilnoza", "appeal.view", f"2026-{number:06}")
    run(settings)
    head = audit.head()
    assert head
    return head


def run(settings) -> None:
    """The nightly job, by the timetable."""
    [job] = [job for job in timetable.jobs(settings, lambda: True) if job.name == "audit"]
    JobRun.delete().where(JobRun.name == "audit").execute()
    timetable.run_due(job)


def check(settings) -> tuple[str, str]:
    [found] = list(health.audit.chain(settings))
    return found.state, found.seen.format(**found.values)


def forge(**columns: str) -> None:
    """Change an entry, and every hash after it, as whoever writes the database can."""
    first = AuditEntry.select().where(AuditEntry.action == "appeal.view").first()
    with forging():
        AuditEntry.update(columns).where(AuditEntry.id == first.id).execute()
        chain_anew()


def chain_anew() -> None:
    previous = ""
    for entry in AuditEntry.select().order_by(AuditEntry.id):
        entry.hash = previous = audit._hash(previous, entry)
        entry.save()


def test_a_chain_that_nobody_touched_holds(settings, noted) -> None:
    assert check(settings)[0] == "ok"
    assert JobRun.get(JobRun.name == "audit").result == f"holds up to entry {noted}"
    audit.record("dilnoza", "appeal.view", "2026-000011")
    run(settings)
    assert [one.head for one in heads.noted(settings)] == [noted, audit.head()]
    assert check(settings)[0] == "ok"


def test_a_chain_written_anew_is_told_within_a_look_and_by_the_job(settings, noted) -> None:
    forge(who="somebody")
    assert audit.broken_at() is None  # by itself it holds
    state, seen = check(settings)
    assert (state, noted.short in seen) == ("fail", True)
    run(settings)
    [job] = JobRun.select().where(JobRun.name == "audit")
    assert (job.state, job.result.startswith("Broken: entry")) == ("failed", True)
    assert len(heads.noted(settings)) == 1  # what was forged is not noted as if it held


@pytest.mark.parametrize("more", [0, 5])
def test_a_chain_cut_short_is_told_also_when_it_goes_on(settings, noted, more) -> None:
    with forging():
        AuditEntry.delete().where(AuditEntry.id > noted.id - 3).execute()
    for _ in range(more):
        audit.record("dilnoza", "appeal.view", "other")
    assert audit.broken_at() is None
    assert check(settings)[0] == "fail"
    with pytest.raises(Broken, match=re.escape(noted.short)):
        verify(settings)


def test_an_emptied_chain_is_told(settings, noted) -> None:
    with forging():
        AuditEntry.delete().execute()
    assert check(settings)[0] == "fail"
    with pytest.raises(Broken):
        verify(settings)


@pytest.mark.parametrize("turn", [3, 100_000])
def test_an_old_entry_changed_without_its_hash_is_found_by_turns(
    settings, noted, turn, monkeypatch
) -> None:
    monkeypatch.setattr(health.audit, "_TURN", turn)
    changed = AuditEntry.get(AuditEntry.subject == "2026-000004")
    with forging():
        AuditEntry.update(who="somebody").where(AuditEntry.id == changed.id).execute()
    found, begin = 0, clock.now()
    for day in range(-(-noted.id // turn)):
        later = begin + dt.timedelta(days=day)
        monkeypatch.setattr(clock, "now", lambda later=later: later)
        try:
            verify(settings)
        except Broken as broken:
            found += str(changed.id) in str(broken)
    assert found == 1


def test_a_new_entry_that_does_not_fit_is_found(settings, noted) -> None:
    audit.record("rustam", "login")
    with forging():
        AuditEntry.update(who="oybek").where(AuditEntry.id > noted.id).execute()
    with pytest.raises(Broken, match=str(noted.id + 1)):
        verify(settings)


def test_what_a_restore_takes_back_is_not_missed_but_the_rest_is(settings, noted) -> None:
    middle = AuditEntry.get_by_id(noted.id - 5)
    with forging():
        AuditEntry.delete().where(AuditEntry.id > middle.id).execute()
    heads.note(settings, Head(middle.id, middle.hash), restored=True)
    audit.record("root", "snapshot.restore", "1a2b3c4d")
    assert check(settings)[0] == "ok"
    verify(settings)
    with forging():
        AuditEntry.delete().where(AuditEntry.id >= middle.id).execute()
    with pytest.raises(Broken):
        verify(settings)


def test_heads_that_cannot_be_read_are_told(settings, noted) -> None:
    (settings.paths.backups / heads.FILE).write_text("nothing of ours\n")
    state, seen = check(settings)
    assert (state, heads.FILE in seen) == ("fail", True)
    with pytest.raises(ValueError, match="this line is no head: nothing of ours"):
        verifying.verify(settings)
    run(settings)
    assert JobRun.get(JobRun.name == "audit").state == "failed"


def test_a_job_that_could_not_run_does_not_tell_of_a_broken_chain(settings, noted) -> None:
    JobRun.update(state="failed", result="OperationalError: database is locked").execute()
    assert check(settings)[0] == "ok"


def test_the_head_goes_into_the_journal_and_the_group_s_summary(settings, noted, caplog) -> None:
    with caplog.at_level(logging.INFO):
        run(settings)
    assert f"audit: holds up to entry {noted}" in caplog.text
    assert noted.short in summary.wording(settings, clock.now())


def test_the_command_compares_with_a_head_from_elsewhere(settings, noted) -> None:
    def ask(*words: str):
        command = ["--config", str(settings.file), "audit", "verify", "--json", *words]
        done = CliRunner().invoke(appliance, command, standalone_mode=False)
        db.open_database(settings.paths.database)
        return done

    done = ask("--head", noted.short)
    assert json.loads(done.output)[0]["head"] == str(noted)
    assert not done.exception
    assert "a head is written as" in str(ask("--head", "12").exception)
    (settings.paths.backups / heads.FILE).unlink()  # he has put that away, too
    forge(who="somebody")
    assert not ask().exception
    done = ask("--head", noted.short)
    assert (json.loads(done.output)[0]["state"], done.exit_code) == ("broken", 1)


@pytest.fixture
def signing(settings):
    """The site with a key; forty entries, the head signed after each ten but the last."""
    folder = settings.file.parent
    signatures.make(folder / "audit.key", folder / "audit.pub")
    text = scratch(audit={"key": "audit.key", "public_key": "audit.pub"})
    settings.file.write_text(text)
    site = site_settings.load(settings.file)
    for tens in range(4):
        for number in range(10):
            audit.record("dilnoza", "appeal.view", f"2026-{tens * 10 + number:06}")
        if tens < 3:
            assert anchors.sign(site)
    (site.paths.backups / heads.FILE).unlink()  # whoever has the database may have its folder too
    return site


@pytest.mark.parametrize("what", ["UPDATE audit_entry SET who = 'x'", "DELETE FROM audit_entry"])
def test_the_database_itself_refuses(settings, what) -> None:
    audit.record("dilnoza", "login")
    with pytest.raises(Error, match="rows are added only"):
        db.database.execute_sql(what)


def removed(id: int) -> None:
    AuditEntry.delete().where(AuditEntry.id == id).execute()


def changed(id: int) -> None:
    AuditEntry.update(who="somebody").where(AuditEntry.id == id).execute()


def moved_in_time(id: int) -> None:
    later = clock.now() + dt.timedelta(days=1)
    AuditEntry.update(at=later).where(AuditEntry.id == id).execute()


def from_elsewhere(id: int) -> None:
    AuditEntry.update(address="192.0.2.9").where(AuditEntry.id == id).execute()


def reordered(id: int) -> None:
    for here, there in ((id, -1), (id + 1, id), (-1, id + 1)):
        AuditEntry.update(id=there).where(AuditEntry.id == here).execute()


@pytest.mark.parametrize("attack", [removed, changed, moved_in_time, from_elsewhere, reordered])
def test_the_first_wrong_row_is_named(signing, attack: Callable[[int], None]) -> None:
    middle = AuditEntry.get(AuditEntry.subject == "2026-000014").id
    with forging():
        attack(middle)
    found = verifying.verify(signing)
    assert not found.holds
    there = middle + 1 if attack is removed else middle
    assert (found.first_wrong, found.until) == (there, there)


@pytest.mark.parametrize("id", [0, -5])
def test_a_row_put_before_the_first_is_named(signing, id) -> None:
    """No trigger refuses it: rows may be added."""
    first = AuditEntry.select().order_by(AuditEntry.id).first()
    AuditEntry.insert({**first.__data__, "id": id}).execute()
    found = verifying.verify(signing)
    assert (found.holds, found.first_wrong) == (False, id)


@pytest.mark.parametrize("attack", [removed, changed, moved_in_time, from_elsewhere, reordered])
def test_a_chain_computed_anew_is_found_between_two_signed_heads(signing, attack) -> None:
    middle = AuditEntry.get(AuditEntry.subject == "2026-000014").id
    with forging():
        attack(middle)
        chain_anew()
    assert audit.broken_at() is None
    found = verifying.verify(signing)
    ends = [AuditEntry.get(AuditEntry.subject == f"2026-{n:06}").id for n in (9, 19)]
    assert (found.first_wrong, found.holds) == (ends[0] + 1, False)
    assert found.until == AuditAnchor.get_by_id(2).entry
    with pytest.raises(Broken):
        verify(signing)


@pytest.mark.parametrize("cut", [1, 5, 15, 40])
def test_a_tail_cut_off_is_found_by_what_was_signed_or_given_by_hand(signing, cut) -> None:
    end = audit.head()
    with forging():
        AuditEntry.delete().where(AuditEntry.id > end.id - cut).execute()
    assert audit.broken_at() is None
    given = [Head(end.id, end.hash[:16])]
    assert verifying.verify(signing, given).first_wrong <= end.id - cut + 1
    assert verifying.verify(signing).holds == (cut <= 10)  # not signed yet: within the hour


def test_heads_signed_by_another_are_found_and_the_chain_is_not_signed_again(signing) -> None:
    forge(who="somebody")
    other = signing.file.parent / "other.key"
    signatures.make(other, other.with_suffix(".pub"))
    with forging():
        for one in AuditAnchor.select():
            entry = AuditEntry.get_by_id(one.entry)
            one.hash = entry.hash
            told = anchors.signed_text(one.at, Head(entry.id, entry.hash))
            one.signature = signatures.sign(told, str(other), "x").hex()
            one.save()
    found = verifying.verify(signing)
    assert (found.holds, len(found.forged), found.signed) == (False, 3, 0)
    assert (found.first_wrong, found.until) == (1, AuditAnchor.get_by_id(1).entry)
    assert health.audit.sign(signing)  # it cannot know; the night does
    with pytest.raises(Broken, match="signed otherwise"):
        verify(signing)


def test_what_was_forged_is_not_signed(signing) -> None:
    forge(who="somebody")
    with pytest.raises(Broken, match="is not in it"):
        health.audit.sign(signing)
    assert AuditAnchor.select().count() == 3


def test_triggers_taken_away_are_told(signing) -> None:
    unguard()
    assert check(signing)[0] == "fail"
    assert verifying.verify(signing).unguarded
    with pytest.raises(Broken, match="triggers"):
        verify(signing)


def test_triggers_that_do_nothing_are_told(signing) -> None:
    unguard()
    for name in verifying.TRIGGERS:
        table, _, what = name.rpartition("_")
        body = "BEGIN SELECT 1; END"
        db.database.execute_sql(f"CREATE TRIGGER {name} BEFORE {what} ON {table} {body}")
    assert verifying.verify(signing).unguarded


def test_the_head_is_signed_each_hour_and_only_when_there_is_something_new(signing) -> None:
    def sign() -> str:
        jobs = {job.name: job for job in timetable.jobs(signing, lambda: True)}
        JobRun.delete().where(JobRun.name == "audit_sign").execute()
        timetable.run_due(jobs["audit_sign"])
        return JobRun.get(JobRun.name == "audit_sign").result

    assert sign() == f"signed up to entry {audit.head()}"
    assert [one.head for one in heads.noted(signing)] == [audit.head()]
    assert sign() == ""
    assert verifying.verify(signing).signed == 4


def test_entries_that_nobody_signs_are_told(signing, monkeypatch) -> None:
    assert check(signing)[0] == "ok"
    later = clock.now() + anchors.LATE + dt.timedelta(minutes=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert check(signing) == ("warn", "entries have stood for hours without a signed head")


def test_a_new_key_signs_and_what_the_old_one_signed_holds(signing) -> None:
    key = signing.file.parent / "audit.key"
    before = key.read_bytes()
    command = ["audit", "new-key", str(key), str(key.with_suffix(".pub"))]
    done = CliRunner().invoke(appliance, ["--config", str(signing.file), *command])
    assert (done.exit_code, key.read_bytes() != before) == (0, True)
    assert key.stat().st_mode & 0o077 == 0
    db.open_database(signing.paths.database)
    assert anchors.sign(signing)
    assert (verifying.verify(signing).holds, verifying.verify(signing).signed) == (True, 4)


def test_a_restore_goes_on_from_the_snapshot_and_is_told(signing) -> None:
    middle = AuditEntry.get(AuditEntry.subject == "2026-000024")
    with forging():  # the database of the snapshot, as it was then
        AuditEntry.delete().where(AuditEntry.id > middle.id).execute()
        AuditAnchor.delete().where(AuditAnchor.entry > middle.id).execute()
    heads.note(signing, Head(middle.id, middle.hash), restored=True)
    audit.record("root", "snapshot.restore", "1a2b3c4d")
    assert health.audit.sign(signing)
    found = verifying.verify(signing)
    assert (found.holds, found.signed) == (True, 3)
    assert [one.head.id for one in found.restored] == [middle.id]


def test_export_tells_each_entry_with_its_hash(settings) -> None:
    audit.record("dilnoza", "appeal.view", "2026-000001")
    today = f"{clock.now().astimezone(settings.tz):%Y-%m-%d}"
    command = ["audit", "export", "--from", today, "--to", today]
    done = CliRunner().invoke(appliance, ["--config", str(settings.file), *command])
    db.open_database(settings.paths.database)
    seen, own = (json.loads(line) for line in done.output.splitlines()[-2:])
    assert (seen["action"], seen["subject"]) == ("appeal.view", "2026-000001")
    assert (own["who"], own["action"], own["hash"]) == ("cli", "audit.export", audit.head().hash)
    assert own["detail"]["asked"]["first"].startswith(today)
