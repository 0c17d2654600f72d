"""Faults that a running site has to tell of: how each is put in, and by which check it is seen."""

import os
import signal
from pathlib import Path

from tests.rig.trials import deeds
from tests.rig.trials.deeds import Fault, Scene

NO_PAGE = ("command", "alarm")  # the pages are what is broken


def _key(scene: Scene) -> Path:
    return scene.place.folder / "tls" / "server.key"


def _certificate(scene: Scene) -> Path:
    return scene.place.folder / "tls" / "server.pem"


def _log(scene: Scene) -> Path:
    return scene.settings.paths.event_log


def _repository_key(scene: Scene) -> Path:
    return scene.settings.backups[0].password_file


def _database(scene: Scene) -> Path:
    return scene.settings.paths.database


def _recordings(scene: Scene) -> Path:
    return scene.settings.paths.recordings


_OPEN = "permissions.open"
_TOMORROW = ("-days", "300", "-addext", "subjectAltName=DNS:localhost")
FAULTS = (
    # the log and the folders
    Fault(
        "cel_custom not loaded, a call comes",
        "event_log.calls",
        *deeds.with_call(deeds.unload("cel_custom.so")),
        group=1,
    ),
    Fault(
        "settings readable by all",
        _OPEN,
        *deeds.mode(lambda s: s.place.config, 0o644),
        text="appliance.toml",
        group=1,
    ),
    Fault(
        "recovery.key readable by all",
        _OPEN,
        *deeds.mode(lambda s: Path(s.settings.snapshots.recovery_file), 0o644),
        text="recovery.key",
        group=1,
    ),
    Fault(
        "repository.key readable by all",
        _OPEN,
        *deeds.mode(_repository_key, 0o644),
        text="repository.key",
        group=1,
    ),
    Fault(
        "tls/server.key readable by all",
        _OPEN,
        *deeds.mode(_key, 0o644),
        text="server.key",
        group=1,
    ),
    Fault(
        "database writable by all",
        _OPEN,
        *deeds.mode(_database, 0o666),
        text="appliance.db",
        group=1,
    ),
    Fault(
        "recordings writable by all",
        _OPEN,
        *deeds.mode(_recordings, 0o777),
        text="/recordings",
        group=1,
    ),
    Fault(
        "music on hold missing",
        "music",
        *deeds.away(lambda s: s.settings.paths.prompts / "music"),
        group=1,
    ),
    Fault(
        "certificate and key no pair",
        "certificate",
        *deeds.other(_key, deeds.another_key),
        text="does not belong",
        group=1,
    ),
    Fault("jobs runs twice", "process.jobs", *deeds.twice("jobs"), group=2),
    Fault("pbx runs twice", "process.pbx", *deeds.twice("pbx"), group=2),
    # ways in
    Fault(
        "event log moved away, a call comes",
        "event_log.file",
        *deeds.with_call(deeds.away(lambda s: _log(s).parent, instead=True)),
        group=1,
    ),
    Fault("app_queue unloaded", "asterisk.queues", *deeds.unload("app_queue.so"), group=1),
    Fault(
        "a carrier at a new address, 20 calls, behind a louder scanner",
        "refused",
        deeds.stray,
        deeds.nothing,
        text=".77 (20)",
        group=6,
    ),
    Fault("nginx hung", "front", *deeds.freeze("front"), group=1),
    Fault(
        "certificate for another name",
        "certificate",
        *deeds.other(
            _certificate,
            deeds.certificate("-days", "300", "-addext", "subjectAltName=DNS:other.uz"),
        ),
        text="other.uz",
        group=5,
    ),
    Fault("nobody ready who speaks Russian", "operators.ru", *deeds.nobody("ru"), group=2),
    Fault(
        "database belongs to another account",
        "permissions.owner",
        *deeds.owner(_database),
        text="appliance.db",
        group=1,
    ),
    # what is recorded
    Fault(
        "recordings folder missing, a call comes",
        "recordings.folder",
        *deeds.with_call(deeds.away(_recordings, instead=True), talks=True),
        group=2,
    ),
    Fault(
        "the newest talk has no recording",
        "recordings.newest",
        deeds.nothing,
        deeds.nothing,
        group=2,
    ),
    Fault("nginx dead", "front", *deeds.outside(deeds.stop_front, deeds.start_front), group=2),
    Fault(
        "a ready operator's phone not registered",
        "phones",
        deeds.phone_gone,
        deeds.phone_back,
        group=2,
    ),
    Fault(
        "certificate not valid yet",
        "certificate",
        *deeds.other(
            _certificate,
            deeds.certificate(
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
        *deeds.unload("app_userevent.so"),
        text="app_userevent.so",
        group=2,
    ),
    # processes
    Fault("jobs hung", "process.jobs", *deeds.freeze("jobs"), group=3),
    Fault(
        "the event log is a folder",
        "event_log.file",
        *deeds.outside(deeds.log_as_folder, deeds.log_as_file),
        group=4,
    ),
    Fault("pbx hung", "process.pbx", *deeds.freeze("pbx"), group=4),
    Fault(
        "the worker of web frozen",
        "process.web",
        *deeds.outside(lambda s: os.kill(deeds.worker(s), signal.SIGSTOP), deeds.let_on),
        ways=NO_PAGE,
        group=6,
    ),
    Fault("gunicorn's keeper frozen", "process.web", *deeds.freeze("web"), group=5),
    # the list of our own
    Fault(
        "the repository's key is another",
        "repository",
        *deeds.other(_repository_key, lambda _s: b"another"),
        text="our key",
        group=1,
    ),
    Fault(
        "the repository is gone",
        "repository",
        *deeds.away(lambda s: Path(s.settings.backups[0].url)),
        text="no repository",
        group=2,
    ),
    Fault(
        "a program with Debian's SQLite has the database open",
        "sqlite",
        *deeds.other_sqlite(),
        text="python3",
        group=1,
    ),
    Fault(
        "schema of a later version",
        "database.schema",
        *deeds.sql(
            "INSERT INTO schema_migration (name, applied) VALUES ('9999_later', 0)",
            "DELETE FROM schema_migration WHERE name = '9999_later'",
        ),
        group=1,
    ),
    Fault(
        "schema of a former version",
        "database.schema",
        *deeds.sql(
            "UPDATE schema_migration SET name = 'x' || name WHERE name LIKE '0027%'",
            "UPDATE schema_migration SET name = substr(name, 2) WHERE name LIKE 'x0027%'",
        ),
        text="older",
        group=2,
    ),
    Fault(
        "Telegram refuses the token",
        "telegram",
        *deeds.outside(
            lambda s: setattr(s.bot, "refuses", True), lambda s: setattr(s.bot, "refuses", False)
        ),
        group=1,
    ),
    Fault(
        "a second reader of the bot",
        "telegram",
        *deeds.outside(
            lambda s: setattr(s.bot, "second_reader", True),
            lambda s: setattr(s.bot, "second_reader", False),
        ),
        text="another program",
        group=2,
    ),
    Fault(
        "the internet is gone",
        "link.internet",
        *deeds.outside(
            lambda s: deeds.internet(s, up=False),
            lambda s: deeds.internet(s, up=True),
        ),
        group=1,
    ),
    Fault(
        "the continuous copy is dead",
        "replica",
        *deeds.outside(lambda s: deeds.end(s, "replicate"), deeds.start_replicate),
        group=1,
    ),
    Fault(
        "the continuous copy cannot be restored",
        "replica",
        *deeds.sql(
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
        *deeds.sql(
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
        *deeds.away(lambda s: s.settings.paths.prompts / "uz" / "menu.wav"),
        text="uz/menu",
        group=1,
    ),
    Fault(
        "Asterisk's spool folder is gone",
        "asterisk.folders",
        *deeds.away(lambda s: s.settings.asterisk.spool, instead=True),
        group=1,
    ),
    Fault(
        "recordings belong to another account",
        "permissions.owner",
        *deeds.owner(_recordings),
        text="/recordings",
        group=2,
    ),
    Fault(
        "a drill failed",
        "drill",
        deeds.failed_drill,
        deeds.no_drill,
        group=2,
    ),
    Fault("Asterisk hung", "asterisk", *deeds.freeze("asterisk"), group=5),
    Fault(
        "certificate ended",
        "certificate",
        *deeds.other(
            _certificate,
            deeds.certificate(
                "-not_before",
                "20200101000000Z",
                "-not_after",
                "20210101000000Z",
                "-addext",
                "subjectAltName=DNS:localhost",
            ),
        ),
        text="ended on",
        group=4,
    ),
    Fault(
        "settings that cannot be read",
        "command",
        *deeds.other(lambda s: s.place.config, lambda _s: b"[paths"),
        ways=("command",),
        group=7,
    ),
)
