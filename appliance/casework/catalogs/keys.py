"""Keys of things with several names: one column that says whether a name is one of them."""

import re

from peewee import CharField, Expression, fn

from appliance.core import search
from appliance.core.i18n import fold
from appliance.models import CatalogItem, Mahalla, Region


def key_of(*names: str) -> str:
    """The search key of a thing: each name folded, between bars, so "|toshkent sh|tashkent|"."""
    folded = dict.fromkeys(key for name in names if (key := fold(name)))
    return f"|{'|'.join(folded)}|" if folded else ""


def mahalla_key(*names: str) -> str:
    """The search key of a mahalla, which people also call without its MFY or OFY."""
    return key_of(*names, *(re.sub(r"\s+(MFY|OFY|МФЙ|ОФЙ)$", "", name) for name in names))


def names_of(one: CatalogItem | Region | Mahalla) -> str:
    """The names of a value of a list or of a place, as the search reads them."""
    return search.key(one.name_uz_latn, one.name_uz_cyrl, one.name_ru)


def named_exactly(column: CharField, text: str) -> Expression:
    """The condition that one of the names is the text, whatever its script."""
    return fn.INSTR(column, f"|{fold(text)}|") > 0
