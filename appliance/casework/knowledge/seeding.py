"""The articles that come with the product: drafts, for the manager and the ministry to judge."""

import datetime as dt
import tomllib
from typing import Any

from appliance import PACKAGE
from appliance.casework.knowledge import articles
from appliance.core import clock
from appliance.core.db import writing
from appliance.models import Article, ArticleVersion

FILES = PACKAGE / "data" / "articles"


def product() -> list[tuple[str, dict[str, Any]]]:
    """(name for addresses, what the file says) of each article that comes along."""
    found = sorted(FILES.glob("*.toml"))
    return [(file.stem, tomllib.loads(file.read_text("utf-8"))) for file in found]


def seed() -> int:
    """Put the product's articles into a site that has none yet, as drafts; how many."""
    if Article.select().exists():
        return 0
    made = product()
    with writing():
        for slug, said in made:
            words = articles.Words(**{n: said[n] for n in said if n not in ("section", "topics")})
            article = Article.create(slug=slug, section=said["section"], topics=said["topics"])
            row = articles.columns(words)
            now: dt.datetime = clock.now()
            ArticleVersion.create(article=article, number=1, made_at=now, **row)
    return len(made)
