"""The wording of short messages: defaults, the site's own, and what may stand in braces."""

import datetime as dt
import string
from collections.abc import Collection
from dataclasses import dataclass

from appliance.casework.appeals import states
from appliance.core import audit, clock, i18n, outbox
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.models import NoticeText
from appliance.people import accounts

LANGUAGES = tuple(accounts.CALL_LANGUAGES)
# purpose: what may stand in braces; one of _NEEDED must stand there
PURPOSES: dict[str, tuple[str, ...]] = {
    "registered": ("number", "due", "hotline"),
    "answered": ("number", "hotline"),
    "missed": ("hotline",),
    "callback": ("hotline",),
    "rating": ("link", "hotline"),
    "rating_reply": ("hotline",),
    "status": ("number", "state", "due"),
    "unknown": ("hotline",),
    "own_data": ("number", "hotline"),
    "duty": ("number",),
}
# the one word in braces without which a text tells nothing
_NEEDED = {
    **dict.fromkeys(("registered", "answered", "status", "own_data", "duty"), "number"),
    "rating": "link",
}
DEFAULTS = {
    (
        "registered",
        "uz",
    ): "Bandlik vazirligi: murojaatingiz qabul qilindi. Raqami: {number}. Javob muddati: {due}.",
    ("registered", "ru"): "Минзанятости: обращение № {number} принято. Ответ до {due}.",
    (
        "answered",
        "uz",
    ): "Bandlik vazirligi: {number}-sonli murojaatingizga javob tayyor. Maʼlumot: {hotline}.",
    ("answered", "ru"): "Минзанятости: ответ на обращение № {number} готов. Тел. {hotline}.",
    (
        "missed",
        "uz",
    ): "Bandlik vazirligi: {hotline} raqamiga qilgan qoʻngʻirogʻingizga javob bera olmadik. "
    "Iltimos, qayta qoʻngʻiroq qiling.",
    ("missed", "ru"): "Минзанятости: не смогли ответить на ваш звонок. Перезвоните: {hotline}.",
    ("callback", "uz"): "Bandlik vazirligi ({hotline}): oʻzimiz qayta qoʻngʻiroq qilamiz, kuting.",
    ("callback", "ru"): "Минзанятости ({hotline}): мы перезвоним вам, ожидайте.",
    ("rating", "uz"): "Bandlik vazirligi ({hotline}) operatorining ishini baholang: {link}",
    ("rating", "ru"): "Минзанятости: оцените оператора {link}",
    (
        "rating_reply",
        "uz",
    ): "Bandlik vazirligi ({hotline}) operatorini 1 dan 5 gacha baholang: javob SMS yuboring.",
    ("rating_reply", "ru"): "Минзанятости: оцените оператора {hotline}, ответьте цифрой от 1 до 5.",
    ("status", "uz"): "Bandlik vazirligi: {number}: {state}. Javob muddati: {due}.",
    ("status", "ru"): "Минзанятости: {number}: {state}. Ответ до {due}.",
    (
        "unknown",
        "uz",
    ): "Bandlik vazirligi: murojaat topilmadi. "
    "Raqamini yuboring yoki {hotline} raqamiga qoʻngʻiroq qiling.",
    (
        "unknown",
        "ru",
    ): "Минзанятости: обращение не найдено. Пришлите номер или звоните {hotline}.",
    (
        "own_data",
        "uz",
    ): "Bandlik vazirligi: maʼlumotlaringiz boʻyicha {number}-soʻrovga javob tayyor. {hotline}.",
    (
        "own_data",
        "ru",
    ): "Минзанятости: ответ на ваш запрос о данных № {number} готов. Тел. {hotline}.",
    ("duty", "uz"): "{number}-murojaatni hech kim olmadi.",
    ("duty", "ru"): "Обращение № {number} никто не взял.",
}
LONGEST = 4  # parts


class TextError(ValueError):
    """A text cannot be used; `code`: "empty", "braces", "unknown", "number", "link" or "long", of
    a template "name"; or cannot be sent: "phone", no number, "nobody", no mobile number or no
    account, "unwanted", he wants no messages, "unfilled", a word stands in braces still."""

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


def wordings(settings: Settings) -> list[Wording]:
    """Every text, by purpose and language."""
    own = {(row.purpose, row.language): row.text for row in NoticeText.select()}
    found = []
    for purpose, language in DEFAULTS:
        text = own.get((purpose, language)) or DEFAULTS[purpose, language]
        sample = _sample(settings, text, purpose, language)
        parts = outbox.segments(sample)
        found.append(Wording(purpose, language, text, sample, parts, (purpose, language) in own))
    return found


def text(purpose: str, language: str) -> str:
    """The text in force."""
    own = NoticeText.get_or_none(NoticeText.purpose == purpose, NoticeText.language == language)
    return own.text if own else DEFAULTS[purpose, language]


def change(settings: Settings, purpose: str, language: str, text: str, by: str) -> None:
    """Put the site's own text in force, or the default again ("")."""
    text = " ".join(text.split())
    if text:
        check(settings, purpose, language, text)
    here = (NoticeText.purpose == purpose, NoticeText.language == language)
    with writing():
        NoticeText.delete().where(*here).execute()
        if text and text != DEFAULTS[purpose, language]:
            NoticeText.create(purpose=purpose, language=language, text=text)
        audit.record(by, "notice.change", f"{purpose} {language}", text=text)


def check(settings: Settings, purpose: str, language: str, text: str) -> None:
    """Raise TextError for a text that cannot be used."""
    named = placeholders(text, PURPOSES[purpose])
    if (need := _NEEDED.get(purpose)) and need not in named:
        raise TextError(need)
    if outbox.segments(_sample(settings, text, purpose, language)) > LONGEST:
        raise TextError("long")


def placeholders(text: str, allowed: Collection[str]) -> set[str]:
    """The words in braces, all of them `allowed`. Raises TextError, also for nothing beside."""
    try:
        pieces = list(string.Formatter().parse(text))
    except ValueError as error:
        raise TextError("braces") from error
    named = [(name, spec, how) for _, name, spec, how in pieces if name is not None]
    if any(name not in allowed or spec or how for name, spec, how in named):
        raise TextError("unknown")
    if not "".join(before for before, *_ in pieces).strip():
        raise TextError("empty")
    return {name for name, *_ in named}


def fill(text: str, values: dict[str, str]) -> str:
    """The text with its values."""
    return text.format(**values)


def state_word(code: str, language: str) -> str:
    """What a citizen is told of where an appeal stands, in the language of the message."""
    say = i18n.translations("ru" if language == "ru" else "uz_Latn").gettext
    return say(states.NAMES[code])


def _sample(settings: Settings, text: str, purpose: str, language: str) -> str:
    """The text as it goes out from this site, about an appeal that is made up."""
    today = clock.now().astimezone(settings.tz)
    pages = settings.messages.public_url.rstrip("/") or "https://hotline.example"
    values = {
        "number": f"{today.year}-000123",
        "due": f"{today + dt.timedelta(days=15):%d.%m.%Y}",
        "hotline": settings.calls.hotline_number,
        "link": f"{pages}/r/Ab3dEf9hIj",
        "state": state_word("taken", language),
    }
    return outbox.plain(fill(text, {name: values[name] for name in PURPOSES[purpose]}))
