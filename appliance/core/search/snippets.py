"""Where a text contains the typed words, so that a page can highlight them."""

import functools
import re
from dataclasses import dataclass

from appliance.core.i18n import fold_text
from appliance.core.search import keys
from appliance.core.search.ranking import NO_MATCH_COST, SearchQuery

SNIPPET_LETTERS = 160  # the longest snippet
_WORD = re.compile(r"\w+(?:['\u2018\u2019\u02bb\u02bc\u0060\u00b4]\w+|[\u02bb\u02bc'`])*")
_MIN_DOUBTFUL_COST = 1.0  # from this cost on, a word counts only if no other word costs less


@dataclass(frozen=True)
class TextPiece:
    """A piece of a text; `marked` is True if it matches the query."""

    text: str
    marked: bool = False


def build_snippet(text: str, query: SearchQuery, length: int = SNIPPET_LETTERS) -> list[TextPiece]:
    """Return the part of a text around the first place that contains the most typed words.

    Returns the beginning of the text if it contains no typed word.
    """
    text = " ".join(text.split())
    spans = _match_spans(text, query)
    begin = 0
    if spans:
        starts = [start for start, _end, _number in spans]
        begin = max(starts, key=lambda at: (_distinct_words_within(spans, at, length), -at))
        begin = 0 if begin < length // 2 else text.rfind(" ", 0, begin - length // 4) + 1
    end = min(len(text), begin + length)
    if end < len(text) and (blank := text.rfind(" ", begin, end)) > begin:
        end = blank
    pieces = [TextPiece("… ")] if begin else []
    for start, stop, _number in spans:
        if start >= begin and stop <= end:
            pieces += [TextPiece(text[begin:start]), TextPiece(text[start:stop], True)]
            begin = stop
    pieces += [TextPiece(text[begin:end]), TextPiece(" …" if end < len(text) else "")]
    return [piece for piece in pieces if piece.text]


def first_match_span(name: str, query: SearchQuery) -> tuple[int, int]:
    """Return the start and end position of the first match in a name; (0, 0) if nothing matches."""
    spans = _match_spans(name, query)
    return spans[0][:2] if spans else (0, 0)


def _match_spans(text: str, query: SearchQuery) -> list[tuple[int, int, int]]:
    """Return (start, end, index of the query's word) for each word of a text that matches."""
    certain: list[tuple[int, int, int]] = []
    doubtful: list[tuple[int, int, int]] = []
    for match in _WORD.finditer(text):
        for word in _word_keys(match[0]):
            costs = [query.word_cost(number, word) for number in range(len(query.words))]
            least = min(costs, default=NO_MATCH_COST)
            if least < NO_MATCH_COST:
                span = (*match.span(), costs.index(least))
                (certain if least < _MIN_DOUBTFUL_COST else doubtful).append(span)
                break
    return certain or doubtful


def _distinct_words_within(
    spans: list[tuple[int, int, int]], window_start: int, length: int
) -> int:
    return len(
        {number for start, _end, number in spans if window_start <= start < window_start + length}
    )


@functools.lru_cache(maxsize=50_000)
def _word_keys(word: str) -> tuple[keys.Word, ...]:
    return tuple(keys.word_keys(spelling) for spelling in fold_text(word).split())
