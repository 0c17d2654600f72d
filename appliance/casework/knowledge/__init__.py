"""The knowledge base: articles, their files, and the record of their use and searches (A8, B12)."""

from appliance.casework.knowledge.articles import (
    DIRECTION_LIST,
    DRAFT_READER_ROLES,
    LIVE_TOPIC,
    MANAGER_ROLES,
    SECTION_LIST,
    ArticleContent,
    ArticlePlacement,
    find_article,
    version_in_force,
)
from appliance.casework.knowledge.listing import (
    ArticleOverview,
    ArticleTitle,
    article_titles,
    list_articles,
    published_versions,
)
from appliance.casework.knowledge.openings import (
    OpenedArticle,
    articles_opened_at_call,
    record_opening,
)
from appliance.casework.knowledge.searching import (
    rank_articles,
    record_failed_search,
    search_articles,
    search_entries,
)
from appliance.casework.knowledge.seeding import seed_articles

__all__ = [
    "MANAGER_ROLES",
    "SECTION_LIST",
    "DRAFT_READER_ROLES",
    "LIVE_TOPIC",
    "DIRECTION_LIST",
    "ArticleOverview",
    "ArticlePlacement",
    "OpenedArticle",
    "ArticleTitle",
    "ArticleContent",
    "articles_opened_at_call",
    "search_entries",
    "find_article",
    "search_articles",
    "version_in_force",
    "list_articles",
    "rank_articles",
    "record_failed_search",
    "record_opening",
    "published_versions",
    "seed_articles",
    "article_titles",
]
