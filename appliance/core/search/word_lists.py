"""The index's words in a process's memory: which begin with a prefix, which are similar to a word.

A word that differs by few errors has at least one piece (a run of its letters) unchanged, at nearly
its position. Therefore the words are indexed by their pieces, and a typed word is compared only
with those that share a piece with it.
"""

import bisect
import threading
from itertools import pairwise

from rapidfuzz import process
from rapidfuzz.distance import OSA

from appliance.core.db import database
from appliance.core.search import keys, ranking
from appliance.core.search.keys import Word

# Written as SQL, because it runs for each typed letter.
_NEW_WORDS_SQL = "SELECT id, kind, word FROM search_word WHERE id > ? ORDER BY id"
MAX_READINGS = 40  # the most words that a typed word is taken to represent
_PIECES_BY_LENGTH = ((5, 2), (7, 3))  # (length, number of pieces of words shorter than it)
_MAX_PIECES = 4  # of longer words, which may have three errors


class _WordList:
    """The words of one kind (of entries), either by their spellings or by their sound keys."""

    def __init__(self) -> None:
        self._all: set[str] = set()
        self._sorted: list[str] = []
        self._unsorted: list[str] = []  # added since `_sorted` was sorted
        # The words by (length of the word, number of the piece, letters of the piece).
        self._pieces: dict[tuple[int, int, str], list[str]] = {}
        # Cached by `words_beginning_like`: the distinct beginnings by (length, first letter).
        self._beginnings: dict[tuple[int, str], dict[str, None]] = {}

    def add_word(self, word: str) -> None:
        """Add a word, unless the list contains it already."""
        if word in self._all:
            return
        self._all.add(word)
        self._unsorted.append(word)
        size = len(word)
        for number, (begin, end) in enumerate(_piece_bounds(size)):
            self._pieces.setdefault((size, number, word[begin:end]), []).append(word)
        # The cached beginnings contain this word too, if it is long enough for them.
        for (length, letter), beginnings in self._beginnings.items():
            if word[0] == letter and size > length + 1:
                beginnings[word[:length]] = None

    def words_with_prefix(self, prefix: str, limit: int) -> list[str] | None:
        """Return the words that begin with `prefix`; None if there are more than `limit`."""
        if self._unsorted:
            self._sorted = sorted([*self._sorted, *self._unsorted])
            self._unsorted = []
        first = bisect.bisect_left(self._sorted, prefix)
        last = bisect.bisect_left(self._sorted, prefix + "\x7f")
        return self._sorted[first:last] if last - first <= limit else None

    def similar_words(self, word: str, max_errors: int) -> list[tuple[int, str]]:
        """Return (errors, word) of words that differ by at most `max_errors`, the nearest first.

        Returns at most MAX_READINGS of them, and [] if `max_errors` is 0.
        """
        if not max_errors:
            return []
        candidates = list(self._words_sharing_piece(word, max_errors))
        matches = process.extract(
            word, candidates, scorer=OSA.distance, score_cutoff=max_errors, limit=None
        )
        return sorted((errors, candidate) for candidate, errors, _place in matches)[:MAX_READINGS]

    def words_beginning_like(self, prefix: str, max_errors: int) -> list[str]:
        """Return words, at least two letters longer than `prefix`, whose beginning is like it.

        The first letter must be the same; at most `max_errors` errors are allowed. Returns at most
        MAX_READINGS words, those with the most similar beginning first.
        """
        size = len(prefix)
        cache_key = size, prefix[0]
        if cache_key not in self._beginnings:
            words = self.words_with_prefix(prefix[0], len(self._all)) or ()
            self._beginnings[cache_key] = {
                word[:size]: None for word in words if len(word) > size + 1
            }
        beginnings = self._beginnings[cache_key]
        similar = process.extract(
            prefix,
            beginnings.keys(),
            scorer=OSA.distance,
            score_cutoff=max_errors,
            limit=MAX_READINGS,
        )
        completions: list[str] = []
        for beginning, _errors, _place in similar:
            words = self.words_with_prefix(beginning, len(self._all)) or ()
            completions += [word for word in words if len(word) > size + 1]
            if len(completions) >= MAX_READINGS:
                break
        return completions[:MAX_READINGS]

    def _words_sharing_piece(self, word: str, max_errors: int) -> set[str]:
        """Return words of similar length with a piece of `word` at nearly the same position."""
        words: set[str] = set()
        # By how many letters the other word is longer, and how far its pieces may then be shifted.
        for longer in range(max(-max_errors, 1 - len(word)), max_errors + 1):
            before, after = (max_errors + longer) // 2, (max_errors - longer) // 2  # extra, missing
            for number, (begin, end) in enumerate(_piece_bounds(len(word) + longer)):
                for start in range(max(0, begin - before), begin + after + 1):
                    piece_key = len(word) + longer, number, word[start : start + end - begin]
                    if matches := self._pieces.get(piece_key):
                        words.update(matches)
        return words


def _piece_bounds(size: int) -> list[tuple[int, int]]:
    """Return the start and end of each piece of a word of `size` letters, from a cache if short."""
    return (
        _PIECE_BOUNDS_CACHE[size]
        if size < len(_PIECE_BOUNDS_CACHE)
        else _compute_piece_bounds(size)
    )


def _compute_piece_bounds(size: int) -> list[tuple[int, int]]:
    """Divide `size` letters into pieces of about equal length; a longer word has more of them."""
    pieces = next((pieces for below, pieces in _PIECES_BY_LENGTH if size < below), _MAX_PIECES)
    return list(pairwise(size * n // pieces for n in range(pieces + 1)))


_PIECE_BOUNDS_CACHE = [_compute_piece_bounds(size) for size in range(40)]


class WordIndex:
    """The words of all kinds that this process has loaded so far."""

    def __init__(self) -> None:
        self._database_file = ""  # of the database whose words are loaded
        self._last_id = 0  # of the newest loaded word
        self._spellings: dict[str, _WordList] = {}  # by kind
        self._sounds: dict[str, _WordList] = {}  # by kind
        self._lock = threading.Lock()

    def load_new_words(self) -> None:
        """Load the words that were added since the last call; ids are never reused.

        If the process has opened another database since, its words replace the loaded ones.
        """
        with self._lock:
            if self._database_file != str(database.database):
                self._database_file, self._last_id = str(database.database), 0
                self._spellings, self._sounds = {}, {}
            rows = database.execute_sql(_NEW_WORDS_SQL, (self._last_id,))
            for id, kind, word in rows:
                self._spellings.setdefault(kind, _WordList()).add_word(word)
                self._sounds.setdefault(kind, _WordList()).add_word(keys.sound_key(word))
                self._last_id = max(self._last_id, id)

    def similar_sounds(self, kind: str, word: Word) -> list[tuple[int, str]]:
        """Return the sounds of words that `word` may be a misspelling of, the nearest first.

        Each is (errors, sound); `errors` is the number of typing errors by which they differ. Only
        the words of items of this `kind`, such as appeals, are compared.
        """
        spellings, sounds = self._spellings.get(kind), self._sounds.get(kind)
        if not spellings or not sounds:
            return []
        with self._lock:
            matches = sounds.similar_words(word.sound, word.max_errors)
            for errors, match in spellings.similar_words(word.spelling, min(word.max_errors, 2)):
                matches.append((errors, keys.sound_key(match)))
        matches.sort(key=lambda pair: (pair[0], pair[1][:1] != word.sound[:1]))
        least_errors: dict[str, int] = {}
        for errors, match in matches:
            least_errors.setdefault(match, errors)
        return [(errors, match) for match, errors in least_errors.items()][:MAX_READINGS]

    def sounds_with_prefix(self, kind: str, sound: str, limit: int) -> list[str] | None:
        """Return a kind's sound keys that begin with `sound`; None if there are more than `limit`.

        Returns an empty list if no word of this kind is loaded.
        """
        sounds = self._sounds.get(kind)
        if not sounds:
            return []
        with self._lock:
            return sounds.words_with_prefix(sound, limit)

    def sounds_beginning_like(self, kind: str, sound: str) -> list[str]:
        """Return the sounds of a kind whose beginning is similar to `sound`.

        Returns an empty list if `sound` has fewer than MIN_UNFINISHED_LETTERS letters: too many
        words would begin like it.
        """
        sounds = self._sounds.get(kind)
        if not sounds or len(sound) < ranking.MIN_UNFINISHED_LETTERS:
            return []
        with self._lock:
            return sounds.words_beginning_like(sound, 1 if len(sound) < 7 else 2)
