"""Which numbers may be called. The dialplan applies the same rules: ivr/destination.conf.

A carrier may be sent a number without its plus or without +998, and takes 00 and 810 for the
international prefix. So a number must have a valid format, or its digits would mean another number
there than here.
"""

import re

from appliance.core.settings import Outgoing

# International; of Uzbekistan, where no area code begins with 0 or 810; as dialled inside it.
_NUMBER_PATTERN = re.compile(r"\+(?!998|0|810)\d{7,15}|\+998(?!0|810)\d{9}|\d{2,8}", re.ASCII)


def dialled_number(number: str) -> str:
    """The number in the format that the dialplan calls: +998XXXXXXXXX if possible."""
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
    """Why a number may not be called, automatically (`machine`) or by people; "" if it may.

    "shape": not a complete number; "prefix": barred for all; "machine": only people may call it.
    """
    plain = dialled_number(number)
    if not _NUMBER_PATTERN.fullmatch(plain):
        return "shape"
    if plain.startswith(rules.barred):
        return "prefix"
    return "machine" if machine and not plain.startswith(rules.machine) else ""
