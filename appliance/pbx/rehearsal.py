"""What would become of a call: made at a second Asterisk that knows the plan, at any moment.

The road is the dialplan's own, read from what that Asterisk executes. Prompts are silent there and
waits are short; nobody's phone rings, no carrier is spoken to, and nothing reaches the ledger.
"""

import contextlib
import dataclasses
import datetime as dt
import re
import tempfile
import time
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

from appliance.core.settings import Settings
from appliance.pbx import ami, config
from appliance.telephony import prompts
from appliance.telephony.routing import Plan

LIMIT = 45.0  # seconds that a call may take there
_WAIT = 4  # seconds in each queue
_PAUSE = 0.1
_TRUNK = "rehearsal"
_RUN = re.compile(r'Executing \[[^\]]*\] (\w+)\("(Local/s@rehearsal-[^"]*);2", "(.*)"\)')
_PROMPT = re.compile(r"/(uz|ru)/([\w/-]+?)(?=[&,]|$)")
# The facts that the dialplan writes into the event log, and what of them is told.
_FACTS = {
    "REFUSED": "why",
    "LANGUAGE": "language",
    "CLOSED": "message",
    "TOPIC": "topic",
    "QUEUE": "queue",
    "CALLBACK": "number",
}
_DIALPLAN = """
[rehearsal]
exten => s,1,Set(CALLERID(num)={caller})
 same => n,Set(TRUNK={trunk})
 same => n,Goto(from-trunk,{dialled},1)
"""


@dataclass(frozen=True)
class Rehearsed:
    """A call as somebody imagines it. `keys` are pressed one after the other, as asked."""

    caller: str  # digits, with a plus or not; "" hides its number
    dialled: str
    at: dt.datetime
    keys: str = ""


@dataclass(frozen=True)
class Station:
    """What happens next. `kind`: refused | language | closed | topic | queue | callback, with
    `what`; prompts, with the names in `what` and their `language`; key, pressed or ""; employee."""

    kind: str
    what: str = ""
    language: str = ""


def rehearse(settings: Settings, wanted: Plan, call: Rehearsed) -> list[Station]:
    """The stations of a call, in order; it ends with the last.

    Raises config.ConfigError when the second Asterisk does not come up or takes no call.
    """
    with tempfile.TemporaryDirectory(prefix="appliance-try-") as folder:
        apart = _short(config.beside(settings, Path(folder)), wanted, Path(folder))
        files = config.render(apart, _alone(wanted), apart=True, at=call.at)
        caller = re.sub(r"[^+\d]", "", call.caller)[:24]
        dialled = re.sub(r"[^+\d]", "", call.dialled)[:24] or "s"
        files["extensions.conf"] += _DIALPLAN.format(caller=caller, trunk=_TRUNK, dialled=dialled)
        files["modules.conf"] += "\nload = app_senddtmf.so\n"  # presses keys
        with config.running(apart, files):
            try:
                return list(_made(apart, call.keys))
            except (ami.Unreachable, ami.Refused) as error:
                raise config.ConfigError(str(error)) from error


def _alone(wanted: Plan) -> Plan:
    """The plan without ways out, and with waits as short as they can be told apart."""
    queueing = wanted.queueing
    short = dataclasses.replace(
        queueing,
        max_wait=2 * _WAIT if queueing.falls_back else _WAIT,
        fall_back_after=_WAIT if queueing.falls_back else 0,
        announce_every=0,
    )
    limits = dataclasses.replace(wanted.limits, calls=0)
    return dataclasses.replace(wanted, trunks=(), routes=(), queueing=short, limits=limits)


def _short(apart: Settings, wanted: Plan, folder: Path) -> Settings:
    """With silence in place of every prompt."""
    spoken = folder / "prompts"
    for language in prompts.LANGUAGES:
        for name in prompts.defaults(language) | prompts.of_plan(wanted, language):
            file = spoken / language / f"{name}.wav"
            file.parent.mkdir(parents=True, exist_ok=True)
            with wave.open(str(file), "wb") as sound:
                sound.setparams((1, 2, 8000, 0, "NONE", ""))
                sound.writeframes(bytes(9600))  # 0.6 s, in which a key can be pressed
    return dataclasses.replace(
        apart,
        paths=dataclasses.replace(apart.paths, prompts=spoken),
        calls=dataclasses.replace(apart.calls, menu_timeout=2),
    )


def _made(apart: Settings, keys: str) -> Iterator[Station]:
    """Make the call, press the keys as they are asked for, and tell what is executed."""
    left = list(re.sub(r"[^\d*#]", "", keys))
    log = (apart.asterisk.log / "messages").open(encoding="utf-8", errors="replace")
    latest = time.monotonic() + LIMIT
    with log, ami.Connection(apart) as asterisk:
        asterisk.act(
            "Originate",
            Channel="Local/s@rehearsal/n",
            Application="Wait",
            Data=str(int(LIMIT)),
            Async="true",
        )
        began, over, rest = False, False, ""
        while time.monotonic() < latest:
            ended = over  # what was written until then is read once more
            over = began and not _lives(asterisk)
            *lines, rest = (rest + log.read()).split("\n")
            for application, channel, data in _RUN.findall("\n".join(lines)):
                began = True
                if application == "Hangup":
                    return
                yield from _stations(application, data)
                if application == "Read" or (application == "Queue" and left):
                    key = left.pop(0) if left else ""
                    yield Station("key", key)
                    _press(asterisk, f"{channel};1", key)
            if ended:
                return
            time.sleep(_PAUSE)


def _press(asterisk: ami.Connection, channel: str, key: str) -> None:
    if key:
        with contextlib.suppress(ami.Refused):  # the call is over
            asterisk.act("PlayDTMF", Channel=channel, Digit=key)


def _lives(asterisk: ami.Connection) -> bool:
    return bool(asterisk.listed("CoreShowChannels", "CoreShowChannelsComplete"))


def _stations(application: str, data: str) -> Iterator[Station]:
    """What one application of the dialplan means for the caller."""
    if application in ("Playback", "Read"):
        heard: dict[str, list[str]] = {}
        for language, name in _PROMPT.findall(data):
            heard.setdefault(language, []).append(name)
        for language, names in heard.items():
            yield Station("prompts", " ".join(names), language)
    elif application == "CELGenUserEvent":
        name, _, facts = data.partition(",")
        if name in _FACTS:
            told = dict(parse_qsl(facts))
            yield Station(name.lower(), told.get(_FACTS[name], ""), told.get("language", ""))
    elif application == "Goto" and data.startswith("automatic,"):
        yield Station("employee", data.split(",")[1])
