"""Typed Uzbek text transliterated into the script of its reader or of a paper document.

`transliterate_for_locale` converts Uzbek in Latin letters for Cyrillic papers. It does not convert
Cyrillic, because it would have to distinguish Uzbek from Russian: `transliterate_to_latin` does it
for texts that are known to be Uzbek. Text that is not Uzbek stays as it was typed.
"""

import re
from collections.abc import Callable

import alifbo

_QUOTED_NAME = """«[^»]*» | “[^”]*” | "[^"]*" |"""  # a name in quotes keeps its owner's spelling
_NO_UZBEK_SPELLING = r"""
        \S*[@/\\_<>{}|=]\S*                 # addresses, signs
      | [a-z0-9.-]+\.(?:uz|ru|com|org|net|info|me|legal|gov|edu)\b
      | \b[a-z]+\d\w*                       # numbers of documents
      | (?<![.\w])[IVXLC]+\b(?!\.\w)        # Roman numerals, not the I of F.I.Sh.
      | [^\W\d_]*(?:w|c(?!h))[^\W\d_]*      # no Uzbek word has these letters
"""
_UNCHANGED_EXCEPT_QUOTES = re.compile(_NO_UZBEK_SPELLING, re.VERBOSE | re.IGNORECASE)
_UNCHANGED = re.compile(_QUOTED_NAME + _NO_UZBEK_SPELLING, re.VERBOSE | re.IGNORECASE)
_ROMAN = re.compile(r"[IVXLC]+")
_WORD = re.compile(r"[a-zʻʼ'‘’`]+", re.IGNORECASE)
_FOREIGN_LETTER = re.compile(r"w|c(?!h)", re.IGNORECASE)
# Beginnings of loan words whose Cyrillic spelling cannot be derived from the Latin one.
_LOANS = {
    "obyekt": "объект",
    "subyekt": "субъект",
    "konsultat": "консультат",
    "konsultatsiya": "консультация",
    "stansiya": "станция",
    "kompyuter": "компьютер",
    "passport": "паспорт",
    "pasport": "паспорт",
    "parol": "пароль",
    "yanvar": "январь",
    "fevral": "февраль",
    "aprel": "апрель",
    "iyun": "июнь",
    "iyul": "июль",
    "sentabr": "сентябрь",
    "oktabr": "октябрь",
    "noyabr": "ноябрь",
    "dekabr": "декабрь",
    "ssenariy": "сценарий",
    "kvitansiya": "квитанция",
    "filtr": "фильтр",
    "modul": "модуль",
    "kalendar": "календарь",
    "kabel": "кабель",
    "avtomobil": "автомобиль",
    "fakultet": "факультет",
    "intervyu": "интервью",
    "sement": "цемент",
    "sentner": "центнер",
    "rayon": "район",
    "byulleten": "бюллетень",
}
# Such words that are also beginnings of Uzbek words: rolik, sirka.
_WHOLE_LOANS = {"rol": "роль", "sirk": "цирк"}
_CYRILLIC_BY_LOAN = _LOANS | _WHOLE_LOANS
_LOAN = re.compile(
    rf"\b({'|'.join(sorted(_LOANS, key=len, reverse=True))}|(?:{'|'.join(_WHOLE_LOANS)})\b)",
    re.IGNORECASE,
)
# Abbreviations of kinds of firms, which mix capitals and small letters.
_FIRM_KINDS = {"MChJ": "МЧЖ", "YaTT": "ЯТТ"}
_FIRM_KIND = re.compile(rf"\b({'|'.join(_FIRM_KINDS)})\b")
# alifbo writes a small ъ between capitals
_SMALL_HARD_SIGN = re.compile(r"(?<=[А-ЯЁЎҚҒҲ])ъ(?=[А-ЯЁЎҚҒҲ])")
# From the Cyrillic spelling back to the Latin one; the Latin "passport" is a common misspelling.
_LOANS_CYRILLIC = {
    cyrillic_form: latin
    for latin, cyrillic in _CYRILLIC_BY_LOAN.items()
    if latin != "passport"
    for cyrillic_form in (cyrillic, cyrillic.removesuffix("ь"))  # not before an ending
}
_LOAN_CYRILLIC = re.compile(
    rf"\b({'|'.join(sorted(_LOANS_CYRILLIC, key=len, reverse=True))})", re.IGNORECASE
)
_CYRILLIC_RUN = re.compile(r"[\u0400-\u04ff]+")
# After a consonant, ц is written s in Latin letters.
_TSE = re.compile(r"(?<=[бвгджзйклмнпрстфхчшқғҳ])ц", re.IGNORECASE)  # aksiya, stansiya
_NGH = re.compile(r"(?<=n)g[ʻʼ'‘’`]", re.IGNORECASE)  # alifbo reads this n and g as one letter
_SH_CH = re.compile("sh(?=ch)", re.IGNORECASE)  # alifbo reads the two as щ: ishchi
# Words in which t and s belong to an Uzbek ending, not to a loan word: hujjatsiz, aytsa, aytsin,
# yurtsevar
_T_S = re.compile(r"(?<=[^\W\d_])(?<!\bpi)t(?=s(?:a|iz(?!m)|in(?:lar\w*)?\b|evar))", re.IGNORECASE)
# The end of loan words such as aksiya (акция): its s is a ц, which the Latin spelling hides.
_KSIYA = re.compile("ksiya", re.IGNORECASE)


def transliterate_for_locale(text: str, locale: str, include_quotes: bool = False) -> str:
    """Return a text in the script of a paper document: Uzbek in Latin letters becomes Cyrillic.

    `locale` is the document's, one of i18n.LOCALES; in "uz_Latn" the text stays unchanged, as do
    texts in another language. Quoted text stays unchanged too, unless `include_quotes`.
    """
    if locale == "uz_Latn" or not _is_mostly_uzbek(text):
        return text
    pieces, end = [], 0  # `end` is the position up to which the text is in `pieces`
    for match in (_UNCHANGED_EXCEPT_QUOTES if include_quotes else _UNCHANGED).finditer(text):
        if _ROMAN.fullmatch(match[0].upper()) and not match[0].isupper():
            continue  # "chi", "va ix": not a numeral
        pieces += [_transliterate_to_cyrillic(text[end : match.start()]), match[0]]
        end = match.end()
    return "".join([*pieces, _transliterate_to_cyrillic(text[end:])])


def transliterate_to_latin(text: str) -> str:
    """Transliterate an Uzbek text into Latin letters; parts already in Latin stay unchanged.

    Its Cyrillic parts must be Uzbek: Russian ones would be transliterated as Uzbek too.
    """
    text = _LOAN_CYRILLIC.sub(_with_case_of_match(lambda word: _LOANS_CYRILLIC[word]), text)
    pieces, end = [], 0
    for cyrillic_run in _CYRILLIC_RUN.finditer(text):
        # After a consonant, с instead of ц, so that the library writes s instead of ts.
        simplified = _TSE.sub(_with_case_of_match(lambda _: "с"), cyrillic_run[0])
        latin_text = alifbo.to_old_latin(alifbo.from_cyrillic(simplified).text).text
        pieces += [text[end : cyrillic_run.start()], latin_text]
        end = cyrillic_run.end()
    return "".join([*pieces, text[end:]])


def _is_mostly_uzbek(text: str) -> bool:
    """Return True if more than two thirds of the words in Latin letters can be Uzbek.

    Words with w, or c without h, cannot. Without a word in Latin letters it returns False.
    """
    words = _WORD.findall(text)
    # A third or more of foreign words: another language, not an Uzbek text with a foreign name.
    return 3 * sum(bool(_FOREIGN_LETTER.search(word)) for word in words) < len(words)


def _transliterate_to_cyrillic(text: str) -> str:
    """Return Uzbek text in Latin letters transliterated into Cyrillic ones.

    The library `alifbo` does it; loan words, and pairs of letters that it would misread, are
    replaced before.
    """
    text = _FIRM_KIND.sub(lambda match: _FIRM_KINDS[match[0]], text)
    text = _LOAN.sub(_with_case_of_match(lambda word: _CYRILLIC_BY_LOAN[word]), text)
    text = _NGH.sub(_with_case_of_match(lambda _: "ғ"), text)
    text = _SH_CH.sub(_with_case_of_match(lambda _: "ш"), text)
    text = _T_S.sub(_with_case_of_match(lambda _: "т"), text)
    text = alifbo.to_cyrillic(_KSIYA.sub(_with_case_of_match(lambda _: "кция"), text)).text
    return _SMALL_HARD_SIGN.sub("Ъ", text)


def _with_case_of_match(spell: Callable[[str], str]) -> Callable[[re.Match[str]], str]:
    """Return a replacement function for re.sub: spells the match, in the match's letter case.

    `spell` gets the match in lower case, and returns its spelling. A soft sign at its end is left
    out if another letter follows.
    """

    def spell_match(match: re.Match[str]) -> str:
        """Return the spelling of a match, in its letter case."""
        word = spell(match[0].lower())
        if match.string[match.end() : match.end() + 1].isalpha():
            word = word.removesuffix("ь")  # not before an ending
        if match[0].isupper():
            return word.upper()
        return word.capitalize() if match[0][0].isupper() else word

    return spell_match
