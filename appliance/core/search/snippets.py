"""Where a text contains the typed words, so that a page can highlight them."""

import functools
import re
from dataclasses import dataclass
from typing import NamedTuple

from appliance.core.i18n import fold_text
from appliance.core.search import keys
from appliance.core.search.ranking import NO_MATCH_COST, SearchQuery

SNIPPET_LETTERS = 160  # the longest snippet
_WORD = re.compile(r"\w+(?:['\u2018\u2019\u02bb\u02bc\u0060\u00b4]\w+|[\u02bb\u02bc'`])*")
_MIN_DOUBTFUL_COST = 1.0  # from this cost on, a word counts only if no other word costs less


@dataclass(frozen=True)
class TextPiece:
    """A piece of a snippet; `marked` is True if it matches the query, and is to be highlighted."""

    text: str
    marked: bool = False


class _MatchSpan(NamedTuple):
    """A word of a text that matches a word of the query: its start and end in the text."""

    start: int
    end: int
    query_word_index: int  # of the matched word, in SearchQuery.words


def build_snippet(text: str, query: SearchQuery, length: int = SNIPPET_LETTERS) -> list[TextPiece]:
    """Return an extract of a text, of about `length` characters, with the most typed words.

    It is for a list of search results. It is returned in pieces, and those that match the query are
    marked. Of equally good extracts it is the first one; the beginning of the text if it contains
    no typed word.
    """
    text = " ".join(text.split())
    spans = _match_spans(text, query)
    begin = 0
    if spans:
        starts = [span.start for span in spans]
        begin = max(
            starts, key=lambda start: (_distinct_words_within(spans, start, length), -start)
        )
        # Some words before the first match are shown too: about a quarter of the length, or all
        # words if these are few.
        begin = 0 if begin < length // 2 else text.rfind(" ", 0, begin - length // 4) + 1
    end = min(len(text), begin + length)
    # No word is cut, unless it alone is longer than the extract.
    if end < len(text) and (blank := text.rfind(" ", begin, end)) > begin:
        end = blank
    pieces = [TextPiece("… ")] if begin else []
    for span in spans:
        if span.start >= begin and span.end <= end:
            pieces.append(TextPiece(text[begin : span.start]))
            pieces.append(TextPiece(text[span.start : span.end], True))
            begin = span.end
    pieces += [TextPiece(text[begin:end]), TextPiece(" …" if end < len(text) else "")]
    return [piece for piece in pieces if piece.text]


def first_match_span(name: str, query: SearchQuery) -> tuple[int, int]:
    """Return (start, end) of the first word in `name` that matches; (0, 0) if no word does."""
    spans = _match_spans(name, query)
    return (spans[0].start, spans[0].end) if spans else (0, 0)


def _match_spans(text: str, query: SearchQuery) -> list[_MatchSpan]:
    """Return the positions of the words of a text that match the query, in order.

    A doubtful match (see _MIN_DOUBTFUL_COST) is returned only if the text has no certain one.
    """
    certain: list[_MatchSpan] = []
    doubtful: list[_MatchSpan] = []
    for match in _WORD.finditer(text):
        for word in _folded_words(match[0]):
            costs = [query.word_cost(number, word) for number in range(len(query.words))]
            least = min(costs, default=NO_MATCH_COST)
            if least < NO_MATCH_COST:
                span = _MatchSpan(match.start(), match.end(), costs.index(least))
                (certain if least < _MIN_DOUBTFUL_COST else doubtful).append(span)
                break
    return certain or doubtful


def _distinct_words_within(spans: list[_MatchSpan], window_start: int, length: int) -> int:
    """Return how many different words of the query have a match that begins in a part of the text.

    The part is the `length` characters from the position `window_start` on.
    """
    window = range(window_start, window_start + length)
    return len({span.query_word_index for span in spans if span.start in window})


@functools.lru_cache(maxsize=50_000)
def _folded_words(word: str) -> tuple[keys.Word, ...]:
    """Return the words, folded, of which a word of a text consists: _ in it separates two."""
    return tuple(keys.word_from_spelling(spelling) for spelling in fold_text(word).split())
