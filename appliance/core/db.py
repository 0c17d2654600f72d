"""The one SQLite database: connection, write transactions, online copy."""

import contextlib
import datetime as dt
import logging
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from peewee import Field, ModelSelect, OperationalError, PeeweeException, SqliteDatabase
from playhouse.migrations import Runner

from appliance import PACKAGE
from appliance.core import files, sqlite
from appliance.core.db_bell import Bell
from appliance.core.db_line import Line

MIGRATIONS = PACKAGE / "migrations"

log = logging.getLogger(__name__)

Error = PeeweeException  # whatever the database could not do

PATIENCE = 10.0  # seconds for which whoever writes waits for others
_BUSY = int(PATIENCE * 1000)
_LOOK = 0.002  # seconds between two looks whether the lock is free
_AGAIN = 0.2  # seconds until what met a busy database is tried again
_TURN = 0.005  # seconds after which long work gives up the write lock when somebody waits for it
_LONGEST = 0.25  # the same when nobody seems to
_POLITE = 1.0  # seconds for which long work lets others go first
_BUSY_WORDS = ("locked", "locking protocol")  # of who writes; of who writes too often to be read
_CHANGES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


def _adapted(moment: dt.datetime) -> str:
    """A moment without a zone as a text, as the table of the migrations has it.

    Ours have one and are kept as numbers: as a text such a moment would be later than every number
    that it is compared with. Raises TypeError.
    """
    if moment.tzinfo:
        raise TypeError(f"{moment}: tables keep moments as numbers; take MomentField.db_value")
    return str(moment)


sqlite.register_adapter(dt.datetime, _adapted)


class _Connection(sqlite.Connection):
    """A connection that forgets what was begun to be read and not read to its end.

    As long as such a reading is open, everything else on the connection is read as it was then; a
    reading that belongs to a circle of objects stays open for a while.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._cursors: weakref.WeakSet[sqlite.Cursor] = weakref.WeakSet()

    def cursor(self, *arguments: Any) -> Any:
        cursor = super().cursor(*arguments)
        self._cursors.add(cursor)
        return cursor

    def forget(self) -> None:
        """End what is still read."""
        for cursor in list(self._cursors):
            cursor.close()


class _Database(SqliteDatabase):
    """SQLite, whose write lock goes to whoever waits for it as soon as it is free.

    SQLite itself keeps no queue, and lets who waits look again only each tenth of a second after a
    while: among many who write, some would find it taken each time. Here the threads of a process
    come one after the other, and long work sees that somebody waits (`in_turns`).
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.line, self.bell = Line(self), Bell(self)
        self.kept = 0  # connections that stay open when nobody needs them, with what they have read
        self._idle: list[_Connection] = []
        self._next = threading.Lock()  # held by the thread of ours whose turn is next

    def init(self, database: str | None, **named: Any) -> None:
        """Another file: what stayed open leads to the one before."""
        for connection in getattr(self, "_idle", ()):
            connection.close()
        self._idle = []
        super().init(database, **named)

    def _connect(self) -> sqlite.Connection:
        try:
            return self._idle.pop()  # the newest, whose pages are the warmest
        except IndexError:
            made: sqlite.Connection = super()._connect()
            return made

    def _close(self, connection: _Connection) -> None:
        if len(self._idle) < self.kept and not connection.in_transaction:
            connection.forget()
            self._idle.append(connection)
        else:
            super()._close(connection)

    def begin(self, lock_type: str | None = None) -> None:
        """Begin a transaction; waits PATIENCE for the lock, then raises OperationalError."""
        if not lock_type:
            super().begin()
            return
        until = time.monotonic() + PATIENCE
        if self._next.acquire(blocking=False):
            try:
                if self._has_begun(lock_type):
                    return
            finally:
                self._next.release()
        with self.line.stand() as stay:
            stay()  # before its turn among our threads: long work waits for the last of them
            if not self._next.acquire(timeout=PATIENCE):
                raise OperationalError("database is locked")
            try:
                self._wait(lock_type, until, stay)
            finally:
                self._next.release()

    def commit(self) -> None:
        """End a transaction, and tell who waits for what it wrote."""
        super().commit()
        self.bell.ring(written=True)

    def rollback(self) -> None:
        """Undo a transaction."""
        super().rollback()
        self.bell.ring(written=False)

    def _wait(self, lock_type: str, until: float, stay: Callable[[], bool]) -> None:
        while not self._has_begun(lock_type):
            if time.monotonic() >= until:
                raise OperationalError("database is locked")
            time.sleep(_LOOK)
            stay()

    def _has_begun(self, lock_type: str) -> bool:
        self.execute_sql("PRAGMA busy_timeout = 0")
        try:
            super().begin(lock_type)
        except OperationalError as error:
            if not is_busy(error):
                raise
            return False
        finally:
            self.execute_sql(f"PRAGMA busy_timeout = {_BUSY}")
        return True

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        """One statement; what changes something outside of a transaction waits as all others do."""
        if sql.startswith(_CHANGES) and not self.in_transaction():
            with self.atomic("immediate"):
                return super().execute_sql(sql, params)
        return super().execute_sql(sql, params)


# WAL: readers never wait for the writer. synchronous=full: what was acknowledged to an operator
# survives a power cut. busy_timeout: writers from other processes queue up instead of failing.
# secure_delete: what is deleted or replaced is overwritten in the file, for a citizen may ask it.
database = _Database(
    None,
    pragmas={
        "journal_mode": "wal",
        "synchronous": "full",
        "foreign_keys": 1,
        "secure_delete": 1,
        "busy_timeout": _BUSY,
        "cache_size": -32_000,
    },
    factory=_Connection,
    check_same_thread=False,  # a connection that stays open goes from thread to thread
)


def open_database(path: Path) -> SqliteDatabase:
    """Point the models at the database file (made if missing) and return the database."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):  # to close it would end all our locks on the file
        os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL, 0o666))
    files.share(path)  # SQLite gives what it keeps beside the file the same rights
    if database.database != str(path):
        if not database.is_closed():
            database.close()
        database.init(str(path))
    return database


def keep_open(connections: int) -> None:
    """Let so many connections stay open between requests: a new one has read nothing yet."""
    database.kept = connections


def raw(query: Any) -> sqlite.Cursor:
    """The rows of a query as the tables keep them: a moment is microseconds since 1970."""
    found: sqlite.Cursor = database.execute(query)
    return found


def writing():  # type: ignore[no-untyped-def]  # peewee's context manager has no type
    """A write transaction that takes the write lock at once, so that it cannot fail half-way."""
    return database.atomic("immediate")


def in_turns(steps: Iterable[Callable[[], None]]) -> None:
    """Do long work in write transactions that end as soon as somebody else waits for the lock.

    Each step is whole: what was done of them stays when a later one fails. A step is what others
    wait for at most; it should take some hundredths of a second. What is more than one turn is on
    the disk for sure with the last step, and brought there between the turns: nobody waits for the
    disk because of it.
    """
    left = deque(steps)
    if not left:
        return
    _turn(left)
    if len(left) > 1:
        with unhurried():
            while len(left) > 1:
                give_way()
                _turn(left, but=1)
    if left:
        give_way()
        _turn(left)


def _turn(left: deque[Callable[[], None]], but: int = 0) -> None:
    """One transaction of long work: all steps `but` so many, or as many as there is time for."""
    with writing():
        began = time.monotonic()
        left.popleft()()
        while len(left) > but and not _is_over(time.monotonic() - began):
            left.popleft()()


def _reach_disk() -> None:
    """Bring to the disk what was written, while nobody waits for it: else the next to write would.

    It is for speed only; where it cannot be done, who writes next does it.
    """
    with contextlib.suppress(OSError):
        log = os.open(f"{database.database}-wal", os.O_RDONLY)
        try:
            os.fdatasync(log)
        finally:
            os.close(log)


@contextlib.contextmanager
def unhurried() -> Iterator[None]:
    """A while in which what is written reaches the disk with whatever is written next.

    Part of a transaction that goes on, it reaches it with that one.
    """
    with _meanwhile("synchronous", "normal", usually="full"):
        yield


@contextlib.contextmanager
def _meanwhile(pragma: str, value: str, *, usually: str) -> Iterator[None]:
    """A while of another setting of the connection; in a transaction nothing changes."""
    if database.in_transaction():
        yield
        return
    database.execute_sql(f"PRAGMA {pragma} = {value}")
    try:
        yield
    finally:
        database.execute_sql(f"PRAGMA {pragma} = {usually}")


def _is_over(held: float) -> bool:
    """Whether long work that has held the write lock for so many seconds gives it up."""
    return held >= _LONGEST or (held >= _TURN and not database.line.is_empty())


def give_way() -> None:
    """Let those have the write lock who wait for it, between two turns of long work.

    The one who has just had it would else always be the first to take it again. What was written is
    brought to the disk meanwhile.
    """
    _reach_disk()
    until = time.monotonic() + _POLITE
    while True:
        time.sleep(_LOOK)  # for those, too, who wait otherwise than by our line
        if database.line.is_empty() or time.monotonic() >= until:
            return


def is_busy(error: Exception) -> bool:
    """Whether a statement failed only because others held a lock for longer than we wait.

    A row that is read as it is needed fails as SQLite says it, not as peewee does.
    """
    told = isinstance(error, (OperationalError, sqlite.OperationalError))
    return told and any(words in str(error) for words in _BUSY_WORDS)


def insist[T](write: Callable[[], T], stop: threading.Event) -> T:
    """Write something that must not be lost, again as long as the database is busy, until `stop`.

    `write` must be whole: it leaves nothing behind when it fails. Returns what it does.
    """
    while True:
        try:
            return write()
        except (OperationalError, sqlite.OperationalError) as error:
            if not is_busy(error) or stop.is_set():
                raise
            log.warning("the database is busy: tried again")
            stop.wait(_AGAIN)


def connected[T](do: Callable[..., T], *arguments: object) -> T:
    """Do something with a connection of its own, which ends with it."""
    with database.connection_context():
        return do(*arguments)


def prove_writable() -> None:
    """Change something that nobody reads. Raises peewee.OperationalError when it cannot."""
    with writing():
        stamp = int(dt.datetime.now(dt.UTC).timestamp())
        database.execute_sql(f"PRAGMA user_version = {stamp % 2**31}")


def schema() -> tuple[list[str], list[str]]:
    """(migrations that this version knows and the open database lacks, the other way round)."""
    known = {file.stem for file in MIGRATIONS.glob("[0-9]*.py")}
    rows = database.execute_sql("SELECT name FROM schema_migration").fetchall()
    applied = {name for (name,) in rows}
    return sorted(known - applied), sorted(applied - known)


def triggers() -> dict[str, str]:
    """The open database's triggers: name → what made it."""
    rows = database.execute_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    return dict(rows.fetchall())


def faults() -> list[str]:
    """What SQLite finds wrong with the file, at most some; reads all of it."""
    rows = database.execute_sql("PRAGMA quick_check(5)").fetchall()
    return [text for (text,) in rows if text != "ok"]


def copy_to(target: Path) -> None:
    """Copy the running database, consistently, into a new file (SQLite's online backup)."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with sqlite.connect(target) as copy:
        database.connection().backup(copy)
    copy.close()


class NewerSchema(RuntimeError):
    """The database has migrations that this release does not have; the message names some."""


def migrate() -> list[str]:
    """Bring the open database to the newest schema; returns the names of what was applied.

    A database that holds data is first copied to its own folder, online. Raises NewerSchema, and
    changes nothing, when a newer release has migrated it.
    """
    runner = Runner(database, str(MIGRATIONS), table_name="schema_migration")
    if strange := sorted(one.name for one in runner.status() if one.path is None):
        raise NewerSchema(f"a newer release has made this database: {', '.join(strange[-3:])}")
    if runner.applied() and any(m.applied is None for m in runner.status()):
        stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S")
        copy_to(Path(f"{database.database}.before-{stamp}"))
    return list(runner.up())


def in_pieces(rows: ModelSelect, key: Field, size: int = 500) -> Iterator[list[Any]]:
    """Rows in the order of a key that is their id, some at a time, so that memory stays flat."""
    last = 0
    while True:
        piece = list(rows.where(key > last).order_by(key).limit(size))
        if piece:
            yield piece
        if len(piece) < size:
            return
        last = piece[-1].id
