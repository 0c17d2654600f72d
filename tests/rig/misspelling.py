"""Words as a hurried person types them: one error or two, another script, another spelling."""

import random
from collections.abc import Callable

from appliance.core import script

_LATIN_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_CYRILLIC_ROWS = ("йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю")
_UZBEK_ROWS = ("йцукенгшўзхъ", "фқвапролджэ", "ячсмитьбю")
_RUSSIAN = {  # as a Russian writes what he hears
    **dict(zip("abdefgijklmnoprstuvz", "абдефгижклмнопрстувз", strict=True)),
    **{"h": "х", "q": "к", "x": "х", "y": "й", "ʼ": ""},
}
_LETTERS = (
    *(("oʻ", "у"), ("gʻ", "г"), ("sh", "ш"), ("ch", "ч"), ("yo", "ё"), ("yu", "ю"), ("ya", "я")),
    *(("ye", "е"), ("ts", "ц"), ("j", "дж")),
)


def _neighbours() -> dict[str, str]:
    found: dict[str, str] = {}
    for rows in (_LATIN_ROWS, _CYRILLIC_ROWS, _UZBEK_ROWS):
        for row in rows:
            for one, other in zip(row, row[1:], strict=False):
                found[one] = found.get(one, "") + other
                found[other] = found.get(other, "") + one
    return found


_BESIDE = _neighbours()


def swapped(word: str, chance: random.Random) -> str:
    """Two letters beside one another change places."""
    places = [i for i in range(len(word) - 1) if word[i].isalpha() and word[i + 1].isalpha()]
    places = [i for i in places if word[i] != word[i + 1]]
    if not places:
        return word
    here = chance.choice(places)
    return word[:here] + word[here + 1] + word[here] + word[here + 2 :]


def dropped(word: str, chance: random.Random) -> str:
    """A letter is left out."""
    here = chance.choice([i for i, char in enumerate(word) if char.isalpha()])
    return word[:here] + word[here + 1 :]


def doubled(word: str, chance: random.Random) -> str:
    """A letter is typed twice."""
    here = chance.choice([i for i, char in enumerate(word) if char.isalpha()])
    return word[:here] + word[here] + word[here:]


def beside(word: str, chance: random.Random) -> str:
    """A key beside the right one is pressed."""
    places = [i for i, char in enumerate(word) if char.lower() in _BESIDE]
    if not places:
        return word
    here = chance.choice(places)
    wrong = chance.choice(_BESIDE[word[here].lower()])
    return word[:here] + wrong + word[here + 1 :]


def apostrophe(word: str, chance: random.Random) -> str:
    """The sign of oʻ, gʻ and the glottal stop is another one, or none."""
    sign = chance.choice(["'", "`", "‘", "’", "´", ""])
    return word.replace("ʻ", sign).replace("ʼ", sign)


def cyrillic(word: str, _chance: random.Random) -> str:
    """Uzbek Cyrillic."""
    return script.written(word, "uz_Cyrl")


def russian(word: str, _chance: random.Random) -> str:
    """As a Russian writes an Uzbek name."""
    word = word.lower()
    for letters, one in (*_LETTERS, *_RUSSIAN.items()):
        word = word.replace(letters, one)
    return word


ERRORS: tuple[Callable[[str, random.Random], str], ...] = (swapped, dropped, doubled, beside)
SPELLINGS: tuple[Callable[[str, random.Random], str], ...] = (apostrophe, cyrillic, russian)


def misspelt(name: str, errors: int, chance: random.Random) -> str:
    """A name in some spelling and with so many errors; a spelling other than its own is one.

    A word of fewer than four letters is not what an error is made in.
    """
    if errors and chance.random() < 0.4:
        name, errors = chance.choice(SPELLINGS)(name, chance), errors - 1
    for _ in range(errors):
        words = name.split(" ")
        long = [i for i, word in enumerate(words) if sum(map(str.isalpha, word)) >= 4]
        if not long:
            break
        here = chance.choice(long)
        words[here] = chance.choice(ERRORS)(words[here], chance)
        name = " ".join(words)
    return name
