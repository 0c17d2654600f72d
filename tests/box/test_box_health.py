"""The checks of the machine: each in order and not, with real files and programs."""

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
from appliance.telephony.trunks import SeenSpan, SeenTrunk
from provisioning.box import freshness


def check(settings, code: str) -> Check:
    looked = (check for look in health.LOOKS for check in look(settings))
    return next(check for check in looked if check.code == code)


def state(settings, code: str) -> tuple[str, str]:
    found = check(settings, code)
    assert bool(found.advice) == (found.state != "ok")
    return found.state, found.seen


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Put a program of the system that prints this before all others."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)

    def put(name: str, text: str, status: int = 0) -> None:
        (folder / f"{name}.txt").write_text(text)
        (folder / name).write_text(f"#!/bin/sh\ncat '{folder}/{name}.txt'\nexit {status}\n")
        (folder / name).chmod(0o755)

    return put


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("PasswordAuthentication yes", "warn"), ("PasswordAuthentication no", "ok"), (None, None)],
)
def test_ssh_by_password(settings, tmp_path, monkeypatch, rule, expected) -> None:
    monkeypatch.setattr(ssh, "RULES", tmp_path / "10-appliance.conf")
    if rule:
        ssh.RULES.write_text(f"PermitRootLogin prohibit-password\n{rule}\n")
    found = {check.code: check for check in ssh.passwords(settings)}
    assert (found["ssh"].state if found else None) == expected
    assert ssh.passwords in health.LOOKS


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
def test_the_clock_by_chrony(settings, program, who, off, leap, expected) -> None:
    program("chronyc", TRACKING.format(who=who, off=off, leap=leap))
    assert state(settings, "clock")[0] == expected


@pytest.mark.parametrize(("said", "expected"), [("yes", "ok"), ("no", "warn"), ("", "warn")])
def test_the_clock_by_systemd(settings, program, said, expected) -> None:
    program("chronyc", "506 Cannot talk to daemon\n", status=1)
    program("timedatectl", f"{said}\n")
    assert state(settings, "clock")[0] == expected


POLICY = "asterisk:\n  Installed: {installed}\n  Candidate: {candidate}\n  Version table:\n"


@pytest.mark.parametrize(
    ("installed", "candidate", "expected"),
    [
        ("1:22.10.1-1", "1:22.10.1-1", "ok"),
        ("1:22.10.1-1", "1:22.10.2-1", "warn"),
        ("(none)", "1:22.10.2-1", "ok"),
    ],
)
def test_a_newer_asterisk(settings, program, installed, candidate, expected) -> None:
    program("apt-cache", POLICY.format(installed=installed, candidate=candidate))
    assert state(settings, "asterisk.update")[0] == expected


@pytest.mark.parametrize(
    ("days", "expected"), [(61, "ok"), (59, "warn"), (-1, "warn"), (None, None)]
)
def test_a_release_that_expires(settings, days, expected) -> None:
    """`None`: no bundle was ever accepted here, as on a local site."""
    if days is not None:
        ends = clock.now() + dt.timedelta(days=days)
        made = int(ends.timestamp()) - freshness.VALID_DAYS * freshness.DAY_SECONDS
        described = freshness.describe("0.3.0-1a2b3c4d", made)
        (settings.file.parent / updates.ACCEPTED).write_text(described)
    found = list(updates.release(settings))
    assert [check.state for check in found] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("days", "expected"), [(200, "ok"), (20, "warn"), (3, "fail"), (-2, "fail"), (None, "fail")]
)
def test_the_certificates(settings, tmp_path, days, expected) -> None:
    file, same = tmp_path / "server.pem", tmp_path / "asterisk.pem"
    site = dataclasses.replace(
        settings,
        web=dataclasses.replace(settings.web, certificate=file),
        asterisk=dataclasses.replace(settings.asterisk, certificate=same),
    )
    if days is not None:
        make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x"
        ends = clock.now() + dt.timedelta(days=days, hours=1)
        begins = ends - dt.timedelta(days=400)
        dates = ("-not_before", f"{begins:%Y%m%d%H%M%SZ}", "-not_after", f"{ends:%Y%m%d%H%M%SZ}")
        dates = (*dates, "-addext", "subjectAltName=DNS:localhost")
        files = ("-keyout", str(tmp_path / "key.pem"), "-out", str(file))
        subprocess.run([*make.split(), *dates, *files], check=True, capture_output=True)
        same.write_bytes(file.read_bytes())
    assert state(site, "certificate")[0] == expected
    assert state(site, "certificate.trunks")[0] == expected


def test_without_a_named_certificate_none_is_looked_at(settings) -> None:
    assert "certificate" not in {found.code for found in health.checks(settings)}


def test_secrets_that_everybody_may_read(settings) -> None:
    settings.file.chmod(0o600)
    assert state(settings, "permissions.open")[0] == "ok"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "appliance.toml"
        file.touch(mode=0o644)
        folder.chmod(0o755)
        file.chmod(0o644)
        open_one = dataclasses.replace(settings, file=file)
        assert state(open_one, "permissions.open")[0] == "fail"
        assert check(open_one, "permissions.open").values == {"files": str(file)}
        file.chmod(0o640)
        assert state(open_one, "permissions.open")[0] == "ok"
        file.chmod(0o644)
        folder.chmod(0o750)  # it shuts others out today, and the copy made tomorrow does not
        assert state(open_one, "permissions.open")[0] == "fail"


def test_prompts(settings) -> None:
    assert state(settings, "prompts") == ("fail", "{count} are missing: {names}")
    folder = settings.paths.prompts
    for language in prompts.LANGUAGES:
        for one in prompts.listed(folder, language):
            file = folder / language / f"{one.name}.wav"
            file.parent.mkdir(parents=True, exist_ok=True)
            with wave.open(str(file), "wb") as sound:
                sound.setparams((1, 2, 8000, 0, "NONE", ""))
                sound.writeframes(bytes(1600))
    prompts.show_to_asterisk(folder, settings.asterisk.data)
    assert state(settings, "prompts")[0] == "ok"
    (folder / "uz" / "menu.synthetic.txt").write_text("Oʻzbek tili uchun birni bosing.")
    assert state(settings, "prompts") == (
        "warn",
        "{count} of {total} are still spoken by a machine",
    )
    (folder / "ru" / "menu.wav").unlink()
    assert check(settings, "prompts").values["names"] == "ru/menu"


def test_fonts(settings, monkeypatch, tmp_path) -> None:
    assert state(settings, "fonts")[0] == "ok"
    style = tmp_path / "print.css"
    style.write_text("@font-face { src: url(../gone.woff); }")
    monkeypatch.setattr(voice, "_STYLE", style)
    assert state(settings, "fonts")[0] == "fail"


def test_programs_are_shut_in(settings, monkeypatch) -> None:
    assert state(settings, "sandbox")[0] == "ok"
    monkeypatch.setattr(
        sandbox, "_rules", lambda *_: ["--landlock-rule", "path-beneath:no-such:/usr"]
    )
    assert state(settings, "sandbox") == ("fail", "not possible here: {error}")


def test_processes(settings) -> None:
    assert state(settings, "process.jobs") == ("fail", "has never run")
    pulse = processes.begin(settings, "jobs")
    assert state(settings, "process.jobs")[0] == "ok"
    pulse.end()
    assert state(settings, "process.jobs")[0] == "fail"
    processes.begin(settings, "web")  # which answers nowhere
    assert state(settings, "process.web") == ("fail", "runs, but does not answer")


def look_through(settings) -> None:
    jobs = {job.name: job for job in timetable.jobs(settings, lambda: True)}
    timetable.run_due(dataclasses.replace(jobs["integrity"], catches_up=True))


def test_the_file_of_the_database_is_sound(settings) -> None:
    assert state(settings, "database.integrity") == ("ok", "is read whole each night; not yet")
    look_through(settings)
    assert state(settings, "database.integrity") == ("ok", "sound, read whole {moment}")


def test_the_file_of_the_database_is_damaged(settings) -> None:
    asked = "SELECT rootpage FROM sqlite_master WHERE name = 'district'"
    (page,) = db.database.execute_sql(asked).fetchone()
    (size,) = db.database.execute_sql("PRAGMA page_size").fetchone()
    db.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.database.close()
    with settings.paths.database.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(bytes(range(256)) * 4)
    db.open_database(settings.paths.database).connect()
    look_through(settings)
    assert state(settings, "database.integrity")[0] == "fail"


def test_sip_of_an_exchange_that_is_not_there(settings) -> None:
    assert state(settings, "asterisk.sip")[0] == "fail"


SIP = Trunk("sip1", address="127.9.9.9", watched=True)
E1 = Trunk("e1", kind="e1", spans="1-15,17-31")


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (SeenTrunk("sip1", trunks.UP, "", 12), ("ok", "answers, {round_trip} ms")),
        (SeenTrunk("sip1", trunks.UNASKED, ""), ("ok", "not asked whether it answers")),
        (SeenTrunk("sip1", trunks.UP, "Registered"), ("ok", "registered")),
        (SeenTrunk("sip1", trunks.DOWN, ""), ("fail", "does not answer since {moment}")),
        (
            SeenTrunk("sip1", trunks.UP, "Rejected"),
            ("fail", "not registered since {moment}: {cause}"),
        ),
        (None, ("warn", "not seen yet")),
    ],
)
def test_trunks(settings, seen, expected) -> None:
    routing.save(Plan(trunks=(SIP,)), by="rustam")
    trunks.see_trunks([seen] if seen else [])
    assert state(settings, "trunk.sip1") == expected


@pytest.mark.parametrize(
    ("alarm", "d_channel", "expected"),
    [
        ("", True, ("ok", "up since {moment}")),
        ("Red Alarm", True, ("fail", "{alarm} since {moment}")),
        ("", False, ("fail", "the D-channel is down since {moment}")),
    ],
)
def test_spans(settings, alarm, d_channel, expected) -> None:
    routing.save(Plan(trunks=(E1,)), by="rustam")
    trunks.see_spans([SeenSpan(1, "e1", alarm, d_channel, {})])
    assert state(settings, "span.1") == expected


def test_a_span_that_is_not_there(settings) -> None:
    routing.save(Plan(trunks=(E1,)), by="rustam")
    assert state(settings, "trunk.e1") == ("fail", "its E1 span is not there")


def test_lines_are_not_known_while_the_exchange_is_silent(settings) -> None:
    routing.save(Plan(trunks=(SIP, E1)), by="rustam")
    trunks.see_trunks([SeenTrunk("sip1", trunks.DOWN)])
    trunks.see_spans([SeenSpan(1, "e1", "Red Alarm")])
    hour_ago = clock.now() - dt.timedelta(hours=1)
    AsteriskWatch.create(started_at=hour_ago, seen_at=hour_ago)
    assert {(c.code, c.state) for c in health.lines(settings)} == {
        ("trunk.sip1", "warn"),
        ("trunk.e1", "warn"),
    }


@pytest.mark.parametrize(
    ("channels", "spans"),
    [("1-15,17-31", {1}), ("32-46,48-62", {2}), ("1-15,17-31,32-46,48-62", {1, 2}), ("", set())],
)
def test_the_spans_of_a_trunk(channels, spans) -> None:
    assert trunks.spans_of(dataclasses.replace(E1, spans=channels)) == spans
