"""The worker that answers requests: the application, its signs of life, the words of the search."""

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

KEPT = 4  # connections to the database that stay open; more are made while more are needed


def begin(settings: Settings) -> Flask:
    """The pages of a site, in a process that gunicorn has begun for them."""
    db.keep_open(KEPT)
    made = create_app(settings)
    memory.settle()
    pulse = db.insist(
        functools.partial(db.connected, processes.begin, settings, "web"), threading.Event()
    )
    threading.Thread(target=_live, args=(pulse,), name="signs of life", daemon=True).start()
    threading.Thread(target=_read, name="words of the search", daemon=True).start()
    atexit.register(pulse.end)
    return made


def _live(pulse: processes.Pulse) -> None:
    """Give signs of life as long as gunicorn, which started this worker, is not frozen itself."""
    keeper = os.getppid()
    while True:
        if not process_id.stands_still(keeper):
            pulse.give()
        time.sleep(1.0)


def _read() -> None:
    """Read the words of the search, so that the first who looks for something need not wait."""
    db.connected(search.read_words)
