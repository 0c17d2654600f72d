"""What the search is measured on: names of every kind, and what hurried people make of them.

Seeds below TUNED were looked at while the search was written; what is asserted and told uses
others.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from appliance.casework import catalogs
from appliance.casework.knowledge import searching
from appliance.core import clock
from appliance.core.db import writing
from appliance.models import Article, ArticleVersion, District, Mahalla, Region
from tests.rig.misspelling import misspelt

TUNED = 100
_BEFORE = ("", "", "Yangi ", "Eski ", "Katta ", "Yuqori ", "Quyi ", "Oʻrta ")
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
_OF_WHAT = (
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
_WHAT = (
    *("tayinlash tartibi", "uchun hujjatlar", "toʻlanmasa nima qilish kerak", "boʻyicha savollar"),
    *("muddati", "kimga beriladi", "bekor qilinishi", "haqida"),
)


@dataclass(frozen=True)
class Asked:
    """A query and what it was made of."""

    text: str
    kind: str
    name: str


def mahallas() -> list[str]:
    """Names as mahallas have them."""
    return [
        f"{before}{head}{tail} MFY"
        for before in dict.fromkeys(_BEFORE)
        for head in _HEADS
        for tail in _TAILS
    ]


def surnames() -> list[str]:
    """Surnames of people who call."""
    return [
        father + ("y" if father[-1] in "aei" else "") + end for father in _FATHERS for end in _ENDS
    ]


def articles() -> list[str]:
    """Titles of articles."""
    return [f"{of} {what}" for of in _OF_WHAT for what in _WHAT]


def fill() -> dict[str, list[str]]:
    """Put them into the index of a site that has its lists; returns kind → the names in it."""
    chance = random.Random(0)  # noqa: S311  no secret
    some = sorted(chance.sample(mahallas(), 1_500))
    districts = [one.soato for one in District.select().order_by(District.soato)]
    with writing():
        for number, name in enumerate(some):
            district = districts[number % len(districts)]
            catalogs.remember_mahalla(name, district)
        for number, title in enumerate(articles()):
            publish(f"a-{number}", title, " ".join(chance.sample(articles(), 3)))
    return names()


def names() -> dict[str, list[str]]:
    """Kind → the names of it in a database that was filled."""
    return {
        "region": [one.name_uz_latn for one in Region.select()],
        "district": [one.name_uz_latn for one in District.select()],
        "mahalla": [one.name_uz_latn for one in Mahalla.select()],
        "article": articles(),
        "appeal": surnames(),
    }


def publish(slug: str, title: str, text: str) -> None:
    """Put an article in force that was never anything else; inside a transaction."""
    article = Article.create(slug=slug, section="appeals")
    now = clock.now()
    columns = {"title_uz": title, "text_uz": text, "state": "put", "since": now, "made_at": now}
    ArticleVersion.create(article=article, number=1, **columns)
    searching.remember(article)


def queries(names: dict[str, list[str]], errors: int, count: int, seed: int) -> Iterator[Asked]:
    """So many queries for each kind, with so many errors; places also without their MFY, tumani."""
    chance = random.Random(f"{errors} {seed}")  # noqa: S311  no secret
    for kind, some in names.items():
        for _ in range(count):
            name = chance.choice(some)
            asked = name
            if kind in ("region", "district", "mahalla") and chance.random() < 0.5:
                asked = name.rsplit(" ", 1)[0]
            yield Asked(misspelt(asked, errors, chance), kind, name)
