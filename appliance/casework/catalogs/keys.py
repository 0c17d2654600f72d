"""Search keys of things with several names: one column that answers every kind of match."""

import re

from peewee import Case, CharField, Expression, NodeList, fn

from appliance.core.i18n import fold

TOWN = fold("город")  # Russian says it before the name


def key_of(*names: str) -> str:
    """The search key of a thing: each name folded, between bars, so "|toshkent sh|tashkent|"."""
    folded = dict.fromkeys(key for name in names if (key := fold(name)))
    return f"|{'|'.join(folded)}|" if folded else ""


def mahalla_key(*names: str) -> str:
    """The search key of a mahalla, which people also call without its MFY or OFY."""
    return key_of(*names, *(re.sub(r"\s+(MFY|OFY|МФЙ|ОФЙ)$", "", name) for name in names))


def within(column: CharField, text: str) -> Expression:
    """The condition that a name holds the text, or that its words begin as the text's words do.

    In whatever script: "and t" and "анд т" both hold of Andijon tumani.
    """
    whole = fn.INSTR(column, fold(text)) > 0
    return whole | _begin_so(column, fold(text)) if " " in fold(text) else whole


def named_exactly(column: CharField, text: str) -> Expression:
    """The condition that one of the names is the text, whatever its script."""
    return fn.INSTR(column, f"|{fold(text)}|") > 0


def best_first(column: CharField, text: str) -> NodeList:
    """The order of matches: a name begins with the text, a word of it does, the rest.

    What Russian puts before the name of a town is no part of it.
    """
    key = fold(text)
    begins = _begin_so(column, key) | (fn.INSTR(column, f"|{TOWN} {key}") > 0)
    return Case(None, ((begins, 0), (fn.INSTR(column, f" {key}") > 0, 1)), 2)


def _begin_so(column: CharField, key: str) -> Expression:
    """Whether a name's first word begins with the key's first, and later ones with the others."""
    return column ** f"%|{'% '.join(key.split())}%"
