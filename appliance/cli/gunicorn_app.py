"""Gunicorn with one worker and many threads: the parent process of the web server.

There is only one worker, because the open event streams and some limits are in its memory. It has
many threads, because many of the simultaneous requests wait for Asterisk or the database.

The parent does not import the pages: the memory that it shared with the worker would soon be
copied. It goes on listening while the worker restarts, which takes a second or two.
"""

import logging
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication

from appliance.core.settings import Settings

if TYPE_CHECKING:
    from flask import Flask


class _GunicornApplication(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
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
            "graceful_timeout": 2,  # streams never end on their own
            "keepalive": 75,  # longer than nginx keeps its connections
            "forwarded_allow_ips": "*",  # only nginx reaches the address
            "accesslog": None,
            "loglevel": "warning",
            "proc_name": "appliance web",
            # By default it is in the home folder, where two sites would use the same.
            "control_socket_disable": True,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> "Flask":
        from appliance.web.shell import server

        return server.start_worker(self._settings)


def serve_pages(settings: Settings) -> None:
    """Serve the pages on settings.web.bind until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    _GunicornApplication(settings).run()
