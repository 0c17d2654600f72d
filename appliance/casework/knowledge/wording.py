"""An article in the reader's language: as it was written, or in the other script of Uzbek."""

from dataclasses import dataclass

from appliance.casework.knowledge import markdown
from appliance.core import script
from appliance.core.i18n import LOCALES
from appliance.models import ArticleVersion

LANGUAGES = ("uz", "ru")
SCRIPTS = ("Latn", "Cyrl")


@dataclass(frozen=True)
class Wording:
    """A version in one language; `made`: its script was made from the other one."""

    locale: str
    title: str
    html: str  # safe to be shown
    plain: str
    made: bool


def of(version: ArticleVersion, locale: str) -> Wording:
    """A version in the language of a reader; in the other language where it has no text in his."""
    language = "ru" if locale == "ru" else "uz"
    if not has(version, language):
        language = next((one for one in LANGUAGES if has(version, one)), language)
        locale = "ru" if language == "ru" else f"uz_{version.script}"
    title, text = str(getattr(version, f"title_{language}")), getattr(version, f"text_{language}")
    spelt = _spelling(version.script, locale)
    return Wording(
        locale,
        markdown.respelt(title, spelt) if spelt else title,
        markdown.html(text, spelt),
        markdown.plain(text, spelt),
        spelt is not None,
    )


def title(version: ArticleVersion, locale: str) -> str:
    """What a version is called in the language of a reader; never empty."""
    language = "ru" if locale == "ru" else "uz"
    found = getattr(version, f"title_{language}") or version.title_uz or version.title_ru
    spelt = _spelling(version.script, locale) if language == "uz" else None
    return (markdown.respelt(found, spelt) if spelt else str(found)) or version.article.slug


def respelt(version: ArticleVersion, text: str, locale: str) -> str:
    """Words beside an article's text, as the name of its law, in the script of a reader."""
    spelt = _spelling(version.script, locale)
    return markdown.respelt(text, spelt) if spelt else text


def has(version: ArticleVersion, language: str) -> bool:
    """Whether a version says something in a language, uz or ru."""
    words = (getattr(version, f"title_{language}"), getattr(version, f"text_{language}"))
    return all(word.strip() for word in words)


def script_of(text: str) -> str:
    """In which script most letters of an Uzbek text are: Latn or Cyrl."""
    cyrillic = sum("\u0400" <= c <= "\u04ff" for c in text)
    return "Cyrl" if 2 * cyrillic > sum(c.isalpha() for c in text) else "Latn"


def _spelling(written: str, locale: str) -> markdown.Spelling | None:
    """How a text in a script is rewritten for a locale; None when it stays as it is."""
    if locale not in LOCALES or locale in ("ru", f"uz_{written}"):
        return None
    return (
        script.latin
        if written == "Cyrl"
        else lambda text: script.written(text, "uz_Cyrl", quotes=True)
    )
