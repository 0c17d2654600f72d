"""Search keys: forms of a word by which it is found regardless of script, spelling and ending.

A word has three keys, from fine to coarse: its folded spelling (i18n.fold_text), its sound, and its
sound without endings. "Ташкентская" is spelt tashkentskaya; without its ending its sound is that of
"Toshkent".
"""

import functools
import re
from dataclasses import dataclass

from appliance.core.i18n import fold_text

MIN_STEM_LETTERS = 4  # letters of a word that remain when an ending is removed
_MIN_STEM_LETTERS_BEFORE_LONG_ENDING = 3  # "ish" of "ishlar", "ishning"

# Uzbek endings, from the end of a word inward: case, possessor, plural.
_CASE_ENDING = re.compile(r"(ningki|niki|dagi|dan|ning|ga|ka|qa|da|ni|dir)$")
_POSSESSIVE_ENDING = re.compile(r"(imiz|ingiz|miz|ngiz|im|ing|si|i)$")
_PLURAL_ENDING = re.compile(r"lar$")
# Russian endings as folded; the last pattern is that of an adjective derived from a place name.
_RUSSIAN_ENDING = re.compile(
    r"(iyami|iyam|iyax|yami|ami|imi|ogo|ego|omu|emu|yaya|aya|oye|oe|uyu|yuyu|iye|iyu|iya|ii|iy|ie|oy|ey|om|em|im"
    r"|ix|ax|yax|am|yam|ya|ye|yu|a|o|e|i|y|u)$"
)
_PLACE_ADJECTIVE_ENDING = re.compile(r"(in|en)?sk$")

# Folded letters that have one sound, and their letter in the key. The order matters: shch before sh
# and ch. S and C are used until `_SIMILAR_LETTERS` turns them into x and c: a folded x means h.
_LETTER_GROUPS = (
    *(("shch", "S"), ("sh", "S"), ("ch", "C"), ("x", "h"), ("kh", "h"), ("gh", "g")),
    *(("dzh", "j"), ("zh", "j"), ("dj", "j"), ("ts", "s"), ("ph", "f")),
)
# The y of folded я, ю and ё after a consonant: it is not a sound of its own there.
_SOFTENING_Y = re.compile(r"(?<=[^aeiouy])y(?=[aeou])")
_SIMILAR_LETTERS = str.maketrans("qwyeouSC", "kviiaaxc")
_DOUBLED_LETTER = re.compile(r"(.)\1+")


@dataclass(frozen=True, eq=False)  # each word has one object: `word_from_spelling` caches it
class Word:
    """A word, and the forms of it (keys) by which the search finds it; each computed on first use.

    `spelling` is folded: in lower-case ASCII, whatever its script was (see i18n.fold_text).
    """

    spelling: str

    @functools.cached_property
    def sound(self) -> str:
        """The word's sound key: the same for spellings that sound alike (see `sound_key`)."""
        return sound_key(self.spelling)

    @functools.cached_property
    def uzbek_stem(self) -> str:
        """The spelling of the word without its Uzbek endings."""
        return _strip_uzbek_endings(self.spelling)

    @functools.cached_property
    def stems(self) -> tuple[str, ...]:
        """The sound keys of the word without its Uzbek and without its Russian endings.

        A stem that sounds like the word itself is left out.
        """
        stems = dict.fromkeys(
            (sound_key(self.uzbek_stem), sound_key(_strip_russian_endings(self.spelling)))
        )
        return tuple(stem for stem in stems if stem != self.sound)

    @functools.cached_property
    def tokens(self) -> tuple[str, ...]:
        """The forms of the word that the index stores: its sound key and those of its stems."""
        return (self.sound, *self.stems)

    @functools.cached_property
    def token_set(self) -> frozenset[str]:
        """The `tokens` as a set, to test whether two words have one in common."""
        return frozenset(self.tokens)

    @functools.cached_property
    def sound_letters(self) -> int:
        """Which letters the word's sound key contains, as a bit mask (see `letter_mask`)."""
        return letter_mask(self.sound)

    @functools.cached_property
    def spelling_letters(self) -> int:
        """Which letters the word's spelling contains, as a bit mask (see `letter_mask`)."""
        return letter_mask(self.spelling)

    @functools.cached_property
    def sound_prefixes(self) -> tuple[str, ...]:
        """The possible beginnings of the sound keys of words that begin with this word's letters.

        There are several if the sound of the last letter depends on the next one: an s may be the
        first half of sh, and a y may merge with the letter after it.
        """
        if self.spelling.endswith("s"):  # in a sound key, x represents sh
            return self.sound, self.sound[:-1] + "x"
        if self.spelling.endswith("y") and len(self.spelling) > 2:
            return self.sound, sound_key(self.spelling[:-1])
        return (self.sound,)

    @functools.cached_property
    def match_prefixes(self) -> tuple[str, ...]:
        """Beginnings of sound keys, by which other forms of this word are found.

        The sound key of every form that is longer, or has another ending, starts with one of them;
        so the word itself may be unfinished. Each is a sound key in `tokens` (of the word and of
        its stems) without its last two letters, because these may change before an ending.
        """
        return tuple(dict.fromkeys(token[: max(2, len(token) - 2)] for token in self.tokens))

    @functools.cached_property
    def max_errors(self) -> int:
        """The number of typing errors allowed in the word, 0 to 3: fewer in a short one.

        A short word with several errors could be another word. The length of the sound key counts
        as well as that of the spelling. A word with a digit allows no error.
        """
        spelling_length, sound_length = len(self.spelling), len(self.sound)
        longer_length = max(spelling_length, sound_length)
        # Two letters, or three in both forms, are shared by too many words.
        if min(spelling_length, sound_length) < 3 or longer_length < 4:
            return 0
        if not self.spelling.isalpha():
            return 0
        if longer_length < 5:
            return 1
        return 2 if sound_length < 9 else 3

    @functools.cached_property
    def max_spelling_errors(self) -> int:
        """The number of typing errors allowed between spellings, 0 to 2.

        The third error that `max_errors` allows in a long word is allowed between sound keys only.
        """
        return min(self.max_errors, 2)


def max_part_errors(length: int) -> int:
    """Return how many typing errors are allowed in a stem or in the beginning of a word: 1 or 2.

    `length` is that of the part's sound key. A part may have fewer errors than a complete word of
    this length (Word.max_errors), because more words contain something similar to it.
    """
    return 1 if length < 7 else 2


def text_words(text: str) -> list[Word]:
    """Return the words of a text, in order, for a search; each is folded (see i18n.fold_text)."""
    return [word_from_spelling(spelling) for spelling in fold_text(text).split()]


def sound_key(spelling: str) -> str:
    """Return a key that is the same for words that sound alike, to find a word spelt otherwise.

    `spelling` is folded (i18n.fold_text). Uzbek and Russian spellings of a word have nearly the
    same key. In the word, o, oʻ, u and a count as one vowel, and i, e and y as another; x counts as
    h, q as k, ts as s. In the key, x represents sh and c represents ch. A word with digits stays
    unchanged.
    """
    if not spelling.isalpha() and any(char.isdigit() for char in spelling):
        return spelling
    for letters, replacement in _LETTER_GROUPS:
        spelling = spelling.replace(letters, replacement)
    simplified = _SOFTENING_Y.sub("", _DOUBLED_LETTER.sub(r"\1", spelling))
    return simplified.translate(_SIMILAR_LETTERS).replace("ii", "i")


@functools.lru_cache(maxsize=50_000)
def letter_mask(word: str) -> int:
    """Return an integer with one bit for each letter that the word contains.

    By such masks, words that cannot be similar are excluded quickly.
    """
    mask = 0
    for char in word:
        mask |= 1 << ord(char)
    return mask


@functools.lru_cache(maxsize=50_000)
def word_from_spelling(spelling: str) -> Word:
    """Return the Word with this `spelling`, which is folded (see i18n.fold_text); it is cached."""
    return Word(spelling)


def _strip_uzbek_endings(word: str) -> str:
    """Return a folded word without its endings of case, possessor and plural."""
    word = _strip_ending(_CASE_ENDING, word)
    stem = _strip_ending(_POSSESSIVE_ENDING, word)
    if stem != word and stem.endswith("g"):
        stem = stem[:-1] + "k"  # kitobligi, qishlogʻi
    return _strip_ending(_PLURAL_ENDING, stem)


def _strip_russian_endings(word: str) -> str:
    """Return a folded word without its Russian ending and the suffix of an adjective of place."""
    stem = _strip_ending(_RUSSIAN_ENDING, word)
    return _strip_ending(_PLACE_ADJECTIVE_ENDING, stem)


def _strip_ending(ending: re.Pattern[str], word: str) -> str:
    """Return a word without the ending that the pattern finds.

    It stays unchanged if it has no such ending, contains a sign that is no letter, or would become
    too short.
    """
    match = ending.search(word)
    if not match or not word.isalpha():
        return word
    # Two letters at the end of a short word may belong to the stem; more of them hardly do.
    is_long = len(match[0]) > 2
    shortest = _MIN_STEM_LETTERS_BEFORE_LONG_ENDING if is_long else MIN_STEM_LETTERS
    return word[: match.start()] if match.start() >= shortest else word
