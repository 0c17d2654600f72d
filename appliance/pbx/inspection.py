"""Whether the running Asterisk has all that it was given to run with: modules, queues, dialplan."""

import datetime as dt
import logging
import subprocess
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
_PATIENCE = 5.0  # seconds for an answer of the console
_REST = dt.timedelta(seconds=10)  # between two notes of the same refused sign-in
_SIGN_IN = "sign_in"


class Silent(RuntimeError):
    """Asterisk's console does not answer."""


def follow(settings: Settings, stop: threading.Event) -> None:
    """Look every few seconds until `stop`."""
    places = SecondPlaces()
    while not stop.wait(EVERY):
        folder_mark.ensure(settings)
        try:
            look(settings)
            with Connection(settings) as asterisk:
                note("places", places.look(settings, asterisk))
        except (Silent, Unreachable, Refused) as error:  # a self-check reports that no look came
            log.warning("Asterisk was not inspected: %s", error)


def look(settings: Settings) -> None:
    """Write down what is missing or differs. Raises Silent."""
    etc = settings.paths.asterisk
    shown = {what: console(settings, f"{what} show") for what in ("module", "dialplan", "queue")}
    dialplan = [file.name for file in config.DIALPLAN.glob("*.conf")]
    missing, differing = comparing.queue_differences(etc, shown["queue"])
    found = {
        "modules": comparing.not_running(etc, shown["module"]),
        "queues": missing,
        "queue_settings": differing,
        "dialplan": comparing.dialplan_differences(etc, dialplan, shown["dialplan"]),
        "files": config.changed_by_hand(etc),
    }
    now = clock.now()
    with writing():
        for name, names in found.items():
            ExchangeLook.replace(name=name, missing=names, at=now).execute()


def console(settings: Settings, words: str) -> list[str]:
    """The lines that a command prints on Asterisk's console, by its control socket.

    No action of AMI says which modules run, and the class of AMI that opens the console stays shut.
    The socket belongs to the group that Asterisk and the product's processes share. Raises Silent.
    """
    conf = str(settings.paths.asterisk / "asterisk.conf")
    command = [*settings.asterisk.command, "-C", conf, "-rx", words]
    try:
        done = subprocess.run(  # noqa: S603  the command comes from the settings file
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Silent(f"{words}: {error}") from error
    if done.returncode:
        raise Silent(f"{words}: {done.stderr.decode('utf-8', 'replace').strip()[-200:]}")
    return done.stdout.decode("utf-8", "replace").splitlines()


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
