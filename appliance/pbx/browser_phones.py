"""Ends browser phones with their web sessions: changes the password, removes the registration.

A browser phone is a SIP phone in an operator's web page.
"""

import contextlib
import logging
import threading

from appliance.core.settings import Settings
from appliance.models import User
from appliance.pbx import config
from appliance.people import browser_phones

log = logging.getLogger(__name__)

_POLL_SECONDS = 1.0  # between two checks for ended sessions
_SIP_TIMEOUT_SECONDS = 3.0  # for Asterisk to answer
_FRONT_ADDRESS = "127.0.0.1"  # the only address from which a phone in a page registers
_SIP_OK = 200


def unregister_ended_phones_regularly(settings: Settings, stop: threading.Event) -> None:
    """Once a second, end the browser phones whose web session is over, until `stop` is set."""
    while not stop.wait(_POLL_SECONDS):
        unregister_ended_phones(settings)


def unregister_ended_phones(settings: Settings) -> None:
    """Unregister the browser phones whose web session ended, and change their passwords.

    The registration is removed at once. In case the page registers again before the new password is
    in force (`config_sync` applies it), the registration is removed once more after that.
    """
    if not settings.asterisk.browser_phones:
        return
    for user in browser_phones.users_with_abandoned_phone():
        _remove_registration(settings, user)
        browser_phones.end_phone(user)
        log.info("the session of the phone %s is over", user.extension)
    for user in browser_phones.users_to_unregister():
        if config.has_phone_password(settings, user.page_password or "") and _remove_registration(
            settings, user
        ):
            browser_phones.mark_unregistered(user)


def _remove_registration(settings: Settings, user: User) -> bool:
    """Remove the registration of a browser phone; returns True if Asterisk removed it.

    Asterisk also says so if there was no registration. Returns False if it does not answer or
    refuses the phone's password, and if the user has no browser phone.
    """
    if user.phone != "page" or not user.extension:
        return False
    import asyncio  # only this process needs it, and seldom

    # Asterisk does not answer: the registration stays, and is removed in a later round.
    with contextlib.suppress(OSError, TimeoutError):
        return asyncio.run(_send_unregister(settings, user)) == _SIP_OK
    return False


async def _send_unregister(settings: Settings, user: User) -> int:
    """Remove all contacts ("*") of the phone by a REGISTER that expires after 0 seconds.

    Returns the SIP status.
    """
    import asyncio

    from appliance.sip.agent import Agent

    box = (settings.asterisk.address, settings.asterisk.sip_port)
    password = browser_phones.browser_phone_password(user) or ""
    async with asyncio.timeout(_SIP_TIMEOUT_SECONDS), Agent(_FRONT_ADDRESS, 0, box) as phone:
        return await phone.register(user.extension or "", password, 0, "*")
