"""Whoever writes the database anew cannot write anew the heads that were noted elsewhere."""

import datetime as dt
import json
import logging
import re

import pytest
from click.testing import CliRunner

from appliance.box import health
from appliance.box.health.audit import Broken, verify
from appliance.cli import appliance
from appliance.core import audit, clock, db
from appliance.core.audit import Head, heads
from appliance.jobs import timetable
from appliance.messaging.notices import summary
from appliance.models import AuditEntry, JobRun


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
    AuditEntry.update(columns).where(AuditEntry.id == first.id).execute()
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
    AuditEntry.delete().where(AuditEntry.id > noted.id - 3).execute()
    for _ in range(more):
        audit.record("dilnoza", "appeal.view", "other")
    assert audit.broken_at() is None
    assert check(settings)[0] == "fail"
    with pytest.raises(Broken, match=re.escape(noted.short)):
        verify(settings)


def test_an_emptied_chain_is_told(settings, noted) -> None:
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
    AuditEntry.update(who="oybek").where(AuditEntry.id > noted.id).execute()
    with pytest.raises(Broken, match=str(noted.id + 1)):
        verify(settings)


def test_what_a_restore_takes_back_is_not_missed_but_the_rest_is(settings, noted) -> None:
    middle = AuditEntry.get_by_id(noted.id - 5)
    AuditEntry.delete().where(AuditEntry.id > middle.id).execute()
    heads.note(settings, Head(middle.id, middle.hash), restored=True)
    audit.record("root", "snapshot.restore", "1a2b3c4d")
    assert check(settings)[0] == "ok"
    verify(settings)
    AuditEntry.delete().where(AuditEntry.id >= middle.id).execute()
    with pytest.raises(Broken):
        verify(settings)


def test_heads_that_cannot_be_read_are_told(settings, noted) -> None:
    (settings.paths.backups / heads.FILE).write_text("nothing of ours\n")
    state, seen = check(settings)
    assert (state, heads.FILE in seen) == ("fail", True)
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
