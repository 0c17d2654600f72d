"""The words of the search index in a process's memory: finds those similar to a typed word.

A word is divided into two to four pieces, runs of its letters of about equal length. If another
word differs by few errors, at least one piece is unchanged in it, at nearly the same position.
Therefore the words are stored by their pieces, and a typed word is compared only with those that
share a piece with it.
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
    """The words of the entries of one kind (appeal, …), as spellings or as sound keys."""

    def __init__(self) -> None:
        self._all: set[str] = set()
        self._sorted: list[str] = []
        self._unsorted: list[str] = []  # added since `_sorted` was sorted
        # The words by (length of the word, number of the piece, letters of the piece): a word that
        # is similar to a typed one shares a piece with it (see the module's description).
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
        # A cached beginning is only of words at least two letters longer than it.
        for (length, letter), beginnings in self._beginnings.items():
            if word[0] == letter and size > length + 1:
                beginnings[word[:length]] = None

    def words_with_prefix(self, prefix: str, limit: int) -> list[str] | None:
        """Return the words that begin with `prefix`; None if there are more than `limit`."""
        if self._unsorted:
            self._sorted = sorted([*self._sorted, *self._unsorted])
            self._unsorted = []
        first = bisect.bisect_left(self._sorted, prefix)
        # The words are ASCII: this character is after every letter that may follow.
        last = bisect.bisect_left(self._sorted, prefix + "\x7f")
        return self._sorted[first:last] if last - first <= limit else None

    def similar_words(self, word: str, max_errors: int) -> list[tuple[int, str]]:
        """Return (errors, word) for each listed word similar to `word`, the most similar first.

        `errors` is the number of typing errors by which they differ: at most `max_errors`. Returns
        at most MAX_READINGS words, and [] if `max_errors` is 0.
        """
        if not max_errors:
            return []
        candidates = list(self._words_sharing_piece(word, max_errors))
        matches = process.extract(
            word, candidates, scorer=OSA.distance, score_cutoff=max_errors, limit=None
        )
        return sorted((errors, candidate) for candidate, errors, _place in matches)[:MAX_READINGS]

    def words_beginning_like(self, prefix: str, max_errors: int) -> list[str]:
        """Return words that `prefix` may be the misspelt beginning of, the likeliest first.

        They are at least two letters longer than `prefix`, have the same first letter, and their
        beginning differs from it by at most `max_errors` typing errors. Returns at most
        MAX_READINGS words.
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
        """Return the words that may differ from `word` by at most `max_errors` typing errors.

        These have nearly its length, and share a piece with it at nearly the same position.
        """
        words: set[str] = set()
        # By how many letters the other word is longer (or shorter, if below 0), but it has one at
        # least; and how far its pieces may then be shifted.
        for longer in range(max(-max_errors, 1 - len(word)), max_errors + 1):
            before, after = (max_errors + longer) // 2, (max_errors - longer) // 2  # extra, missing
            for number, (begin, end) in enumerate(_piece_bounds(len(word) + longer)):
                for start in range(max(0, begin - before), begin + after + 1):
                    piece_key = len(word) + longer, number, word[start : start + end - begin]
                    if matches := self._pieces.get(piece_key):
                        words.update(matches)
        return words


def _piece_bounds(size: int) -> list[tuple[int, int]]:
    """Return the (start, end) of each piece into which a word of `size` letters is divided."""
    return (
        _PIECE_BOUNDS_CACHE[size]
        if size < len(_PIECE_BOUNDS_CACHE)
        else _compute_piece_bounds(size)
    )


def _compute_piece_bounds(size: int) -> list[tuple[int, int]]:
    """Divide `size` letters into pieces of about equal length; returns the (start, end) of each.

    A word has, nearly always, more pieces than errors are allowed in it (Word.max_errors), so that
    at least one is unchanged.
    """
    pieces = next((pieces for below, pieces in _PIECES_BY_LENGTH if size < below), _MAX_PIECES)
    return list(pairwise(size * n // pieces for n in range(pieces + 1)))


# For words of up to 39 letters, which nearly all are; others are computed at each use.
_PIECE_BOUNDS_CACHE = [_compute_piece_bounds(size) for size in range(40)]


class WordIndex:
    """The words of the search index that this process has loaded, by kind of entry (appeal, …).

    It returns those that begin with a prefix, and those that are similar to a typed word. Call
    `load_new_words` before a search: it loads the words that were indexed since.
    """

    def __init__(self) -> None:
        self._database_file = ""  # of the database whose words are loaded
        self._last_id = 0  # of the newest loaded word
        self._spellings: dict[str, _WordList] = {}  # by kind of entry
        self._sounds: dict[str, _WordList] = {}  # the words' sound keys, by kind of entry
        self._lock = threading.Lock()

    def load_new_words(self) -> None:
        """Load the words that were added to the index since the last call.

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
        """Return (errors, sound key) for each word that `word` may be a misspelling of.

        `errors` is the number of typing errors by which they differ; the least come first. Only the
        loaded words of entries of this `kind`, such as "appeal", are compared.
        """
        spellings, sounds = self._spellings.get(kind), self._sounds.get(kind)
        if not spellings or not sounds:
            return []
        with self._lock:
            matches = sounds.similar_words(word.sound, word.max_errors)
            for errors, match in spellings.similar_words(word.spelling, word.max_spelling_errors):
                matches.append((errors, keys.sound_key(match)))
        # Of equally similar ones those with the same first letter, which people seldom mistake.
        matches.sort(key=lambda pair: (pair[0], pair[1][:1] != word.sound[:1]))
        least_errors: dict[str, int] = {}
        for errors, match in matches:
            least_errors.setdefault(match, errors)
        return [(errors, match) for match, errors in least_errors.items()][:MAX_READINGS]

    def sounds_with_prefix(self, kind: str, sound: str, limit: int) -> list[str] | None:
        """Return the sound keys that begin with `sound`; None if there are more than `limit`.

        Only the loaded words of entries of this `kind`, such as "appeal", are considered; returns
        [] if no such word is loaded.
        """
        sounds = self._sounds.get(kind)
        if not sounds:
            return []
        with self._lock:
            return sounds.words_with_prefix(sound, limit)

    def sounds_beginning_like(self, kind: str, sound: str) -> list[str]:
        """Return the sound keys whose beginning is similar to `sound`, that of an unfinished word.

        Only the loaded words of entries of this `kind`, such as "appeal", are considered. Returns
        [] if `sound` has fewer than MIN_UNFINISHED_LETTERS letters: too many words begin like it.
        """
        sounds = self._sounds.get(kind)
        if not sounds or len(sound) < ranking.MIN_UNFINISHED_LETTERS:
            return []
        with self._lock:
            return sounds.words_beginning_like(sound, keys.max_part_errors(len(sound)))
