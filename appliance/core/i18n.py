"""Languages: catalogues of translations, and search keys that ignore the script."""

import functools
import re
import struct
import unicodedata
from pathlib import Path
from typing import Any

from babel.support import NullTranslations, Translations

from appliance import PACKAGE

DEFAULT_LOCALE = "uz_Latn"
LOCALES = ("uz_Latn", "uz_Cyrl", "ru")
CATALOGUES = PACKAGE / "translations"


def N_(text: str) -> str:  # gettext's own name for "a message, translated later"
    """Mark a text for translation later, when it is shown; returns it unchanged.

    The text is the message id in the catalogues of translations.
    """
    return text


_catalogue_cache: dict[str, NullTranslations] = {}  # by locale; a missing catalogue is not stored


def locale_translations(locale: str) -> NullTranslations:
    """Return the catalogue of translations of a locale, for texts outside the web pages.

    Such texts are reports and messages. `locale` is one of LOCALES. If the file of its catalogue is
    missing, the English message ids are used, and each later call looks for the file again.
    """
    catalogue = _catalogue_cache.get(locale)
    if catalogue is None:
        catalogue = Translations.load(CATALOGUES, [locale])
        if isinstance(catalogue, Translations):
            _catalogue_cache[locale] = catalogue
    return catalogue


def missing_catalogues() -> list[str]:
    """Return the locales whose catalogue of translations is missing on the disk or unreadable."""
    return [locale for locale in LOCALES if not _has_readable_catalogue(locale)]


def _has_readable_catalogue(locale: str) -> bool:
    """Return True if the file of a locale's catalogue exists and can be parsed."""
    file = CATALOGUES / locale / "LC_MESSAGES" / "messages.mo"
    try:
        state = file.stat()
    except OSError:
        return False
    return _can_parse_catalogue(file, state.st_mtime_ns, state.st_size)


@functools.lru_cache(maxsize=16)
def _can_parse_catalogue(file: Path, _changed: int, _size: int) -> bool:
    """Return True if the file can be parsed as a catalogue.

    The self-check calls this often. `_changed` (the file's time of change in nanoseconds) and
    `_size` (in bytes) are used only as part of the cache's key: the file is parsed again when one
    of them differs.
    """
    try:
        with file.open("rb") as stream:
            Translations(stream)
    except (OSError, ValueError, struct.error):
        return False
    return True


def localized_name(row: Any, locale: str) -> str:
    """Return a row's name (models.Named) in a locale; if it is empty there, in Uzbek Latin."""
    name: str = getattr(row, f"name_{locale.lower()}") or row.name_uz_latn
    return name


def base_language(code: str | None) -> str:
    """Return the language in which to speak or write to a person, without its script: "ru" or "uz".

    `code` is the person's locale (one of LOCALES) or the call's language. Any other than "ru", and
    None (the language is unknown), gives "uz".
    """
    return "ru" if code == "ru" else "uz"


# Every character used in place of the apostrophe of oʻ, gʻ and of the glottal stop.
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
# Latin letters, and the Cyrillic ones that look the same.
_LATIN_LOOKALIKES = str.maketrans("aceopxyABCEHKMOPTX", "асеорхуАВСЕНКМОРТХ")
_WORD = re.compile(r"[a-z0-9]+")
_FOLDING_TABLE = str.maketrans(_LATIN | _CYRILLIC)
# Cyrillic е is read ye at the start of a word and after a vowel.
_INITIAL_YE = re.compile(r"(?<![^\W\d_])е|(?<=[аеёиоуўэюяыъь])е")
_LATIN_LETTER = re.compile(r"[a-zA-Z\u00c0-\u024f]")
_CYRILLIC_LETTER = re.compile(r"[\u0400-\u04ff]")


def fold_text(text: str) -> str:
    """Fold a text for search: return its words in lower-case ASCII, whatever its script was.

    "Oʻzbekiston", "O'zbekiston", "Ўзбекистон" and "Özbekiston" all give "ozbekiston".
    """
    text = re.sub(f"(?<=[oO])[{re.escape(_APOSTROPHES)}]", "\u02bb", text)
    text = re.sub(f"[{re.escape(_APOSTROPHES.replace(chr(0x2BB), ''))}]", "", text)
    if (plain := text.replace("\u02bb", "")).isascii():  # most texts: no letter needs conversion
        return " ".join(_WORD.findall(plain.lower()))
    text = unicodedata.normalize("NFKC", text).replace("İ", "i").lower().replace("i\u0307", "i")
    text = " ".join(_unify_script(word) for word in text.split()).replace("\u02bb", "")
    plain = _INITIAL_YE.sub("ye", text).translate(_FOLDING_TABLE)
    if not plain.isascii():
        decomposed = unicodedata.normalize("NFD", plain)
        plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(_WORD.findall(plain))


def normalize_apostrophes(text: str) -> str:
    """Return a name with standard Uzbek apostrophes: U+02BB in oʻ and gʻ, else U+02BC.

    U+02BC marks the glottal stop. Any character used as an apostrophe after o or g, or between
    Latin letters, is replaced, and runs of blanks become one blank. All letters stay unchanged, as
    do single quotation marks around a word, except a closing one after o or g.
    """
    text = " ".join(text.split())
    signs = re.escape(_APOSTROPHES)
    text = re.sub(f"(?<=[oOgG])[{signs}]", "\u02bb", text)
    # After any other letter than o and g, which were treated before.
    return re.sub(f"(?<=[a-fh-np-zA-FH-NP-Z])[{signs}](?=[a-zA-Z])", "\u02bc", text)


def is_in_script(text: str, script: str) -> bool:
    """Return True if a name is written in a script, "Latn" or "Cyrl".

    A Latin name has no Cyrillic letter. A Cyrillic name may contain Latin words ("Telegram бот") if
    it has Cyrillic letters too, but no word that mixes the two scripts.
    """
    if script == "Latn":
        return not _CYRILLIC_LETTER.search(text)
    latin_words = [word for word in text.split() if _LATIN_LETTER.search(word)]
    has_mixed_word = any(_CYRILLIC_LETTER.search(word) for word in latin_words)
    return not has_mixed_word and (not latin_words or bool(_CYRILLIC_LETTER.search(text)))


def equals_ignoring_spelling(first_text: str, second_text: str) -> bool:
    """Return True if two texts differ at most in case, blanks, punctuation and apostrophes."""
    return _casefolded_letters(first_text) == _casefolded_letters(second_text)


def _casefolded_letters(text: str) -> str:
    """Return only the letters and digits of a text, without their case."""
    return re.sub(rf"[\W_{re.escape(_APOSTROPHES)}]", "", text).casefold()


def _unify_script(word: str) -> str:
    """Return a word, typed in both scripts by mistake, in Cyrillic letters only.

    Its Latin letters are replaced with the Cyrillic ones that look the same. The word is returned
    unchanged if it is in one script, or has more Latin letters than Cyrillic ones.
    """
    if not (_LATIN_LETTER.search(word) and _CYRILLIC_LETTER.search(word)):
        return word
    cyrillic = sum("\u0400" <= c <= "\u04ff" for c in word)
    # Only ASCII letters have counterparts; others, such as ğ, are not counted.
    latin = sum(c.isascii() and c.isalpha() for c in word)
    return word.translate(_LATIN_LOOKALIKES) if latin and cyrillic >= latin else word
