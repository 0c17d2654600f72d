"""Faults that only the self-check reports: each is described and disappears with its cause."""

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
from appliance.telephony.devices import DeviceState
from appliance.telephony.recordings import folder_mark


def check_of(settings, code: str) -> health.Check:
    check_found = next(
        check_row for check_row in health.all_checks(settings) if check_row.code == code
    )
    assert bool(check_found.advice) == (check_found.state != "ok")
    assert "{" not in check_found.seen.format(**check_found.values)
    assert "{" not in check_found.advice.format(**check_found.values)
    return check_found


def state_of(settings, code: str) -> tuple[str, str]:
    check_found = check_of(settings, code)
    return check_found.state, check_found.seen.format(**check_found.values)


@pytest.fixture
def answering(settings) -> None:
    """An exchange that answers."""
    now = clock.now()
    AsteriskWatch.create(started_at=now, seen_at=now)


@pytest.fixture
def site(settings):
    """A site whose folders all exist."""
    place, paths = settings.asterisk, settings.paths
    for folder in (
        *(place.run, place.log, place.spool, place.var, paths.recordings, paths.event_log.parent),
        *(paths.prompts / "music", paths.backups, paths.asterisk),
    ):
        folder.mkdir(parents=True, exist_ok=True)
    settings.file.chmod(0o600)
    return settings


def create_certificate(
    folder: Path, name: str, *, names: str = "DNS:localhost", days: float = -1
) -> Path:
    """A certificate valid from `days` days from now, with its key in a file next to it."""
    begins = clock.now() + dt.timedelta(days=days)
    ends = begins + dt.timedelta(days=300)
    certificate = folder / f"{name}.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x"
    dates = ("-not_before", f"{begins:%Y%m%d%H%M%SZ}", "-not_after", f"{ends:%Y%m%d%H%M%SZ}")
    files = ("-keyout", str(certificate.with_suffix(".key")), "-out", str(certificate))
    alternative_names = ("-addext", f"subjectAltName={names}")
    subprocess.run(
        [*command.split(), *dates, *alternative_names, *files], check=True, capture_output=True
    )
    return certificate


def site_with_certificate(settings, file: Path):
    return dataclasses.replace(settings, web=dataclasses.replace(settings.web, certificate=file))


@pytest.mark.parametrize(
    ("certificate_options", "expected"),
    [
        ({}, ("ok", "298 days are left")),
        (
            {"names": "DNS:*.uz,IP:10.0.0.5"},
            ("fail", "is issued for *.uz, 10.0.0.5, not for localhost"),
        ),
        ({"days": 2}, ("fail", "is valid only from")),
    ],
)
def test_a_certificate_must_match_the_host_and_be_valid_already(
    settings, tmp_path, certificate_options, expected
) -> None:
    outcome = state_of(
        site_with_certificate(
            settings, create_certificate(tmp_path, "server", **certificate_options)
        ),
        "certificate",
    )
    assert outcome[0] == expected[0]
    assert outcome[1].startswith(expected[1])


def test_a_wildcard_certificate_is_accepted(settings, tmp_path) -> None:
    site = site_with_certificate(
        settings, create_certificate(tmp_path, "server", names="DNS:*.mehnat.uz")
    )
    web_settings = dataclasses.replace(site.web, url="https://hotline.mehnat.uz")
    assert state_of(dataclasses.replace(site, web=web_settings), "certificate")[0] == "ok"


def test_a_certificate_must_belong_to_its_key(settings, tmp_path) -> None:
    file, other = create_certificate(tmp_path, "server"), create_certificate(tmp_path, "other")
    shutil.copy(other.with_suffix(".key"), file.with_suffix(".key"))
    site = site_with_certificate(settings, file)
    assert state_of(site, "certificate") == ("fail", "does not belong to its key")
    file.with_suffix(".key").write_text("no key")
    assert state_of(site, "certificate")[0] == "fail"
    file.with_suffix(".key").unlink()  # a key that only the front may read
    assert state_of(site, "certificate")[0] == "ok"


class TlsFront:
    """A TLS front for tests."""

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


def test_the_front_must_answer_with_the_configured_certificate(
    settings, tmp_path, free_address
) -> None:
    file = create_certificate(tmp_path, "server")
    site = site_with_certificate(settings, file)
    site = dataclasses.replace(
        site, web=dataclasses.replace(site.web, url=f"https://{free_address}")
    )
    assert state_of(site, "front") == ("fail", f"does not answer at {free_address}")
    tls_front = TlsFront(file, free_address)
    try:
        assert state_of(site, "front") == ("ok", "answers")
        shutil.copy(create_certificate(tmp_path, "other"), file)
        assert state_of(site, "front") == ("fail", f"shows a certificate other than {file}")
    finally:
        tls_front.stop()


def test_the_front_is_checked_at_the_local_address(settings) -> None:
    web_settings = dataclasses.replace(settings.web, url="https://hotline.example")
    assert front.front_address(dataclasses.replace(settings, web=web_settings)) == (
        "127.0.0.1",
        443,
    )


def test_files_writable_or_readable_by_others_are_a_fault(site) -> None:
    assert state_of(site, "permissions.open")[0] == "ok"
    for path, mode in (
        (site.file, 0o644),
        (site.paths.database, 0o666),
        (site.paths.recordings, 0o777),
    ):
        before = path.stat().st_mode
        path.chmod(mode)
        check_found = check_of(site, "permissions.open")
        assert (check_found.state, check_found.values["files"]) == ("fail", str(path))
        path.chmod(before)
        assert state_of(site, "permissions.open")[0] == "ok"


def test_keys_readable_by_others_are_a_fault(site, tmp_path) -> None:
    keys = {name: tmp_path / name for name in ("repository.key", "recovery.key", "ministry.key")}
    certificate = tmp_path / "server.pem"
    for file in (*keys.values(), certificate.with_suffix(".key")):
        file.touch(mode=0o600)
    site = dataclasses.replace(
        site_with_certificate(site, certificate),
        backups=(Backup("disk", str(tmp_path / "disk"), keys["repository.key"]),),
        snapshots=dataclasses.replace(site.snapshots, recovery_file=str(keys["recovery.key"])),
    )
    del keys["ministry.key"]
    for file in (*keys.values(), certificate.with_suffix(".key")):
        file.chmod(0o644)
        assert check_of(site, "permissions.open").values["files"] == str(file)
        file.chmod(0o600)
    assert check_of(site, "permissions.open").state == "ok"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_files_of_another_owner_are_a_fault(site) -> None:
    for path in (site.paths.database, site.paths.recordings, site.file):
        os.chown(path, 65534, -1)
        check_found = check_of(site, "permissions.owner")
        assert (check_found.state, check_found.values["files"].split()[0]) == ("fail", str(path))
        for file in check_found.values[
            "files"
        ].split():  # SQLite gives the files next to the database to its owner, too
            os.chown(file, 0, -1)
    assert check_of(site, "permissions.owner").state == "ok"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_files_shared_by_a_group_may_belong_to_any_member(site) -> None:
    """Each process of a box has its own account; the first one to start created the file."""
    shared = site.paths.recordings
    for path in (shared.parent, shared):
        os.chown(path, -1, 4000)
        path.chmod(0o770)
    os.chown(shared, 65534, -1)
    assert check_of(site, "permissions.owner").state == "ok"
    shared.chmod(0o750)  # the group may not write
    assert check_of(site, "permissions.owner").values["files"] == str(shared)
    shared.chmod(0o770)
    shared.parent.chmod(0o750)  # the folder of a single account
    assert check_of(site, "permissions.owner").values["files"] == str(shared)


def test_folders_that_asterisk_writes_must_exist(site) -> None:
    for code, path in (
        ("event_log.file", site.paths.event_log.parent / "logs"),
        ("recordings.folder", site.paths.recordings),
        ("asterisk.folders", site.asterisk.spool),
    ):
        place = dataclasses.replace(site.paths, event_log=path / "cel.csv")
        moved_site = dataclasses.replace(site, paths=place) if code == "event_log.file" else site
        path.mkdir(exist_ok=True)
        assert state_of(moved_site, code)[0] == "ok"
        path.rename(path.with_name("moved"))
        assert state_of(moved_site, code) == ("fail", f"{path} does not exist")
        path.touch()
        assert state_of(moved_site, code) == ("fail", f"{path} is not what it should be")
        path.unlink()
        path.with_name("moved").rename(path)
        assert state_of(moved_site, code)[0] == "ok"


def test_an_event_log_that_asterisk_cannot_write_is_a_fault(site, monkeypatch) -> None:
    log = site.paths.event_log
    log.touch(mode=0o640)
    status = log.stat()
    monkeypatch.setattr(
        folders, "_asterisk_account", lambda _settings: (status.st_uid + 7, status.st_gid)
    )
    log.parent.chmod(0o770)
    assert state_of(site, "event_log.file")[1] == f"{log} cannot be written by the exchange"
    log.chmod(0o660)
    assert state_of(site, "event_log.file")[0] == "ok"
    log.unlink()
    log.mkdir()
    assert state_of(site, "event_log.file")[1] == f"{log} is not what it should be"


def test_music_on_hold_must_be_playable(site) -> None:
    assert state_of(site, "music")[0] == "fail"
    hold = site.paths.prompts / "music" / "hold.wav"
    hold.write_bytes(bytes(44))
    assert state_of(site, "music")[0] == "fail"
    hold.write_bytes(bytes(range(256)) * 100)
    assert state_of(site, "music") == ("fail", "cannot be played: hold.wav (no sound)")
    write_wav(hold, 44_100, bytes(88_200))
    assert state_of(site, "music") == ("fail", "cannot be played: hold.wav (44100 Hz, 1 × 16 bit)")
    write_wav(hold, 8000, os.urandom(32_000))
    assert state_of(site, "music") == ("fail", "cannot be played: hold.wav (noise)")
    write_wav(hold, 8000, tone_samples())
    assert state_of(site, "music") == ("ok", "is there")
    gsm = hold.with_suffix(".gsm")  # the exchange loads no module for this format
    gsm.write_bytes(b"\xd0" * 330)
    assert state_of(site, "music") == ("fail", "cannot be played: hold.gsm (no kind of sound)")
    gsm.unlink()
    cut = hold.read_bytes()
    hold.write_bytes(cut[: len(cut) // 2])
    assert state_of(site, "music") == ("fail", "cannot be played: hold.wav (cut off)")
    hold.with_suffix(".txt").write_text("a note of more bytes than the head of a sound has, then")
    write_wav(hold, 8000, tone_samples())
    assert state_of(site, "music")[0] == "fail"  # Asterisk does not support such a file type


def write_wav(file: Path, rate: int, samples: bytes) -> None:
    with wave.open(str(file), "wb") as sound:
        sound.setparams((1, 2, rate, 0, "NONE", ""))
        sound.writeframes(samples)


def tone_samples() -> bytes:
    """Two seconds of a loud tone."""
    waves = (round(30_000 * math.sin(position / 3)) for position in range(16_000))
    return b"".join(sample.to_bytes(2, "little", signed=True) for sample in waves)


def test_prompts_with_a_wrong_rate_or_without_links_are_a_fault(site) -> None:
    folder, data = site.paths.prompts, site.asterisk.data
    for language in prompts.LANGUAGES:
        for prompt in prompts.list_prompts(folder, language):
            file = folder / language / f"{prompt.name}.wav"
            file.parent.mkdir(parents=True, exist_ok=True)
            write_wav(file, 8000, bytes(1600))
    prompts_state = state_of(site, "prompts")
    assert prompts_state == ("fail", "the exchange does not find the prompts of uz, ru")
    prompts.link_for_asterisk(folder, data)
    assert state_of(site, "prompts")[0] == "ok"
    write_wav(folder / "uz" / "menu.wav", 44_100, bytes(88_200))
    assert state_of(site, "prompts")[0] == "fail"
    assert "uz/menu (44100 Hz" in state_of(site, "prompts")[1]
    write_wav(folder / "uz" / "menu.wav", 8000, bytes(1600))
    (data / "sounds" / "uz").unlink()
    assert state_of(site, "prompts")[1].endswith("the prompts of uz")


def test_a_replaced_recordings_folder_is_a_fault(site) -> None:
    folder = site.paths.recordings
    assert state_of(site, "recordings.place")[0] == "ok"  # not marked yet
    folder_mark.ensure_mark(site)
    folder_mark.ensure_mark(site)
    assert len(list(folder.iterdir())) == 1
    assert state_of(site, "recordings.place")[0] == "ok"
    moved_folder = folder.rename(folder.with_name("away"))
    (folder / "2026" / "12" / "01").mkdir(parents=True)  # as Asterisk creates it
    folder_mark.ensure_mark(site)  # a restart does not mark the new folder in its place
    assert state_of(site, "recordings.place")[0] == "fail"
    assert str(folder_mark.note_file(site)) in check_of(site, "recordings.place").values["note"]
    shutil.rmtree(folder)
    moved_folder.rename(folder)
    assert state_of(site, "recordings.place")[0] == "ok"
    folder_mark.note_file(
        site
    ).unlink()  # the data folder is new, and the recordings are the old ones
    folder_mark.ensure_mark(site)
    assert len(list(folder.iterdir())) == 1
    assert state_of(site, "recordings.place")[0] == "ok"


def test_recordings_of_today_on_another_disk_are_a_fault(site, monkeypatch) -> None:
    folder_mark.ensure_mark(site)
    day = site.paths.recordings / f"{clock.now():%Y/%m/%d}"
    day.mkdir(parents=True)
    assert state_of(site, "recordings.place")[0] == "ok"
    shm = Path("/dev/shm") / f"hotline-{os.getpid()}"  # noqa: S108  another disk than the folder's
    shm.mkdir()
    try:
        day.rmdir()
        day.symlink_to(shm)
        assert state_of(site, "recordings.place")[0] == "fail"
    finally:
        shm.rmdir()


def create_calls_over(trunk: str, numbers: list[str | None]) -> None:
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


def test_a_trunk_that_passes_no_caller_number_is_a_fault(site) -> None:
    codes = {check_row.code for check_row in health.all_checks(site)}
    assert "callers.carrier" not in codes  # too few calls to judge by
    create_calls_over("carrier", ["+998901234567", *[None] * 9])
    assert state_of(site, "callers.carrier") == ("ok", "are transferred")
    create_calls_over("carrier", [None])
    assert state_of(site, "callers.carrier")[0] == "fail"
    create_calls_over("carrier", ["+998901234567"])
    assert state_of(site, "callers.carrier")[0] == "ok"


def test_an_exchange_that_refuses_our_password_is_named(site) -> None:
    processes.register_process(site, "pbx")
    assert (
        "last seen" in state_of(site, "asterisk")[1]
        or state_of(site, "asterisk")[1] == "never seen"
    )
    inspection.record_sign_in("Login: Authentication failed")
    check_found = check_of(site, "asterisk")
    assert check_found.seen == "running, but refuses the password of `appliance pbx`"
    assert check_found.advice.startswith("Nothing needs to be started.")
    inspection.record_sign_in("")
    assert state_of(site, "asterisk")[1] == "never seen"


def test_an_unwatched_exchange_is_only_a_warning(site, monkeypatch) -> None:
    monkeypatch.setattr(exchange, "can_reach_sip", lambda _settings: True)
    assert state_of(site, "asterisk") == ("warn", "answers, but is not monitored")
    codes = [check_row.code for check_row in health.all_checks(site)]
    assert codes.index("process.pbx") < codes.index("asterisk")
    processes.register_process(site, "pbx")  # the process works, but Asterisk does not answer it
    assert state_of(site, "asterisk")[0] == "fail"


def test_an_exchange_without_free_descriptors_is_a_fault(site) -> None:
    assert not [
        check_row
        for check_row in health.all_checks(site)
        if check_row.code == "asterisk.descriptors"
    ]
    processes.register_process(site, "pbx")
    with subprocess.Popen(["sleep", "60"]) as asterisk:
        try:
            (site.asterisk.run / "asterisk.pid").write_text(f"{asterisk.pid}\n")
            assert state_of(site, "asterisk.descriptors")[0] == "ok"
            hard = resource.prlimit(asterisk.pid, resource.RLIMIT_NOFILE)[1]
            resource.prlimit(asterisk.pid, resource.RLIMIT_NOFILE, (12, hard))
            assert state_of(site, "asterisk.descriptors")[0] == "fail"
            assert state_of(site, "asterisk") == ("fail", "has no file descriptor left")
        finally:
            asterisk.kill()


def create_talk(id: str, ago: float, recorded: float | None) -> None:
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


def test_the_newest_talk_must_have_its_recording(site) -> None:
    assert state_of(site, "recordings.newest")[0] == "ok"
    create_talk("1", 5, None)  # its recording may not have been measured yet
    assert state_of(site, "recordings.newest")[0] == "ok"
    create_talk("2", 60, 5)
    assert state_of(site, "recordings.newest")[0] == "ok"
    create_talk("3", 50, None)
    assert state_of(site, "recordings.newest")[0] == "fail"
    create_talk("4", 40, 5)
    assert state_of(site, "recordings.newest")[0] == "ok"
    create_talk("5", 30, 0.0)
    assert state_of(site, "recordings.newest")[0] == "fail"


def test_a_page_phone_is_a_fault_while_browser_phones_are_not_permitted(site) -> None:
    assert not [
        check_row for check_row in health.all_checks(site) if check_row.code == "phones.page"
    ]
    user = accounts.active_operators()[0]
    accounts.choose_phone(user, "page", auto_answer=False)
    check_found = check_of(site, "phones.page")
    assert (check_found.state, user.name in check_found.values["names"]) == ("fail", True)
    let_in = dataclasses.replace(site.asterisk, browser_phones=True)
    assert state_of(dataclasses.replace(site, asterisk=let_in), "phones.page") == (
        "ok",
        "allowed in",
    )


@pytest.mark.usefixtures("answering")
def test_an_operator_ready_without_a_phone_is_a_fault(site, monkeypatch) -> None:
    user = accounts.active_operators()[0]
    presence.choose_state(user, "ready")
    devices.store_states([DeviceState(user.extension, "phone", True, 0)])
    later = clock.now() + dt.timedelta(seconds=16)
    monkeypatch.setattr(clock, "now", lambda: later)
    AsteriskWatch.update(seen_at=later).execute()
    assert state_of(site, "phones")[0] == "ok"
    devices.store_states([DeviceState(user.extension, "phone", False, 0)])
    assert state_of(site, "phones")[0] == "ok"  # it was registered a short time ago
    more = later + dt.timedelta(seconds=16)
    monkeypatch.setattr(clock, "now", lambda: more)
    AsteriskWatch.update(seen_at=more).execute()
    check_found = check_of(site, "phones")
    assert (check_found.state, user.name in check_found.values["names"]) == ("fail", True)
    presence.choose_state(user, "off")
    assert state_of(site, "phones")[0] == "ok"


def test_a_language_without_ready_operators_is_reported(site) -> None:
    assert state_of(site, "operators.ru") == ("fail", "nobody is ready")
    user = accounts.active_operators()[0]
    presence.choose_state(user, "ready")
    assert state_of(site, "operators.ru") == ("ok", "1 ready")
    User.update(speaks="uz").execute()
    assert state_of(site, "operators.ru") == ("warn", "there are no such operators")
    assert state_of(site, "operators.uz")[0] == "ok"


def test_repeated_refusals_of_an_address_are_a_fault(site, monkeypatch) -> None:
    for number in range(5):
        assert state_of(site, "refused")[0] == "ok"
        SipRefusal.create(
            sip=f"{number}@x", at=clock.now(), address=f"192.0.2.7:{5060 + number}", why="401"
        )
    check_found = check_of(site, "refused")
    assert (check_found.state, check_found.values) == ("fail", {"calls": "192.0.2.7 (5)"})
    for address, count in (("192.0.2.66", 50), (site.asterisk.address, 90), ("127.0.0.1", 90)):
        for number in range(count):
            sip = f"{number}@{address}"
            SipRefusal.create(sip=sip, at=clock.now(), address=f"{address}:5060", why="401")
    assert check_of(site, "refused").values == {"calls": "192.0.2.66 (50), 192.0.2.7 (5)"}
    later = clock.now() + dt.timedelta(minutes=6)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert state_of(site, "refused")[0] == "ok"


def test_a_schema_of_another_version_is_a_fault(site) -> None:
    assert state_of(site, "database.schema")[0] == "ok"
    [newest, *_] = db.database.execute_sql(
        "SELECT name FROM schema_migration ORDER BY name DESC"
    ).fetchone()
    db.database.execute_sql("DELETE FROM schema_migration WHERE name = ?", (newest,))
    assert state_of(site, "database.schema") == ("fail", f"is older than the program: {newest}")
    db.database.execute_sql(
        "INSERT INTO schema_migration (name, applied) VALUES (?, 0), ('9999_later', 0)", (newest,)
    )
    assert state_of(site, "database.schema") == ("fail", "is newer than the program: 9999_later")


def test_changed_or_unreadable_settings_are_reported(site) -> None:
    assert state_of(site, "settings")[0] == "ok"
    processes.register_process(site, "jobs")
    assert state_of(site, "settings")[0] == "ok"
    later = clock.now().timestamp() + 5
    os.utime(site.file, (later, later))
    assert state_of(site, "settings")[0] == "warn"
    site.file.write_text("[paths")
    assert state_of(site, "settings")[0] == "fail"


def test_a_missing_repository_or_a_wrong_key_is_a_fault(site, tmp_path) -> None:
    key, folder = tmp_path / "repository.key", tmp_path / "repository"
    key.write_text("one")
    key.chmod(0o600)
    site = dataclasses.replace(site, backups=(Backup("disk", str(folder), key),))
    assert state_of(site, "repository")[1].startswith("disk: there is no repository at")
    restic = repositories.Restic(site.backups[0], tmp_path)
    restic.query_json("init")
    assert state_of(site, "repository") == ("ok", "can be opened")
    key.write_text("two")
    assert state_of(site, "repository") == ("fail", "disk: our key does not open it")
    key.unlink()
    assert state_of(site, "repository")[0] == "fail"
    key.write_text("one")
    assert state_of(site, "repository")[0] == "ok"


def test_an_event_log_that_is_never_rotated_is_a_fault(site) -> None:
    assert state_of(site, "event_log.size")[0] == "ok"
    with site.paths.event_log.open("wb") as log:
        log.truncate(2 << 30)
    assert state_of(site, "event_log.size") == ("fail", "2048 MB")


def test_a_check_that_raises_does_not_hide_others(site, monkeypatch) -> None:
    def raise_io_error(_settings):
        raise OSError("input/output error")

    monkeypatch.setattr(health, "CHECK_FUNCTIONS", (raise_io_error, *health.CHECK_FUNCTIONS))
    checks_by_code = {check_row.code: check_row for check_row in health.all_checks(site)}
    [failed] = [check_row for code, check_row in checks_by_code.items() if code.startswith("look.")]
    assert (failed.state, failed.values["error"]) == ("fail", "OSError: input/output error")
    assert "database" in checks_by_code
