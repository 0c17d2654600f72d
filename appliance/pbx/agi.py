"""FastAGI server: answers the dialplan's look-ups from the database within a millisecond.

A reply only sets variables of the channel, and the dialplan goes on without them if this server is
down, slow or faulty. Any user of this machine can connect to the port: therefore each client must
first return the value of a variable that only Asterisk's dialplan holds (`look_up_key`).
"""

import hashlib
import hmac
import logging
import socketserver
import threading
from collections.abc import Callable
from pathlib import Path

from appliance.casework.appeals import queries, self_service
from appliance.core import clock
from appliance.core.db import database
from appliance.core.refusals import Refused
from appliance.core.settings import Settings
from appliance.telephony import prompts
from appliance.telephony.prompts import numbers

log = logging.getLogger(__name__)

_LINE_TIMEOUT_SECONDS = 2.0  # Asterisk's limit for sending one line
_RETRY_SECONDS = 5.0  # until the server tries to open the port again
_MAX_LINE_BYTES = 4096
_KEY_VARIABLE = "LOOK_UP_KEY"  # the global variable of the dialplan

ChannelVariables = dict[str, str]


def look_up_key(settings: Settings) -> str:
    """Return the key that Asterisk presents, derived from the secret of its manager interface."""
    secret = settings.asterisk.ami_secret.encode()
    return hmac.digest(secret, _KEY_VARIABLE.encode(), hashlib.sha256).hex()


def serve_look_ups(settings: Settings, stop: threading.Event) -> None:
    """Answer the dialplan's requests, such as for the state of an appeal, until `stop` is set.

    While the port cannot be opened, the server tries it again and again; nothing else is affected.
    """
    address = (settings.asterisk.inside, settings.asterisk.agi_port)
    while not stop.is_set():
        try:
            with _LookUpServer(address, settings) as server:
                threading.Thread(
                    target=_shut_down_on_stop, args=(server, stop), daemon=True
                ).start()
                server.serve_forever(poll_interval=0.2)
        except OSError as error:
            log.warning("FastAGI cannot listen on %s:%d: %s", *address, error)
            stop.wait(_RETRY_SECONDS)


def _shut_down_on_stop(server: "_LookUpServer", stop: threading.Event) -> None:
    """Wait until `stop` is set, then end `serve_forever`."""
    stop.wait()
    server.shutdown()


class _LookUpServer(socketserver.ThreadingTCPServer):
    """The FastAGI server: one thread for each look-up."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: tuple[str, int], settings: Settings) -> None:
        super().__init__(address, _LookUpRequest)
        self.settings = settings


class _LookUpRequest(socketserver.StreamRequestHandler):
    """One look-up: Asterisk sends header lines, proves itself by the key, and receives variables.

    Each SET VARIABLE line that the server sends is acknowledged.
    """

    timeout = _LINE_TIMEOUT_SECONDS
    server: _LookUpServer

    def handle(self) -> None:
        """Answer the look-up; after a fault the dialplan goes on without the variables."""
        try:
            headers = self._read_headers()
            if not headers:
                return  # a client only checked whether the port is open
            if not self._is_peer_asterisk():
                log.warning("FastAGI: a look-up by another program than Asterisk")
                return
            look_up = _LOOK_UPS[headers.get("agi_network_script", "")]
            with database.connection_context():
                variables = look_up(self.server.settings, *_script_arguments(headers))
            for name, value in variables.items():
                if not self._send_command(f'SET VARIABLE {name} "{value}"').startswith(b"200"):
                    return
        except Exception:  # the boundary of a look-up: the dialplan says "unavailable"
            log.exception("FastAGI request failed")

    def _is_peer_asterisk(self) -> bool:
        """Ask the client for the key; returns True if it is `look_up_key`, which Asterisk holds."""
        expected = f"200 result=1 ({look_up_key(self.server.settings)})"
        reply = self._send_command(f"GET VARIABLE {_KEY_VARIABLE}")
        return hmac.compare_digest(reply.strip(), expected.encode())

    def _send_command(self, command: str) -> bytes:
        """Send a command; returns the line that the client replies."""
        self.wfile.write(f"{command}\n".encode())
        return self.rfile.readline(_MAX_LINE_BYTES)

    def _read_headers(self) -> dict[str, str]:
        """Read the header lines up to the empty one; returns their values by name."""
        headers = {}
        while line := self.rfile.readline(_MAX_LINE_BYTES).decode("utf-8", "replace").strip():
            name, _, value = line.partition(":")
            headers[name] = value.strip()
        return headers


def _script_arguments(headers: dict[str, str]) -> list[str]:
    """Return the arguments of the look-up in their order (agi_arg_1, agi_arg_2, …)."""
    by_position = {
        int(header[8:]): value for header, value in headers.items() if header.startswith("agi_arg_")
    }
    return [by_position[position] for position in sorted(by_position)]


def _look_up_appeal(settings: Settings, keys: str, language: str) -> ChannelVariables:
    """Return the channel variables about the appeal whose number a caller keyed in (`keys`).

    RESULT says whether there is such an appeal. If so, a second variable lists the sound files of
    its number and state, for Playback. Raises ValueError if no prompts are in this language.
    """
    if language not in prompts.LANGUAGES:
        raise ValueError(f"no such language: {language}")
    appeal = queries.appeal_by_keys(keys, clock.now().astimezone(settings.tz).date())
    if not appeal:
        return {"RESULT": "unknown"}
    state = f"appeal-{self_service.state_prompt_word(appeal)}"
    names = ["appeal-number", *numbers.appeal_sounds(appeal.number, language), state]
    folder = settings.paths.prompts / language
    return {"RESULT": "told", "TOLD": "&".join(str(folder / name) for name in names)}


def _import_prompt(
    settings: Settings, language: str, name: str, login: str, file: str
) -> ChannelVariables:
    """Put a prompt that was recorded by phone in force, and delete the recording.

    `name` is the prompt's, `login` the user's who recorded it; `file` is the recording without its
    suffix. Returns the variable RECORDED: "kept", or "refused" if the recording is not accepted.
    Raises ValueError if there is no such prompt, or the file is not in the folder for recordings.
    """
    folder = settings.paths.prompts
    source = Path(f"{file}.wav").resolve()
    prompt = prompts.find_prompt(folder, language, name)
    if not prompt or source.parent != (folder / "incoming").resolve():
        raise ValueError(f"no recording of {language}/{name}: {file}")
    try:
        prompts.import_recording(
            folder, language, name, source, kind="phone", text=prompt.text, by=login
        )
    except Refused as error:
        log.warning("prompt %s/%s by phone: %s", language, name, error)
        return {"RECORDED": "refused"}
    finally:
        source.unlink(missing_ok=True)
    return {"RECORDED": "kept"}


# By the name of the script in the dialplan's AGI request; its arguments follow the settings.
_LOOK_UPS: dict[str, Callable[..., ChannelVariables]] = {
    "appeal": _look_up_appeal,
    "prompt": _import_prompt,
}
