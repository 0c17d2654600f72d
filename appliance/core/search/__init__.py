"""Full-text search: keys of words, the index, finding entries, ranking them, snippets."""

from appliance.core.search.finding import (
    SearchResult,
    find_entries,
    likely_results,
    matching_ids_query,
    preload_words,
)
from appliance.core.search.index import (
    KINDS,
    SearchItem,
    clear_kind,
    drop_entry,
    forget_words,
    index_item,
    is_kind_empty,
    merge_index_step,
    stored_texts,
)
from appliance.core.search.keys import sound_key
from appliance.core.search.names import fold_names
from appliance.core.search.ranking import (
    NO_MATCH_COST,
    SearchQuery,
    best_matches,
    is_likely_match,
    match_cost,
    matches_without_errors,
    parse_query,
    rank_candidates,
)
from appliance.core.search.snippets import TextPiece, build_snippet, first_match_span
from appliance.core.search.tables import SearchEntry, SearchText, SearchWord

__all__ = [
    "KINDS",
    "NO_MATCH_COST",
    "SearchItem",
    "SearchResult",
    "TextPiece",
    "SearchQuery",
    "best_matches",
    "clear_kind",
    "match_cost",
    "drop_entry",
    "find_entries",
    "forget_words",
    "is_kind_empty",
    "is_likely_match",
    "matches_without_errors",
    "fold_names",
    "first_match_span",
    "likely_results",
    "merge_index_step",
    "index_item",
    "parse_query",
    "rank_candidates",
    "preload_words",
    "matching_ids_query",
    "build_snippet",
    "sound_key",
    "stored_texts",
    "SearchEntry",
    "SearchText",
    "SearchWord",
]
