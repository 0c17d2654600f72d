"""The worker process that serves requests: application, heartbeat, word list of the search."""

import atexit
import functools
import os
import threading
import time

from flask import Flask

from appliance.box import processes
from appliance.core import db, memory, process_id, search
from appliance.core.settings import Settings
from appliance.web import create_app

OPEN_CONNECTIONS = 4  # to the database, which stay open; more are opened while they are needed


def start_worker(settings: Settings) -> Flask:
    """Create the application of a site and start its threads, in gunicorn's worker process."""
    db.keep_connections_open(OPEN_CONNECTIONS)
    app = create_app(settings)
    memory.freeze_loaded_objects()
    heartbeat = db.retry_while_busy(
        functools.partial(db.run_with_connection, processes.register_process, settings, "web"),
        threading.Event(),
    )
    threading.Thread(
        target=_send_heartbeats, args=(heartbeat,), name="signs of life", daemon=True
    ).start()
    threading.Thread(target=_load_search_words, name="words of the search", daemon=True).start()
    atexit.register(heartbeat.remove_file)
    return app


def _send_heartbeats(heartbeat: processes.HeartbeatWriter) -> None:
    """Write a heartbeat of this worker whenever one is due, except while gunicorn is stopped.

    Never returns: it runs in a thread of its own. `heartbeat` writes the heartbeats to a file.
    """
    gunicorn_pid = os.getppid()
    while True:
        if not process_id.is_stopped(gunicorn_pid):
            heartbeat.write_if_due()
        time.sleep(1.0)


def _load_search_words() -> None:
    """Load the word list of the search, so that the first user who searches need not wait."""
    db.run_with_connection(search.preload_words)
