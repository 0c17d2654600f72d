"""Phones in pages end with their sessions: another password, and no registration any more."""

import contextlib
import logging
import threading

from appliance.core.settings import Settings
from appliance.models import User
from appliance.pbx import config
from appliance.people import page_phones

log = logging.getLogger(__name__)

_LOOK = 1.0  # seconds between two looks for sessions that are over
_PATIENCE = 3.0  # seconds that Asterisk may take to answer
_FRONT = "127.0.0.1"  # from where alone a phone in a page registers
_OK = 200


def follow(settings: Settings, stop: threading.Event) -> None:
    """End the phones of sessions that are over, until `stop` is set."""
    while not stop.wait(_LOOK):
        look(settings)


def look(settings: Settings) -> None:
    """End the phones of sessions that ended since the last look.

    At once where the page is left; when it registers again, once the new password is in force
    (`config_sync` sees to that): from then on it cannot any more.
    """
    if not settings.asterisk.browser_phones:
        return
    for user in page_phones.abandoned():
        _remove(settings, user)
        page_phones.end(user)
        log.info("the session of the phone %s is over", user.extension)
    for user in page_phones.ended():
        if config.has_password(settings, user.page_password or "") and _remove(settings, user):
            page_phones.settle(user)


def _remove(settings: Settings, user: User) -> bool:
    """Remove the registration of a phone in a page; whether Asterisk has done so."""
    if user.phone != "page" or not user.extension:
        return False
    import asyncio  # of all processes only this one needs it, and seldom

    with contextlib.suppress(OSError, TimeoutError):
        return asyncio.run(_unregister(settings, user)) == _OK
    return False


async def _unregister(settings: Settings, user: User) -> int:
    import asyncio

    from appliance.sip.agent import Agent

    box = (settings.asterisk.address, settings.asterisk.sip_port)
    password = page_phones.password_of(user) or ""
    async with asyncio.timeout(_PATIENCE), Agent(_FRONT, 0, box) as phone:
        return await phone.register(user.extension or "", password, 0, "*")
