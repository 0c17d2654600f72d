"""`appliance knowledge` and `appliance script`: articles and scripts imported from files."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from appliance.casework.knowledge import articles
from appliance.casework.scripts import queries
from appliance.cli import appliance
from appliance.core import db
from appliance.models import AuditEntry
from tests.rig.scripts import make_script

ARTICLE = """---
title_uz: Subsidiya olish
title_ru: "Получение субсидии"
section: appeals
directions: subsidies, Boshqa masalalar
law: Murojaatlar toʻgʻrisida
law_number: OʻRQ-445
law_on: 2017-09-11
review: 2027-12-01
---
# uz
Ariza **15 kun** ichida

# Sarlavha
# ru
Заявление
"""


@pytest.fixture
def run(settings):
    """Run a command on the site."""

    def run_command(*args: object) -> Result:
        result = CliRunner().invoke(appliance, ["--config", str(settings.file), *map(str, args)])
        db.open_database(settings.paths.database)
        return result

    return run_command


def test_an_imported_article_becomes_a_draft(run, tmp_path: Path) -> None:
    file, russian_only_file = tmp_path / "Subsidiya.md", tmp_path / "faqat.md"
    file.write_text(ARTICLE, "utf-8")
    russian_only_file.write_text("---\ntitle_ru: Другое\n---\nТекст", "utf-8")
    result = run("knowledge", "import", file, russian_only_file)
    assert (result.exit_code, result.output) == (0, "subsidiya 1\nfaqat 1\n")
    [article, russian_only] = [articles.find_article(slug) for slug in ("subsidiya", "faqat")]
    assert article
    assert (article.section, article.topics, f"{article.review_on}") == (
        "appeals",
        ["subsidies", "other"],
        "2027-12-01",
    )
    [row] = articles.article_versions(article)
    assert (row.state, row.by, row.title_ru) == ("draft", "system", "Получение субсидии")
    assert row.text_uz == "Ariza **15 kun** ichida\n\n# Sarlavha"
    assert (row.text_ru, row.law_number, f"{row.law_on}") == ("Заявление", "OʻRQ-445", "2017-09-11")
    assert russian_only
    assert articles.article_versions(russian_only)[0].text_ru == "Текст"
    again = run("knowledge", "import", file)
    assert (again.exit_code, "a version to come" in again.output) == (1, True)
    assert AuditEntry.select().where(AuditEntry.action == "article.create").count() == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# Matn", "a head between"),
        ("---\nowner\n---\n", "a head between"),
        ("---\nsection: appeals\n---\nMatn", "title_uz or title_ru"),
        ("---\ntitle_uz: A\nsection: yoʻq\n---\nMatn", "article_section"),
        ("---\ntitle_uz: A\ndirections: yoʻq\n---\nMatn", "list direction"),
        ("---\ntitle_uz: A\nreview: ertaga\n---\nMatn", "2027-01-31"),
        ("---\ntitle_uz: A\nowner: nilufar\n---\nMatn", "owner"),
    ],
)
def test_an_invalid_article_is_reported(
    run, tmp_path: Path, nilufar, text: str, message: str
) -> None:
    file = tmp_path / "a.md"
    file.write_text(text, "utf-8")
    result = run("knowledge", "import", file)
    assert result.exit_code == 1
    assert message in result.output
    assert articles.find_article("a") is None


def test_an_imported_script_becomes_a_draft_and_is_exported(run, tmp_path: Path) -> None:
    file = tmp_path / "salom.json"
    file.write_text(json.dumps(make_script()), "utf-8")
    assert run("script", "import", file).output == "salom 1\n"
    exported = run("script", "export", "salom")
    script_document = json.loads(exported.output)
    assert script_document.pop("code") == "salom"
    assert [step["code"] for step in script_document["steps"]] == [
        "salom",
        "savol",
        "rahmat",
        "xato",
    ]
    assert run("script", "import", file).output.endswith("discard it first\n")
    script_document["steps"][0]["answers"][0]["to"] = "A b"
    file.write_text(json.dumps(script_document | {"code": "boshqa"}), "utf-8")
    wrong = run("script", "import", file)
    assert (wrong.exit_code, wrong.output.endswith("the code of a step, step salom\n")) == (1, True)
    assert run("script", "export", "yoq").exit_code == 1
    assert queries.find_script("boshqa") is None
    file.write_text("nothing", "utf-8")
    assert "neither JSON" in run("script", "import", file).output
