"""Asterisk's configuration: rendered from the settings and the database, tried, put in force."""

import contextlib
import dataclasses
import datetime as dt
import fcntl
import functools
import hashlib
import json
import os
import re
import secrets
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import ivr
from appliance.core.settings import Settings
from appliance.pbx import agi, config_context
from appliance.pbx.eventlog import FIELDS
from appliance.people import accounts
from appliance.telephony import prompts, routing
from appliance.telephony.recordings import reserve
from appliance.telephony.routing import Plan

DIALPLAN = Path(ivr.__file__).parent
TEMPLATES = Path(__file__).parent / "asterisk"
LOCK = ".lock"
# At its start Asterisk looks up the machine's own name and waits; 10 s when no name server answers.
QUICK_NAMES = {"RES_OPTIONS": "timeout:1 attempts:1"}
_PATIENCE, _PAUSE = 60.0, 0.05  # seconds: a second Asterisk has to come up, between two questions
_AMI_SECRET = re.compile(r"^secret = (.+)$", re.MULTILINE)
MANIFEST = "rendered.json"  # file name → SHA-256 of every file as it was rendered last
FORMER = "former"  # folder of the files that were in force before


class ConfigError(RuntimeError):
    """Asterisk would not take the rendered configuration; the message is its complaint."""


def render(
    settings: Settings,
    wanted: Plan | None = None,
    *,
    apart: bool = False,
    at: dt.datetime | None = None,
) -> dict[str, str]:
    """File name → text of every file of Asterisk's configuration.

    `wanted`: another plan than the one in force. `apart`: for a second Asterisk, which must
    neither take the E1 channels of the running one nor speak to its carriers. `at`: for this
    moment in place of the present one.
    """
    import jinja2  # seldom: what looks after calls has no need of it

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([DIALPLAN, TEMPLATES]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        autoescape=False,  # noqa: S701  these are Asterisk's files, not pages
    )
    dialplan = sorted(path.name for path in DIALPLAN.glob("*.conf"))
    facts = {
        "asterisk": settings.asterisk,
        "calls": settings.calls,
        "dialplan": dialplan,
        "etc": settings.paths.asterisk,
        "event_fields": FIELDS,
        "event_log_name": os.path.relpath(
            settings.paths.event_log, settings.asterisk.log / "cel-custom"
        ),
        "languages": accounts.CALL_LANGUAGES,
        "outgoing": settings.outgoing,
        "look_up_key": agi.key(settings),
        "moment": str(int(at.timestamp())) if at else "${EPOCH}",
        "operators": accounts.operators(),
        "phones": accounts.with_phone(),
        "paths": settings.paths,
        "prompts": settings.paths.prompts,
        "recordings": settings.paths.recordings,
        "system_name": "hotline",
        "unrecorded": reserve.mark(settings),
        **config_context.facts(settings, wanted or routing.current(settings), apart=apart),
    }
    names = [*dialplan, *sorted(path.name for path in TEMPLATES.glob("*.conf"))]
    return {name: environment.get_template(name).render(facts) for name in names}


def try_out(settings: Settings, wanted: Plan | None = None) -> None:
    """Start a second Asterisk with the configuration, apart from the running one.

    Raises ConfigError when it does not come up, complains, or lacks an endpoint, a queue or a
    context. It listens on a loopback address of its own and writes into a folder thrown away.
    """
    with tempfile.TemporaryDirectory(prefix="appliance-try-") as folder:
        apart = beside(settings, Path(folder))
        with running(apart, render(apart, wanted, apart=True)) as ask:
            _compare(wanted or routing.current(settings), ask)
        log = apart.asterisk.log / "messages"
        if complaints := [
            line for line in log.read_text("utf-8", "replace").splitlines() if "ERROR[" in line
        ]:
            raise ConfigError("\n".join(complaints[:5]))


@contextlib.contextmanager
def running(apart: Settings, files: Mapping[str, str]) -> Iterator[Callable[[str], str]]:
    """A second Asterisk with these files; gives what asks it on its console.

    `apart`: as `beside` has made them. Raises ConfigError when it does not come up.
    """
    _write(apart.paths.asterisk, files)
    _make_folders(apart)
    command = [*apart.asterisk.command, "-C", str(apart.paths.asterisk / "asterisk.conf")]
    try:
        process = subprocess.Popen(  # noqa: S603  the command comes from the settings file
            [*command, "-f"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | QUICK_NAMES,
        )
    except OSError as error:
        raise ConfigError(f"{command[0]}: {error.strerror}") from error
    try:
        ask = functools.partial(_ask, process, command)
        ask("core waitfullybooted")
        yield ask
    finally:
        end(process)


def ami_secret(settings: Settings) -> str:
    """The password for commands in the files in force: a running Asterisk asks for this one."""
    found = _AMI_SECRET.search(_read(settings.paths.asterisk / "manager.conf") or "")
    return found[1] if found else settings.asterisk.ami_secret


def has_password(settings: Settings, password: str) -> bool:
    """Whether a phone has this password in the files in force."""
    phones = _read(settings.paths.asterisk / "pjsip.conf") or ""
    return bool(password) and f"\npassword = {password}\n" in phones


def install(settings: Settings, *, tried: bool = False) -> list[str]:
    """Render, try out, and put in place what changed; returns the names of the changed files.

    The files that were in force before are kept in the folder `former`. `tried`: it was tried out
    just before.
    """
    etc = settings.paths.asterisk
    with _alone(etc):
        files = render(settings)
        changed = [name for name, text in files.items() if _read(etc / name) != text]
        if changed:
            if not tried:
                try_out(settings)
            _keep_former(etc)
            _write(etc, {name: files[name] for name in changed})
        _note_rendered(etc, files)
        _make_folders(settings)
    prompts.follow_plan(settings.paths.prompts)
    return changed


def changed_by_hand(etc: Path) -> list[str]:
    """The files of a folder that are not as they were rendered last; none before the first time."""
    try:
        rendered: dict[str, str] = json.loads(_read(etc / MANIFEST) or "{}")
    except ValueError:  # damaged; the next rendering writes it again
        return []
    return [name for name, digest in rendered.items() if _digest(_read(etc / name)) != digest]


def _note_rendered(etc: Path, files: Mapping[str, str]) -> None:
    text = json.dumps({name: _digest(text) for name, text in files.items()}, indent=1)
    if _read(etc / MANIFEST) != text:
        _write(etc, {MANIFEST: text})


def _digest(text: str | None) -> str:
    return hashlib.sha256(text.encode()).hexdigest() if text is not None else ""


def _keep_former(etc: Path) -> None:
    """Copy the files in force; not the folder's rights, of which a unit may set no group bit."""
    former = etc / FORMER
    shutil.rmtree(former, ignore_errors=True)
    former.mkdir(exist_ok=True)
    for file in etc.glob("*.conf"):
        shutil.copy(file, former)


@contextlib.contextmanager
def _alone(etc: Path) -> Iterator[None]:
    """One process at a time installs: pages, jobs and the pbx process may all want to."""
    etc.mkdir(parents=True, exist_ok=True)
    with (etc / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make_folders(settings: Settings) -> None:
    """Make the folders that Asterisk writes into."""
    place = settings.asterisk
    for folder in (place.run, place.log / "cel-custom", place.var / "keys", place.spool):
        folder.mkdir(parents=True, exist_ok=True)
    settings.paths.recordings.mkdir(parents=True, exist_ok=True)


def beside(settings: Settings, folder: Path) -> Settings:
    """The same settings for an Asterisk that touches nothing of the running one."""
    number = threading.get_native_id() % 60_000
    places: dict[str, Any] = {name: folder / name for name in ("run", "log", "spool", "var")}
    return dataclasses.replace(
        settings,
        asterisk=dataclasses.replace(
            settings.asterisk,
            address=f"127.254.{number // 250 + 1}.{number % 250 + 1}",
            ami_secret=secrets.token_hex(16),
            **places,
        ),
        paths=dataclasses.replace(
            settings.paths,
            asterisk=folder / "etc",
            event_log=places["log"] / "events.csv",
            recordings=places["spool"],
        ),
    )


def end(*started: subprocess.Popen[bytes]) -> None:
    """Have processes that we started end, by force when asking does not do."""
    for process in started:
        process.terminate()
    for process in started:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ask(process: subprocess.Popen[bytes], command: list[str], question: str) -> str:
    """What the Asterisk just started answers on its console; waits until it listens."""
    latest = time.monotonic() + _PATIENCE
    while process.poll() is None and (left := latest - time.monotonic()) > 0:
        with contextlib.suppress(subprocess.TimeoutExpired):
            answer = subprocess.run(  # noqa: S603
                [*command, "-rx", question], capture_output=True, timeout=left, check=False
            )
            if answer.returncode == 0:
                return answer.stdout.decode("utf-8", "replace")
        time.sleep(_PAUSE)
    raise ConfigError("Asterisk does not start with this configuration")


def _compare(current: Plan, ask: Callable[[str], str]) -> None:
    """Raise ConfigError when Asterisk lacks something that was rendered."""
    trunks = {trunk.name for trunk in current.trunks if trunk.kind == "sip"}
    endpoints = trunks | {user.extension for user in accounts.with_phone()}
    expected = [
        ("pjsip show endpoints", [f"  {name}" for name in endpoints]),
        ("queue show", [f"{name} has" for name in routing.shared(current)]),
        ("dialplan show", [f"Context '{path.stem}'" for path in DIALPLAN.glob("*.conf")]),
    ]
    for question, marks in expected:
        answer = ask(question)
        if missing := [mark.strip() for mark in marks if mark not in answer]:
            raise ConfigError(f"{question}: {', '.join(missing)} is missing")


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """Write each file whole: a reader sees the old one or the new one."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        fresh = folder / f".{name}.new"
        fresh.unlink(missing_ok=True)  # of one who was killed; it may be another account's
        fresh.write_text(text, "utf-8")
        fresh.chmod(0o640)
        fresh.replace(folder / name)


def _read(path: Path) -> str | None:
    """A file's text; what somebody wrote by hand may be in another encoding."""
    return path.read_text("utf-8", "replace") if path.exists() else None
