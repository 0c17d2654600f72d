"""Articles in lists: in force, by their titles, as the manager sees them, and what is to do."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from appliance.casework import versions
from appliance.casework.knowledge import wording
from appliance.models import Article, ArticleVersion, User


@dataclass(frozen=True)
class Titled:
    """What an article is called where it is only named, and whether it can be read."""

    title: str
    in_force: bool


@dataclass(frozen=True)
class Listed:
    """An article with the version in force and the one to come, where it has them."""

    article: Article
    in_force: ArticleVersion | None
    to_come: ArticleVersion | None
    newest: ArticleVersion
    review: bool  # its owner is to look whether it still holds
    expired: bool  # the version in force says that it holds no more


def published(day: dt.date, topic: str = "", section: str = "") -> list[ArticleVersion]:
    """What is in force and not expired on a day, of a direction or a section if one is named."""
    rows = (
        ArticleVersion.select(ArticleVersion, Article)
        .join(Article)
        .where(
            versions.holding(ArticleVersion),
            ArticleVersion.expires_on.is_null() | (ArticleVersion.expires_on >= day),
        )
        .order_by(Article.id)
    )
    if section:
        rows = rows.where(Article.section == section)
    return [row for row in rows if not topic or topic in row.article.topics]


def titled(locale: str, slugs: Collection[str] | None = None) -> dict[str, Titled]:
    """Slug → what an article is called, of those in force or to come; of `slugs` if any are named.

    What is in force gives the title, else the version to come.
    """
    columns = ("number", "state", "since", "until", "script", "title_uz", "title_ru")
    rows = (
        ArticleVersion.select(Article, *(getattr(ArticleVersion, name) for name in columns))
        .join(Article)
        .order_by(Article.id, ArticleVersion.number)
    )
    if slugs is not None:
        rows = rows.where(Article.slug.in_(list(slugs)))
    found: dict[str, Titled] = {}
    for row in rows:
        slug, stands = row.article.slug, versions.standing(row)
        if stands != "retired" and not (slug in found and found[slug].in_force):
            found[slug] = Titled(wording.title(row, locale), stands == "in_force")
    return found


def listed(day: dt.date) -> list[Listed]:
    """Every article with how it stands on a day, in the order in which they were made."""
    theirs: dict[int, list[ArticleVersion]] = {}
    for row in ArticleVersion.select().order_by(ArticleVersion.number.desc()):
        theirs.setdefault(row.article_id, []).append(row)
    return [
        _listed(article, theirs[article.id], day)
        for article in Article.select().order_by(Article.id)
    ]


def to_do(user: User, day: dt.date) -> int:
    """How many articles wait for somebody: to be approved, or to be written anew or reviewed."""
    if user.role in versions.APPROVES:
        return ArticleVersion.select().where(ArticleVersion.state == "sent").count()
    if user.role not in versions.WRITES:
        return 0
    returned = ArticleVersion.select().where(ArticleVersion.state.in_(("returned", "approved")))
    due = Article.select().where(Article.review_on <= day)
    return int(returned.count() + due.count())


def _listed(article: Article, rows: list[ArticleVersion], day: dt.date) -> Listed:
    held = versions.in_force(rows)
    coming = next((r for r in rows if versions.standing(r) not in ("in_force", "retired")), None)
    expired = bool(held and held.expires_on and held.expires_on < day)
    review = bool(article.review_on and article.review_on <= day)
    return Listed(article, held, coming, rows[0], review, expired)
