"""Which numbers may be called. The dialplan applies the same rules: ivr/destination.conf.

Some carriers get a number without its plus or without +998, and they read 00 and 810 as the
international prefix. Therefore only numbers in a valid format are called: the digits of another
number could reach somebody else at the carrier.
"""

import re

from appliance.core.settings import Outgoing

# A foreign number; or one of Uzbekistan, where no area code begins with 0 or 810; or a short one.
_NUMBER_PATTERN = re.compile(r"\+(?!998|0|810)\d{7,15}|\+998(?!0|810)\d{9}|\d{2,8}", re.ASCII)


def dialled_number(number: str) -> str:
    """Return the number in the format that the dialplan calls: +998XXXXXXXXX if possible."""
    plain = re.sub(r"[^+0-9]", "", number)
    plain = re.sub(r"^(00|810)", "+", plain)
    if len(plain) == 10 and plain.startswith("8"):
        plain = plain[1:]
    if len(plain) == 9 and not plain.startswith("+"):
        return f"+998{plain}"
    if re.fullmatch(r"[1-9]\d{10,14}", plain):
        return f"+{plain}"
    return plain


def bar_reason(rules: Outgoing, number: str, *, machine: bool = False) -> str:
    """Return why a number may not be called; "" if it may.

    `machine` is True for an automatic call. The reason is "shape" if this is not a complete number,
    "prefix" if the number is barred for everybody, or "machine" if only people may call it.
    """
    plain = dialled_number(number)
    if not _NUMBER_PATTERN.fullmatch(plain):
        return "shape"
    if plain.startswith(rules.barred):
        return "prefix"
    return "machine" if machine and not plain.startswith(rules.machine) else ""
