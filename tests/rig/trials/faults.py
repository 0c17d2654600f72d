"""Faults that a running site must report: how each is injected, and which check reports it."""

import os
import signal
from pathlib import Path

from tests.rig.trials import fault_actions
from tests.rig.trials.fault_actions import Fault, Scene

WAYS_WITHOUT_PAGE = ("command", "alarm")  # the pages are broken themselves


def _key_path(scene: Scene) -> Path:
    return scene.place.folder / "tls" / "server.key"


def _certificate_path(scene: Scene) -> Path:
    return scene.place.folder / "tls" / "server.pem"


def _log_path(scene: Scene) -> Path:
    return scene.settings.paths.event_log


def _repository_key_path(scene: Scene) -> Path:
    return scene.settings.backups[0].password_file


def _database_path(scene: Scene) -> Path:
    return scene.settings.paths.database


def _recordings_path(scene: Scene) -> Path:
    return scene.settings.paths.recordings


_OPEN_CHECK = "permissions.open"
_TOMORROW = ("-days", "300", "-addext", "subjectAltName=DNS:localhost")
SITE_FAULTS = (
    # the event log, file modes and keys
    Fault(
        "cel_custom not loaded, a call comes",
        "event_log.calls",
        *fault_actions.with_call(fault_actions.unload_modules("cel_custom.so")),
        group=1,
    ),
    Fault(
        "settings readable by all",
        _OPEN_CHECK,
        *fault_actions.change_mode(lambda s: s.place.config_file, 0o644),
        text="appliance.toml",
        group=1,
    ),
    Fault(
        "recovery.key readable by all",
        _OPEN_CHECK,
        *fault_actions.change_mode(lambda s: Path(s.settings.snapshots.recovery_file), 0o644),
        text="recovery.key",
        group=1,
    ),
    Fault(
        "repository.key readable by all",
        _OPEN_CHECK,
        *fault_actions.change_mode(_repository_key_path, 0o644),
        text="repository.key",
        group=1,
    ),
    Fault(
        "tls/server.key readable by all",
        _OPEN_CHECK,
        *fault_actions.change_mode(_key_path, 0o644),
        text="server.key",
        group=1,
    ),
    Fault(
        "database writable by all",
        _OPEN_CHECK,
        *fault_actions.change_mode(_database_path, 0o666),
        text="appliance.db",
        group=1,
    ),
    Fault(
        "recordings writable by all",
        _OPEN_CHECK,
        *fault_actions.change_mode(_recordings_path, 0o777),
        text="/recordings",
        group=1,
    ),
    Fault(
        "music on hold missing",
        "music",
        *fault_actions.move_away(lambda s: s.settings.paths.prompts / "music"),
        group=1,
    ),
    Fault(
        "certificate and key no pair",
        "certificate",
        *fault_actions.replace_content(_key_path, fault_actions.make_foreign_key),
        text="does not belong",
        group=1,
    ),
    Fault("jobs runs twice", "process.jobs", *fault_actions.start_second("jobs"), group=2),
    Fault("pbx runs twice", "process.pbx", *fault_actions.start_second("pbx"), group=2),
    # the event log, queues and the front
    Fault(
        "event log moved away, a call comes",
        "event_log.file",
        *fault_actions.with_call(
            fault_actions.move_away(lambda s: _log_path(s).parent, with_placeholder=True)
        ),
        group=1,
    ),
    Fault(
        "app_queue unloaded",
        "asterisk.queues",
        *fault_actions.unload_modules("app_queue.so"),
        group=1,
    ),
    Fault(
        "a carrier at a new address, 20 calls, behind a louder scanner",
        "refused",
        fault_actions.send_stray_invites,
        fault_actions.do_nothing,
        text=".77 (20)",
        group=6,
    ),
    Fault("nginx hung", "front", *fault_actions.freeze_process("front"), group=1),
    Fault(
        "certificate for another name",
        "certificate",
        *fault_actions.replace_content(
            _certificate_path,
            fault_actions.certificate_maker(
                "-days", "300", "-addext", "subjectAltName=DNS:other.uz"
            ),
        ),
        text="other.uz",
        group=5,
    ),
    Fault(
        "nobody ready who speaks Russian",
        "operators.ru",
        *fault_actions.no_operator_ready("ru"),
        group=2,
    ),
    Fault(
        "database belongs to another account",
        "permissions.owner",
        *fault_actions.change_owner(_database_path),
        text="appliance.db",
        group=1,
    ),
    # recordings, phones and certificates
    Fault(
        "recordings folder missing, a call comes",
        "recordings.folder",
        *fault_actions.with_call(
            fault_actions.move_away(_recordings_path, with_placeholder=True), with_talk=True
        ),
        group=2,
    ),
    Fault(
        "the newest talk has no recording",
        "recordings.newest",
        fault_actions.do_nothing,
        fault_actions.do_nothing,
        group=2,
    ),
    Fault(
        "nginx dead",
        "front",
        *fault_actions.do_and_undo(fault_actions.stop_front, fault_actions.start_front),
        group=2,
    ),
    Fault(
        "a ready operator's phone not registered",
        "phones",
        fault_actions.unregister_phone,
        fault_actions.register_phone,
        group=2,
    ),
    Fault(
        "certificate not valid yet",
        "certificate",
        *fault_actions.replace_content(
            _certificate_path,
            fault_actions.certificate_maker(
                "-not_before",
                "20990101000000Z",
                "-not_after",
                "20991231000000Z",
                "-addext",
                "subjectAltName=DNS:localhost",
            ),
        ),
        text="is valid only from",
        group=2,
    ),
    Fault(
        "modules of the exchange missing",
        "asterisk.modules",
        *fault_actions.unload_modules("app_userevent.so"),
        text="app_userevent.so",
        group=2,
    ),
    # processes
    Fault("jobs hung", "process.jobs", *fault_actions.freeze_process("jobs"), group=3),
    Fault(
        "the event log is a folder",
        "event_log.file",
        *fault_actions.do_and_undo(
            fault_actions.replace_log_by_folder, fault_actions.remove_log_folder
        ),
        group=4,
    ),
    Fault("pbx hung", "process.pbx", *fault_actions.freeze_process("pbx"), group=4),
    Fault(
        "the worker of web frozen",
        "process.web",
        *fault_actions.do_and_undo(
            lambda s: os.kill(fault_actions.web_worker_pid(s), signal.SIGSTOP),
            fault_actions.resume_worker,
        ),
        ways=WAYS_WITHOUT_PAGE,
        group=6,
    ),
    Fault("gunicorn's keeper frozen", "process.web", *fault_actions.freeze_process("web"), group=5),
    # backups, database, messages and prompts
    Fault(
        "the repository's key is another",
        "repository",
        *fault_actions.replace_content(_repository_key_path, lambda _s: b"another"),
        text="our key",
        group=1,
    ),
    Fault(
        "the repository is gone",
        "repository",
        *fault_actions.move_away(lambda s: Path(s.settings.backups[0].url)),
        text="no repository",
        group=2,
    ),
    Fault(
        "a program with Debian's SQLite has the database open",
        "sqlite",
        *fault_actions.open_with_other_sqlite(),
        text="python3",
        group=1,
    ),
    Fault(
        "schema of a later version",
        "database.schema",
        *fault_actions.change_rows(
            "INSERT INTO schema_migration (name, applied) VALUES ('9999_later', 0)",
            "DELETE FROM schema_migration WHERE name = '9999_later'",
        ),
        group=1,
    ),
    Fault(
        "schema of a former version",
        "database.schema",
        *fault_actions.change_rows(
            "UPDATE schema_migration SET name = 'x' || name WHERE name LIKE '0068%'",
            "UPDATE schema_migration SET name = substr(name, 2) WHERE name LIKE 'x0068%'",
        ),
        text="older",
        group=2,
    ),
    Fault(
        "Telegram refuses the token",
        "telegram",
        *fault_actions.do_and_undo(
            lambda s: setattr(s.bot, "refuses", True), lambda s: setattr(s.bot, "refuses", False)
        ),
        group=1,
    ),
    Fault(
        "a second reader of the bot",
        "telegram",
        *fault_actions.do_and_undo(
            lambda s: setattr(s.bot, "second_reader", True),
            lambda s: setattr(s.bot, "second_reader", False),
        ),
        text="another program",
        group=2,
    ),
    Fault(
        "the internet is gone",
        "link.internet",
        *fault_actions.do_and_undo(
            lambda s: fault_actions.set_internet(s, is_up=False),
            lambda s: fault_actions.set_internet(s, is_up=True),
        ),
        group=1,
    ),
    Fault(
        "the continuous copy is dead",
        "replica",
        *fault_actions.do_and_undo(
            lambda s: fault_actions.end_processes(s, "replicate"), fault_actions.start_replicate
        ),
        group=1,
    ),
    Fault(
        "the continuous copy cannot be restored",
        "replica",
        *fault_actions.change_rows(
            "INSERT INTO copy_check (started_at, ended_at, state, trouble, said, counts, seconds) "
            "SELECT strftime('%s') * 1000000, strftime('%s') * 1000000, 'failed', 'damaged', "
            "'unexpected EOF', '{}', 1",
            "DELETE FROM copy_check WHERE said = 'unexpected EOF'",
        ),
        text="unexpected EOF",
        group=2,
    ),
    Fault(
        "messages are on hold since a restore",
        "outbox.held",
        *fault_actions.change_rows(
            "INSERT INTO message (channel, purpose, recipient, key, text, payload, cause, state, "
            "created_at, wanted_at, due_at, expires_at, attempts, claimed_by, gateway, foreign_id, "
            "trouble, trouble_text, perhaps_twice) VALUES ('sms', 'answered', '+998935550147', "
            "'held', 'x', '{}', '', 'held', 1, 1, 1, 1, 0, '', '', '', '', '', 0); "
            "INSERT INTO held_message (message_id, held_at, former, account, word) "
            "SELECT id, 1, '', '', '' FROM message WHERE key = 'held'",
            "DELETE FROM held_message; DELETE FROM message WHERE key = 'held'",
        ),
        group=2,
    ),
    Fault(
        "a prompt is missing",
        "prompts",
        *fault_actions.move_away(lambda s: s.settings.paths.prompts / "uz" / "menu.wav"),
        text="uz/menu",
        group=1,
    ),
    Fault(
        "Asterisk's spool folder is gone",
        "asterisk.folders",
        *fault_actions.move_away(lambda s: s.settings.asterisk.spool, with_placeholder=True),
        group=1,
    ),
    Fault(
        "recordings belong to another account",
        "permissions.owner",
        *fault_actions.change_owner(_recordings_path),
        text="/recordings",
        group=2,
    ),
    Fault(
        "a drill failed",
        "drill",
        fault_actions.run_failing_drill,
        fault_actions.delete_drills,
        group=2,
    ),
    Fault("Asterisk hung", "asterisk", *fault_actions.freeze_process("asterisk"), group=5),
    Fault(
        "certificate ended",
        "certificate",
        *fault_actions.replace_content(
            _certificate_path,
            fault_actions.certificate_maker(
                "-not_before",
                "20200101000000Z",
                "-not_after",
                "20210101000000Z",
                "-addext",
                "subjectAltName=DNS:localhost",
            ),
        ),
        text="expired on",
        group=4,
    ),
    Fault(
        "settings that cannot be read",
        "command",
        *fault_actions.replace_content(lambda s: s.place.config_file, lambda _s: b"[paths"),
        ways=("command",),
        group=7,
    ),
)
