"""Calls that Asterisk places at our asking."""

from pathlib import Path

from appliance.core.settings import Settings
from appliance.pbx.ami import Connection

RING = 30_000  # milliseconds that a phone of the house rings


def record_prompt(
    settings: Settings, extension: str, *, file: Path, language: str, name: str, login: str
) -> None:
    """Ring a phone and record a prompt there; pbx.agi takes the file in when it is confirmed.

    `file`: where Asterisk writes, without the ending. Raises Unreachable, Refused.
    """
    variables = {
        "PROMPT_FILE": str(file),
        "PROMPT_LANGUAGE": language,
        "PROMPT_NAME": name,
        "PROMPT_BY": login,
    }
    with Connection(settings) as asterisk:
        asterisk.act(
            "Originate",
            Channel=f"PJSIP/{extension}",
            Context="record-prompt",
            Exten="s",
            Priority="1",
            Timeout=RING,
            Async="true",
            Variable=",".join(f"{key}={value}" for key, value in variables.items()),
        )
