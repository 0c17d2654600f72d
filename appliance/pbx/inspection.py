"""Checks that the running Asterisk has its configured modules, queues and dialplan."""

import datetime as dt
import logging
import subprocess
import threading

from appliance.core import clock
from appliance.core.db import write_transaction
from appliance.core.settings import Settings
from appliance.models import ExchangeLook
from appliance.pbx import config, config_comparison
from appliance.pbx.ami import ActionRefused, Connection, Unreachable
from appliance.pbx.duplicate_registrations import DuplicateRegistrations
from appliance.telephony.recordings import folder_mark

log = logging.getLogger(__name__)

INSPECTION_SECONDS = 10.0  # between two inspections
_CONSOLE_TIMEOUT_SECONDS = 5.0
_REPEAT_INTERVAL = dt.timedelta(seconds=10)  # between two entries for the same refused sign-in
_SIGN_IN_CHECK = "sign_in"


class ConsoleSilent(RuntimeError):
    """Asterisk's console does not answer."""


def inspect_regularly(settings: Settings, stop: threading.Event) -> None:
    """Inspect Asterisk every INSPECTION_SECONDS, until `stop` is set.

    Phones that are registered from two places are recorded too. Before each inspection, the folder
    of recordings gets its mark (`folder_mark`) if it never had one.
    """
    registrations = DuplicateRegistrations()
    while not stop.wait(INSPECTION_SECONDS):
        folder_mark.ensure_mark(settings)
        try:
            inspect_asterisk(settings)
            with Connection(settings) as asterisk:
                record_deviations("places", registrations.find_duplicates(settings, asterisk))
        except (ConsoleSilent, Unreachable, ActionRefused) as error:  # reported by a self-check
            log.warning("Asterisk was not inspected: %s", error)


def inspect_asterisk(settings: Settings) -> None:
    """Record which modules, queues, contexts and files are missing or differ.

    Raises ConsoleSilent if Asterisk's console does not answer.
    """
    etc = settings.paths.asterisk
    console_lines = {
        subject: run_console_command(settings, f"{subject} show")
        for subject in ("module", "dialplan", "queue")
    }
    dialplan = [file.name for file in config.DIALPLAN_FOLDER.glob("*.conf")]
    missing, differences = config_comparison.queue_differences(etc, console_lines["queue"])
    deviations = {
        "modules": config_comparison.modules_not_running(etc, console_lines["module"]),
        "queues": missing,
        "queue_settings": differences,
        "dialplan": config_comparison.differing_contexts(etc, dialplan, console_lines["dialplan"]),
        "files": config.manually_changed_files(etc),
    }
    now = clock.now()
    with write_transaction():
        for name, names in deviations.items():
            ExchangeLook.replace(name=name, missing=names, at=now).execute()


def run_console_command(settings: Settings, console_command: str) -> list[str]:
    """Return the lines that a command prints on Asterisk's console.

    The console is reached through Asterisk's control socket, which belongs to the group that
    Asterisk and the product's processes share: no action of AMI lists the running modules, and the
    class of AMI that opens the console stays disabled. Raises ConsoleSilent if the command fails or
    takes too long.
    """
    conf = str(settings.paths.asterisk / "asterisk.conf")
    command = [*settings.asterisk.command, "-C", conf, "-rx", console_command]
    try:
        result = subprocess.run(  # noqa: S603  the command comes from the settings file
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_CONSOLE_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConsoleSilent(f"{console_command}: {error}") from error
    if result.returncode:
        raise ConsoleSilent(
            f"{console_command}: {result.stderr.decode('utf-8', 'replace').strip()[-200:]}"
        )
    return result.stdout.decode("utf-8", "replace").splitlines()


def record_deviations(name: str, missing: list[str]) -> None:
    """Record what one part of Asterisk currently lacks, or which faults it has; [] if all is well.

    `name` is the part, such as "modules"; the self-checks read the record.
    """
    with write_transaction():
        ExchangeLook.replace(name=name, missing=missing, at=clock.now()).execute()


def record_sign_in(error: str) -> None:
    """Record why Asterisk refuses the sign-in of `appliance pbx`; "" if it accepts it.

    An unchanged error is recorded again after _REPEAT_INTERVAL, so that its time stays recent.
    """
    row = ExchangeLook.get_or_none(ExchangeLook.name == _SIGN_IN_CHECK)
    messages = [error] if error else []
    if row and row.missing == messages and (not error or clock.now() - row.at < _REPEAT_INTERVAL):
        return
    if row or error:
        record_deviations(_SIGN_IN_CHECK, messages)
