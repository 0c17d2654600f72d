"""Rehearses a call at any time: a second Asterisk runs it through the real dialplan with a plan.

The route is read from the dialplan steps that this Asterisk executes. Prompts are silent there and
waits are short; no phone rings, no carrier is contacted, and nothing reaches the ledger.
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

MAX_CALL_SECONDS = 45.0  # how long a rehearsed call may last
_QUEUE_WAIT_SECONDS = 4  # in each queue
_POLL_SECONDS = 0.1
_TRUNK = "rehearsal"
_EXECUTED_STEP = re.compile(r'Executing \[[^\]]*\] (\w+)\("(Local/s@rehearsal-[^"]*);2", "(.*)"\)')
_PROMPT_FILE = re.compile(r"/(uz|ru)/([\w/-]+?)(?=[&,]|$)")
# The dialplan's own events that are reported, and the value of each that is reported.
_EVENT_FACTS = {
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
class RehearsalCall:
    """The call to rehearse. `keys` are pressed one by one, whenever the dialplan asks for a key."""

    caller: str  # digits, with or without a plus; "" hides the number
    dialled: str
    at: dt.datetime
    keys: str = ""


@dataclass(frozen=True)
class RehearsalEvent:
    """Something that the caller meets: a prompt, a menu's key, a queue, an employee, a refusal, …

    What `detail` contains depends on the `kind`:

    - prompts: the prompts' names, separated by blanks (`language` is the language of the prompts)
    - key: the key pressed, "" if the caller presses no key
    - employee: the employee's number
    - refused, language, closed, topic, queue, callback: see `_EVENT_FACTS`
    """

    kind: str
    detail: str = ""
    language: str = ""


def rehearse_call(settings: Settings, plan: Plan, call: RehearsalCall) -> list[RehearsalEvent]:
    """Return what a caller meets, in order; the call ends after the last event.

    Raises config.ConfigError if the second Asterisk does not start or accepts no call.
    """
    with tempfile.TemporaryDirectory(prefix="appliance-try-") as folder:
        isolated_settings = _create_silent_prompts(
            config.isolate_settings(settings, Path(folder)), plan, Path(folder)
        )
        files = config.render_files(
            isolated_settings, _rehearsal_plan(plan), isolated=True, at=call.at
        )
        caller_number = re.sub(r"[^+\d]", "", call.caller)[:24]
        dialled_number = re.sub(r"[^+\d]", "", call.dialled)[:24] or "s"
        files["extensions.conf"] += _DIALPLAN.format(
            caller=caller_number, trunk=_TRUNK, dialled=dialled_number
        )
        files["modules.conf"] += "\nload = app_senddtmf.so\n"  # presses keys
        with config.run_second_asterisk(isolated_settings, files):
            try:
                return list(_run_call(isolated_settings, call.keys))
            except (ami.Unreachable, ami.ActionRefused) as error:
                raise config.ConfigError(str(error)) from error


def _rehearsal_plan(plan: Plan) -> Plan:
    """Return the plan without routes, trunks, announcements or limit of calls, with short waits.

    If calls are offered to other operators before the wait ends, the second wait stays longer than
    the first, so that the rehearsal shows both.
    """
    queueing = plan.queueing
    short_queueing = dataclasses.replace(
        queueing,
        max_wait=2 * _QUEUE_WAIT_SECONDS if queueing.falls_back else _QUEUE_WAIT_SECONDS,
        fall_back_after=_QUEUE_WAIT_SECONDS if queueing.falls_back else 0,
        announce_every=0,
    )
    limits = dataclasses.replace(plan.limits, calls=0)
    return dataclasses.replace(plan, trunks=(), routes=(), queueing=short_queueing, limits=limits)


def _create_silent_prompts(isolated_settings: Settings, plan: Plan, folder: Path) -> Settings:
    """Create a short, silent file for every prompt in `folder`; returns settings that use them.

    By these settings, the menu also waits only shortly for a key.
    """
    prompt_folder = folder / "prompts"
    for language in prompts.LANGUAGES:
        for name in prompts.default_texts(language) | prompts.texts_of_plan(plan, language):
            file = prompt_folder / language / f"{name}.wav"
            file.parent.mkdir(parents=True, exist_ok=True)
            with wave.open(str(file), "wb") as sound:
                sound.setparams((1, 2, 8000, 0, "NONE", ""))
                sound.writeframes(bytes(9600))  # 0.6 s, in which a key can be pressed
    return dataclasses.replace(
        isolated_settings,
        paths=dataclasses.replace(isolated_settings.paths, prompts=prompt_folder),
        calls=dataclasses.replace(isolated_settings.calls, menu_timeout=2),
    )


def _run_call(isolated_settings: Settings, keys: str) -> Iterator[RehearsalEvent]:
    """Place the call, press the keys when they are requested, and yield what the caller meets."""
    remaining_keys = list(re.sub(r"[^\d*#]", "", keys))
    log = (isolated_settings.asterisk.log / "messages").open(encoding="utf-8", errors="replace")
    deadline = time.monotonic() + MAX_CALL_SECONDS
    with log, ami.Connection(isolated_settings) as asterisk:
        asterisk.send_action(
            "Originate",
            Channel="Local/s@rehearsal/n",
            Application="Wait",
            Data=str(int(MAX_CALL_SECONDS)),
            Async="true",
        )
        has_begun, is_over, partial_line = False, False, ""
        while time.monotonic() < deadline:
            was_over = is_over  # output written before the end is read once more
            is_over = has_begun and not _has_channels(asterisk)
            *lines, partial_line = (partial_line + log.read()).split("\n")
            for application, channel, data in _EXECUTED_STEP.findall("\n".join(lines)):
                has_begun = True
                if application == "Hangup":
                    return
                yield from _events_of_step(application, data)
                if application == "Read" or (application == "Queue" and remaining_keys):
                    key = remaining_keys.pop(0) if remaining_keys else ""
                    yield RehearsalEvent("key", key)
                    _press_key(asterisk, f"{channel};1", key)
            if was_over:
                return
            time.sleep(_POLL_SECONDS)


def _press_key(asterisk: ami.Connection, channel: str, key: str) -> None:
    """Press a key on a channel; do nothing if the key is "" or the call is over."""
    if key:
        with contextlib.suppress(ami.ActionRefused):  # the call is over
            asterisk.send_action("PlayDTMF", Channel=channel, Digit=key)


def _has_channels(asterisk: ami.Connection) -> bool:
    """Return True if the second Asterisk still has a channel."""
    return bool(asterisk.list_events("CoreShowChannels", "CoreShowChannelsComplete"))


def _events_of_step(application: str, data: str) -> Iterator[RehearsalEvent]:
    """Yield what the caller meets at one step of the dialplan.

    `application` is the Asterisk application that the step runs, `data` its arguments.
    """
    if application in ("Playback", "Read"):
        names_by_language: dict[str, list[str]] = {}
        for language, name in _PROMPT_FILE.findall(data):
            names_by_language.setdefault(language, []).append(name)
        for language, names in names_by_language.items():
            yield RehearsalEvent("prompts", " ".join(names), language)
    elif application == "CELGenUserEvent":
        name, _, facts = data.partition(",")
        if name in _EVENT_FACTS:
            values = dict(parse_qsl(facts))
            yield RehearsalEvent(
                name.lower(), values.get(_EVENT_FACTS[name], ""), values.get("language", "")
            )
    elif application == "Goto" and data.startswith("automatic,"):
        yield RehearsalEvent("employee", data.split(",")[1])
