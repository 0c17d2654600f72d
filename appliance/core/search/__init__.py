"""One search for all that can be found: keys of words, the index, finding, the order, snippets."""

from appliance.core.search.finding import Found, find, meant, read_words, rows
from appliance.core.search.index import (
    KINDS,
    Entry,
    clear,
    drop,
    forget,
    is_empty,
    merge,
    put,
    texts,
)
from appliance.core.search.keys import sound
from appliance.core.search.ranking import (
    NOWHERE,
    Query,
    best,
    cost,
    is_meant,
    is_near,
    key,
    query,
    ranked,
)
from appliance.core.search.snippets import Piece, marked, snippet

__all__ = [
    "KINDS",
    "NOWHERE",
    "Entry",
    "Found",
    "Piece",
    "Query",
    "best",
    "clear",
    "cost",
    "drop",
    "find",
    "forget",
    "is_empty",
    "is_meant",
    "is_near",
    "key",
    "marked",
    "meant",
    "merge",
    "put",
    "query",
    "ranked",
    "read_words",
    "rows",
    "snippet",
    "sound",
    "texts",
]
