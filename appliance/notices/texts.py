"""The wording of short messages: defaults, the site's own, and what may stand in braces."""

import string
from dataclasses import dataclass

from appliance import audit, outbox
from appliance.db import writing
from appliance.models import NoticeText

LANGUAGES = ("uz", "ru")
# purpose: what may stand in braces, with a sample; the first must stand there
PURPOSES: dict[str, dict[str, str]] = {
    "registered": {"number": "2026-000123", "due": "11.12.2026", "hotline": "1282"},
    "answered": {"number": "2026-000123", "hotline": "1282"},
    "missed": {"hotline": "1282"},
    "callback": {"hotline": "1282"},
    "rating": {"link": "https://hotline.example/r/Ab3dEf9hIj", "hotline": "1282"},
    "rating_reply": {"hotline": "1282"},
    "status": {"number": "2026-000123", "state": "Ijroda", "due": "11.12.2026"},
    "unknown": {"hotline": "1282"},
    "duty": {"number": "2026-000123"},
}
# the one word in braces without which a text tells nothing
_NEEDED = {
    **dict.fromkeys(("registered", "answered", "status", "duty"), "number"),
    "rating": "link",
}
DEFAULTS = {
    ("registered", "uz"): "Murojaatingiz qabul qilindi. Raqami: {number}. Javob muddati: {due}.",
    ("registered", "ru"): "Ваше обращение № {number} принято. Ответ до {due}.",
    ("answered", "uz"): "{number}-sonli murojaatingizga javob tayyor. Maʼlumot: {hotline}.",
    ("answered", "ru"): "Ответ на обращение № {number} готов. Тел. {hotline}.",
    (
        "missed",
        "uz",
    ): "{hotline} ga qoʻngʻirogʻingizga javob bera olmadik. Qayta qoʻngʻiroq qiling.",
    ("missed", "ru"): "Не смогли ответить на ваш звонок на {hotline}. Перезвоните нам.",
    ("callback", "uz"): "{hotline}: oʻzimiz qayta qoʻngʻiroq qilamiz, kuting.",
    ("callback", "ru"): "{hotline}: мы перезвоним вам, ожидайте.",
    ("rating", "uz"): "{hotline} operatorini baholang: {link}",
    ("rating", "ru"): "Оцените оператора {hotline}: {link}",
    ("rating_reply", "uz"): "{hotline} operatorini 1 dan 5 gacha baholang: javob SMS yuboring.",
    ("rating_reply", "ru"): "Оцените оператора {hotline}: ответьте цифрой от 1 до 5.",
    ("status", "uz"): "{number}: {state}. Javob muddati: {due}.",
    ("status", "ru"): "{number}: {state}. Ответ до {due}.",
    ("unknown", "uz"): "Murojaat topilmadi. Raqamini yuboring yoki {hotline} ga qoʻngʻiroq qiling.",
    ("unknown", "ru"): "Обращение не найдено. Отправьте его номер или звоните {hotline}.",
    ("duty", "uz"): "{number}-murojaatni hech kim olmadi.",
    ("duty", "ru"): "Обращение № {number} никто не взял.",
}
LONGEST = 4  # parts


class TextError(ValueError):
    """A text cannot be used; `code`: "empty", "braces", "unknown", "number", "link" or "long"; or
    cannot be sent: "nobody", no mobile number or no account, "unwanted", he wants no messages."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Wording:
    """A text in force, a sample of it as it goes out, and how many parts that fills."""

    purpose: str
    language: str
    text: str
    sample: str
    parts: int
    own: bool  # the site's, not the default


def wordings() -> list[Wording]:
    """Every text, by purpose and language."""
    own = {(row.purpose, row.language): row.text for row in NoticeText.select()}
    found = []
    for purpose, language in DEFAULTS:
        text = own.get((purpose, language)) or DEFAULTS[purpose, language]
        sample = outbox.plain(fill(text, PURPOSES[purpose]))
        parts = outbox.segments(sample)
        found.append(Wording(purpose, language, text, sample, parts, (purpose, language) in own))
    return found


def text(purpose: str, language: str) -> str:
    """The text in force."""
    own = NoticeText.get_or_none(NoticeText.purpose == purpose, NoticeText.language == language)
    return own.text if own else DEFAULTS[purpose, language]


def change(purpose: str, language: str, text: str, by: str) -> None:
    """Put the site's own text in force, or the default again ("")."""
    text = " ".join(text.split())
    if text:
        check(purpose, text)
    here = (NoticeText.purpose == purpose, NoticeText.language == language)
    with writing():
        NoticeText.delete().where(*here).execute()
        if text and text != DEFAULTS[purpose, language]:
            NoticeText.create(purpose=purpose, language=language, text=text)
        audit.record(by, "notice.change", f"{purpose} {language}", text=text)


def check(purpose: str, text: str) -> None:
    """Raise TextError for a text that cannot be used."""
    allowed = PURPOSES[purpose]
    try:
        pieces = list(string.Formatter().parse(text))
    except ValueError as error:
        raise TextError("braces") from error
    named = [(name, spec, how) for _, name, spec, how in pieces if name is not None]
    if any(name not in allowed or spec or how for name, spec, how in named):
        raise TextError("unknown")
    if not "".join(before for before, *_ in pieces).strip():
        raise TextError("empty")
    if (need := _NEEDED.get(purpose)) and need not in {name for name, *_ in named}:
        raise TextError(need)
    if outbox.segments(outbox.plain(fill(text, allowed))) > LONGEST:
        raise TextError("long")


def fill(text: str, values: dict[str, str]) -> str:
    """The text with its values."""
    return text.format(**values)
