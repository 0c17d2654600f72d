"""The appliance's single SQLite database: connection, write transactions, online copy."""

import contextlib
import datetime as dt
import logging
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from peewee import Field, ModelSelect, OperationalError, PeeweeException, SqliteDatabase

from appliance.core import files, sqlite
from appliance.core.db_signal import CommitSignal
from appliance.core.db_writers import WaitingWriters

log = logging.getLogger(__name__)

Error = PeeweeException  # any error that the database raises

WRITE_LOCK_TIMEOUT_SECONDS = 10.0  # seconds for which a writer waits for the write lock
_BUSY_TIMEOUT_MILLISECONDS = int(WRITE_LOCK_TIMEOUT_SECONDS * 1000)
_LOCK_POLL_SECONDS = 0.002  # seconds between two attempts to take the lock
_BUSY_RETRY_SECONDS = 0.2  # seconds until a statement that met a busy database is retried
_CONTENDED_HOLD_SECONDS = 0.005  # seconds until long work releases the lock to a waiting writer
_MAX_HOLD_SECONDS = 0.25  # seconds until long work releases the lock in any case
_MAX_YIELD_SECONDS = 1.0  # longest time for which long work lets other writers go first
_BUSY_ERRORS = ("locked", "locking protocol")  # a writer gets the first, a reader the second
_WRITE_STATEMENTS = ("INSERT", "UPDATE", "DELETE", "REPLACE")


def _adapt_naive_datetime(value: dt.datetime) -> str:
    """Convert a datetime without a time zone to text, as the migrations' own table stores it.

    Raises TypeError for one with a time zone: the appliance's own tables store it as a number.
    """
    if value.tzinfo:
        raise TypeError(f"{value}: tables keep moments as numbers; take MomentField.db_value")
    return str(value)


sqlite.register_adapter(dt.datetime, _adapt_naive_datetime)


class _Connection(sqlite.Connection):
    """A connection that can close the cursors whose results were not read to the end.

    While such a cursor is open (in a reference cycle: until garbage collection), every other read
    on the connection still sees the database as it was when the cursor was opened.
    """

    def __init__(self, *arguments: Any, **kwargs: Any) -> None:
        super().__init__(*arguments, **kwargs)
        self._cursors: weakref.WeakSet[sqlite.Cursor] = weakref.WeakSet()  # opened and still used

    def cursor(self, *arguments: Any) -> Any:
        cursor = super().cursor(*arguments)
        self._cursors.add(cursor)  # for close_cursors
        return cursor

    def close_cursors(self) -> None:
        """Close every open cursor, so that the next reads see the newest data."""
        for cursor in list(self._cursors):
            cursor.close()


class _Database(SqliteDatabase):  # type: ignore[misc]  # peewee has no types
    """The appliance's SQLite database; a released write lock passes at once to a waiting writer.

    SQLite itself keeps no queue and, after a while, lets a waiting writer check again only every
    tenth of a second: some would always find the lock taken. Here a process's threads take turns,
    and long work notices that another writer is waiting (`in_short_transactions`).
    """

    def __init__(self, *arguments: Any, **kwargs: Any) -> None:
        super().__init__(*arguments, **kwargs)
        self.waiting_writers, self.commit_signal = WaitingWriters(self), CommitSignal(self)
        self.max_idle_connections = 0  # connections kept open while unused, with their page cache
        self._idle_connections: list[_Connection] = []
        self._next_writer_lock = threading.Lock()  # held by the thread whose turn is next

    def init(self, database: str | None, **kwargs: Any) -> None:
        """Switch to another file; the idle connections to the previous one are closed."""
        for connection in getattr(self, "_idle_connections", ()):  # peewee's __init__ calls this
            connection.close()
        self._idle_connections = []
        super().init(database, **kwargs)

    def _connect(self) -> sqlite.Connection:
        """Return an idle connection, or open a new one if there is no idle one."""
        try:
            return self._idle_connections.pop()  # the newest, whose page cache is the most recent
        except IndexError:
            connection: sqlite.Connection = super()._connect()
            return connection

    def _close(self, connection: _Connection) -> None:
        """Keep the connection for reuse, up to `max_idle_connections`; otherwise close it."""
        if (
            len(self._idle_connections) < self.max_idle_connections
            and not connection.in_transaction  # the next user must not inherit it
        ):
            connection.close_cursors()
            self._idle_connections.append(connection)
        else:
            super()._close(connection)

    def begin(self, lock_type: str | None = None) -> None:
        """Begin a transaction, by default one that takes no lock before its first statement.

        With SQLite's `lock_type` "IMMEDIATE" or "EXCLUSIVE" it takes the write lock: waits for it,
        and raises OperationalError after WRITE_LOCK_TIMEOUT_SECONDS.
        """
        if not lock_type:
            super().begin()
            return
        deadline = time.monotonic() + WRITE_LOCK_TIMEOUT_SECONDS
        if self._next_writer_lock.acquire(blocking=False):  # usually no other thread waits
            try:
                if self._try_begin(lock_type):
                    return
            finally:
                self._next_writer_lock.release()
        with self.waiting_writers.announce_writer() as try_announce:
            try_announce()  # before waiting for our other threads: long work yields to them too
            if not self._next_writer_lock.acquire(timeout=WRITE_LOCK_TIMEOUT_SECONDS):
                raise OperationalError("database is locked")
            try:
                self._wait_for_lock(lock_type, deadline, try_announce)
            finally:
                self._next_writer_lock.release()

    def commit(self) -> None:
        """Commit; if `request_signal` was called, notify the processes that wait (CommitSignal)."""
        super().commit()
        self.commit_signal.finish_transaction(committed=True)

    def rollback(self) -> None:
        """Undo a transaction; processes that wait for a commit are not notified of it."""
        super().rollback()
        self.commit_signal.finish_transaction(committed=False)

    def _wait_for_lock(
        self, lock_type: str, deadline: float, try_announce: Callable[[], bool]
    ) -> None:
        """Begin as soon as no other writer has the lock; OperationalError at `deadline`.

        `try_announce`, of WaitingWriters.announce_writer, is called between the attempts.
        """
        while not self._try_begin(lock_type):
            if time.monotonic() >= deadline:
                raise OperationalError("database is locked")  # SQLite's own text, for `is_busy`
            time.sleep(_LOCK_POLL_SECONDS)
            try_announce()

    def _try_begin(self, lock_type: str) -> bool:
        """Begin a transaction, as `begin`, without waiting; False if another one has the lock."""
        self.execute_sql("PRAGMA busy_timeout = 0")
        try:
            super().begin(lock_type)
        except OperationalError as error:
            if not is_busy(error):
                raise
            return False
        finally:
            self.execute_sql(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MILLISECONDS}")
        return True

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        """Execute a statement; a write outside a transaction gets one, to wait for its turn."""
        if sql.startswith(_WRITE_STATEMENTS) and not self.in_transaction():
            with self.atomic("immediate"):
                return super().execute_sql(sql, params)
        return super().execute_sql(sql, params)


database = _Database(
    None,
    pragmas={
        "journal_mode": "wal",  # readers never wait for the writer
        "synchronous": "full",  # what was acknowledged to an operator survives a power cut
        "foreign_keys": 1,
        "secure_delete": 1,  # citizens may request that removed content is overwritten in the file
        "busy_timeout": _BUSY_TIMEOUT_MILLISECONDS,  # other processes' writers wait, do not fail
        "cache_size": -32_000,  # a negative number is in KiB
    },
    factory=_Connection,
    check_same_thread=False,  # an idle connection is reused by other threads
)


def open_database(path: Path) -> SqliteDatabase:
    """Let all models use this file, created if missing, from the next query on; closes another."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):  # closing an open one would release its locks
        os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL, 0o666))
    files.share_with_group(path)  # SQLite gives its auxiliary files the same permissions
    if database.database != str(path):
        if not database.is_closed():
            database.close()
        database.init(str(path))
    return database


def keep_connections_open(count: int) -> None:
    """Keep up to `count` connections open between requests: a new one has an empty page cache."""
    database.max_idle_connections = count


def raw_rows(query: Any) -> sqlite.Cursor:
    """Execute a query; returns a cursor of rows as tables store them: datetimes in microseconds."""
    cursor: sqlite.Cursor = database.execute(query)
    return cursor


def write_transaction() -> AbstractContextManager[Any, None]:
    """Return a transaction, for a `with` block, that takes the write lock when it begins.

    Therefore no later statement in it has to wait for another connection's lock. Inside another
    transaction it is only a savepoint: it takes no lock, and is committed with the outer one.
    """
    transaction: AbstractContextManager[Any, None] = database.atomic("immediate")
    return transaction


def in_short_transactions(steps: Iterable[Callable[[], None]]) -> None:
    """Do long work in write transactions that end as soon as another writer waits for the lock.

    `steps` are functions that each write a part: those already called stay in effect when a later
    one fails. Other writers wait for one step at most; it should take some hundredths of a second.
    When this returns, all is on the disk; it is synced between the transactions.
    """
    pending_steps = deque(steps)
    if not pending_steps:
        return
    _run_steps(pending_steps)
    if len(pending_steps) > 1:
        with lazy_disk_sync():
            while len(pending_steps) > 1:
                yield_write_lock()
                _run_steps(pending_steps, reserve=1)  # the last one syncs the others to the disk
    if pending_steps:
        yield_write_lock()
        _run_steps(pending_steps)


def _run_steps(pending_steps: deque[Callable[[], None]], reserve: int = 0) -> None:
    """Run and remove the first steps, in one transaction, until the lock must be released.

    The last `reserve` steps are left for a later transaction.
    """
    with write_transaction():
        started_at = time.monotonic()
        pending_steps.popleft()()
        while len(pending_steps) > reserve and not _must_release_lock(
            time.monotonic() - started_at
        ):
            pending_steps.popleft()()


def _sync_write_ahead_log() -> None:
    """Sync the write-ahead log to the disk, if possible, to save the next writer's commit time."""
    with contextlib.suppress(OSError):
        log_file = os.open(f"{database.database}-wal", os.O_RDONLY)
        try:
            os.fdatasync(log_file)
        finally:
            os.close(log_file)


def uncopied_log_bytes() -> int:
    """Return how many bytes of the write-ahead log are not in the database's file yet.

    SQLite counts them, because the log's file never shrinks. Its index (`-shm`) must not be opened:
    closing it would release this process's locks on it. Returns 0 while another one checkpoints.
    """
    try:
        _busy, frames, copied = database.execute_sql("PRAGMA wal_checkpoint(NOOP)").fetchone()
    except OperationalError:
        return 0
    [page_bytes] = database.execute_sql("PRAGMA page_size").fetchone()
    return int(max(0, frames - copied) * page_bytes)


@contextlib.contextmanager
def lazy_disk_sync() -> Iterator[None]:
    """Let commits inside the `with` block return before they are on the disk.

    The next synchronous commit syncs them too. No effect inside an outer transaction.
    """
    with _temporary_pragma("synchronous", "normal", usually="full"):
        yield


@contextlib.contextmanager
def _temporary_pragma(pragma: str, value: str, *, usually: str) -> Iterator[None]:
    """Set a pragma inside the `with` block, then to `usually`; no effect in a transaction."""
    if database.in_transaction():
        yield
        return
    database.execute_sql(f"PRAGMA {pragma} = {value}")
    try:
        yield
    finally:
        database.execute_sql(f"PRAGMA {pragma} = {usually}")


def _must_release_lock(held_seconds: float) -> bool:
    """Return True if long work must free its lock after `held_seconds`, sooner if writers wait."""
    return held_seconds >= _MAX_HOLD_SECONDS or (
        held_seconds >= _CONTENDED_HOLD_SECONDS and not database.waiting_writers.is_empty()
    )


def yield_write_lock() -> None:
    """Let waiting writers take the write lock between two transactions of long work.

    The process that has just held the lock would otherwise always be the first to take it again.
    Written pages are synced to the disk in the meantime.
    """
    _sync_write_ahead_log()
    deadline = time.monotonic() + _MAX_YIELD_SECONDS
    while True:
        time.sleep(_LOCK_POLL_SECONDS)  # also lets in writers that did not announce it
        if database.waiting_writers.is_empty() or time.monotonic() >= deadline:
            return


def is_busy(error: Exception) -> bool:
    """Return True if a statement failed only because another connection held a lock too long."""
    # A row that is fetched lazily raises SQLite's own exception, not peewee's.
    is_operational = isinstance(error, (OperationalError, sqlite.OperationalError))
    return is_operational and any(words in str(error) for words in _BUSY_ERRORS)


def retry_while_busy[T](write: Callable[[], T], stop: threading.Event) -> T:
    """Run a write that must not be lost, again and again while the database is busy.

    Returns its result. `write` must leave nothing behind when it fails. Its error is raised if
    `stop` is set (the process must end), or if the reason is not a busy database.
    """
    while True:
        try:
            return write()
        except (OperationalError, sqlite.OperationalError) as error:
            if not is_busy(error) or stop.is_set():
                raise
            log.warning("the database is busy: tried again")
            stop.wait(_BUSY_RETRY_SECONDS)


def run_with_connection[T](function: Callable[..., T], *arguments: object) -> T:
    """Call a function with its own database connection, closed afterwards; returns its result."""
    with database.connection_context():
        return function(*arguments)


def prove_writable() -> None:
    """Write a value that is never read, to test the database; OperationalError if that fails."""
    with write_transaction():
        stamp = int(dt.datetime.now(dt.UTC).timestamp())
        database.execute_sql(f"PRAGMA user_version = {stamp % 2**31}")  # it has 32 bits, signed


def trigger_definitions() -> dict[str, str]:
    """Return the SQL statement that created each trigger of the open database, by its name."""
    rows = database.execute_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    return dict(rows.fetchall())


def integrity_errors() -> list[str]:
    """Return at most five faults that SQLite finds in the open database, reading the whole file."""
    rows = database.execute_sql("PRAGMA quick_check(5)").fetchall()
    return [text for (text,) in rows if text != "ok"]


def copy_database(target: Path) -> None:
    """Copy the running database, consistently, into a new file (SQLite's online backup)."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with sqlite.connect(target) as copy:
        database.connection().backup(copy)
    copy.close()


def row_batches(rows: ModelSelect, key: Field, size: int = 500) -> Iterator[list[Any]]:
    """Yield a query's rows in lists of `size`, to save memory, ordered by `key`, its id field."""
    last_key = 0  # below every id
    while True:
        batch = list(rows.where(key > last_key).order_by(key).limit(size))
        if batch:
            yield batch
        if len(batch) < size:
            return
        last_key = batch[-1].id
