"""Templates of the short messages that people write by hand: address, documents, a link (T6)."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from appliance.core import audit, clock, live, outbox
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.messaging.notices import texts
from appliance.models import SmsTemplate

# what may stand in braces; filled from the form, as far as it is known
PLACEHOLDERS = ("name", "number", "due", "region", "district", "hotline")
NAME = 60  # letters of a template's name at most
_LEFT = re.compile(r"\{(" + "|".join(PLACEHOLDERS) + r")\}")


@dataclass(frozen=True)
class Template:
    """What the manager writes of a template."""

    name: str
    uz: str
    ru: str
    position: int = 0
    active: bool = True


def templates(retired: bool = False) -> list[SmsTemplate]:
    """The templates in their order; those in use, or all of them."""
    found = SmsTemplate.select().order_by(
        SmsTemplate.active.desc(), SmsTemplate.position, SmsTemplate.id
    )
    return list(found if retired else found.where(SmsTemplate.active))


def template(number: int) -> SmsTemplate | None:
    """The template with this id, retired or not; None when there is none."""
    return SmsTemplate.get_or_none(SmsTemplate.id == number)


def save(
    settings: Settings, typed: Template, by: str, one: SmsTemplate | None = None
) -> SmsTemplate:
    """Add a template, or change `one`; a retired one is offered no more, and never removed.

    Raises texts.TextError: "name" when there is none or another has it, and what `check` raises.
    """
    row = {
        "name": " ".join(typed.name.split())[:NAME],
        "uz": outbox.plain(typed.uz),
        "ru": outbox.plain(typed.ru),
        "position": typed.position,
        "active": typed.active,
    }
    others = SmsTemplate.select().where(SmsTemplate.name == row["name"])
    if not row["name"] or (others.where(SmsTemplate.id != one.id) if one else others).exists():
        raise texts.TextError("name")
    for language in texts.LANGUAGES:
        check(settings, language, str(row[language]))
    with writing():
        if one:
            SmsTemplate.update(row).where(SmsTemplate.id == one.id).execute()
            saved = SmsTemplate.get_by_id(one.id)
        else:
            saved = SmsTemplate.create(**row)
        audit.record(by, "template.change" if one else "template.add", str(saved.id), **row)
        live.publish("outbox")
    return saved


def check(settings: Settings, language: str, text: str) -> None:
    """Raise texts.TextError for a text that no template can have."""
    if not text.strip():
        raise texts.TextError("empty")
    texts.placeholders(text, PLACEHOLDERS)
    if outbox.segments(sample(settings, language, text)) > texts.LONGEST:
        raise texts.TextError("long")


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with the values that are known; the other words stay in their braces."""
    return outbox.plain(_LEFT.sub(lambda found: values.get(found[1]) or found[0], text))


def unfilled(text: str) -> list[str]:
    """The words of PLACEHOLDERS that stand in braces still."""
    return _LEFT.findall(text)


def sample(settings: Settings, language: str, text: str) -> str:
    """The text as it could go out, of a citizen who is made up."""
    today = clock.now().astimezone(settings.tz)
    places = {"uz": ("Samarqand viloyati", "Urgut tumani")}
    region, district = places.get(language, ("Самаркандская область", "Ургутский район"))
    values = {
        "name": "Gulchehra Yoʻldosheva" if language == "uz" else "Гульчехра Юлдашева",
        "number": f"{today.year}-000123",
        "due": f"{today + dt.timedelta(days=15):%d.%m.%Y}",
        "region": region,
        "district": district,
        "hotline": settings.calls.hotline_number,
    }
    return filled(text, values)


def purpose(number: int) -> str:
    """Under which name a service's approval of a template is kept."""
    return f"template-{number}"


def wordings(settings: Settings) -> Iterable[texts.Wording]:
    """Each text of the templates in use, to be approved as those of texts.wordings are."""
    for one in templates():
        for language in texts.LANGUAGES:
            text = getattr(one, language)
            shown = sample(settings, language, text)
            yield texts.Wording(
                purpose(one.id), language, text, shown, outbox.segments(shown), own=True
            )
