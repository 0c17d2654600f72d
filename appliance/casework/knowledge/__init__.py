"""The knowledge base: articles, their files, what of them was shown and searched (A8, B12)."""

from appliance.casework.knowledge.articles import (
    MANAGES,
    SECTIONS,
    SEES_DRAFTS,
    TOPIC,
    TOPICS,
    Place,
    Words,
    find,
    in_force,
)
from appliance.casework.knowledge.errors import ArticleError
from appliance.casework.knowledge.listing import Listed, Titled, listed, published, titled
from appliance.casework.knowledge.openings import Shown, at_call, opened
from appliance.casework.knowledge.searching import entries, found, nearest, nothing_found
from appliance.casework.knowledge.seeding import seed

__all__ = [
    "MANAGES",
    "SECTIONS",
    "SEES_DRAFTS",
    "TOPIC",
    "TOPICS",
    "ArticleError",
    "Listed",
    "Place",
    "Shown",
    "Titled",
    "Words",
    "at_call",
    "entries",
    "find",
    "found",
    "in_force",
    "listed",
    "nearest",
    "nothing_found",
    "opened",
    "published",
    "seed",
    "titled",
]
