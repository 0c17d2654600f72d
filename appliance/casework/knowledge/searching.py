"""Finding articles by their words, in any script, and what was searched in vain."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from appliance.casework import versions
from appliance.casework.knowledge import markdown
from appliance.core import clock
from appliance.core.db import writing
from appliance.core.i18n import fold
from appliance.models import Article, ArticleMiss, ArticleVersion, User

KIND = "article"
_TEXT = 200  # characters of a search that are kept
_PERSONAL = 7  # digits from which on a text may be a number of a person's
_SHORT = 3  # letters below which a search in vain says nothing


def key_of(row: Mapping[str, Any]) -> str:
    """What a search looks in: the words of both languages, folded; the titles stand first."""
    titles = (row["title_uz"], row["title_ru"], row["law"], row["law_number"])
    texts = (markdown.plain(row["text_uz"]), markdown.plain(row["text_ru"]))
    return f" {' '.join(map(fold, titles))} | {' '.join(map(fold, texts))} "


def found(text: str, day: dt.date, limit: int = 20) -> list[ArticleVersion]:
    """Articles in force on a day that have every word of a search, or a word that begins so.

    Those with the words in their title come first.
    """
    words = fold(text).split()
    if not words:
        return []
    rows = (
        ArticleVersion.select(ArticleVersion, Article)
        .join(Article)
        .where(
            versions.holding(ArticleVersion),
            ArticleVersion.expires_on.is_null() | (ArticleVersion.expires_on >= day),
            *(ArticleVersion.search_key.contains(f" {word}") for word in words),
        )
    )

    def rank(row: ArticleVersion) -> tuple[int, int]:
        title = row.search_key.partition(" | ")[0]
        return -sum(f" {word}" in title for word in words), row.article_id

    return sorted(rows, key=rank)[:limit]


def nothing_found(text: str, user: User) -> None:
    """Keep that a search found no article, for the manager; the same one once a day and person.

    While somebody types, each longer text takes the place of the shorter one of a minute ago. What
    may be somebody's phone or document is not kept.
    """
    key = fold(text)
    if len(key) < _SHORT or sum(letter.isdigit() for letter in key) >= _PERSONAL:
        return
    now = clock.now()
    theirs = (ArticleMiss.who == user.login, ArticleMiss.at > now - dt.timedelta(days=1))
    with writing():
        last = ArticleMiss.select().where(*theirs).order_by(ArticleMiss.id.desc()).first()
        if last and now - last.at < dt.timedelta(minutes=1) and key.startswith(last.key):
            last.delete_instance()
        if not ArticleMiss.select().where(*theirs, ArticleMiss.key == key).exists():
            kept = " ".join(text.split())[:_TEXT]
            ArticleMiss.create(text=kept, key=key, who=user.login, at=now)


def indexed() -> Iterator[tuple[str, str, str, str]]:
    """(kind, name, title, text) of whatever of articles is to be found."""
    rows = ArticleVersion.select(ArticleVersion, Article).join(Article)
    for row in rows.where(versions.holding(ArticleVersion)):
        titles = " / ".join(filter(None, (row.title_uz, row.title_ru)))
        text = "\n".join(map(markdown.plain, (row.text_uz, row.text_ru)))
        yield KIND, row.article.slug, titles, text
