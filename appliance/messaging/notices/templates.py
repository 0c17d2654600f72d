"""Templates of the short messages that people write by hand (requirement T6).

They contain, for example, an address, a list of documents or a link.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from appliance.core import audit, clock, live, outbox
from appliance.core.db import write_transaction
from appliance.core.refusals import Refused
from appliance.core.settings import Settings
from appliance.core.statements import find_row
from appliance.messaging.notices import texts
from appliance.models import SmsTemplate

# The permitted placeholders. Their values are taken from the form, as far as they are known.
PLACEHOLDERS = ("name", "number", "due", "region", "district", "hotline")
MAX_NAME_CHARS = 60  # of a template's name
_PLACEHOLDER = re.compile(r"\{(" + "|".join(PLACEHOLDERS) + r")\}")


@dataclass(frozen=True)
class Template:
    """The values of a template, as the manager enters them."""

    name: str
    uz: str
    ru: str
    position: int = 0
    active: bool = True


def list_templates(with_retired: bool = False) -> list[SmsTemplate]:
    """Return the templates in their order; active ones only, or all of them."""
    query = SmsTemplate.select().order_by(
        SmsTemplate.active.desc(), SmsTemplate.position, SmsTemplate.id
    )
    return list(query if with_retired else query.where(SmsTemplate.active))


def find_template(number: int) -> SmsTemplate | None:
    """Return the template with this id, active or not, if any."""
    return find_row(SmsTemplate, id=number)


def save_template(
    settings: Settings, values: Template, actor: str, existing: SmsTemplate | None = None
) -> SmsTemplate:
    """Add a template, or change `existing`. Retired templates are not offered, but never deleted.

    Raises Refused "name" if the name is empty or in use, and Refused as check_template() does.
    """
    row = {
        "name": " ".join(values.name.split())[:MAX_NAME_CHARS],
        "uz": outbox.use_ascii_quotes(values.uz),
        "ru": outbox.use_ascii_quotes(values.ru),
        "position": values.position,
        "active": values.active,
    }
    same_name = SmsTemplate.select().where(SmsTemplate.name == row["name"])
    if (
        not row["name"]
        or (same_name.where(SmsTemplate.id != existing.id) if existing else same_name).exists()
    ):
        raise Refused("name")
    for language in texts.LANGUAGES:
        check_template(settings, language, str(row[language]))
    with write_transaction():
        if existing:
            SmsTemplate.update(row).where(SmsTemplate.id == existing.id).execute()
            saved: SmsTemplate = SmsTemplate.get_by_id(existing.id)
        else:
            saved = SmsTemplate.create(**row)
        audit.record_entry(
            actor, "template.change" if existing else "template.add", str(saved.id), **row
        )
        live.publish_topics("outbox")
    return saved


def check_template(settings: Settings, language: str, text: str) -> None:
    """Raise Refused for an invalid text of a template.

    The code is "empty" or "long" for such a text, or one of parse_placeholders().
    """
    if not text.strip():
        raise Refused("empty")
    texts.parse_placeholders(text, PLACEHOLDERS)
    if outbox.part_count(sample_text(settings, language, text)) > texts.MAX_PARTS:
        raise Refused("long")


def fill_known(text: str, values: Mapping[str, str]) -> str:
    """Return the text with the known values; other placeholders remain in braces."""
    return outbox.use_ascii_quotes(
        _PLACEHOLDER.sub(lambda match: values.get(match[1]) or match[0], text)
    )


def unfilled_placeholders(text: str) -> list[str]:
    """Return the placeholders that are still in braces."""
    return _PLACEHOLDER.findall(text)


def sample_text(settings: Settings, language: str, text: str) -> str:
    """Return the text as it might be sent, for a fictitious citizen."""
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
    return fill_known(text, values)


def approval_purpose(number: int) -> str:
    """Return the name under which a service's approval of a template is stored."""
    return f"template-{number}"


def template_wordings(settings: Settings) -> Iterable[texts.Wording]:
    """Yield each text of the active templates, which a service may have to approve."""
    for template in list_templates():
        for language in texts.LANGUAGES:
            text = getattr(template, language)
            sample_sms = sample_text(settings, language, text)
            yield texts.Wording(
                approval_purpose(template.id),
                language,
                text,
                sample_sms,
                outbox.part_count(sample_sms),
                is_custom=True,
            )
