"""Whether the running Asterisk has all that it was given to run with: modules, queues, dialplan."""

import datetime as dt
import logging
import threading

from appliance.core import clock
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.models import ExchangeLook
from appliance.pbx import comparing, config
from appliance.pbx.ami import Connection, Refused, Unreachable
from appliance.pbx.second_places import SecondPlaces
from appliance.telephony.recordings import folder_mark

log = logging.getLogger(__name__)

EVERY = 10.0  # seconds between two looks
_REST = dt.timedelta(seconds=10)  # between two notes of the same refused sign-in
_SIGN_IN = "sign_in"


def follow(settings: Settings, stop: threading.Event) -> None:
    """Look every few seconds until `stop`. Each look signs in anew: rights may have changed."""
    places = SecondPlaces()
    while not stop.wait(EVERY):
        folder_mark.ensure(settings)
        try:
            with Connection(settings) as asterisk:
                look(settings, asterisk)
                note("places", places.look(settings, asterisk))
        except (Unreachable, Refused) as error:  # the self-check reports that no look came
            log.warning("Asterisk was not inspected: %s", error)


def look(settings: Settings, asterisk: Connection) -> None:
    """Write down what is missing or differs. Raises Unreachable, Refused."""
    etc = settings.paths.asterisk
    shown = {words: asterisk.command(words) for words in ("module show", "dialplan show")}
    try:
        queues = asterisk.command("queue show")
    except Refused:  # the module of queues is not there
        queues = []
    dialplan = [file.name for file in config.DIALPLAN.glob("*.conf")]
    missing, differing = comparing.queue_differences(etc, queues)
    found = {
        "modules": comparing.not_running(etc, shown["module show"]),
        "queues": missing,
        "queue_settings": differing,
        "dialplan": comparing.dialplan_differences(etc, dialplan, shown["dialplan show"]),
        "files": config.changed_by_hand(etc),
    }
    now = clock.now()
    with writing():
        for name, names in found.items():
            ExchangeLook.replace(name=name, missing=names, at=now).execute()


def note(name: str, missing: list[str]) -> None:
    """Write down what one part lacks now."""
    with writing():
        ExchangeLook.replace(name=name, missing=missing, at=clock.now()).execute()


def note_sign_in(error: str) -> None:
    """Write down why Asterisk refuses the commands of `appliance pbx`; "": it takes them."""
    known = ExchangeLook.get_or_none(ExchangeLook.name == _SIGN_IN)
    refused = [error] if error else []
    if known and known.missing == refused and (not error or clock.now() - known.at < _REST):
        return
    if known or error:
        note(_SIGN_IN, refused)
