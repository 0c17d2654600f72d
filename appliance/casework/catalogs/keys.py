"""Keys of things with several names: one column that says whether a name is one of them."""

import re

from peewee import CharField, Expression, fn

from appliance.core.i18n import fold


def key_of(*names: str) -> str:
    """The search key of a thing: each name folded, between bars, so "|toshkent sh|tashkent|"."""
    folded = dict.fromkeys(key for name in names if (key := fold(name)))
    return f"|{'|'.join(folded)}|" if folded else ""


def mahalla_key(*names: str) -> str:
    """The search key of a mahalla, which people also call without its MFY or OFY."""
    return key_of(*names, *(re.sub(r"\s+(MFY|OFY|МФЙ|ОФЙ)$", "", name) for name in names))


def named_exactly(column: CharField, text: str) -> Expression:
    """The condition that one of the names is the text, whatever its script."""
    return fn.INSTR(column, f"|{fold(text)}|") > 0
