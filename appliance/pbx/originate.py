"""Calls that Asterisk places on request of the appliance."""

from pathlib import Path

from appliance.core.settings import Settings
from appliance.pbx.ami import Connection

RING_MILLISECONDS = 30_000  # how long one of the appliance's phones rings


def record_prompt(
    settings: Settings, extension: str, *, file: Path, language: str, name: str, login: str
) -> None:
    """Ring a phone and record a prompt there; when it is confirmed, pbx.agi imports the file.

    `name` is the prompt's, `login` the user's who requested it. `file` is where Asterisk writes,
    without the suffix. Raises Unreachable if Asterisk does not answer, ActionRefused if it refuses.
    """
    variables = {
        "PROMPT_FILE": str(file),
        "PROMPT_LANGUAGE": language,
        "PROMPT_NAME": name,
        "PROMPT_BY": login,
    }
    with Connection(settings) as asterisk:
        asterisk.send_action(
            "Originate",
            Channel=f"PJSIP/{extension}",
            Context="record-prompt",
            Exten="s",
            Priority="1",
            Timeout=RING_MILLISECONDS,
            Async="true",
            Variable=",".join(f"{key}={value}" for key, value in variables.items()),
        )
