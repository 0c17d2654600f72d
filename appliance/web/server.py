"""The web process: gunicorn with one worker and many threads.

One worker, because the login limits and the reader of live events live in its memory; many threads,
because each open page holds one for its stream.
"""

import logging
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from appliance import processes
from appliance.db import database
from appliance.settings import Settings
from appliance.web import create_app


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
        made = create_app(self._settings)
        with database.connection_context():
            processes.begin("web")
        return made


def serve(settings: Settings) -> None:
    """Serve the pages on settings.web.bind until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    _Server(settings).run()
