"""Gunicorn, with one worker and many threads: the process that keeps the one of the pages.

One worker, because the open streams and some limits live in its memory; threads for the requests
that are answered at the same time, of which many wait for the exchange or the database.

It loads nothing of the pages: what both held, the worker would soon have copied. It listens while
a worker begins anew, for a second or two.
"""

import logging
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication

from appliance.core.settings import Settings

if TYPE_CHECKING:
    from flask import Flask


class _Keeper(BaseApplication):
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

    def load(self) -> "Flask":
        from appliance.web.shell import server

        return server.begin(self._settings)


def serve(settings: Settings) -> None:
    """Serve the pages on settings.web.bind until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    _Keeper(settings).run()
