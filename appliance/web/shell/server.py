"""The web process: gunicorn with one worker and many threads.

One worker, because the open streams and some limits live in its memory; threads for the requests
that are answered at the same time, of which many wait for the exchange or the database.
"""

import atexit
import functools
import logging
import os
import threading
import time
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from appliance.box import processes
from appliance.core import db, memory, process_id, search
from appliance.core.settings import Settings
from appliance.web import create_app

KEPT = 4  # connections to the database that stay open; more are made while more are needed


class _Server(BaseApplication):
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        options: dict[str, Any] = {
            "bind": self._settings.web.bind,
            "workers": 1,
            "worker_class": "gthread",
            "threads": self._settings.web.threads,
            "timeout": 60,
            "graceful_timeout": 2,  # streams never end by themselves
            "keepalive": 75,  # longer than nginx keeps its connections
            "forwarded_allow_ips": "*",  # only nginx reaches the address
            "accesslog": None,
            "loglevel": "warning",
            "proc_name": "appliance web",
            "control_socket_disable": True,  # in the home folder: two sites would meet
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        db.keep_open(KEPT)
        made = create_app(self._settings)
        begin = functools.partial(db.connected, processes.begin, self._settings, "web")
        pulse = db.insist(begin, threading.Event())
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


def serve(settings: Settings) -> None:
    """Serve the pages on settings.web.bind until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    memory.settle()
    _Server(settings).run()
