"""Search keys: all names of a place or a list's value in one text, to test whether it has a name.

The names are folded (core.i18n.fold_text), so that script and apostrophes do not matter.
"""

import re

from peewee import CharField, Expression, fn

from appliance.core import search
from appliance.core.i18n import fold_text
from appliance.models import CatalogItem, Mahalla, Region


def search_key(*names: str) -> str:
    """Return the key of some names, each folded and between bars: "|toshkent sh|tashkent|".

    Return "" if all names are empty.
    """
    folded = dict.fromkeys(key for name in names if (key := fold_text(name)))
    return f"|{'|'.join(folded)}|" if folded else ""


def mahalla_search_key(*names: str) -> str:
    """Return the search key of a mahalla's names, each also without the ending MFY or OFY."""
    return search_key(*names, *(re.sub(r"\s+(MFY|OFY|МФЙ|ОФЙ)$", "", name) for name in names))


def item_search_names(item: CatalogItem | Region | Mahalla) -> str:
    """Return the folded names of a list's value or of a place, separated by bars."""
    return search.fold_names(item.name_uz_latn, item.name_uz_cyrl, item.name_ru)


def has_exact_name(column: CharField, text: str) -> Expression:
    """Return the SQL condition that a name in the search key of a row is the text, in any script.

    `column` is the one with the search keys.
    """
    return fn.INSTR(column, f"|{fold_text(text)}|") > 0
