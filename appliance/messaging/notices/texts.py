"""The texts of short messages: defaults, the site's own, and their placeholders in braces."""

import datetime as dt
import string
from collections.abc import Collection
from dataclasses import dataclass

from appliance.casework.appeals import states
from appliance.core import audit, clock, i18n, outbox
from appliance.core.db import write_transaction
from appliance.core.refusals import Refused
from appliance.core.settings import Settings
from appliance.models import NoticeText
from appliance.people import accounts

LANGUAGES = tuple(accounts.CALL_LANGUAGES)
# The permitted placeholders by purpose; the one in _REQUIRED_PLACEHOLDER must be present.
PLACEHOLDERS_BY_PURPOSE: dict[str, tuple[str, ...]] = {
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
# The placeholder, by purpose, that a text must contain to be of use.
_REQUIRED_PLACEHOLDER = {
    **dict.fromkeys(("registered", "answered", "status", "own_data", "duty"), "number"),
    "rating": "link",
}
DEFAULT_TEXTS = {
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
    ("rating", "ru"): "Оцените оператора Минзанятости: {link}",
    (
        "rating_reply",
        "uz",
    ): "Bandlik vazirligi ({hotline}): operator ishini 1 dan 5 gacha baholab, javob SMS yuboring.",
    ("rating_reply", "ru"): "Минзанятости ({hotline}): оцените оператора цифрой от 1 до 5 в ответ.",
    (
        "status",
        "uz",
    ): "Bandlik vazirligi: {number}-sonli murojaat holati: {state}. Javob muddati: {due}.",
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
    ): "Bandlik vazirligi: maʼlumotlaringiz boʻyicha {number}-soʻrovga javob tayyor. "
    "Tel. {hotline}.",
    (
        "own_data",
        "ru",
    ): "Минзанятости: ответ на ваш запрос о данных № {number} готов. Тел. {hotline}.",
    ("duty", "uz"): "{number}-sonli murojaatni hech kim ijroga olmadi.",
    ("duty", "ru"): "Обращение № {number} никто не взял.",
}
MAX_PARTS = 4  # the SMS that a long message is divided into


@dataclass(frozen=True)
class Wording:
    """A text in force, a sample of it as sent, and the number of parts of the sample."""

    purpose: str
    language: str
    text: str
    sample: str
    parts: int
    is_custom: bool  # the site's own, not the default


def all_wordings(settings: Settings) -> list[Wording]:
    """Return every text, by purpose and language."""
    custom_texts = {(row.purpose, row.language): row.text for row in NoticeText.select()}
    wordings = []
    for purpose, language in DEFAULT_TEXTS:
        text = custom_texts.get((purpose, language)) or DEFAULT_TEXTS[purpose, language]
        sample = _sample_text(settings, text, purpose, language)
        parts = outbox.part_count(sample)
        wordings.append(
            Wording(purpose, language, text, sample, parts, (purpose, language) in custom_texts)
        )
    return wordings


def text_in_force(purpose: str, language: str) -> str:
    """Return the text in force."""
    custom = NoticeText.get_or_none(NoticeText.purpose == purpose, NoticeText.language == language)
    return custom.text if custom else DEFAULT_TEXTS[purpose, language]


def change_text(settings: Settings, purpose: str, language: str, text: str, actor: str) -> None:
    """Set the site's own text, or restore the default ("")."""
    text = " ".join(text.split())
    if text:
        check_text(settings, purpose, language, text)
    conditions = (NoticeText.purpose == purpose, NoticeText.language == language)
    with write_transaction():
        NoticeText.delete().where(*conditions).execute()
        if text and text != DEFAULT_TEXTS[purpose, language]:
            NoticeText.create(purpose=purpose, language=language, text=text)
        audit.record_entry(actor, "notice.change", f"{purpose} {language}", text=text)


def check_text(settings: Settings, purpose: str, language: str, text: str) -> None:
    """Raise Refused for a text that cannot be used.

    The code is "number" or "link" if that placeholder is required but missing, "long" if the
    message would have more than MAX_PARTS, or one of parse_placeholders().
    """
    names = parse_placeholders(text, PLACEHOLDERS_BY_PURPOSE[purpose])
    if (required := _REQUIRED_PLACEHOLDER.get(purpose)) and required not in names:
        raise Refused(required)
    if outbox.part_count(_sample_text(settings, text, purpose, language)) > MAX_PARTS:
        raise Refused("long")


def parse_placeholders(text: str, allowed: Collection[str]) -> set[str]:
    """Return the names of the placeholders in a text.

    Raises Refused with the code "braces" if the braces do not match, "unknown" if a placeholder is
    not `allowed`, or "empty" if there is no text outside the placeholders.
    """
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError as error:
        raise Refused("braces") from error
    fields = [(name, spec, conversion) for _, name, spec, conversion in parsed if name is not None]
    if any(name not in allowed or spec or conversion for name, spec, conversion in fields):
        raise Refused("unknown")
    if not "".join(literal for literal, *_ in parsed).strip():
        raise Refused("empty")
    return {name for name, *_ in fields}


def fill_text(text: str, values: dict[str, str]) -> str:
    """Return the text with its placeholders replaced by values."""
    return text.format(**values)


def state_name(code: str, language: str) -> str:
    """Return the name of an appeal's state for citizens, in the language of the message."""
    translate = i18n.locale_translations("ru" if language == "ru" else "uz_Latn").gettext
    return translate(states.WORKFLOW.states_by_code[code].name)


def _sample_text(settings: Settings, text: str, purpose: str, language: str) -> str:
    """Return the text as this site would send it, about a fictitious appeal."""
    today = clock.now().astimezone(settings.tz)
    pages = settings.messages.public_url.rstrip("/") or "https://hotline.example"
    values = {
        "number": f"{today.year}-000123",
        "due": f"{today + dt.timedelta(days=15):%d.%m.%Y}",
        "hotline": settings.calls.hotline_number,
        "link": f"{pages}/r/Ab3dEf9hIj",
        "state": state_name("taken", language),
    }
    return outbox.use_ascii_quotes(
        fill_text(text, {name: values[name] for name in PLACEHOLDERS_BY_PURPOSE[purpose]})
    )
