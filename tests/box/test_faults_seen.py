"""Faults that nothing else tells of: each is seen in its words, and is gone with its cause."""

import dataclasses
import datetime as dt
import http.server
import math
import os
import resource
import shutil
import ssl
import subprocess
import threading
import wave
from pathlib import Path

import pytest

from appliance.box import health, processes
from appliance.box.health import exchange, folders, front, repositories
from appliance.core import clock, db
from appliance.core.settings import Backup
from appliance.models import AsteriskWatch, Call, Recording, SipRefusal, User
from appliance.pbx import inspection
from appliance.people import accounts, presence
from appliance.telephony import devices, prompts
from appliance.telephony.devices import Seen
from appliance.telephony.recordings import folder_mark


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
    hold = site.paths.prompts / "music" / "hold.wav"
    hold.write_bytes(bytes(44))
    assert state(site, "music")[0] == "fail"
    hold.write_bytes(bytes(range(256)) * 100)
    assert state(site, "music") == ("fail", "cannot be played: hold.wav (no sound)")
    write_wav(hold, 44_100, bytes(88_200))
    assert state(site, "music") == ("fail", "cannot be played: hold.wav (44100 Hz, 1 × 16 bit)")
    write_wav(hold, 8000, os.urandom(32_000))
    assert state(site, "music") == ("fail", "cannot be played: hold.wav (noise)")
    write_wav(hold, 8000, tone())
    assert state(site, "music") == ("ok", "is there")
    gsm = hold.with_suffix(".gsm")  # the exchange loads no module that reads it
    gsm.write_bytes(b"\xd0" * 330)
    assert state(site, "music") == ("fail", "cannot be played: hold.gsm (no kind of sound)")
    gsm.unlink()
    cut = hold.read_bytes()
    hold.write_bytes(cut[: len(cut) // 2])
    assert state(site, "music") == ("fail", "cannot be played: hold.wav (cut off)")
    hold.with_suffix(".txt").write_text("a note of more bytes than the head of a sound has, then")
    write_wav(hold, 8000, tone())
    assert state(site, "music")[0] == "fail"  # Asterisk knows no such kind of sound


def write_wav(file: Path, rate: int, samples: bytes) -> None:
    with wave.open(str(file), "wb") as sound:
        sound.setparams((1, 2, rate, 0, "NONE", ""))
        sound.writeframes(samples)


def tone() -> bytes:
    """Two seconds of a loud voice."""
    waves = (round(30_000 * math.sin(at / 3)) for at in range(16_000))
    return b"".join(sample.to_bytes(2, "little", signed=True) for sample in waves)


def test_prompts_of_a_wrong_rate_and_without_links(site) -> None:
    folder, data = site.paths.prompts, site.asterisk.data
    for language in prompts.LANGUAGES:
        for one in prompts.listed(folder, language):
            file = folder / language / f"{one.name}.wav"
            file.parent.mkdir(parents=True, exist_ok=True)
            write_wav(file, 8000, bytes(1600))
    seen = state(site, "prompts")
    assert seen == ("fail", "the exchange does not find those of uz, ru")
    prompts.show_to_asterisk(folder, data)
    assert state(site, "prompts")[0] == "ok"
    write_wav(folder / "uz" / "menu.wav", 44_100, bytes(88_200))
    assert state(site, "prompts")[0] == "fail"
    assert "uz/menu (44100 Hz" in state(site, "prompts")[1]
    write_wav(folder / "uz" / "menu.wav", 8000, bytes(1600))
    (data / "sounds" / "uz").unlink()
    assert state(site, "prompts")[1].endswith("those of uz")


def test_a_recordings_folder_that_is_another_one(site) -> None:
    folder = site.paths.recordings
    assert state(site, "recordings.place")[0] == "ok"  # not marked yet
    folder_mark.ensure(site)
    folder_mark.ensure(site)
    assert len(list(folder.iterdir())) == 1
    assert state(site, "recordings.place")[0] == "ok"
    away = folder.rename(folder.with_name("away"))
    (folder / "2026" / "12" / "01").mkdir(parents=True)  # as Asterisk makes it
    folder_mark.ensure(site)  # a new start marks nothing in its place
    assert state(site, "recordings.place")[0] == "fail"
    assert str(folder_mark.note(site)) in check(site, "recordings.place").values["note"]
    shutil.rmtree(folder)
    away.rename(folder)
    assert state(site, "recordings.place")[0] == "ok"
    folder_mark.note(site).unlink()  # the data folder is new, and the recordings are the old ones
    folder_mark.ensure(site)
    assert len(list(folder.iterdir())) == 1
    assert state(site, "recordings.place")[0] == "ok"


def test_recordings_of_today_on_another_disk(site, monkeypatch) -> None:
    folder_mark.ensure(site)
    day = site.paths.recordings / f"{clock.now():%Y/%m/%d}"
    day.mkdir(parents=True)
    assert state(site, "recordings.place")[0] == "ok"
    shm = Path("/dev/shm") / f"hotline-{os.getpid()}"  # noqa: S108  another disk than the folder's
    shm.mkdir()
    try:
        day.rmdir()
        day.symlink_to(shm)
        assert state(site, "recordings.place")[0] == "fail"
    finally:
        shm.rmdir()


def calls_over(trunk: str, numbers: list[str | None]) -> None:
    for place, number in enumerate(numbers):
        at = clock.now() - dt.timedelta(minutes=len(numbers) - place)
        Call.create(
            id=f"{trunk}-{place}-{at.timestamp()}",
            direction="inbound",
            arrived_at=at,
            stage="menu",
            trunk=trunk,
            caller=number,
        )


def test_a_trunk_that_hands_on_no_number(site) -> None:
    codes = {one.code for one in health.checks(site)}
    assert "callers.carrier" not in codes  # too few calls to judge by
    calls_over("carrier", ["+998901234567", *[None] * 9])
    assert state(site, "callers.carrier") == ("ok", "are handed on")
    calls_over("carrier", [None])
    assert state(site, "callers.carrier")[0] == "fail"
    calls_over("carrier", ["+998901234567"])
    assert state(site, "callers.carrier")[0] == "ok"


def test_an_exchange_that_refuses_our_password(site) -> None:
    processes.begin(site, "pbx")
    assert "last seen" in state(site, "asterisk")[1] or state(site, "asterisk")[1] == "never seen"
    inspection.note_sign_in("Login: Authentication failed")
    found = check(site, "asterisk")
    assert found.seen == "runs, but refuses the password of `appliance pbx`"
    assert found.advice.startswith("Nothing has to be started.")
    inspection.note_sign_in("")
    assert state(site, "asterisk")[1] == "never seen"


def test_an_exchange_that_nobody_watches_is_not_blamed(site, monkeypatch) -> None:
    monkeypatch.setattr(exchange, "answers_sip", lambda _settings: True)
    assert state(site, "asterisk") == ("warn", "answers, but nobody watches it")
    codes = [one.code for one in health.checks(site)]
    assert codes.index("process.pbx") < codes.index("asterisk")
    processes.begin(site, "pbx")  # it works, and Asterisk does not answer it
    assert state(site, "asterisk")[0] == "fail"


def test_an_exchange_without_descriptors(site) -> None:
    assert not [one for one in health.checks(site) if one.code == "asterisk.descriptors"]
    processes.begin(site, "pbx")
    with subprocess.Popen(["sleep", "60"]) as asterisk:
        try:
            (site.asterisk.run / "asterisk.pid").write_text(f"{asterisk.pid}\n")
            assert state(site, "asterisk.descriptors")[0] == "ok"
            hard = resource.prlimit(asterisk.pid, resource.RLIMIT_NOFILE)[1]
            resource.prlimit(asterisk.pid, resource.RLIMIT_NOFILE, (12, hard))
            assert state(site, "asterisk.descriptors")[0] == "fail"
            assert state(site, "asterisk") == ("fail", "has no file descriptor left")
        finally:
            asterisk.kill()


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
    assert (found.state, found.values) == ("fail", {"calls": "192.0.2.7 (5)"})
    for address, count in (("192.0.2.66", 50), (site.asterisk.address, 90), ("127.0.0.1", 90)):
        for number in range(count):
            sip = f"{number}@{address}"
            SipRefusal.create(sip=sip, at=clock.now(), address=f"{address}:5060", why="401")
    assert check(site, "refused").values == {"calls": "192.0.2.66 (50), 192.0.2.7 (5)"}
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
