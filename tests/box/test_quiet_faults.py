"""Faults that nothing announces: files that go, messages that never arrive, a log that grows."""

import dataclasses
import datetime as dt
import http.server
import shutil
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from appliance.box import health
from appliance.box.health import front, machine, timekeeping
from appliance.box.snapshots import SnapshotError, reading
from appliance.box.snapshots.restic import Restic
from appliance.core import clock, db, i18n, outbox, sqlite
from appliance.core.settings import Audit, Backup, SmsAccount, Telegram
from appliance.models import Message
from tests.rig.locked import locked


def check(settings, code: str) -> tuple[str, str]:
    """State and words of one check, its placeholders filled."""
    found = next(check for check in health.quick(settings) if check.code == code)
    assert bool(found.advice) == (found.state != "ok")
    assert "{" not in found.advice.format(**found.values)
    return found.state, found.seen.format(**found.values)


def test_a_database_that_another_program_locks(settings) -> None:
    assert check(settings, "database") == ("ok", "takes changes")
    with locked(settings.paths.database):
        assert check(settings, "database") == ("fail", "a program holds it locked")
    assert check(settings, "database")[0] == "ok"


def test_changes_that_are_copied_do_not_count_however_large_the_log(settings, monkeypatch) -> None:
    monkeypatch.setattr(machine, "BEHIND", 1 << 20)
    database = settings.paths.database
    reader = sqlite.connect(database, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM message").fetchone()
    with db.database.atomic():
        db.database.execute_sql("CREATE TABLE filler (text)")
        for _ in range(40):
            db.database.execute_sql("INSERT INTO filler VALUES (?)", ("x" * 65536,))
    db.database.execute_sql("PRAGMA wal_checkpoint(PASSIVE)")
    assert check(settings, "database.wal")[0] == "fail"
    reader.close()
    db.database.execute_sql("PRAGMA wal_checkpoint(PASSIVE)")
    log = database.with_name(f"{database.name}-wal")
    assert log.stat().st_size > machine.BEHIND
    assert check(settings, "database.wal")[0] == "ok"
    assert machine.uncopied_bytes(database) < 1 << 16  # the check itself writes a page


def test_old_logs_that_pile_up(settings, monkeypatch) -> None:
    monkeypatch.setattr(machine, "OLD_LOGS_BYTES", 1000)
    log = settings.paths.event_log
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"x" * 5000)
    assert check(settings, "event_log.old")[0] == "ok"
    log.with_name(f"{log.name}.1").write_bytes(b"x" * 5000)
    assert check(settings, "event_log.old")[0] == "fail"


@pytest.mark.parametrize(("free", "expected"), [(2_000_000, "ok"), (50_000, "fail"), (None, None)])
def test_swap_space(settings, monkeypatch, free, expected) -> None:
    text = "MemTotal: 4000000 kB\nMemAvailable: 3000000 kB\n"
    text += f"SwapTotal: {2_000_000 if free else 0} kB\nSwapFree: {free or 0} kB\n"
    whole = Path.read_text

    def read(path: Path, *arguments: str) -> str:
        return text if str(path) == "/proc/meminfo" else whole(path, *arguments)

    monkeypatch.setattr(Path, "read_text", read)
    states = {found.code: found.state for found in machine.memory(settings)}
    assert states.get("memory.swap") == expected


def test_a_full_folder_for_temporary_files(settings, monkeypatch) -> None:
    assert check(settings, "disk.temporary")[0] == "ok"
    monkeypatch.setattr(health.disks, "_share", lambda folder, of_files: 0.01)
    assert check(settings, "disk.temporary") == ("fail", f"1 % are left at {_temporary()}")


def _temporary() -> str:
    import tempfile

    return tempfile.gettempdir()


def test_keys_that_are_gone(settings, tmp_path) -> None:
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
    assert check(site, "keys")[0] == "ok"  # the private half may be off the box
    for name in ("audit.key", "recovery.pub"):
        files[name].unlink()
        assert check(site, "keys") == ("fail", f"missing: {files[name]}")
        files[name].write_text("key")


def test_texts_that_are_gone(settings, tmp_path, monkeypatch) -> None:
    assert check(settings, "texts")[0] == "ok"
    copy = tmp_path / "translations"
    shutil.copytree(i18n.CATALOGUES, copy, ignore=shutil.ignore_patterns("*.po"))
    monkeypatch.setattr(i18n, "CATALOGUES", copy)
    monkeypatch.setattr(i18n, "_loaded", {})
    catalogue = copy / "ru" / "LC_MESSAGES" / "messages.mo"
    aside = catalogue.rename(tmp_path / "aside")
    assert check(settings, "texts") == ("fail", "missing or damaged: ru")
    assert i18n.translations("ru").gettext("Save") == "Save"
    shutil.copy(aside, catalogue)
    assert i18n.translations("ru").gettext("Save") == "Сохранить"  # without a new process
    catalogue.unlink()
    assert i18n.translations("ru").gettext("Save") == "Сохранить"  # what was read stays
    catalogue.write_bytes(b"garbage")
    assert check(settings, "texts")[0] == "fail"


def _with_sms(settings):
    account = SmsAccount(
        name="first", kind="eskiz", url="http://127.0.0.1:9", user="u", password="p"
    )
    return dataclasses.replace(settings, sms=(account,))


def test_messages_that_are_taken_and_never_arrive(settings) -> None:
    site, now = _with_sms(settings), clock.now()
    for number in range(health.messages.UNREPORTED):
        message = outbox.put_sms(
            "answer", f"+99890123456{number}", "x", key=f"{number}", tz=site.tz
        )
        taken = {"state": "sent", "gateway": "first", "sent_at": now - dt.timedelta(hours=2)}
        Message.update(taken).where(Message.id == message.id).execute()
    count = health.messages.UNREPORTED
    assert check(site, "sms.delivery") == (
        "fail",
        f"first: {count} messages taken, none known to have arrived",
    )
    # Play Mobile reports to an address of ours, where it is given one, and never otherwise.
    silent = dataclasses.replace(site.sms[0], kind="playmobile")
    assert check(dataclasses.replace(site, sms=(silent,)), "sms.delivery")[0] == "ok"
    calling = dataclasses.replace(silent, callback_secret="secret")
    assert check(dataclasses.replace(site, sms=(calling,)), "sms.delivery")[0] == "fail"
    Message.update(state="delivered").where(Message.id == message.id).execute()
    assert check(site, "sms.delivery")[0] == "ok"
    Message.update(state="sent", sent_at=now).execute()  # a report may still come
    assert check(site, "sms.delivery")[0] == "ok"


def test_a_chat_that_is_gone(settings) -> None:
    site = dataclasses.replace(settings, telegram=Telegram("token", -100))
    outbox.put("telegram", "alarm", "-100", key="1", text="x")
    ended = {"ended_at": clock.now(), "state": "refused", "trouble_text": "chat not found"}
    Message.update(ended).execute()
    assert check(site, "telegram.chats") == (
        "fail",
        "-100: the last message was refused (chat not found)",
    )
    outbox.put("telegram", "alarm", "-100", key="2", text="x")
    assert check(site, "telegram.chats")[0] == "fail"  # it is not sent yet
    later = clock.now() + dt.timedelta(seconds=1)
    Message.update(sent_at=later, state="sent").where(Message.key == "2").execute()
    assert check(site, "telegram.chats")[0] == "ok"


@pytest.mark.parametrize(
    ("is_box", "zone", "expected"),
    [(True, "Asia/Tashkent", "fail"), (True, "Etc/UTC", "ok"), (False, "Asia/Tashkent", "ok")],
)
def test_a_wrong_time_zone(settings, tmp_path, monkeypatch, is_box, zone, expected) -> None:
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setattr(
        timekeeping, "BOX_SETTINGS", settings.file.parent if is_box else Path("none")
    )
    import time

    time.tzset()
    try:
        assert check(dataclasses.replace(settings, timezone=zone), "clock.zone")[0] == expected
    finally:
        monkeypatch.undo()
        time.tzset()


def _issued(folder: Path, name: str, issuer: str = "") -> Path:
    """A certificate, signed by that of another or by itself."""
    file, key = folder / f"{name}.pem", folder / f"{name}.key"
    words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 100"
    command = [*words.split(), "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(file)]
    command += ["-addext", "subjectAltName=DNS:localhost"]
    if issuer:
        command += ["-CA", str(folder / f"{issuer}.pem"), "-CAkey", str(folder / f"{issuer}.key")]
    subprocess.run(command, check=True, capture_output=True)
    return file


def test_a_certificate_behind_another_one_than_its_issuers(settings, tmp_path) -> None:
    root, other = _issued(tmp_path, "root"), _issued(tmp_path, "other")
    leaf = _issued(tmp_path, "leaf", "root")
    own = leaf.read_text()
    site = dataclasses.replace(settings, web=dataclasses.replace(settings.web, certificate=leaf))
    leaf.write_text(own + root.read_text())
    assert check(site, "certificate")[0] == "ok"
    leaf.write_text(own + other.read_text())
    assert check(site, "certificate") == ("fail", "is not followed by that of its issuer, CN=root")


class _Handler(http.server.BaseHTTPRequestHandler):
    statuses: dict[str, int] = {}

    def do_GET(self) -> None:
        begins = self.path.split("/")[1]
        self.send_response(self.statuses.get(begins, 200))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_a_front_that_gives_no_files_or_leads_nowhere(
    settings, tmp_path, free_address, monkeypatch
) -> None:
    file = _issued(tmp_path, "server")
    host, _, port = free_address.partition(":")
    server = http.server.ThreadingHTTPServer((host, int(port)), _Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, file.with_suffix(".key"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    web = dataclasses.replace(settings.web, certificate=file, url=f"https://{free_address}")
    phones = dataclasses.replace(settings.asterisk, browser_phones=True)
    site = dataclasses.replace(settings, web=web, asterisk=phones)
    monkeypatch.setattr(front.processes, "living", lambda settings: {"web": [object()]})
    try:
        for statuses, expected in (
            ({"ws": 401}, ("ok", "answers")),
            ({"built": 404}, ("fail", "does not give out the pages' own files (404)")),
            ({"ws": 404}, ("fail", "does not pass phones in pages on (404)")),
            ({"healthz": 502}, ("fail", "does not reach the pages (502)")),
            ({"healthz": 503}, ("ok", "answers")),  # the database is named by its own check
        ):
            monkeypatch.setattr(_Handler, "statuses", statuses)
            found = next(front.front(site))
            assert (found.state, found.seen.format(**found.values)) == expected
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_the_socket_of_phones_in_pages(settings, free_address) -> None:
    host, _, port = free_address.partition(":")
    place = dataclasses.replace(
        settings.asterisk, address=host, http_port=int(port), browser_phones=True
    )
    site = dataclasses.replace(settings, asterisk=place)
    assert check(site, "asterisk.wss") == ("fail", f"does not answer at {free_address}")
    with socket.create_server((host, int(port))):
        assert check(site, "asterisk.wss")[0] == "ok"


def test_data_of_a_repository_that_rots(tmp_path, monkeypatch) -> None:
    """A part that is read each night finds what the index does not know of."""
    monkeypatch.setattr(reading, "NIGHTLY_PARTS", 3)
    password, data = tmp_path / "password", tmp_path / "data"
    password.write_text("secret")
    data.write_bytes(b"".join(bytes([n % 251]) * 997 for n in range(4000)))
    restic = Restic(Backup("first", str(tmp_path / "repository"), password), tmp_path / "cache")
    restic.run("init")
    restic.run("backup", str(data))
    packs = (tmp_path / "repository" / "data").glob("*/*")
    pack = max(packs, key=lambda file: file.stat().st_size)
    content = bytearray(pack.read_bytes())
    content[len(content) // 2] ^= 0xFF
    pack.chmod(0o600)
    pack.write_bytes(content)
    reading.check(restic)  # by the index alone all is well
    codes = [_fault_in(restic, part) for part in range(1, reading.NIGHTLY_PARTS + 1)]
    assert sorted(filter(None, codes)) == ["damaged"]


def _fault_in(restic: Restic, part: int) -> str:
    """The code of what is wrong in a part of a repository; "" for nothing."""
    try:
        reading.check(restic, part)
    except SnapshotError as error:
        return error.code
    return ""
