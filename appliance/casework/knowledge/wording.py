"""An article in the reader's language: as it was written, or in the other script of Uzbek."""

from dataclasses import dataclass

from appliance.casework.knowledge import markdown
from appliance.core import script
from appliance.core.i18n import LOCALES, base_language
from appliance.models import ArticleVersion

LANGUAGES = ("uz", "ru")
SCRIPTS = ("Latn", "Cyrl")


@dataclass(frozen=True)
class LocalizedArticle:
    """A version in one language and script.

    `locale` is that of the text, which the reader's may differ from. `is_transliterated`: it was
    written in the other script of Uzbek, and converted.
    """

    locale: str
    title: str
    html: str  # the text, safe to be shown
    plain: str  # the text without markup
    is_transliterated: bool


def localized_article(version: ArticleVersion, locale: str) -> LocalizedArticle:
    """Return a version in the reader's language and script, else in the other language.

    It is in the other one if it has no title or text in the reader's.
    """
    language = base_language(locale)
    if not has_language(version, language):
        language = next(
            (candidate for candidate in LANGUAGES if has_language(version, candidate)), language
        )
        locale = "ru" if language == "ru" else f"uz_{version.script}"
    title, text = str(getattr(version, f"title_{language}")), getattr(version, f"text_{language}")
    transliterate = _transliterator(version.script, locale)
    return LocalizedArticle(
        locale,
        markdown.transliterate_line(title, transliterate) if transliterate else title,
        markdown.render_html(text, transliterate),
        markdown.plain_text(text, transliterate),
        transliterate is not None,
    )


def localized_title(version: ArticleVersion, locale: str) -> str:
    """Return the title in the reader's language, else in the other one, else the article's slug."""
    language = base_language(locale)
    own_title = getattr(version, f"title_{language}") or version.title_uz or version.title_ru
    transliterate = _transliterator(version.script, locale) if language == "uz" else None
    return (
        markdown.transliterate_line(own_title, transliterate) if transliterate else str(own_title)
    ) or version.article.slug


def transliterate_text(version: ArticleVersion, text: str, locale: str) -> str:
    """Return a one-line text about an article, e.g. the name of its law, in the reader's script."""
    transliterate = _transliterator(version.script, locale)
    return markdown.transliterate_line(text, transliterate) if transliterate else text


def has_language(version: ArticleVersion, language: str) -> bool:
    """Return True if a version has a title and a text in a language, uz or ru."""
    texts = (getattr(version, f"title_{language}"), getattr(version, f"text_{language}"))
    return all(text.strip() for text in texts)


def detect_script(text: str) -> str:
    """Return the script of most letters of an Uzbek text: Latn or Cyrl."""
    cyrillic = sum("\u0400" <= letter <= "\u04ff" for letter in text)
    return "Cyrl" if 2 * cyrillic > sum(letter.isalpha() for letter in text) else "Latn"


def _transliterator(own_script: str, locale: str) -> markdown.Transliterator | None:
    """Return the function that converts an Uzbek text to the script of a reader's locale.

    `own_script` is the text's, "Latn" or "Cyrl". Return None if nothing is to be converted: the
    text is in the reader's script, or the locale is Russian or unknown.
    """
    if locale not in LOCALES or locale in ("ru", f"uz_{own_script}"):
        return None
    return (
        script.transliterate_to_latin
        if own_script == "Cyrl"
        else lambda text: script.transliterate_for_locale(text, "uz_Cyrl", include_quotes=True)
    )
