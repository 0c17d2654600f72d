"""Lists of articles: those in force, titles, the manager's overview, and open tasks."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from appliance.casework import versions
from appliance.casework.knowledge import wording
from appliance.models import Article, ArticleVersion, User


@dataclass(frozen=True)
class ArticleTitle:
    """The title of an article for links; `in_force`: the version with this title is in force."""

    title: str
    in_force: bool


@dataclass(frozen=True)
class ArticleOverview:
    """An article with its version in force and its pending version, if any, and its newest one.

    A pending version is one that is not in force yet.
    """

    article: Article
    in_force: ArticleVersion | None
    pending_version: ArticleVersion | None
    newest: ArticleVersion
    review: bool  # its review date has come: its owner has to check whether it is still valid
    expired: bool  # the expiry date of the version in force has passed


def published_versions(day: dt.date, topic: str = "", section: str = "") -> list[ArticleVersion]:
    """Return the versions that are in force now, without those that expire before `day`.

    `topic`, the code of a direction, and `section`, the code of a section, limit them to articles
    with that direction or in that section; "" is no limit. The oldest articles are first.
    """
    rows = (
        ArticleVersion.select(ArticleVersion, Article)
        .join(Article)
        .where(
            versions.in_force_condition(ArticleVersion),
            ArticleVersion.expires_on.is_null() | (ArticleVersion.expires_on >= day),
        )
        .order_by(Article.id)
    )
    if section:
        rows = rows.where(Article.section == section)
    return [row for row in rows if not topic or topic in row.article.topics]


def article_titles(locale: str, slugs: Collection[str] | None = None) -> dict[str, ArticleTitle]:
    """Return the titles of the articles in force or pending, by slug; only of `slugs` if given.

    Articles whose versions are all retired are left out. The title is that of the version in force,
    else of the pending version.
    """
    columns = ("number", "state", "since", "until", "script", "title_uz", "title_ru")
    rows = (
        ArticleVersion.select(Article, *(getattr(ArticleVersion, name) for name in columns))
        .join(Article)
        .order_by(Article.id, ArticleVersion.number)
    )
    if slugs is not None:
        rows = rows.where(Article.slug.in_(list(slugs)))
    titles: dict[str, ArticleTitle] = {}
    for row in rows:
        slug, status = row.article.slug, versions.version_status(row)
        if status != "retired" and not (slug in titles and titles[slug].in_force):
            titles[slug] = ArticleTitle(wording.localized_title(row, locale), status == "in_force")
    return titles


def list_articles(day: dt.date) -> list[ArticleOverview]:
    """Return the overview of every article on `day`, the oldest articles first."""
    versions_by_article: dict[int, list[ArticleVersion]] = {}
    for row in ArticleVersion.select().order_by(ArticleVersion.number.desc()):
        versions_by_article.setdefault(row.article_id, []).append(row)
    return [
        _article_overview(article, versions_by_article[article.id], day)
        for article in Article.select().order_by(Article.id)
    ]


def count_open_tasks(user: User, day: dt.date) -> int:
    """Return how many tasks with articles the user has.

    For an approver, these are the versions to approve; for a writer, the versions to revise or to
    put in force, and the articles whose review date is not after `day`; 0 for other roles.
    """
    if user.role in versions.APPROVER_ROLES:
        return int(ArticleVersion.select().where(ArticleVersion.state == "sent").count())
    if user.role not in versions.WRITER_ROLES:
        return 0
    returned_versions = ArticleVersion.select().where(
        ArticleVersion.state.in_(("returned", "approved"))
    )
    due_articles = Article.select().where(Article.review_on <= day)
    return int(returned_versions.count() + due_articles.count())


def _article_overview(
    article: Article, rows: list[ArticleVersion], day: dt.date
) -> ArticleOverview:
    """Return the overview of an article from its versions, of which the newest is the first."""
    current = versions.find_in_force(rows)
    pending = next(
        (r for r in rows if versions.version_status(r) not in ("in_force", "retired")), None
    )
    is_expired = bool(current and current.expires_on and current.expires_on < day)
    needs_review = bool(article.review_on and article.review_on <= day)
    return ArticleOverview(article, current, pending, rows[0], needs_review, is_expired)
