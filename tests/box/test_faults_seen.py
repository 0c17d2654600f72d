"""Faults that nothing else tells of: each is seen in its words, and is gone with its cause."""

import dataclasses
import datetime as dt
import http.server
import os
import shutil
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from appliance.box import health, processes
from appliance.box.health import folders, front, repositories
from appliance.core import clock, db
from appliance.core.settings import Backup
from appliance.models import AsteriskWatch, Call, Recording, SipRefusal, User
from appliance.people import accounts, presence
from appliance.telephony import devices
from appliance.telephony.devices import Seen


def check(settings, code: str) -> health.Check:
    found = next(one for one in health.checks(settings) if one.code == code)
    assert bool(found.advice) == (found.state != "ok")
    assert "{" not in found.seen.format(**found.values)
    assert "{" not in found.advice.format(**found.values)
    return found


def state(settings, code: str) -> tuple[str, str]:
    found = check(settings, code)
    return found.state, found.seen.format(**found.values)


@pytest.fixture
def answering(settings) -> None:
    """An exchange that answers."""
    now = clock.now()
    AsteriskWatch.create(started_at=now, seen_at=now)


@pytest.fixture
def site(settings):
    """A site whose folders are all there."""
    place, paths = settings.asterisk, settings.paths
    for folder in (
        *(place.run, place.log, place.spool, place.var, paths.recordings, paths.event_log.parent),
        *(paths.prompts / "music", paths.backups, paths.asterisk),
    ):
        folder.mkdir(parents=True, exist_ok=True)
    settings.file.chmod(0o600)
    return settings


def pair(folder: Path, name: str, *, names: str = "DNS:localhost", days: float = -1) -> Path:
    """A certificate that began some days from now, and its key beside it."""
    begins = clock.now() + dt.timedelta(days=days)
    ends = begins + dt.timedelta(days=300)
    made = folder / f"{name}.pem"
    words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x"
    dates = ("-not_before", f"{begins:%Y%m%d%H%M%SZ}", "-not_after", f"{ends:%Y%m%d%H%M%SZ}")
    files = ("-keyout", str(made.with_suffix(".key")), "-out", str(made))
    named = ("-addext", f"subjectAltName={names}")
    subprocess.run([*words.split(), *dates, *named, *files], check=True, capture_output=True)
    return made


def with_certificate(settings, file: Path):
    return dataclasses.replace(settings, web=dataclasses.replace(settings.web, certificate=file))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ("ok", "298 days are left")),
        ({"names": "DNS:*.uz,IP:10.0.0.5"}, ("fail", "is for *.uz, 10.0.0.5, not for localhost")),
        ({"days": 2}, ("fail", "is valid only from")),
    ],
)
def test_a_certificate_for_whom_and_from_when(settings, tmp_path, given, expected) -> None:
    found = state(with_certificate(settings, pair(tmp_path, "server", **given)), "certificate")
    assert found[0] == expected[0]
    assert found[1].startswith(expected[1])


def test_a_certificate_with_a_star(settings, tmp_path) -> None:
    site = with_certificate(settings, pair(tmp_path, "server", names="DNS:*.mehnat.uz"))
    named = dataclasses.replace(site.web, url="https://hotline.mehnat.uz")
    assert state(dataclasses.replace(site, web=named), "certificate")[0] == "ok"


def test_a_certificate_and_a_key_that_are_no_pair(settings, tmp_path) -> None:
    file, other = pair(tmp_path, "server"), pair(tmp_path, "other")
    shutil.copy(other.with_suffix(".key"), file.with_suffix(".key"))
    site = with_certificate(settings, file)
    assert state(site, "certificate") == ("fail", "does not belong to its key")
    file.with_suffix(".key").write_text("no key")
    assert state(site, "certificate")[0] == "fail"
    file.with_suffix(".key").unlink()  # one that only the front may read
    assert state(site, "certificate")[0] == "ok"


class Front:
    """A TLS front of the test's own."""

    def __init__(self, certificate: Path, address: str) -> None:
        host, _, port = address.partition(":")
        self.server = http.server.ThreadingHTTPServer(
            (host, int(port)), http.server.BaseHTTPRequestHandler
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def test_the_front(settings, tmp_path, free_address) -> None:
    file = pair(tmp_path, "server")
    site = with_certificate(settings, file)
    site = dataclasses.replace(
        site, web=dataclasses.replace(site.web, url=f"https://{free_address}")
    )
    assert state(site, "front") == ("fail", f"does not answer at {free_address}")
    served = Front(file, free_address)
    try:
        assert state(site, "front") == ("ok", "answers")
        shutil.copy(pair(tmp_path, "other"), file)
        assert state(site, "front") == ("fail", f"shows another certificate than {file}")
    finally:
        served.stop()


def test_where_the_front_is_reached(settings) -> None:
    named = dataclasses.replace(settings.web, url="https://hotline.example")
    assert front.place(dataclasses.replace(settings, web=named)) == ("127.0.0.1", 443)


def test_files_that_others_may_change(site) -> None:
    assert state(site, "permissions.open")[0] == "ok"
    for path, mode in (
        (site.file, 0o644),
        (site.paths.database, 0o666),
        (site.paths.recordings, 0o777),
    ):
        before = path.stat().st_mode
        path.chmod(mode)
        found = check(site, "permissions.open")
        assert (found.state, found.values["files"]) == ("fail", str(path))
        path.chmod(before)
        assert state(site, "permissions.open")[0] == "ok"


def test_keys_that_others_may_read(site, tmp_path) -> None:
    keys = {name: tmp_path / name for name in ("repository.key", "recovery.key", "ministry.key")}
    certificate = tmp_path / "server.pem"
    for file in (*keys.values(), certificate.with_suffix(".key")):
        file.touch(mode=0o600)
    site = dataclasses.replace(
        with_certificate(site, certificate),
        backups=(Backup("disk", str(tmp_path / "disk"), keys["repository.key"]),),
        snapshots=dataclasses.replace(site.snapshots, recovery_file=str(keys["recovery.key"])),
    )
    del keys["ministry.key"]
    for file in (*keys.values(), certificate.with_suffix(".key")):
        file.chmod(0o644)
        assert check(site, "permissions.open").values["files"] == str(file)
        file.chmod(0o600)
    assert check(site, "permissions.open").state == "ok"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_files_of_somebody_else(site) -> None:
    for path in (site.paths.database, site.paths.recordings, site.file):
        os.chown(path, 65534, -1)
        found = check(site, "permissions.owner")
        assert (found.state, found.values["files"].split()[0]) == ("fail", str(path))
        for file in found.values["files"].split():  # SQLite gives what lies beside it away, too
            os.chown(file, 0, -1)
    assert check(site, "permissions.owner").state == "ok"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_the_group_shares_may_belong_to_any_of_it(site) -> None:
    """Each process of a box has an account of its own; whichever began first made the file."""
    shared = site.paths.recordings
    for path in (shared.parent, shared):
        os.chown(path, -1, 4000)
        path.chmod(0o770)
    os.chown(shared, 65534, -1)
    assert check(site, "permissions.owner").state == "ok"
    shared.chmod(0o750)  # not theirs to write
    assert check(site, "permissions.owner").values["files"] == str(shared)
    shared.chmod(0o770)
    shared.parent.chmod(0o750)  # the folder of one account
    assert check(site, "permissions.owner").values["files"] == str(shared)


def test_folders_that_asterisk_writes(site) -> None:
    for code, path in (
        ("event_log.file", site.paths.event_log.parent / "logs"),
        ("recordings.folder", site.paths.recordings),
        ("asterisk.folders", site.asterisk.spool),
    ):
        place = dataclasses.replace(site.paths, event_log=path / "cel.csv")
        at = dataclasses.replace(site, paths=place) if code == "event_log.file" else site
        path.mkdir(exist_ok=True)
        assert state(at, code)[0] == "ok"
        path.rename(path.with_name("moved"))
        assert state(at, code) == ("fail", f"{path} is not there")
        path.touch()
        assert state(at, code) == ("fail", f"{path} is something else")
        path.unlink()
        path.with_name("moved").rename(path)
        assert state(at, code)[0] == "ok"


def test_an_event_log_that_asterisk_may_not_write(site, monkeypatch) -> None:
    log = site.paths.event_log
    log.touch(mode=0o640)
    mine = log.stat()
    monkeypatch.setattr(folders, "_account", lambda _settings: (mine.st_uid + 7, mine.st_gid))
    log.parent.chmod(0o770)
    assert state(site, "event_log.file")[1] == f"{log} cannot be written by the exchange"
    log.chmod(0o660)
    assert state(site, "event_log.file")[0] == "ok"
    log.unlink()
    log.mkdir()
    assert state(site, "event_log.file")[1] == f"{log} is something else"


def test_music_on_hold(site) -> None:
    assert state(site, "music")[0] == "fail"
    (site.paths.prompts / "music" / "hold.wav").write_bytes(bytes(44))
    assert state(site, "music")[0] == "fail"
    (site.paths.prompts / "music" / "hold.wav").write_bytes(bytes(4400))
    assert state(site, "music")[0] == "ok"


def spoken(id: str, ago: float, recorded: float | None) -> None:
    ended = clock.now() - dt.timedelta(seconds=ago)
    Call.create(
        id=id,
        direction="inbound",
        arrived_at=ended - dt.timedelta(seconds=9),
        ended_at=ended,
        stage="ended",
        outcome="answered",
        talk_seconds=5,
    )
    if recorded is not None:
        Recording.create(file=f"{id}.wav", call_id=id, seconds=recorded)


def test_the_newest_talk_has_its_recording(site) -> None:
    assert state(site, "recordings.newest")[0] == "ok"
    spoken("1", 5, None)  # it may still be measured
    assert state(site, "recordings.newest")[0] == "ok"
    spoken("2", 60, 5)
    assert state(site, "recordings.newest")[0] == "ok"
    spoken("3", 50, None)
    assert state(site, "recordings.newest")[0] == "fail"
    spoken("4", 40, 5)
    assert state(site, "recordings.newest")[0] == "ok"
    spoken("5", 30, 0.0)
    assert state(site, "recordings.newest")[0] == "fail"


def test_a_phone_in_the_page_that_is_not_let_in(site) -> None:
    assert not [one for one in health.checks(site) if one.code == "phones.page"]
    user = accounts.operators()[0]
    accounts.choose_phone(user, "page", auto_answer=False)
    found = check(site, "phones.page")
    assert (found.state, user.name in found.values["names"]) == ("fail", True)
    let_in = dataclasses.replace(site.asterisk, browser_phones=True)
    assert state(dataclasses.replace(site, asterisk=let_in), "phones.page") == ("ok", "let in")


@pytest.mark.usefixtures("answering")
def test_who_is_ready_with_no_phone(site, monkeypatch) -> None:
    user = accounts.operators()[0]
    presence.choose_state(user, "ready")
    devices.see([Seen(user.extension, "phone", True, 0)])
    later = clock.now() + dt.timedelta(seconds=16)
    monkeypatch.setattr(clock, "now", lambda: later)
    AsteriskWatch.update(seen_at=later).execute()
    assert state(site, "phones")[0] == "ok"
    devices.see([Seen(user.extension, "phone", False, 0)])
    assert state(site, "phones")[0] == "ok"  # it was there just now
    more = later + dt.timedelta(seconds=16)
    monkeypatch.setattr(clock, "now", lambda: more)
    AsteriskWatch.update(seen_at=more).execute()
    found = check(site, "phones")
    assert (found.state, user.name in found.values["names"]) == ("fail", True)
    presence.choose_state(user, "off")
    assert state(site, "phones")[0] == "ok"


def test_a_language_of_nobody(site) -> None:
    assert state(site, "operators.ru") == ("fail", "nobody is ready")
    user = accounts.operators()[0]
    presence.choose_state(user, "ready")
    assert state(site, "operators.ru") == ("ok", "1 ready")
    User.update(speaks="uz").execute()
    assert state(site, "operators.ru") == ("warn", "there is none")
    assert state(site, "operators.uz")[0] == "ok"


def test_a_carrier_at_a_new_address(site, monkeypatch) -> None:
    for number in range(5):
        assert state(site, "refused")[0] == "ok"
        SipRefusal.create(
            sip=f"{number}@x", at=clock.now(), address=f"192.0.2.7:{5060 + number}", why="401"
        )
    found = check(site, "refused")
    assert (found.state, found.values) == ("fail", {"count": "5", "address": "192.0.2.7"})
    later = clock.now() + dt.timedelta(minutes=6)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert state(site, "refused")[0] == "ok"


def test_the_schema_of_another_version(site) -> None:
    assert state(site, "database.schema")[0] == "ok"
    [newest, *_] = db.database.execute_sql(
        "SELECT name FROM schema_migration ORDER BY name DESC"
    ).fetchone()
    db.database.execute_sql("DELETE FROM schema_migration WHERE name = ?", (newest,))
    assert state(site, "database.schema") == ("fail", f"is older than the program: {newest}")
    db.database.execute_sql(
        "INSERT INTO schema_migration (name, applied) VALUES (?, 0), ('9999_later', 0)", (newest,)
    )
    assert state(site, "database.schema") == ("fail", "is newer than the program: 9999_later")


def test_settings_that_changed_or_cannot_be_read(site) -> None:
    assert state(site, "settings")[0] == "ok"
    processes.begin(site, "jobs")
    assert state(site, "settings")[0] == "ok"
    later = clock.now().timestamp() + 5
    os.utime(site.file, (later, later))
    assert state(site, "settings")[0] == "warn"
    site.file.write_text("[paths")
    assert state(site, "settings")[0] == "fail"


def test_a_repository_that_is_gone_or_has_another_key(site, tmp_path) -> None:
    key, folder = tmp_path / "repository.key", tmp_path / "repository"
    key.write_text("one")
    key.chmod(0o600)
    site = dataclasses.replace(site, backups=(Backup("disk", str(folder), key),))
    assert state(site, "repository")[1].startswith("disk: there is no repository at")
    restic = repositories.Restic(site.backups[0], tmp_path)
    restic.ask("init")
    assert state(site, "repository") == ("ok", "can be opened")
    key.write_text("two")
    assert state(site, "repository") == ("fail", "disk: our key does not open it")
    key.unlink()
    assert state(site, "repository")[0] == "fail"
    key.write_text("one")
    assert state(site, "repository")[0] == "ok"


def test_logs_that_nobody_puts_in_order(site) -> None:
    assert state(site, "event_log.size")[0] == "ok"
    with site.paths.event_log.open("wb") as log:
        log.truncate(2 << 30)
    assert state(site, "event_log.size") == ("fail", "2048 MB")


def test_a_look_that_fails_hides_no_other(site, monkeypatch) -> None:
    def broken(_settings):
        raise OSError("input/output error")

    monkeypatch.setattr(health, "LOOKS", (broken, *health.LOOKS))
    found = {one.code: one for one in health.checks(site)}
    [failed] = [one for code, one in found.items() if code.startswith("look.")]
    assert (failed.state, failed.values["error"]) == ("fail", "OSError: input/output error")
    assert "database" in found
