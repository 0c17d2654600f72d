"""Search keys: what a word is found by, whatever its script, spelling and ending.

A word has three keys, from fine to coarse: how it is written (i18n.fold), how it sounds, and how
it sounds without its endings. "Ташкентская" is written tashkentskaya; without its ending it sounds
as "Toshkent" does.
"""

import functools
import re
from dataclasses import dataclass

from appliance.core.i18n import fold

SHORTEST_STEM = 4  # letters of a word that stay when an ending is taken off
_SHORTEST_BEFORE_LONG_ENDING = 3  # "ish" of "ishlar", "ishning"

# Uzbek endings, from the end of a word inward: case, whose it is, how many.
_CASE = re.compile(r"(ningki|niki|dagi|dan|ning|ga|ka|qa|da|ni|dir)$")
_OWNER = re.compile(r"(imiz|ingiz|miz|ngiz|im|ing|si|i)$")
_MANY = re.compile(r"lar$")
# Russian ones as they are folded; the last of an adjective made of a name of a place.
_RUSSIAN = re.compile(
    r"(iyami|iyam|iyax|yami|ami|imi|ogo|ego|omu|emu|yaya|aya|oye|oe|uyu|yuyu|iye|iyu|iya|ii|iy|ie|oy|ey|om|em|im"
    r"|ix|ax|yax|am|yam|ya|ye|yu|a|o|e|i|y|u)$"
)
_OF_PLACE = re.compile(r"(in|en)?sk$")

_TWO_LETTERS = (
    *(("shch", "S"), ("sh", "S"), ("ch", "C"), ("x", "h"), ("kh", "h"), ("gh", "g")),
    *(("dzh", "j"), ("zh", "j"), ("dj", "j"), ("ts", "s"), ("ph", "f")),
)
_SOFT = re.compile(r"(?<=[^aeiouy])y(?=[aeou])")
_LIKE = str.maketrans("qwyeouSC", "kviiaaxc")
_DOUBLED = re.compile(r"(.)\1+")


@dataclass(frozen=True, eq=False)  # each word has one object: `key` remembers it
class Word:
    """A folded word and its keys, each made when it is first asked for."""

    written: str

    @functools.cached_property
    def sound(self) -> str:
        """How it sounds."""
        return sound(self.written)

    @functools.cached_property
    def plain(self) -> str:
        """How the Uzbek word is written without its endings."""
        return _uzbek(self.written)

    @functools.cached_property
    def stems(self) -> tuple[str, ...]:
        """How it sounds without its endings, Uzbek or Russian ones."""
        found = dict.fromkeys((sound(self.plain), sound(_russian(self.written))))
        return tuple(stem for stem in found if stem != self.sound)

    @functools.cached_property
    def tokens(self) -> tuple[str, ...]:
        """What stands for the word in the index."""
        return (self.sound, *self.stems)

    @functools.cached_property
    def token_set(self) -> frozenset[str]:
        """The same as a set."""
        return frozenset(self.tokens)

    @functools.cached_property
    def letters(self) -> int:
        """Which letters its sound has."""
        return letters(self.sound)

    @functools.cached_property
    def signs(self) -> int:
        """Which letters it is written with."""
        return letters(self.written)

    @functools.cached_property
    def prefixes(self) -> tuple[str, ...]:
        """What the sounds of words begin with that begin with these letters.

        The last letter may be the first half of sh, or a y that the next one swallows.
        """
        if self.written.endswith("s"):
            return self.sound, self.sound[:-1] + "x"
        if self.written.endswith("y") and len(self.written) > 2:
            return self.sound, sound(self.written[:-1])
        return (self.sound,)

    @functools.cached_property
    def heads(self) -> tuple[str, ...]:
        """With one of these each sound begins that begins so or is this word with another ending.

        The last two letters may become others where an ending follows.
        """
        return tuple(dict.fromkeys(one[: max(2, len(one) - 2)] for one in self.tokens))

    @functools.cached_property
    def errors(self) -> int:
        """How many errors it may have: short ones fewer, for they would be any other word."""
        sizes = len(self.written), len(self.sound)
        if min(sizes) < 3 or max(sizes) < 4 or not self.written.isalpha():
            return 0
        return 1 if max(sizes) < 5 else 2 if sizes[1] < 9 else 3


def words(text: str) -> list[Word]:
    """The words of a text in their order."""
    return [key(one) for one in fold(text).split()]


def sound(written: str) -> str:
    """How a folded word sounds: Russian and Uzbek spellings of a name give nearly the same.

    o, oʻ, u and a are one vowel, i, e and y the other; x and h, q and k, ts and s are one; x stands
    for sh and c for ch. A word with digits stays as it is.
    """
    if not written.isalpha() and any(char.isdigit() for char in written):
        return written
    for letters, one in _TWO_LETTERS:
        written = written.replace(letters, one)
    plain = _SOFT.sub("", _DOUBLED.sub(r"\1", written))
    return plain.translate(_LIKE).replace("ii", "i")


@functools.lru_cache(maxsize=50_000)
def letters(word: str) -> int:
    """Which letters a word has, as a number with a bit for each."""
    found = 0
    for char in word:
        found |= 1 << ord(char)
    return found


@functools.lru_cache(maxsize=50_000)
def key(written: str) -> Word:
    """The keys of a folded word."""
    return Word(written)


def _uzbek(word: str) -> str:
    word = _without(_CASE, word)
    owned = _without(_OWNER, word)
    if owned != word and owned.endswith("g"):
        owned = owned[:-1] + "k"  # kitobligi, qishlogʻi
    return _without(_MANY, owned)


def _russian(word: str) -> str:
    plain = _without(_RUSSIAN, word)
    return _without(_OF_PLACE, plain)


def _without(ending: re.Pattern[str], word: str) -> str:
    found = ending.search(word)
    if not found or not word.isalpha():
        return word
    long = len(found[0]) > 2
    shortest = _SHORTEST_BEFORE_LONG_ENDING if long else SHORTEST_STEM
    return word[: found.start()] if found.start() >= shortest else word
