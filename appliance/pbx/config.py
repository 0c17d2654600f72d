"""Asterisk's configuration: rendered from settings and database, verified, and put in force."""

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
from appliance.pbx.eventlog import CEL_FIELDS
from appliance.people import accounts
from appliance.telephony import prompts, routing
from appliance.telephony.recordings import reserve
from appliance.telephony.routing import Plan

DIALPLAN_FOLDER = Path(ivr.__file__).parent
TEMPLATE_FOLDER = Path(__file__).parent / "asterisk"
LOCK_NAME = ".lock"
# At its start Asterisk resolves the machine's own name: 10 s if no name server answers.
SHORT_DNS_TIMEOUT = {"RES_OPTIONS": "timeout:1 attempts:1"}
_START_TIMEOUT_SECONDS, _RETRY_SECONDS = 60.0, 0.05  # start of a second Asterisk; between attempts
_AMI_SECRET = re.compile(r"^secret = (.+)$", re.MULTILINE)
MANIFEST_NAME = "rendered.json"  # contains the SHA-256 of every file at the last rendering
FORMER_FOLDER = "former"  # contains the files that were in force before


class ConfigError(RuntimeError):
    """Asterisk does not accept the rendered configuration; the message is its complaint."""


def render_files(
    settings: Settings,
    plan: Plan | None = None,
    *,
    isolated: bool = False,
    at: dt.datetime | None = None,
) -> dict[str, str]:
    """Return the texts of all files of Asterisk's configuration, by file name.

    `plan` is the plan to render, by default the one in force. With `isolated`, the files are for a
    second Asterisk, which neither uses the E1 channels of the running one nor contacts its
    carriers. `at` is the time that the dialplan assumes, by default the current one.
    """
    import jinja2  # seldom needed: the process that follows calls does without it

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([DIALPLAN_FOLDER, TEMPLATE_FOLDER]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        autoescape=False,  # noqa: S701  these are Asterisk's files, not pages
    )
    dialplan = sorted(path.name for path in DIALPLAN_FOLDER.glob("*.conf"))
    facts = {
        "asterisk": settings.asterisk,
        "calls": settings.calls,
        "dialplan": dialplan,
        "etc": settings.paths.asterisk,
        "event_fields": CEL_FIELDS,
        "event_log_name": os.path.relpath(
            settings.paths.event_log, settings.asterisk.log / "cel-custom"
        ),
        "languages": accounts.CALL_LANGUAGES,
        "outgoing": settings.outgoing,
        "look_up_key": agi.look_up_key(settings),
        "moment": str(int(at.timestamp())) if at else "${EPOCH}",
        "operators": accounts.active_operators(),
        "phones": accounts.users_with_phone(),
        "paths": settings.paths,
        "prompts": settings.paths.prompts,
        "recordings": settings.paths.recordings,
        "system_name": "hotline",
        "unrecorded": reserve.unrecorded_mark(settings),
        **config_context.template_values(
            settings, plan or routing.current_plan(settings), isolated=isolated
        ),
    }
    names = [*dialplan, *sorted(path.name for path in TEMPLATE_FOLDER.glob("*.conf"))]
    return {name: environment.get_template(name).render(facts) for name in names}


def verify_configuration(settings: Settings, plan: Plan | None = None) -> None:
    """Verify the configuration with a second Asterisk that is isolated from the running one.

    `plan` is the plan to verify, by default the one in force. The second Asterisk listens on a
    loopback address of its own and writes into a temporary folder. Raises ConfigError if it does
    not start, logs an error, or lacks an endpoint, a queue or a context.
    """
    with tempfile.TemporaryDirectory(prefix="appliance-try-") as folder:
        isolated_settings = isolate_settings(settings, Path(folder))
        with run_second_asterisk(
            isolated_settings, render_files(isolated_settings, plan, isolated=True)
        ) as run_command:
            _require_complete(plan or routing.current_plan(settings), run_command)
        log = isolated_settings.asterisk.log / "messages"
        if complaints := [
            line for line in log.read_text("utf-8", "replace").splitlines() if "ERROR[" in line
        ]:
            raise ConfigError("\n".join(complaints[:5]))


@contextlib.contextmanager
def run_second_asterisk(
    isolated_settings: Settings, files: Mapping[str, str]
) -> Iterator[Callable[[str], str]]:
    """Run a second Asterisk with these files; yields a function that runs one of its commands.

    The function takes a console command and returns its output. `isolated_settings` are from
    `isolate_settings`. Raises ConfigError if Asterisk does not start.
    """
    _write_files(isolated_settings.paths.asterisk, files)
    _create_asterisk_folders(isolated_settings)
    command = [
        *isolated_settings.asterisk.command,
        "-C",
        str(isolated_settings.paths.asterisk / "asterisk.conf"),
    ]
    try:
        process = subprocess.Popen(  # noqa: S603  the command comes from the settings file
            [*command, "-f"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | SHORT_DNS_TIMEOUT,
        )
    except OSError as error:
        raise ConfigError(f"{command[0]}: {error.strerror}") from error
    try:
        run_command = functools.partial(_run_console_command, process, command)
        run_command("core waitfullybooted")
        yield run_command
    finally:
        stop_processes(process)


def ami_secret(settings: Settings) -> str:
    """Return the AMI password in the files in force, which the running Asterisk expects."""
    match = _AMI_SECRET.search(_read_text(settings.paths.asterisk / "manager.conf") or "")
    return match[1] if match else settings.asterisk.ami_secret


def has_phone_password(settings: Settings, password: str) -> bool:
    """Return True if the configuration in force contains this password for any phone."""
    phones = _read_text(settings.paths.asterisk / "pjsip.conf") or ""
    return bool(password) and f"\npassword = {password}\n" in phones


def install_files(settings: Settings, *, is_verified: bool = False) -> list[str]:
    """Render and verify the configuration and write what changed; returns the changed files' names.

    The files that were in force before are kept in the folder `former`. `is_verified`: the
    configuration was verified just before, and is not verified again. The prompts that are made
    from the plan's texts are updated too. Asterisk does not reload by this. Raises ConfigError if
    the configuration does not pass, with nothing written.
    """
    etc = settings.paths.asterisk
    with _installation_lock(etc):
        files = render_files(settings)
        changed_files = [name for name, text in files.items() if _read_text(etc / name) != text]
        if changed_files:
            if not is_verified:
                verify_configuration(settings)
            _copy_former_files(etc)
            _write_files(etc, {name: files[name] for name in changed_files})
        _save_manifest(etc, files)
        _create_asterisk_folders(settings)
    prompts.update_plan_prompts(settings.paths.prompts)
    return changed_files


def manually_changed_files(etc: Path) -> list[str]:
    """Return the names of files that were changed since the last rendering, not by the appliance.

    Returns an empty list before the first rendering.
    """
    try:
        digests: dict[str, str] = json.loads(_read_text(etc / MANIFEST_NAME) or "{}")
    except ValueError:  # damaged; the next rendering writes it again
        return []
    return [
        name for name, digest in digests.items() if _text_digest(_read_text(etc / name)) != digest
    ]


def _save_manifest(etc: Path, files: Mapping[str, str]) -> None:
    """Store the digests of the rendered files, by which manual changes are found."""
    text = json.dumps({name: _text_digest(text) for name, text in files.items()}, indent=1)
    if _read_text(etc / MANIFEST_NAME) != text:
        _write_files(etc, {MANIFEST_NAME: text})


def _text_digest(text: str | None) -> str:
    """Return the SHA-256 of a file's text; "" for a missing file."""
    return hashlib.sha256(text.encode()).hexdigest() if text is not None else ""


def _copy_former_files(etc: Path) -> None:
    """Copy the files in force into the folder `former`.

    The folder's mode is not copied: a systemd unit may not set its group bit.
    """
    target = etc / FORMER_FOLDER
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(exist_ok=True)
    for file in etc.glob("*.conf"):
        shutil.copy(file, target)


@contextlib.contextmanager
def _installation_lock(etc: Path) -> Iterator[None]:
    """Let only one process at a time install: web pages, jobs and the pbx process may all do so."""
    etc.mkdir(parents=True, exist_ok=True)
    with (etc / LOCK_NAME).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _create_asterisk_folders(settings: Settings) -> None:
    """Create the folders that Asterisk writes into, unless they exist."""
    asterisk = settings.asterisk
    for folder in (
        asterisk.run,
        asterisk.log / "cel-custom",
        asterisk.var / "keys",
        asterisk.spool,
    ):
        folder.mkdir(parents=True, exist_ok=True)
    settings.paths.recordings.mkdir(parents=True, exist_ok=True)


def isolate_settings(settings: Settings, folder: Path) -> Settings:
    """Return settings for a second Asterisk that touches nothing of the running one.

    It has a loopback address, an AMI password and folders of its own, in `folder`. The address
    depends on the thread, because several threads may run a second Asterisk at the same time.
    """
    number = threading.get_native_id() % 60_000
    folders: dict[str, Any] = {name: folder / name for name in ("run", "log", "spool", "var")}
    return dataclasses.replace(
        settings,
        asterisk=dataclasses.replace(
            settings.asterisk,
            address=f"127.254.{number // 250 + 1}.{number % 250 + 1}",
            ami_secret=secrets.token_hex(16),
            **folders,
        ),
        paths=dataclasses.replace(
            settings.paths,
            asterisk=folder / "etc",
            event_log=folders["log"] / "events.csv",
            recordings=folders["spool"],
        ),
    )


def stop_processes(*processes: subprocess.Popen[bytes]) -> None:
    """Terminate child processes; kill those that do not end within 10 seconds."""
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _run_console_command(
    process: subprocess.Popen[bytes], command: list[str], console_command: str
) -> str:
    """Run a console command of an Asterisk that was just started; returns the output.

    Waits until that Asterisk accepts commands. Raises ConfigError if it ends or takes too long.
    """
    deadline = time.monotonic() + _START_TIMEOUT_SECONDS
    while process.poll() is None and (remaining := deadline - time.monotonic()) > 0:
        with contextlib.suppress(subprocess.TimeoutExpired):  # raised as ConfigError below
            result = subprocess.run(  # noqa: S603
                [*command, "-rx", console_command],
                capture_output=True,
                timeout=remaining,
                check=False,
            )
            if result.returncode == 0:
                return result.stdout.decode("utf-8", "replace")
        time.sleep(_RETRY_SECONDS)
    raise ConfigError("Asterisk does not start with this configuration")


def _require_complete(plan: Plan, run_command: Callable[[str], str]) -> None:
    """Raise ConfigError if the second Asterisk lacks an endpoint, queue or context of the plan.

    `run_command` runs one of its console commands and returns the output.
    """
    trunks = {trunk.name for trunk in plan.trunks if trunk.kind == "sip"}
    endpoints = trunks | {user.extension for user in accounts.users_with_phone()}
    expected = [
        ("pjsip show endpoints", [f"  {name}" for name in endpoints]),
        ("queue show", [f"{name} has" for name in routing.shared_queues(plan)]),
        ("dialplan show", [f"Context '{path.stem}'" for path in DIALPLAN_FOLDER.glob("*.conf")]),
    ]
    for command, marks in expected:
        output = run_command(command)
        if missing := [mark.strip() for mark in marks if mark not in output]:
            raise ConfigError(f"{command}: {', '.join(missing)} is missing")


def _write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write each file atomically: a reader sees the old one or the new one."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        new_file = folder / f".{name}.new"
        new_file.unlink(missing_ok=True)  # left by a killed process, perhaps of another account
        new_file.write_text(text, "utf-8")
        new_file.chmod(0o640)
        new_file.replace(folder / name)


def _read_text(path: Path) -> str | None:
    """Return a file's text, if the file exists.

    A manually edited file may be in another encoding.
    """
    return path.read_text("utf-8", "replace") if path.exists() else None
