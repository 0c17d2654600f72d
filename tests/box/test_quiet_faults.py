"""Faults that nothing announces: missing files, undelivered messages, a growing log."""

import dataclasses
import datetime as dt
import http.server
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from appliance.box import health
from appliance.box.health import front, machine, timekeeping
from appliance.box.snapshots import reading
from appliance.box.snapshots.errors import SnapshotError
from appliance.box.snapshots.restic import Restic
from appliance.core import clock, db, i18n, outbox, sqlite
from appliance.core.settings import Audit, Backup, SmsAccount, Telegram
from appliance.models import Message
from tests.rig.locked import locked_database


def check_result(settings, code: str) -> tuple[str, str]:
    """State and text of one check, with its placeholders filled."""
    check_found = next(check for check in health.quick_checks(settings) if check.code == code)
    assert bool(check_found.advice) == (check_found.state != "ok")
    assert "{" not in check_found.advice.format(**check_found.values)
    return check_found.state, check_found.seen.format(**check_found.values)


def test_a_database_locked_by_another_program_is_a_fault(settings) -> None:
    assert check_result(settings, "database") == ("ok", "accepts changes")
    with locked_database(settings.paths.database):
        assert check_result(settings, "database") == ("fail", "another program keeps it locked")
    assert check_result(settings, "database")[0] == "ok"


def test_copied_changes_do_not_count_however_large_the_log(settings, monkeypatch) -> None:
    monkeypatch.setattr(machine, "MAX_UNCOPIED_BYTES", 1 << 20)
    database = settings.paths.database
    reader = sqlite.connect(database, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM message").fetchone()
    with db.database.atomic():
        db.database.execute_sql("CREATE TABLE filler (text)")
        for _ in range(40):
            db.database.execute_sql("INSERT INTO filler VALUES (?)", ("x" * 65536,))
    db.database.execute_sql("PRAGMA wal_checkpoint(PASSIVE)")
    assert check_result(settings, "database.wal")[0] == "fail"
    reader.close()
    db.database.execute_sql("PRAGMA wal_checkpoint(PASSIVE)")
    log = database.with_name(f"{database.name}-wal")
    assert log.stat().st_size > machine.MAX_UNCOPIED_BYTES
    assert check_result(settings, "database.wal")[0] == "ok"
    assert db.uncopied_log_bytes() < 1 << 16  # the check itself writes a page


def test_a_look_at_the_log_releases_no_lock_of_this_process(settings) -> None:
    """To read `-shm` would: another process could then write at the same time."""
    attempt = (
        "import sys; from appliance.core import sqlite;"
        "sqlite.connect(sys.argv[1], isolation_level=None, timeout=0).execute('BEGIN IMMEDIATE')"
    )
    with db.write_transaction():
        db.database.execute_sql("PRAGMA user_version")
        list(machine.check_log_sizes(settings))
        done = subprocess.run(
            [sys.executable, "-c", attempt, str(settings.paths.database)],
            capture_output=True,
            text=True,
        )
    assert "database is locked" in done.stderr


def test_accumulated_old_logs_are_a_fault(settings, monkeypatch) -> None:
    monkeypatch.setattr(machine, "MAX_OLD_LOGS_BYTES", 1000)
    log = settings.paths.event_log
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"x" * 5000)
    assert check_result(settings, "event_log.old")[0] == "ok"
    log.with_name(f"{log.name}.1").write_bytes(b"x" * 5000)
    assert check_result(settings, "event_log.old")[0] == "fail"


@pytest.mark.parametrize(("free", "expected"), [(2_000_000, "ok"), (50_000, "fail"), (None, None)])
def test_low_swap_space_is_a_fault(settings, monkeypatch, free, expected) -> None:
    text = "MemTotal: 4000000 kB\nMemAvailable: 3000000 kB\n"
    text += f"SwapTotal: {2_000_000 if free else 0} kB\nSwapFree: {free or 0} kB\n"
    original_read_text = Path.read_text

    def read_meminfo(path: Path, *arguments: str) -> str:
        return text if str(path) == "/proc/meminfo" else original_read_text(path, *arguments)

    monkeypatch.setattr(Path, "read_text", read_meminfo)
    states = {check_row.code: check_row.state for check_row in machine.check_memory(settings)}
    assert states.get("memory.swap") == expected


def test_a_full_temporary_folder_is_a_fault(settings, monkeypatch) -> None:
    assert check_result(settings, "disk.temporary")[0] == "ok"
    monkeypatch.setattr(health.disks, "_free_share", lambda folder, of_files: 0.01)
    assert check_result(settings, "disk.temporary") == (
        "fail",
        f"1 % left in {_temporary_folder()}",
    )


def _temporary_folder() -> str:
    import tempfile

    return tempfile.gettempdir()


def test_missing_keys_are_a_fault(settings, tmp_path) -> None:
    files = {name: tmp_path / name for name in ("audit.key", "audit.pub", "backup", "recovery.pub")}
    for file in files.values():
        file.write_text("key")
    site = dataclasses.replace(
        settings,
        audit=Audit(str(files["audit.key"]), str(files["audit.pub"])),
        backups=(Backup("first", str(tmp_path / "repository"), files["backup"]),),
        snapshots=dataclasses.replace(
            settings.snapshots, recovery_file=str(tmp_path / "recovery.key")
        ),
    )
    assert check_result(site, "keys")[0] == "ok"  # the private half may be stored elsewhere
    for name in ("audit.key", "recovery.pub"):
        files[name].unlink()
        assert check_result(site, "keys") == ("fail", f"missing: {files[name]}")
        files[name].write_text("key")


def test_missing_translations_are_a_fault(settings, tmp_path, monkeypatch) -> None:
    assert check_result(settings, "texts")[0] == "ok"
    copy = tmp_path / "translations"
    shutil.copytree(i18n.CATALOGUES, copy, ignore=shutil.ignore_patterns("*.po"))
    monkeypatch.setattr(i18n, "CATALOGUES", copy)
    monkeypatch.setattr(i18n, "_catalogue_cache", {})
    catalogue = copy / "ru" / "LC_MESSAGES" / "messages.mo"
    moved_catalogue = catalogue.rename(tmp_path / "aside")
    assert check_result(settings, "texts") == ("fail", "missing or damaged: ru")
    assert i18n.locale_translations("ru").gettext("Save") == "Save"
    shutil.copy(moved_catalogue, catalogue)
    # without a restart of the process
    assert i18n.locale_translations("ru").gettext("Save") == "Сохранить"
    catalogue.unlink()
    # texts already loaded are kept
    assert i18n.locale_translations("ru").gettext("Save") == "Сохранить"
    catalogue.write_bytes(b"garbage")
    assert check_result(settings, "texts")[0] == "fail"


def _site_with_sms(settings):
    account = SmsAccount(
        name="first", kind="eskiz", url="http://127.0.0.1:9", user="u", password="p"
    )
    return dataclasses.replace(settings, sms=(account,))


def test_accepted_but_undelivered_messages_are_a_fault(settings) -> None:
    site, now = _site_with_sms(settings), clock.now()
    for number in range(health.messages.MIN_UNREPORTED_MESSAGES):
        message = outbox.queue_sms(
            "answer", f"+99890123456{number}", "x", key=f"{number}", tz=site.tz
        )
        sent_values = {"state": "sent", "gateway": "first", "sent_at": now - dt.timedelta(hours=2)}
        Message.update(sent_values).where(Message.id == message.id).execute()
    count = health.messages.MIN_UNREPORTED_MESSAGES
    assert check_result(site, "sms.delivery") == (
        "fail",
        f"first: {count} messages accepted, not one is known to be delivered",
    )
    # Play Mobile reports to our address if the account has one, and otherwise not at all.
    without_reports = dataclasses.replace(site.sms[0], kind="playmobile")
    assert (
        check_result(dataclasses.replace(site, sms=(without_reports,)), "sms.delivery")[0] == "ok"
    )
    with_reports = dataclasses.replace(without_reports, callback_secret="secret")
    assert check_result(dataclasses.replace(site, sms=(with_reports,)), "sms.delivery")[0] == "fail"
    Message.update(state="delivered").where(Message.id == message.id).execute()
    assert check_result(site, "sms.delivery")[0] == "ok"
    Message.update(state="sent", sent_at=now).execute()  # a report may still arrive
    assert check_result(site, "sms.delivery")[0] == "ok"


def test_a_chat_that_no_longer_exists_is_a_fault(settings) -> None:
    site = dataclasses.replace(settings, telegram=Telegram("token", -100))
    outbox.queue_message("telegram", "alarm", "-100", key="1", text="x")
    ended = {"ended_at": clock.now(), "state": "refused", "trouble_text": "chat not found"}
    Message.update(ended).execute()
    assert check_result(site, "telegram.chats") == (
        "fail",
        "-100: the last message was refused (chat not found)",
    )
    outbox.queue_message("telegram", "alarm", "-100", key="2", text="x")
    assert check_result(site, "telegram.chats")[0] == "fail"  # it is not sent yet
    later = clock.now() + dt.timedelta(seconds=1)
    Message.update(sent_at=later, state="sent").where(Message.key == "2").execute()
    assert check_result(site, "telegram.chats")[0] == "ok"


@pytest.mark.parametrize(
    ("is_box", "zone", "expected"),
    [(True, "Asia/Tashkent", "fail"), (True, "Etc/UTC", "ok"), (False, "Asia/Tashkent", "ok")],
)
def test_a_wrong_time_zone_of_a_box_is_a_fault(
    settings, tmp_path, monkeypatch, is_box, zone, expected
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setattr(
        timekeeping, "BOX_SETTINGS", settings.file.parent if is_box else Path("none")
    )
    import time

    time.tzset()
    try:
        assert (
            check_result(dataclasses.replace(settings, timezone=zone), "clock.zone")[0] == expected
        )
    finally:
        monkeypatch.undo()
        time.tzset()


def _create_certificate(folder: Path, name: str, issuer: str = "") -> Path:
    """A certificate, signed by that of `issuer` or self-signed."""
    file, key = folder / f"{name}.pem", folder / f"{name}.key"
    words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 100"
    command = [*words.split(), "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(file)]
    command += ["-addext", "subjectAltName=DNS:localhost"]
    if issuer:
        command += ["-CA", str(folder / f"{issuer}.pem"), "-CAkey", str(folder / f"{issuer}.key")]
    subprocess.run(command, check=True, capture_output=True)
    return file


def test_a_certificate_must_be_followed_by_that_of_its_issuer(settings, tmp_path) -> None:
    root, unrelated = _create_certificate(tmp_path, "root"), _create_certificate(tmp_path, "other")
    leaf = _create_certificate(tmp_path, "leaf", "root")
    leaf_text = leaf.read_text()
    site = dataclasses.replace(settings, web=dataclasses.replace(settings.web, certificate=leaf))
    leaf.write_text(leaf_text + root.read_text())
    assert check_result(site, "certificate")[0] == "ok"
    leaf.write_text(leaf_text + unrelated.read_text())
    assert check_result(site, "certificate") == (
        "fail",
        "the certificate of its issuer, CN=root, does not follow it",
    )


class _StatusHandler(http.server.BaseHTTPRequestHandler):
    statuses: dict[str, int] = {}

    def do_GET(self) -> None:
        begins = self.path.split("/")[1]
        self.send_response(self.statuses.get(begins, 200))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_a_front_that_does_not_serve_files_or_forward_requests_is_a_fault(
    settings, tmp_path, free_address, monkeypatch
) -> None:
    file = _create_certificate(tmp_path, "server")
    host, _, port = free_address.partition(":")
    server = http.server.ThreadingHTTPServer((host, int(port)), _StatusHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, file.with_suffix(".key"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    web = dataclasses.replace(settings.web, certificate=file, url=f"https://{free_address}")
    phones = dataclasses.replace(settings.asterisk, browser_phones=True)
    site = dataclasses.replace(settings, web=web, asterisk=phones)
    monkeypatch.setattr(front.processes, "running_processes", lambda settings: {"web": [object()]})
    try:
        for statuses, expected in (
            ({"ws": 401}, ("ok", "answers")),
            ({"built": 404}, ("fail", "does not serve the pages' own files (404)")),
            ({"ws": 404}, ("fail", "does not pass on the connection of phones in pages (404)")),
            ({"healthz": 502}, ("fail", "does not reach the pages (502)")),
            ({"healthz": 503}, ("ok", "answers")),  # the database has its own check
        ):
            monkeypatch.setattr(_StatusHandler, "statuses", statuses)
            front_check = next(front.check_tls_front(site))
            assert (front_check.state, front_check.seen.format(**front_check.values)) == expected
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_the_socket_of_page_phones_must_answer(settings, free_address) -> None:
    host, _, port = free_address.partition(":")
    place = dataclasses.replace(
        settings.asterisk, address=host, http_port=int(port), browser_phones=True
    )
    site = dataclasses.replace(settings, asterisk=place)
    assert check_result(site, "asterisk.wss") == ("fail", f"does not answer at {free_address}")
    with socket.create_server((host, int(port))):
        assert check_result(site, "asterisk.wss")[0] == "ok"


def test_damaged_data_of_a_repository_are_found(tmp_path, monkeypatch) -> None:
    """Reading one part each night finds damage that the index does not show."""
    monkeypatch.setattr(reading, "NIGHTLY_PARTS", 3)
    password, data = tmp_path / "password", tmp_path / "data"
    password.write_text("secret")
    data.write_bytes(b"".join(bytes([n % 251]) * 997 for n in range(4000)))
    restic = Restic(Backup("first", str(tmp_path / "repository"), password), tmp_path / "cache")
    restic.run_command("init")
    restic.run_command("backup", str(data))
    packs = (tmp_path / "repository" / "data").glob("*/*")
    pack = max(packs, key=lambda file: file.stat().st_size)
    content = bytearray(pack.read_bytes())
    content[len(content) // 2] ^= 0xFF
    pack.chmod(0o600)
    pack.write_bytes(content)
    reading.check_repository(restic)  # by the index alone, no fault is found
    codes = [_fault_in(restic, part) for part in range(1, reading.NIGHTLY_PARTS + 1)]
    assert sorted(filter(None, codes)) == ["damaged"]


def _fault_in(restic: Restic, part: int) -> str:
    """The code of the fault found in a part of a repository; "" without one."""
    try:
        reading.check_repository(restic, part)
    except SnapshotError as error:
        return error.code
    return ""
