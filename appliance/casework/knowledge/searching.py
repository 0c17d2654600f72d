"""Finding articles by their words, in any script, and what was searched in vain."""

import datetime as dt
from collections.abc import Iterator

from appliance.casework import versions
from appliance.casework.knowledge import markdown, synonyms
from appliance.core import clock, search
from appliance.core.db import in_pieces, writing
from appliance.core.i18n import fold
from appliance.models import Article, ArticleMiss, ArticleVersion, User

KIND = "article"
_PIECE = 50  # articles read at once
_TEXT = 200  # characters of a search that are kept
_PERSONAL = 7  # digits from which on a text may be a number of a person's
_SHORT = 3  # letters below which a search in vain says nothing


def entry_of(row: ArticleVersion) -> search.Entry:
    """What a version is found by: its titles, law and other words, then its text."""
    law = f"{row.law} {row.law_number}"
    texts = (markdown.plain(row.text_uz), markdown.plain(row.text_ru), row.source)
    return search.Entry(
        KIND,
        str(row.id),
        row.title_uz or row.title_ru,
        text="\n".join(texts),
        names=(row.title_ru, law, *synonyms.of(row)),
        row=row.id,
    )


def remember(article: Article) -> None:
    """Let what of an article is in force, or will be, be found, and no other version of it."""
    for row in versions.of(ArticleVersion, article):
        if versions.standing(row) in versions.SHOWN:
            search.put(entry_of(row))
        else:
            search.drop(KIND, str(row.id))


def entries() -> Iterator[list[search.Entry]]:
    """All that is put for articles, some at a time."""
    rows = ArticleVersion.select(ArticleVersion, Article).join(Article)
    rows = rows.where(versions.lasting(ArticleVersion))
    for piece in in_pieces(rows, ArticleVersion.id, _PIECE):
        yield [entry_of(row) for row in piece]


def nearest(
    asked: search.Query, day: dt.date, limit: int
) -> list[tuple[search.Found, ArticleVersion]]:
    """(how it was found, article) of those in force on a day that are meant, the nearest first.

    Where some have every word there are no others, else only those that are nearly the nearest.
    """
    held = ArticleVersion.select(ArticleVersion.id).where(
        versions.holding(ArticleVersion),
        ArticleVersion.expires_on.is_null() | (ArticleVersion.expires_on >= day),
    )
    found = search.find(asked, KIND, limit, lambda row: row.in_(held))
    found = search.meant(found)
    rows = ArticleVersion.select(ArticleVersion, Article).join(Article)
    of_row = {row.id: row for row in rows.where(ArticleVersion.id.in_([f.row for f in found]))}
    return [(one, of_row[one.row]) for one in found]


def found(text: str, day: dt.date, limit: int = 20) -> list[ArticleVersion]:
    """The articles in force on a day that are meant by a text, the nearest first."""
    return [row for _one, row in nearest(search.query(text), day, limit)]


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
            words = " ".join(text.split())[:_TEXT]
            ArticleMiss.create(text=words, key=key, who=user.login, at=now)
