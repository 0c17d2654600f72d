"""What is wrong with further lines of the settings file."""

import tomllib
from collections.abc import Callable


def toml_fault(lines: str) -> str:
    """What a reader of TOML says of them; "" when they can be read."""
    try:
        tomllib.loads(lines)
    except tomllib.TOMLDecodeError as error:
        return str(error)
    return ""


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., str]]:
        """Name in templates → function."""
        return {"toml_fault": toml_fault}
