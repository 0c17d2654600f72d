"""Rate limits of single views.

Only views that declare a limit have one. Requests are counted in the memory of this process, as
only one process serves requests. Password attempts are counted by appliance.people.sign_ins.
"""

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from appliance.web.shell.context import me

limiter = Limiter(get_remote_address, storage_uri="memory://", strategy="moving-window")


def init_app(app: Flask) -> None:
    """Count the requests of the views that declare a limit."""
    limiter.init_app(app)


def user_key() -> str:
    """Return the key by which a limit per user counts requests: the signed-in user's login."""
    login: str = me().login
    return login
