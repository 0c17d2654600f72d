"""Uzbek as it was typed, in the script of the reader or of a paper.

Only Uzbek in Latin letters is rewritten by `written`, for papers in Cyrillic; the other way would
need to tell Uzbek from Russian, and is for texts that are known to be Uzbek: `latin`. What has no
Uzbek spelling stays as it was typed.
"""

import re
from collections.abc import Callable

import alifbo

_QUOTED = """«[^»]*» | “[^”]*” | "[^"]*" |"""  # a name in quotes is spelt as its owner spells it
_UNSPELT = r"""
        \S*[@/\\_<>{}|=]\S*                 # addresses, signs
      | [a-z0-9.-]+\.(?:uz|ru|com|org|net|info|me)\b
      | \b[a-z]+\d\w*                       # numbers of documents
      | \b[IVXLC]+\b                        # Roman numerals
      | [^\W\d_]*(?:w|c(?!h))[^\W\d_]*      # no Uzbek word has these letters
"""
_KEPT_BUT_QUOTES = re.compile(_UNSPELT, re.VERBOSE | re.IGNORECASE)
_KEPT = re.compile(_QUOTED + _UNSPELT, re.VERBOSE | re.IGNORECASE)
_ROMAN = re.compile(r"[IVXLC]+")
_WORD = re.compile(r"[a-zʻʼ'‘’`]+", re.IGNORECASE)
_FOREIGN = re.compile(r"w|c(?!h)", re.IGNORECASE)
# Loan words whose Cyrillic spelling the Latin one does not tell: beginnings, and one ending.
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
}
_LOAN = re.compile(rf"\b({'|'.join(sorted(_LOANS, key=len, reverse=True))})", re.IGNORECASE)
_LOANS_CYRILLIC = {
    spelt: latin
    for latin, cyrillic in _LOANS.items()
    if latin != "passport"
    for spelt in (cyrillic, cyrillic.removesuffix("ь"))  # not before an ending
}
_LOAN_CYRILLIC = re.compile(
    rf"\b({'|'.join(sorted(_LOANS_CYRILLIC, key=len, reverse=True))})", re.IGNORECASE
)
_CYRILLIC_RUN = re.compile(r"[\u0400-\u04ff]+")
_TSE = re.compile(r"(?<=[бвгджзйклмнпрстфхчшқғҳ])ц", re.IGNORECASE)  # aksiya, stansiya
_NGH = re.compile(r"(?<=n)g[ʻʼ'‘’`]", re.IGNORECASE)  # alifbo takes its n and g for one letter
# where t and s are no letter of a loan word, but an ending: hujjatsiz, aytsa, aytsin, yurtsevar
_T_S = re.compile(r"(?<=[^\W\d_])(?<!\bpi)t(?=s(?:a|iz(?!m)|in(?:lar\w*)?\b|evar))", re.IGNORECASE)
_KSIYA = re.compile("ksiya", re.IGNORECASE)


def written(text: str, locale: str, quotes: bool = False) -> str:
    """The text as a paper of one of i18n.LOCALES has it; `quotes`: what stands in quotes too."""
    if locale == "uz_Latn" or not _uzbek(text):
        return text
    found, end = [], 0
    for kept in (_KEPT_BUT_QUOTES if quotes else _KEPT).finditer(text):
        if _ROMAN.fullmatch(kept[0].upper()) and not kept[0].isupper():
            continue  # "chi", "va ix": no numeral
        found += [_cyrillic(text[end : kept.start()]), kept[0]]
        end = kept.end()
    return "".join([*found, _cyrillic(text[end:])])


def latin(text: str) -> str:
    """A text that is known to be Uzbek, in Latin letters; what is Latin already stays."""
    text = _LOAN_CYRILLIC.sub(_cased(lambda word: _LOANS_CYRILLIC[word]), text)
    found, end = [], 0
    for kept in _CYRILLIC_RUN.finditer(text):
        plain = _TSE.sub(lambda match: "С" if match[0].isupper() else "с", kept[0])
        spelt = alifbo.to_old_latin(alifbo.from_cyrillic(plain).text).text
        found += [text[end : kept.start()], spelt]
        end = kept.end()
    return "".join([*found, text[end:]])


def _uzbek(text: str) -> bool:
    """Whether most words in Latin letters can be Uzbek."""
    words = _WORD.findall(text)
    return 3 * sum(bool(_FOREIGN.search(word)) for word in words) < len(words)


def _cyrillic(text: str) -> str:
    text = _LOAN.sub(_cased(lambda word: _LOANS[word]), text)
    text = _NGH.sub(lambda match: "Ғ" if match[0].startswith("G") else "ғ", text)
    text = _T_S.sub(lambda match: "Т" if match[0].isupper() else "т", text)
    return alifbo.to_cyrillic(_KSIYA.sub(_cased(lambda _: "кция"), text)).text


def _cased(spelt: Callable[[str], str]) -> Callable[[re.Match[str]], str]:
    """The replacement in capitals, or with one, as what it replaces."""

    def replaced(match: re.Match[str]) -> str:
        word = spelt(match[0].lower())
        if match.string[match.end() : match.end() + 1].isalpha():
            word = word.removesuffix("ь")  # not before an ending
        if match[0].isupper():
            return word.upper()
        return word.capitalize() if match[0][0].isupper() else word

    return replaced
