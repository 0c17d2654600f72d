"""The corpus that measures the search: names of every kind, and how hurried people type them.

Seeds below FIRST_FRESH_SEED were looked at while the search was written; assertions and reported
figures use others.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from appliance.casework import catalogs
from appliance.casework.knowledge import searching
from appliance.core import clock
from appliance.core.db import write_transaction
from appliance.models import Article, ArticleVersion, District, Mahalla, Region
from tests.rig.misspelling import misspell_name

FIRST_FRESH_SEED = 100
_PREFIXES = ("", "", "Yangi ", "Eski ", "Katta ", "Yuqori ", "Quyi ", "Oʻrta ")
_HEADS = (
    *("Gul", "Nav", "Bogʻi", "Qora", "Oq", "Koʻk", "Chor", "Tosh", "Qum", "Oltin", "Doʻst", "Mehr"),
    *("Sohib", "Xurram", "Shirin", "Yulduz", "Paxta", "Jar", "Beshik", "Uzum", "Anor", "Mirza"),
)
_TAILS = (
    *("obod", "zor", "bahor", "iston", "bogʻ", "tepa", "qishloq", "soy", "lik", "chi", "mahalla"),
    *("qoʻrgʻon", "kent", "ariq", "buloq", "qapa", "darvoza", "guzar", "chashma", "ravot"),
)
_FATHERS = (
    *("Karim", "Rahim", "Abdulla", "Yusuf", "Ergash", "Toshmat", "Xolmat", "Saʼdulla", "Joʻra"),
    *("Gʻofur", "Yoʻldosh", "Mirza", "Qodir", "Shodi", "Hasan", "Usmon", "Ibrohim", "Nazar"),
    *("Sattor", "Bekmurod", "Chori", "Xudoyberdi", "Zokir", "Islom", "Orif", "Normat", "Eshmat"),
    *("Tursun", "Oʻrin", "Maʼruf", "Fayzulla", "Haydar", "Jabbor", "Latif", "Mamajon", "Rustam"),
)
_ENDS = ("ov", "ova", "ev", "eva")
_TOPICS = (
    *("Ishsizlik nafaqasi", "Subsidiya", "Mehnat shartnomasi", "Ish haqi", "Homiladorlik taʼtili"),
    *("Xorijda ishlash", "Kasbga oʻqitish", "Monomarkaz", "Pensiya", "Mehnat daftarchasi"),
    *(
        "Ish joyidan boʻshatish",
        "Tikuv mashinasi",
        "Issiqxona",
        "Qarz va kredit",
        "Yoshlar bandligi",
    ),
    *("Nogironligi bor shaxslar", "Oʻzini oʻzi band qilish", "Jamoat ishlari", "Muddatli xizmat"),
)
_QUESTIONS = (
    *("tayinlash tartibi", "uchun hujjatlar", "toʻlanmasa nima qilish kerak", "boʻyicha savollar"),
    *("muddati", "kimga beriladi", "bekor qilinishi", "haqida"),
)


@dataclass(frozen=True)
class SampleQuery:
    """A query, and the name it was made from."""

    text: str
    kind: str
    name: str


def mahalla_names() -> list[str]:
    """Names in the form of mahalla names."""
    return [
        f"{prefix}{head}{tail} MFY"
        for prefix in dict.fromkeys(_PREFIXES)
        for head in _HEADS
        for tail in _TAILS
    ]


def caller_surnames() -> list[str]:
    """Surnames of callers."""
    return [
        father + ("y" if father[-1] in "aei" else "") + end for father in _FATHERS for end in _ENDS
    ]


def article_titles() -> list[str]:
    """Titles of articles."""
    return [f"{topic} {question}" for topic in _TOPICS for question in _QUESTIONS]


def fill_index() -> dict[str, list[str]]:
    """Add the corpus to the index of a site that has its lists; returns kind → the names in it."""
    chance = random.Random(0)  # noqa: S311  no secret
    sample = sorted(chance.sample(mahalla_names(), 1_500))
    districts = [row.soato for row in District.select().order_by(District.soato)]
    with write_transaction():
        for number, name in enumerate(sample):
            district = districts[number % len(districts)]
            catalogs.get_or_create_mahalla(name, district)
        for number, title in enumerate(article_titles()):
            publish_article(f"a-{number}", title, " ".join(chance.sample(article_titles(), 3)))
    return indexed_names()


def indexed_names() -> dict[str, list[str]]:
    """Kind → its names in a filled database."""
    return {
        "region": [row.name_uz_latn for row in Region.select()],
        "district": [row.name_uz_latn for row in District.select()],
        "mahalla": [row.name_uz_latn for row in Mahalla.select()],
        "article": article_titles(),
        "appeal": caller_surnames(),
    }


def publish_article(slug: str, title: str, text: str) -> None:
    """Put a new article in force at once; must run inside a transaction."""
    article = Article.create(slug=slug, section="appeals")
    now = clock.now()
    columns = {"title_uz": title, "text_uz": text, "state": "put", "since": now, "made_at": now}
    ArticleVersion.create(article=article, number=1, **columns)
    searching.update_search_index(article)


def sample_queries(
    names: dict[str, list[str]], errors: int, count: int, seed: int
) -> Iterator[SampleQuery]:
    """`count` queries for each kind with `errors` errors; places also without MFY, tumani."""
    chance = random.Random(f"{errors} {seed}")  # noqa: S311  no secret
    for kind, kind_names in names.items():
        for _ in range(count):
            name = chance.choice(kind_names)
            query = name
            if kind in ("region", "district", "mahalla") and chance.random() < 0.5:
                query = name.rsplit(" ", 1)[0]
            yield SampleQuery(misspell_name(query, errors, chance), kind, name)
