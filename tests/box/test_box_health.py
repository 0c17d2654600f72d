"""The checks of the machine, each in order and not in order, with real files and programs."""

import dataclasses
import datetime as dt
import os
import subprocess
import tempfile
import wave
from pathlib import Path

import pytest

from appliance.box import health, processes
from appliance.box.health import Check, ssh, updates, voice
from appliance.core import clock, db, sandbox
from appliance.jobs import timetable
from appliance.models import AsteriskWatch
from appliance.telephony import prompts, routing, trunks
from appliance.telephony.routing import Plan, Trunk
from appliance.telephony.trunks import SpanReport, TrunkReport
from provisioning.box import freshness


def check_of(settings, code: str) -> Check:
    looked = (check for look in health.CHECK_FUNCTIONS for check in look(settings))
    return next(check for check in looked if check.code == code)


def state_of(settings, code: str) -> tuple[str, str]:
    check_found = check_of(settings, code)
    assert bool(check_found.advice) == (check_found.state != "ok")
    return check_found.state, check_found.seen


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Install a program that prints the given text, ahead of the system's programs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)

    def install_program(name: str, text: str, status: int = 0) -> None:
        (folder / f"{name}.txt").write_text(text)
        (folder / name).write_text(f"#!/bin/sh\ncat '{folder}/{name}.txt'\nexit {status}\n")
        (folder / name).chmod(0o755)

    return install_program


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("PasswordAuthentication yes", "warn"), ("PasswordAuthentication no", "ok"), (None, None)],
)
def test_ssh_by_password_is_a_warning(settings, tmp_path, monkeypatch, rule, expected) -> None:
    monkeypatch.setattr(ssh, "SSHD_RULES_FILE", tmp_path / "10-appliance.conf")
    if rule:
        ssh.SSHD_RULES_FILE.write_text(f"PermitRootLogin prohibit-password\n{rule}\n")
    checks = {check.code: check for check in ssh.check_ssh_passwords(settings)}
    assert (checks["ssh"].state if checks else None) == expected
    assert ssh.check_ssh_passwords in health.CHECK_FUNCTIONS


TRACKING = "{who},192.0.2.1,3,1795687200.1,{off},0.00001,0.0002,1.2,0.0,0.1,0.02,0.001,64,{leap}"


@pytest.mark.parametrize(
    ("who", "off", "leap", "expected"),
    [
        ("C0000201", "0.000123", "Normal", "ok"),
        ("C0000201", "-2.5", "Normal", "fail"),
        ("7F7F0101", "0.0", "Normal", "warn"),
        ("00000000", "0.0", "Not synchronised", "warn"),
    ],
)
def test_the_clock_is_checked_with_chrony(settings, program, who, off, leap, expected) -> None:
    program("chronyc", TRACKING.format(who=who, off=off, leap=leap))
    assert state_of(settings, "clock")[0] == expected


@pytest.mark.parametrize(("output", "expected"), [("yes", "ok"), ("no", "warn"), ("", "warn")])
def test_the_clock_is_checked_with_systemd(settings, program, output, expected) -> None:
    program("chronyc", "506 Cannot talk to daemon\n", status=1)
    program("timedatectl", f"{output}\n")
    assert state_of(settings, "clock")[0] == expected


POLICY = "asterisk:\n  Installed: {installed}\n  Candidate: {candidate}\n  Version table:\n"


@pytest.mark.parametrize(
    ("installed", "candidate", "expected"),
    [
        ("1:22.10.1-1", "1:22.10.1-1", "ok"),
        ("1:22.10.1-1", "1:22.10.2-1", "warn"),
        ("(none)", "1:22.10.2-1", "ok"),
    ],
)
def test_a_newer_asterisk_is_a_warning(settings, program, installed, candidate, expected) -> None:
    program("apt-cache", POLICY.format(installed=installed, candidate=candidate))
    assert state_of(settings, "asterisk.update")[0] == expected


@pytest.mark.parametrize(
    ("days", "expected"), [(61, "ok"), (59, "warn"), (-1, "warn"), (None, None)]
)
def test_an_expiring_release_is_a_warning(settings, days, expected) -> None:
    """Without a number of days: no bundle was ever accepted here, as on a local site."""
    if days is not None:
        ends = clock.now() + dt.timedelta(days=days)
        built_at = int(ends.timestamp()) - freshness.VALID_DAYS * freshness.DAY_SECONDS
        described = freshness.update_text("0.3.0-1a2b3c4d", built_at)
        (settings.file.parent / updates.ACCEPTED_RELEASE_FILE).write_text(described)
    checks = list(updates.check_release_expiry(settings))
    assert [check.state for check in checks] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("days", "expected"), [(200, "ok"), (20, "warn"), (3, "fail"), (-2, "fail"), (None, "fail")]
)
def test_expiring_certificates_are_reported(settings, tmp_path, days, expected) -> None:
    file, copy = tmp_path / "server.pem", tmp_path / "asterisk.pem"
    site = dataclasses.replace(
        settings,
        web=dataclasses.replace(settings.web, certificate=file),
        asterisk=dataclasses.replace(settings.asterisk, certificate=copy),
    )
    if days is not None:
        make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x"
        ends = clock.now() + dt.timedelta(days=days, hours=1)
        begins = ends - dt.timedelta(days=400)
        dates = ("-not_before", f"{begins:%Y%m%d%H%M%SZ}", "-not_after", f"{ends:%Y%m%d%H%M%SZ}")
        dates = (*dates, "-addext", "subjectAltName=DNS:localhost")
        files = ("-keyout", str(tmp_path / "key.pem"), "-out", str(file))
        subprocess.run([*make.split(), *dates, *files], check=True, capture_output=True)
        copy.write_bytes(file.read_bytes())
    assert state_of(site, "certificate")[0] == expected
    assert state_of(site, "certificate.trunks")[0] == expected


def test_without_a_configured_certificate_no_certificate_is_checked(settings) -> None:
    assert "certificate" not in {check_row.code for check_row in health.all_checks(settings)}


def test_secrets_readable_by_everyone_are_a_fault(settings) -> None:
    settings.file.chmod(0o600)
    assert state_of(settings, "permissions.open")[0] == "ok"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "appliance.toml"
        file.touch(mode=0o644)
        folder.chmod(0o755)
        file.chmod(0o644)
        open_one = dataclasses.replace(settings, file=file)
        assert state_of(open_one, "permissions.open")[0] == "fail"
        assert check_of(open_one, "permissions.open").values == {"files": str(file)}
        file.chmod(0o640)
        assert state_of(open_one, "permissions.open")[0] == "ok"
        file.chmod(0o644)
        folder.chmod(0o750)  # the folder denies access today, but a copy made tomorrow will not
        assert state_of(open_one, "permissions.open")[0] == "fail"


def test_missing_and_synthetic_prompts_are_reported(settings) -> None:
    assert state_of(settings, "prompts") == ("fail", "{count} are missing: {names}")
    folder = settings.paths.prompts
    for language in prompts.LANGUAGES:
        for prompt in prompts.list_prompts(folder, language):
            file = folder / language / f"{prompt.name}.wav"
            file.parent.mkdir(parents=True, exist_ok=True)
            with wave.open(str(file), "wb") as sound:
                sound.setparams((1, 2, 8000, 0, "NONE", ""))
                sound.writeframes(bytes(1600))
    prompts.link_for_asterisk(folder, settings.asterisk.data)
    assert state_of(settings, "prompts")[0] == "ok"
    (folder / "uz" / "menu.synthetic.txt").write_text("Oʻzbek tili uchun birni bosing.")
    assert state_of(settings, "prompts") == (
        "warn",
        "{count} of {total} still use a synthetic voice",
    )
    (folder / "ru" / "menu.wav").unlink()
    assert check_of(settings, "prompts").values["names"] == "ru/menu"


def test_missing_fonts_are_a_fault(settings, monkeypatch, tmp_path) -> None:
    assert state_of(settings, "fonts")[0] == "ok"
    style = tmp_path / "print.css"
    style.write_text("@font-face { src: url(../gone.woff); }")
    monkeypatch.setattr(voice, "_PRINT_STYLE", style)
    assert state_of(settings, "fonts")[0] == "fail"


def test_programs_must_run_in_a_sandbox(settings, monkeypatch) -> None:
    assert state_of(settings, "sandbox")[0] == "ok"
    monkeypatch.setattr(
        sandbox, "_landlock_options", lambda *_: ["--landlock-rule", "path-beneath:no-such:/usr"]
    )
    assert state_of(settings, "sandbox") == ("fail", "not possible here: {error}")


def test_processes_must_run_and_answer(settings) -> None:
    assert state_of(settings, "process.jobs") == ("fail", "has never run")
    pulse = processes.register_process(settings, "jobs")
    assert state_of(settings, "process.jobs")[0] == "ok"
    pulse.remove_file()
    assert state_of(settings, "process.jobs")[0] == "fail"
    processes.register_process(settings, "web")  # which answers at no address
    assert state_of(settings, "process.web") == ("fail", "running, but does not answer")


def run_integrity_check(settings) -> None:
    jobs = {job.name: job for job in timetable.scheduled_jobs(settings, lambda: True)}
    timetable.run_due(dataclasses.replace(jobs["integrity"], catches_up=True))


def test_a_sound_database_file_is_ok(settings) -> None:
    assert state_of(settings, "database.integrity") == (
        "ok",
        "is read completely each night; not yet",
    )
    run_integrity_check(settings)
    assert state_of(settings, "database.integrity") == ("ok", "intact, read completely {moment}")


def test_a_damaged_database_file_is_a_fault(settings) -> None:
    query = "SELECT rootpage FROM sqlite_master WHERE name = 'district'"
    (page,) = db.database.execute_sql(query).fetchone()
    (size,) = db.database.execute_sql("PRAGMA page_size").fetchone()
    db.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.database.close()
    with settings.paths.database.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(bytes(range(256)) * 4)
    db.open_database(settings.paths.database).connect()
    run_integrity_check(settings)
    assert state_of(settings, "database.integrity")[0] == "fail"


def test_an_exchange_without_sip_is_a_fault(settings) -> None:
    assert state_of(settings, "asterisk.sip")[0] == "fail"


SIP = Trunk("sip1", address="127.9.9.9", watched=True)
E1 = Trunk("e1", kind="e1", spans="1-15,17-31")


@pytest.mark.parametrize(
    ("trunk_state", "expected"),
    [
        (TrunkReport("sip1", trunks.UP, "", 12), ("ok", "answers, {round_trip} ms")),
        (TrunkReport("sip1", trunks.UNASKED, ""), ("ok", "not polled")),
        (TrunkReport("sip1", trunks.UP, "Registered"), ("ok", "registered")),
        (TrunkReport("sip1", trunks.DOWN, ""), ("fail", "does not answer since {moment}")),
        (
            TrunkReport("sip1", trunks.UP, "Rejected"),
            ("fail", "not registered since {moment}: {cause}"),
        ),
        (None, ("warn", "not seen yet")),
    ],
)
def test_the_state_of_a_sip_trunk_is_reported(settings, trunk_state, expected) -> None:
    routing.save_plan(Plan(trunks=(SIP,)), by="rustam")
    trunks.store_trunks([trunk_state] if trunk_state else [])
    assert state_of(settings, "trunk.sip1") == expected


@pytest.mark.parametrize(
    ("alarm", "d_channel", "expected"),
    [
        ("", True, ("ok", "up since {moment}")),
        ("Red Alarm", True, ("fail", "{alarm} since {moment}")),
        ("", False, ("fail", "the D-channel is down since {moment}")),
    ],
)
def test_the_state_of_a_span_is_reported(settings, alarm, d_channel, expected) -> None:
    routing.save_plan(Plan(trunks=(E1,)), by="rustam")
    trunks.store_spans([SpanReport(1, "e1", alarm, d_channel, {})])
    assert state_of(settings, "span.1") == expected


def test_a_missing_span_is_a_fault(settings) -> None:
    routing.save_plan(Plan(trunks=(E1,)), by="rustam")
    assert state_of(settings, "trunk.e1") == ("fail", "its E1 span is missing")


def test_the_state_of_lines_is_unknown_while_the_exchange_is_silent(settings) -> None:
    routing.save_plan(Plan(trunks=(SIP, E1)), by="rustam")
    trunks.store_trunks([TrunkReport("sip1", trunks.DOWN)])
    trunks.store_spans([SpanReport(1, "e1", "Red Alarm")])
    hour_ago = clock.now() - dt.timedelta(hours=1)
    AsteriskWatch.create(started_at=hour_ago, seen_at=hour_ago)
    assert {(c.code, c.state) for c in health.check_trunks(settings)} == {
        ("trunk.sip1", "warn"),
        ("trunk.e1", "warn"),
    }


@pytest.mark.parametrize(
    ("channels", "spans"),
    [("1-15,17-31", {1}), ("32-46,48-62", {2}), ("1-15,17-31,32-46,48-62", {1, 2}), ("", set())],
)
def test_the_spans_of_a_trunk_follow_from_its_channels(channels, spans) -> None:
    assert trunks.spans_of_trunk(dataclasses.replace(E1, spans=channels)) == spans
