"""`appliance knowledge`: articles from files."""

from pathlib import Path

import click

from appliance.casework.knowledge import articles, importing
from appliance.cli.context import Site, pass_site
from appliance.core.refusals import Refused


@click.group()
def knowledge() -> None:
    """The knowledge base."""


@knowledge.command("import")
@click.argument(
    "files", type=click.Path(path_type=Path, dir_okay=False, exists=True), nargs=-1, required=True
)
@pass_site
def import_articles(site: Site, files: tuple[Path, ...]) -> None:
    """Store Markdown files as drafts of articles; prints the name and version of each."""
    site.open_database()
    failed = False
    for file in files:
        try:
            row = articles.import_article(
                file.stem, *importing.parse_article(file.read_text("utf-8"))
            )
        except (Refused, UnicodeDecodeError) as error:
            code = getattr(error, "code", "text")
            click.echo(f"Error: {file}: {_REFUSAL_TEXTS.get(code, code)}", err=True)
            failed = True
        else:
            click.echo(f"{row.article.slug} {row.number}")
    if failed:
        raise SystemExit(1)


# Why a file cannot be the draft of an article, by the code of Refused.
_REFUSAL_TEXTS = {
    "head": "it begins with a head between two lines of ---, in lines as title_uz: …",
    "title": "title_uz or title_ru is needed",
    "section": "section: none of the list article_section",
    "topic": "directions: one is none of the list direction",
    "owner": "owner: no such manager or person of the ministry",
    "day": "a day is written as 2027-01-31",
    "pending": "there is a version to come already: put it in force or discard it first",
    "text": "it is no UTF-8 text",
}
