"""Template contexts of the pages for those who write or approve articles of the knowledge base."""

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import request
from markupsafe import Markup

from appliance.casework import catalogs, versions
from appliance.casework.knowledge import articles, listing, markdown, openings, wording
from appliance.core import clock
from appliance.people import accounts
from appliance.web.knowledge import article_labels, reading
from appliance.web.shared.articles import FIELDS
from appliance.web.shell.context import me, site, today
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import ArticleVersion

LIST_FILTERS = ("all", "ministry", "to_do", "drafts", "in_force", "review", "expired")


def version_context(version: "ArticleVersion") -> dict[str, Any]:
    """Return the template context of a version as its writers see it: both languages, its state.

    `text` and `body` are the Uzbek text, `russian` is the Russian one; `standing` is a function
    that returns a version's state.
    """
    # For a reader of Russian, the Uzbek text is in the script in which it was written.
    uzbek = f"uz_{version.script}" if locale() == "ru" else locale()
    return reading.version_context(version, uzbek) | {
        "words": article_labels,
        "people": accounts.display_names(),
        "standing": versions.version_status,
        "title": wording.localized_title(version, locale()),
        "russian": Markup(markdown.render_html(version.text_ru)),  # noqa: S704  # passed the allow-list
        "may_write": me().role in versions.WRITER_ROLES,
    }


def difference_rows(
    before: "ArticleVersion", after: "ArticleVersion"
) -> list[tuple[str, str, str]]:
    """Return (label of the field, before, after) of each difference between two versions.

    An empty value is shown as a dash.
    """
    return [
        (str(FIELDS[name]), old_text or "–", new_text or "–")
        for name, old_text, new_text in articles.version_differences(before, after)
    ]


def article_list_context() -> dict[str, Any]:
    """Return the template context of the list of articles.

    It has the articles that the parameters `show` and `section` select as `rows` of (article,
    title), and `counts`, the number of articles for each value of `show` (LIST_FILTERS).
    `shelves` are the sections as (code, name).
    """
    show, section = request.args.get("show", ""), request.args.get("section", "")
    show = show if show in LIST_FILTERS else "all"
    all_articles = listing.list_articles(today())
    sections = catalogs.labels_by_code(articles.SECTION_LIST, locale())
    kinds: dict[str, Callable[[listing.ArticleOverview], object]] = {
        "all": lambda overview: True,
        "drafts": lambda overview: (
            overview.pending_version and overview.pending_version.state in versions.EDITABLE_STATES
        ),
        "ministry": lambda overview: (
            overview.pending_version and overview.pending_version.state == "sent"
        ),
        "to_do": lambda overview: (
            overview.pending_version and overview.pending_version.state in ("returned", "approved")
        ),
        "in_force": lambda overview: overview.in_force,
        "review": lambda overview: overview.review,
        "expired": lambda overview: overview.expired,
    }
    rows = [
        article
        for article in all_articles
        if kinds[show](article) and (not section or article.article.section == section)
    ]
    return {
        "show": show,
        "section": section,
        "shelves": list(sections.items()),
        "names": sections,
        "counts": {
            name: sum(bool(matches(article)) for article in all_articles)
            for name, matches in kinds.items()
        },
        "rows": [
            (
                article,
                wording.localized_title(
                    article.pending_version or article.in_force or article.newest, locale()
                ),
            )
            for article in rows
        ],
        "standing": versions.version_status,
        "words": article_labels,
        "people": accounts.display_names(),
        "may_write": me().role in versions.WRITER_ROLES,
        "now": clock.now().astimezone(site().tz),
    }


def usage_context(period: dt.timedelta) -> dict[str, Any]:
    """Return the template context of the articles' use in the last `period`.

    `used` has (title, article, counts) of the articles that were opened, the most often opened
    first; `never` has (title, article) of those in force that were not; `missed` are the searches
    that found nothing.
    """
    end = clock.now()
    begin = end - period
    counts = openings.usage_by_article(begin, end)
    listed_articles = [
        entry
        for entry in listing.list_articles(today())
        if entry.in_force or entry.article.id in counts
    ]
    used_rows = [
        (
            wording.localized_title(entry.in_force or entry.newest, locale()),
            entry,
            counts[entry.article.id],
        )
        for entry in listed_articles
        if entry.article.id in counts
    ]
    unused_rows = [
        (wording.localized_title(entry.in_force, locale()), entry)
        for entry in listed_articles
        if entry.in_force and entry.article.id not in counts
    ]
    return {
        "used": sorted(used_rows, key=lambda row: -row[2].opened),
        "never": unused_rows,
        "missed": openings.failed_searches(begin, end),
    }
