"""The spoken texts that come along, by language."""

import functools
import tomllib
from pathlib import Path

import ivr

TEXTS = Path(ivr.__file__).parent / "prompts"
LANGUAGES = ("uz", "ru")
NUMBERS = "digits/"  # names that begin so are parts of numbers and dates, as Asterisk names them


@functools.cache
def defaults(language: str) -> dict[str, str]:
    """Name → text of every prompt of a language; "" is a short silence."""
    folder = TEXTS / language
    texts = {file.stem: file.read_text("utf-8").strip() for file in sorted(folder.glob("*.txt"))}
    parts = tomllib.loads((folder / "digits.toml").read_text("utf-8"))
    return texts | {f"{NUMBERS}{name}": text for name, text in parts.items()}
