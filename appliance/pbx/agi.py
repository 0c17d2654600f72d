"""FastAGI: look-ups that the dialplan asks for, answered from the database in a millisecond.

Each answer only sets variables of the channel. The dialplan goes on without them when this server
is dead, slow or at fault. Whoever asks is first asked himself for a variable that only Asterisk's
dialplan holds (`key`): any user of this machine can open the port.
"""

import hashlib
import hmac
import logging
import socketserver
import threading
from collections.abc import Callable
from pathlib import Path

from appliance.casework import appeals
from appliance.core import clock
from appliance.core.db import database
from appliance.core.settings import Settings
from appliance.telephony import prompts
from appliance.telephony.prompts import numbers

log = logging.getLogger(__name__)

_TIMEOUT = 2.0  # seconds that Asterisk may take for one line
_AGAIN = 5.0  # seconds until the port is tried again
_LONGEST = 4096
_KEY = "LOOK_UP_KEY"  # the global variable of the dialplan

Answer = dict[str, str]


def key(settings: Settings) -> str:
    """What tells Asterisk from other programs; made of the secret of its manager interface."""
    secret = settings.asterisk.ami_secret.encode()
    return hmac.digest(secret, _KEY.encode(), hashlib.sha256).hex()


def answer(settings: Settings, stop: threading.Event) -> None:
    """Answer until `stop`; a port that cannot be had is tried again, and disturbs nothing else."""
    place = (settings.asterisk.inside, settings.asterisk.agi_port)
    while not stop.is_set():
        try:
            with _Server(place, settings) as server:
                threading.Thread(target=_close_when, args=(server, stop), daemon=True).start()
                server.serve_forever(poll_interval=0.2)
        except OSError as error:
            log.warning("FastAGI cannot listen on %s:%d: %s", *place, error)
            stop.wait(_AGAIN)


def _close_when(server: "_Server", stop: threading.Event) -> None:
    stop.wait()
    server.shutdown()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, place: tuple[str, int], settings: Settings) -> None:
        super().__init__(place, _Request)
        self.settings = settings


class _Request(socketserver.StreamRequestHandler):
    """One look-up: Asterisk's header lines, the key, our SET VARIABLE lines, each acknowledged."""

    timeout = _TIMEOUT
    server: _Server

    def handle(self) -> None:
        try:
            asked = self._variables()
            if not asked:
                return  # somebody only looked whether the port is open
            if not self._is_asterisk():
                log.warning("FastAGI: a look-up by another program than Asterisk")
                return
            look_up = _ANSWERS[asked.get("agi_network_script", "")]
            with database.connection_context():
                told = look_up(self.server.settings, *_arguments(asked))
            for name, value in told.items():
                if not self._ask(f'SET VARIABLE {name} "{value}"').startswith(b"200"):
                    return
        except Exception:  # the boundary of a look-up: the dialplan says "unavailable"
            log.exception("FastAGI request failed")

    def _is_asterisk(self) -> bool:
        expected = f"200 result=1 ({key(self.server.settings)})"
        said = self._ask(f"GET VARIABLE {_KEY}")
        return hmac.compare_digest(said.strip(), expected.encode())

    def _ask(self, command: str) -> bytes:
        """What the other side answers to a command."""
        self.wfile.write(f"{command}\n".encode())
        return self.rfile.readline(_LONGEST)

    def _variables(self) -> dict[str, str]:
        asked = {}
        while line := self.rfile.readline(_LONGEST).decode("utf-8", "replace").strip():
            name, _, value = line.partition(":")
            asked[name] = value.strip()
        return asked


def _arguments(asked: dict[str, str]) -> list[str]:
    numbered = {int(k[8:]): v for k, v in asked.items() if k.startswith("agi_arg_")}
    return [numbered[position] for position in sorted(numbered)]


def _appeal(settings: Settings, keys: str, language: str) -> Answer:
    """RESULT told | unknown; TOLD: the sounds of the appeal's number and state, for Playback."""
    if language not in prompts.LANGUAGES:
        raise ValueError(f"no such language: {language}")
    appeal = appeals.by_keys(keys, clock.now().astimezone(settings.tz).date())
    if not appeal:
        return {"RESULT": "unknown"}
    state = f"appeal-{appeals.spoken_state(appeal)}"
    names = ["appeal-number", *numbers.appeal(appeal.number, language), state]
    folder = settings.paths.prompts / language
    return {"RESULT": "told", "TOLD": "&".join(str(folder / name) for name in names)}


def _prompt(settings: Settings, language: str, name: str, login: str, file: str) -> Answer:
    """RECORDED kept | refused: what was spoken into a phone, put in force."""
    folder = settings.paths.prompts
    source = Path(f"{file}.wav").resolve()
    asked = prompts.found(folder, language, name)
    if not asked or source.parent != (folder / "incoming").resolve():
        raise ValueError(f"no recording of {language}/{name}: {file}")
    try:
        prompts.take_in(folder, language, name, source, kind="phone", text=asked.text, by=login)
    except prompts.SoundError as error:
        log.warning("prompt %s/%s by phone: %s", language, name, error)
        return {"RECORDED": "refused"}
    finally:
        source.unlink(missing_ok=True)
    return {"RECORDED": "kept"}


_ANSWERS: dict[str, Callable[..., Answer]] = {"appeal": _appeal, "prompt": _prompt}
