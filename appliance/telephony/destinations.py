"""Where a call out may go. The same rules stand in the dialplan: ivr/destination.conf.

A carrier may be sent a number without its plus, or without +998, and takes 00 and 810 for the way
abroad: so a number must look like one, or its digits would say another thing there than here.
"""

import re

from appliance.core.settings import Outgoing

# Of every country; of Uzbekistan, where neither 0 nor 810 begins an area; as dialled inside.
_SHAPE = re.compile(r"\+(?!998|0|810)\d{7,15}|\+998(?!0|810)\d{9}|\d{2,8}", re.ASCII)


def going(number: str) -> str:
    """The number as the dialplan calls it: +998XXXXXXXXX where it can be."""
    plain = re.sub(r"[^+0-9]", "", number)
    plain = re.sub(r"^(00|810)", "+", plain)
    if len(plain) == 10 and plain.startswith("8"):
        plain = plain[1:]
    if len(plain) == 9 and not plain.startswith("+"):
        return f"+998{plain}"
    if re.fullmatch(r"[1-9]\d{10,14}", plain):
        return f"+{plain}"
    return plain


def barred(rules: Outgoing, number: str, *, machine: bool = False) -> str:
    """Why a number may not be called, by the machine or by people; "" when it may.

    "shape": it is no whole number; "prefix": nobody may; "machine": people may.
    """
    plain = going(number)
    if not _SHAPE.fullmatch(plain):
        return "shape"
    if plain.startswith(rules.barred):
        return "prefix"
    return "machine" if machine and not plain.startswith(rules.machine) else ""
