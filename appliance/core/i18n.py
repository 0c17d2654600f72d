"""Languages: catalogues of translations, and search keys that ignore the script."""

import functools
import re
import struct
import unicodedata
from pathlib import Path
from typing import Any

from babel.support import NullTranslations, Translations

from appliance import PACKAGE

DEFAULT = "uz_Latn"
LOCALES = ("uz_Latn", "uz_Cyrl", "ru")
CATALOGUES = PACKAGE / "translations"


def N_(text: str) -> str:  # gettext's own name for "a message, translated later"
    """Mark a message id for the catalogues."""
    return text


_loaded: dict[str, NullTranslations] = {}  # by locale; a missing catalogue is not stored


def translations(locale: str) -> NullTranslations:
    """The catalogue of a locale, for texts made outside the web pages (reports, messages).

    English where its file is missing; the file is looked for again at the next text.
    """
    catalogue = _loaded.get(locale)
    if catalogue is None:
        catalogue = Translations.load(CATALOGUES, [locale])
        if isinstance(catalogue, Translations):
            _loaded[locale] = catalogue
    return catalogue


def missing_catalogues() -> list[str]:
    """The locales whose texts are missing on the disk, or cannot be read."""
    return [locale for locale in LOCALES if not _is_readable(locale)]


def _is_readable(locale: str) -> bool:
    file = CATALOGUES / locale / "LC_MESSAGES" / "messages.mo"
    try:
        state = file.stat()
    except OSError:
        return False
    return _is_catalogue(file, state.st_mtime_ns, state.st_size)


@functools.lru_cache(maxsize=16)
def _is_catalogue(file: Path, _changed: int, _size: int) -> bool:
    """Whether a file can be read; a check asks often, so it is read again only after a change."""
    try:
        with file.open("rb") as stream:
            Translations(stream)
    except (OSError, ValueError, struct.error):
        return False
    return True


def named(thing: Any, locale: str) -> str:
    """The name of a catalogue row (models.Named) in a locale; Uzbek Latin where there is none."""
    return getattr(thing, f"name_{locale.lower()}") or thing.name_uz_latn


# Every stand-in seen for the apostrophe of oʻ, gʻ and of the glottal stop.
_APOSTROPHES = "'\u2018\u2019\u02bb\u02bc\u0060\u00b4\u2032\uff07\u02b9\u02bd\u201b\u00b8"
_CYRILLIC = {
    **dict(zip("абвгдежзийклмнопрстуфхъыьэўқғҳ", "abvgdejziyklmnoprstufx_i_eoqgh", strict=True)),
    **{"ц": "ts", "ч": "ch", "ш": "sh", "щ": "sh", "ю": "yu", "я": "ya", "ё": "yo"},
    **{"ъ": "", "ь": "", "ә": "a", "ң": "ng", "ө": "o", "ү": "u", "і": "i", "ї": "yi", "є": "ye"},
}
_LATIN = {
    **dict(zip("öğıáóúíw", "ogiaouiv", strict=True)),
    **{"ş": "sh", "ș": "sh", "ç": "ch", "ñ": "ng", "ń": "ng", "ǵ": "g"},
}
_LATIN_LOOKALIKES = str.maketrans("aceopxyABCEHKMOPTX", "асеорхуАВСЕНКМОРТХ")
_WORD = re.compile(r"[a-z0-9]+")
_FOLDED = str.maketrans(_LATIN | _CYRILLIC)
# Cyrillic е reads ye at the start of a word and after a vowel.
_YE = re.compile(r"(?<![^\W\d_])е|(?<=[аеёиоуўэюяыъь])е")
_LATIN_LETTER = re.compile(r"[a-zA-Z\u00c0-\u024f]")
_CYRILLIC_LETTER = re.compile(r"[\u0400-\u04ff]")


def fold(text: str) -> str:
    """A search key: lower-case ASCII words, the same for every script and apostrophe.

    "Oʻzbekiston", "O'zbekiston", "Ўзбекистон" and "Özbekiston" all give "ozbekiston".
    """
    text = re.sub(f"(?<=[oO])[{re.escape(_APOSTROPHES)}]", "\u02bb", text)
    text = re.sub(f"[{re.escape(_APOSTROPHES.replace(chr(0x2BB), ''))}]", "", text)
    if (plain := text.replace("\u02bb", "")).isascii():  # as most are: no letter to be changed
        return " ".join(_WORD.findall(plain.lower()))
    text = unicodedata.normalize("NFKC", text).replace("İ", "i").lower().replace("i\u0307", "i")
    text = " ".join(_one_script(word) for word in text.split()).replace("\u02bb", "")
    plain = _YE.sub("ye", text).translate(_FOLDED)
    if not plain.isascii():
        apart = unicodedata.normalize("NFD", plain)
        plain = "".join(char for char in apart if not unicodedata.combining(char))
    return " ".join(_WORD.findall(plain))


def spelt(text: str) -> str:
    """A name as Uzbek Latin writes it: oʻ and gʻ with U+02BB, the glottal stop with U+02BC.

    Whatever stands for the apostrophe is put right after a Latin letter, blanks are made one. A
    single quotation mark about a word, and every other letter, stays as it is.
    """
    text = " ".join(text.split())
    signs = re.escape(_APOSTROPHES)
    text = re.sub(f"(?<=[oOgG])[{signs}]", "\u02bb", text)
    return re.sub(f"(?<=[a-fh-np-zA-FH-NP-Z])[{signs}](?=[a-zA-Z])", "\u02bc", text)


def written_in(text: str, script: str) -> bool:
    """Whether a name is written in a script, "Latn" or "Cyrl".

    A Latin name has no Cyrillic letter. A Cyrillic one may hold a Latin word ("Telegram бот"),
    but no word that mixes the two, and it has Cyrillic letters.
    """
    if script == "Latn":
        return not _CYRILLIC_LETTER.search(text)
    latin = [word for word in text.split() if _LATIN_LETTER.search(word)]
    mixed = any(_CYRILLIC_LETTER.search(word) for word in latin)
    return not mixed and (not latin or bool(_CYRILLIC_LETTER.search(text)))


def same_but_spelling(one: str, other: str) -> bool:
    """Whether two texts differ in case, blanks, punctuation and apostrophes only."""
    return _letters(one) == _letters(other)


def _letters(text: str) -> str:
    return re.sub(rf"[\W_{re.escape(_APOSTROPHES)}]", "", text).casefold()


def _one_script(word: str) -> str:
    """Put right Latin letters that stand among Cyrillic ones."""
    if not (_LATIN_LETTER.search(word) and _CYRILLIC_LETTER.search(word)):
        return word
    cyrillic = sum("\u0400" <= c <= "\u04ff" for c in word)
    latin = sum(c.isascii() and c.isalpha() for c in word)
    return word.translate(_LATIN_LOOKALIKES) if latin and cyrillic >= latin else word
