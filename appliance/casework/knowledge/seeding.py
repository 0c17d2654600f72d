"""The product's articles: drafts, to be reviewed by the manager and the ministry."""

import datetime as dt
import tomllib
from typing import Any

from appliance import PACKAGE
from appliance.casework.knowledge import articles
from appliance.core import clock
from appliance.core.db import write_transaction
from appliance.models import Article, ArticleVersion

PRODUCT_ARTICLES_DIRECTORY = PACKAGE / "data" / "articles"


def product_articles() -> list[tuple[str, dict[str, Any]]]:
    """Return (slug, parsed TOML file) of each article that is part of the product."""
    paths = sorted(PRODUCT_ARTICLES_DIRECTORY.glob("*.toml"))
    return [(path.stem, tomllib.loads(path.read_text("utf-8"))) for path in paths]


def seed_articles() -> int:
    """Store the product's articles as drafts on a site without articles.

    Returns the number of stored articles: 0 if the site has articles already.
    """
    if Article.select().exists():
        return 0
    articles_by_slug = product_articles()
    with write_transaction():
        for slug, entry in articles_by_slug:
            content = articles.ArticleContent(
                **{name: entry[name] for name in entry if name not in ("section", "topics")}
            )
            article = Article.create(slug=slug, section=entry["section"], topics=entry["topics"])
            row = articles.content_columns(content)
            now: dt.datetime = clock.now()
            ArticleVersion.create(article=article, number=1, made_at=now, **row)
    return len(articles_by_slug)
